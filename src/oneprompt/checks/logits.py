"""Checks of the exercises of chapter 6."""

import math

import torch
from torch import Tensor

from oneprompt.logits import cross_entropy as package_cross_entropy
from oneprompt.logits import lens as package_lens
from oneprompt.logits import to_logits
from oneprompt.model import ModelConfig, Transformer

from . import Results, Wrong, bare, compare
from .table import Table, from_table


@from_table
def by_hand() -> Table:
    """The softmax of 3, 3 + ln 2 and 3 + ln 5."""
    return Table("the probabilities of the logits 3, 3 + ln 2 and 3 + ln 5", *hand_results())


def hand_results(shared: int = 3, powers=(1, 2, 5)) -> Results:
    """The answer and the mistakes of `by_hand`, for the logits shared + ln(power)."""
    powers = torch.tensor(powers, dtype=torch.float64)
    logits = shared + powers.log()
    log_p = logits.log_softmax(dim=-1)
    best = torch.zeros(3, dtype=torch.float64)
    best[powers.argmax()] = 1
    causes = (
        (powers, "these do not add up to one: divide by their sum"),
        (logits.exp(), "these do not add up to one: divide by their sum"),
        (powers.log(), f"these are the logits without their shared {shared}: still not "
         "probabilities"),
        (logits / logits.sum(), "the logits themselves were divided by their sum; "
         "take the power of e first"),
        (powers.log() / powers.log().sum(), "the logits themselves were divided by their sum; "
         "take the power of e first"),
        (2**logits / (2**logits).sum(), "the base of the powers is e, and not 2"),
        (log_p, "these are log-probabilities: take the power of e"),
        (best, "this takes the largest logit: softmax gives the others their share too"),
        (torch.full((3,), 1 / 3), f"a shared {shared} makes no difference, but the logarithms do"),
        (log_p.exp().flip(0), "the order is reversed: a larger logit has the larger probability"),
    )  # fmt: skip
    return log_p.exp(), causes


def cross_entropy(function) -> None:
    """The mean of -log p(target) over the rows, in nats, even for large logits."""
    logits, targets = _random(4, 6), torch.tensor([2, 0, 5, 0])
    got = one_number(function(logits.clone(), targets.clone()))
    call = "cross_entropy(logits, targets) with random logits (4, 6) and targets [2, 0, 5, 0]"
    expected = package_cross_entropy(logits, targets)
    compare(call, got, expected, wrong_losses(logits, targets))
    overflow = [(bad, "e to a large logit overflows: subtract the row's largest logit first")
                for bad in (math.nan, math.inf, -math.inf)]  # fmt: skip
    got = one_number(function(1000 + logits, targets.clone()))
    compare("the same with 1000 added to all logits", got, expected, overflow)


def lens(function) -> None:
    """The logits read from every block's output, (L, T, V)."""
    model, ids = _untied_model(), [3, 1, 4, 1, 5]
    outputs = _joined(model.trace(torch.tensor([ids])).layers, "output")
    got = function(model, list(ids))
    if not isinstance(got, Tensor):
        raise Wrong(
            f"not yet. The result is a {type(got).__name__} and should be one tensor; "
            "torch.stack makes one of a list of tensors"
        )
    call = "lens_of(model, ids) of a random model with 3 layers and an output matrix of its own"
    right = package_lens(model, outputs)
    compare(call, got.detach(), right, (*_wrong_readings(model, ids), *_wrong_shapes(right)))


def wrong_losses(logits: Tensor, targets: Tensor) -> tuple:
    """What mistakes make of the cross-entropy of logits (T, V) and targets (T,)."""
    rows = torch.arange(len(targets))
    log_p = logits.log_softmax(dim=-1)
    surprise = -log_p[rows, targets]
    over_positions = -logits.log_softmax(dim=0)[rows, targets]
    return (
        (-surprise.mean(), "the sign is missing: a surprise is -log p"),
        (surprise.sum(), "this is the sum: the loss is the mean over the rows"),
        (surprise, "these are the surprises of the rows: take their mean"),
        (surprise.mean() / math.log(2), "these are bits: nats need the natural logarithm"),
        (-(-surprise).exp().mean().log(), "the mean came before the logarithm: take the logarithm "
         "of each probability first"),
        ((-surprise).exp().mean(), "this is the mean probability: the logarithm is missing"),
        (surprise.mean().exp(), "this is the perplexity: leave out the last power"),
        (over_positions.mean(), "the softmax runs over the positions: each row must add up to 1"),
        (-log_p.mean(), "all tokens were averaged: take the one that came in each row"),
        (surprise.sum() / logits.numel(), "the sum is divided by T · V: divide by the number of "
         "rows"),
        (-logits[rows, targets].mean(), "these are the logits themselves: the softmax is missing"),
        (-log_p[rows[:-1], targets[1:]].mean(),
         "the targets were shifted once more: row t already belongs to target t"),
        (-log_p.argmax(dim=-1).eq(targets).double().mean(),
         "this counts hits: the loss asks for the probability of what came"),
        (-log_p.amax(dim=-1).mean(), "this is the surprise of the likeliest token, and not of the "
         "one that came"),
    )  # fmt: skip


def _wrong_readings(model: Transformer, ids: list[int]) -> tuple:
    trace, norm = model.trace(torch.tensor([ids])), model.final_norm
    outputs, table = _joined(trace.layers, "output"), model.output_table
    streams = torch.cat((trace.embedding, outputs))
    pairs = zip(model.blocks, outputs, strict=True)
    own_norms = torch.stack([block.norm1(x) for block, x in pairs])
    return (
        (to_logits(outputs, table), "the final norm is missing"),
        (to_logits(norm(norm(outputs)), table), "the final norm was applied twice"),
        (to_logits(norm(outputs), model.embedding),
         "this model does not tie its output matrix: use model.output_table"),
        (to_logits(own_norms, table), "the norm is the one inside the block: use the final norm"),
        (to_logits(norm(streams[:-1]), table),
         "these are the inputs of the blocks: read each block's output"),
        (to_logits(norm(streams), table),
         "the embedding was read too: the first row belongs to the first block's output"),
        (to_logits(norm(_joined(trace.layers, "middle")), table),
         "the feed-forward network is left out: read the block's output, and not its middle"),
        (to_logits(norm(_joined(trace.layers, "feedforward")), table),
         "this is what the feed-forward network adds: read the sum, the block's output"),
    )  # fmt: skip


def _wrong_shapes(right: Tensor) -> tuple:
    return (
        (right.softmax(dim=-1), "these are probabilities: the lens gives logits"),
        (right.log_softmax(dim=-1), "these are log-probabilities: the lens gives logits"),
        (right.flip(0), "the order of the layers is reversed"),
        (right[:, -1], "only the last position is there: keep all of them"),
        (right[-1], "only the last layer is there: keep all of them"),
        (right[:, None], "a batch axis is left in the middle: the shape is (L, T, V)"),
    )


def _random(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(shape, generator=generator, dtype=torch.float64)


def one_number(result) -> Tensor:
    """The reader's result as a number.

    Raises:
        Wrong: it is none.
    """
    try:
        return torch.as_tensor(bare(result), dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        kind = type(result).__name__
        raise Wrong(f"not yet. The result is a {kind} and should be one number") from None


def _untied_model() -> Transformer:
    """A small random model whose norms and matrices are all different."""
    config = ModelConfig(vocab_size=11, context_length=8, d_model=8, n_layers=3, n_heads=2,
                         tie_embeddings=False)  # fmt: skip
    with torch.random.fork_rng(devices=()), torch.no_grad():  # leaves the reader's numbers alone
        torch.manual_seed(0)
        model = Transformer(config).eval().requires_grad_(False)
        for parameter in model.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    return model


def _joined(layers, name: str) -> Tensor:
    """One tensor of every layer's trace, (L, T, D)."""
    return torch.cat([getattr(layer, name) for layer in layers])
