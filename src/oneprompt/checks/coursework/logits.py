"""Tests of the assignment on logits and the loss."""

import math
import random
from collections.abc import Callable

import torch
from torch import Tensor

from oneprompt.logits import cross_entropy, to_logits
from oneprompt.norm import layer_norm

from .. import EXACT, compare, logits, one_tensor, random_tensors
from ..logits import one_number, wrong_losses
from ..table import Table
from .reference import reference, reference_trace, tokenizer
from .variants import own_variant

ROUNDING = 1e-3  # the model's rows hold large numbers, in float32
PADDING = -100
SENTENCE = "Machine learning is a subfield of artificial intelligence."


def numbers(rng: random.Random) -> dict:
    """What the logits share, and three powers of e with a sum that is easy to divide by."""
    powers = tuple(rng.sample([1, 2, 3, 4, 5, 6, 7, 9], 3))
    return {"shared": rng.randint(2, 9), "powers": powers} if sum(powers) in (8, 10, 20) else {}


def by_hand(answer, student: str) -> None:
    """The chapter's question, with the student's numbers."""
    results = logits.hand_results(**own_variant("logits", student))
    Table("the probabilities of the three tokens", *results).check(answer)


def next_logits(function, T: int = 5, D: int = 4, V: int = 7, seed: int = 0) -> None:
    """(x (T, D), norm, table (V, D)) -> the last position's logits (V,)."""
    x, table, weight, bias = random_tensors((T, D), (V, D), (D,), (D,), seed=seed)
    call = f"next_logits(x, norm, table) with random x of shape {(T, D)} and table {(V, D)}"
    _compare_logits(call, function, 3 * x, lambda x: layer_norm(x, weight, bias), table)


def next_logits_in_the_model(function, prompt: str = "What is machine learning?") -> None:
    """The same with the reference model's last rows, norm and output table."""
    model, trace = reference_trace(prompt)
    rows, table = trace.layers[-1].output[0], model.output_table
    call = f"next_logits(x, norm, table) of the reference model for {prompt!r}"
    _compare_logits(call, function, rows, model.final_norm, table, ROUNDING)


def _compare_logits(
    call: str, function, x: Tensor, norm: Callable, table: Tensor, tolerance: float = 1e-4
) -> None:
    every = to_logits(norm(x), table)  # (T, V)
    right = every[-1]
    causes = (
        (to_logits(x, table)[-1], "the final norm is forgotten"),
        (to_logits(norm(norm(x)), table)[-1], "the final norm was applied twice"),
        (every[0], "this is the first position: the next token is predicted at the last one"),
        (every[max(-2, -len(x))], "this is the last position but one"),
        (every, "all positions are there: only the last one is asked for"),
        (every[-1:], "an axis of one position is left: the shape is (V,)"),
        (to_logits(norm(x.mean(dim=0)), table), "the positions were averaged: take the last one"),
        (every.mean(dim=0), "the positions were averaged: take the last one"),
        (right.softmax(dim=-1), "these are probabilities: logits are asked for"),
        (right.log_softmax(dim=-1), "these are log-probabilities: logits are asked for"),
    )
    got = one_tensor(function(x.clone(), norm, table.clone()))
    compare(call, got, right, causes, tolerance=tolerance)


def log_probabilities(function, shape=(4, 6), seed: int = 0, shift: float = 0.0) -> None:
    """(..., V) -> (..., V); row t is shifted by t times `shift`."""
    (x,) = random_tensors(shape, seed=seed)
    x = 2 * x + shift * torch.arange(shape[0]).view(-1, *[1] * (len(shape) - 1))
    added = f", with {shift:g} t added to row t" if shift else ""
    call = f"log_probabilities of random logits of shape {shape}{added}"
    _compare_log_p(call, function, x, ROUNDING if shift else EXACT)


def far_log_probabilities(function, logits=(0.0, -200.0, -math.inf, 2.0)) -> None:
    """A token that is all but impossible, and one that is forbidden."""
    x = torch.tensor(logits)
    _compare_log_p(f"log_probabilities(torch.tensor({x.tolist()}))", function, x, EXACT)


def _compare_log_p(call: str, function, x: Tensor, tolerance: float) -> None:
    right, largest = x.log_softmax(dim=-1), x.amax(dim=-1, keepdim=True)
    log_sum, powers, shared = x.logsumexp(dim=-1, keepdim=True), x.exp(), x - x.max()
    too_late = "a very small probability was 0 before its logarithm: subtract the logarithm of the "
    overflow = ("e to a large logit is infinite, and to a very negative one 0: subtract the row's "
                "largest logit first")  # fmt: skip
    total = powers.sum(dim=-1, keepdim=True)
    causes = (
        (right.exp(), "these are probabilities: take the logarithm"),
        (right / math.log(2), "these are bits: nats need the natural logarithm"),
        (right / math.log(10), "this is the logarithm to the base 10: take the natural one"),
        (-right, "the sign is wrong: the logarithm of a probability is never positive"),
        (x.log_softmax(dim=0), "the softmax runs over the positions: each row must add up to 1"),
        (x - x.flatten().logsumexp(dim=0), "one sum for all rows: each row must add up to 1"),
        (x - largest, "the largest logit was subtracted and nothing else: the logarithm of the sum "
         "is missing"),
        (x - log_sum + largest, "the largest logit was subtracted in the sum only: add it to the "
         "logarithm of the sum, or subtract it from all logits"),
        (x - total, "the sum of the powers was subtracted: take its logarithm"),
        (right.exp().log(), f"{too_late}sum, and divide nothing"),
        *(((right.exp() + tiny).log(), "a small number was added before the logarithm: subtract "
           "the logarithm of the sum, and no probability is 0")
          for tiny in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)),
        (x - total.log(), overflow),
        ((powers / total).log(), overflow),
        (shared - shared.exp().sum(dim=-1, keepdim=True).log(), "the largest logit of all rows "
         "was subtracted: each row has its own"),
    )  # fmt: skip
    compare(call, one_tensor(function(x.clone())), right, causes, tolerance=tolerance)


def loss(function, targets=(2, 0, PADDING, 5, 0, PADDING), V: int = 128, seed: int = 0) -> None:
    """(logits (T, V), targets (T,)) -> the mean surprise in nats, without the padding."""
    (x,), t = random_tensors((len(targets), V), seed=seed), torch.tensor(targets)
    x = 2 * x
    kept, T = t != PADDING, len(t)
    surprise = -x.log_softmax(dim=-1)[torch.arange(T), t]  # -100 is read as an index here
    right = cross_entropy(x, t)
    causes = (
        *(_wrong_padding(x, t, surprise, kept) if not kept.all() else ()),
        *wrong_losses(x[kept], t[kept]),
    )
    got = one_number(function(x.clone(), t.clone()))
    call = f"loss(logits, torch.tensor({t.tolist()})) with random logits of shape {(T, V)}"
    compare(call, got, right, causes)


def _wrong_padding(x: Tensor, t: Tensor, surprise: Tensor, kept: Tensor) -> tuple:
    as_token_0 = -x.log_softmax(dim=-1)[torch.arange(len(t)), t.clamp(min=0)]
    return (
        (surprise.mean(), "a target of -100 was read as an index from the end: leave these "
         "positions out"),
        (as_token_0.mean(), "a target of -100 was read as token 0: leave these positions out"),
        (surprise[kept].sum() / len(t), "the sum was divided by T: positions that are left out do "
         "not count"),
    )  # fmt: skip


def perplexity(function, text: str = SENTENCE) -> None:
    """(logits (T, V), ids (T,)) -> the perplexity of ids[1:] for the reference model."""
    ids = torch.tensor(tokenizer().encode(text))
    x = reference()(ids[None])[0]
    _compare_perplexity(f"perplexity(logits, ids) of {text!r}", function, x, ids)


def perplexity_of_random_logits(function, T: int = 6, V: int = 9, seed: int = 0) -> None:
    """The same with random logits and ids."""
    (x,) = random_tensors((T, V), seed=seed)
    ids = torch.arange(T) * 2 % V
    call = f"perplexity(logits, torch.tensor({ids.tolist()})) with random logits of shape {(T, V)}"
    _compare_perplexity(call, function, x, ids)


def _compare_perplexity(call: str, function, x: Tensor, ids: Tensor) -> None:
    log_p, T = x.double().log_softmax(dim=-1), len(ids)
    surprise = -log_p[torch.arange(T - 1), ids[1:]]
    nats = surprise.mean()

    def at(rows: slice, places: Tensor) -> Tensor:
        return -log_p[rows].gather(-1, places[:, None]).mean()

    causes = (
        (nats, "this is the loss: take the power of e"),
        (nats / math.log(2), "this is the loss in bits: take the power"),
        (2**nats, "with a loss in nats, the base of the power is e, and not 2"),
        (surprise.sum().exp(), "this is e to the sum: take the mean of the surprises"),
        ((surprise.sum() / T).exp(), "the sum was divided by T, and there are T - 1 predictions"),
        (surprise.exp().mean(), "the perplexities were averaged: average the losses first, and "
         "take the power at the end"),
        (1 / (-surprise).exp().mean(), "the probabilities were averaged: average their logarithms"),
        ((-nats).exp(), "this is 1 divided by the perplexity: check the sign"),
        (at(slice(None), ids).exp(), "row t was compared with token t: it predicts token t + 1"),
        (at(slice(1, None), ids[:-1]).exp(), "row t was compared with token t - 1: it predicts "
         "token t + 1"),
        (at(slice(None), ids.roll(-1)).exp(), "the last row was compared with the first token: it "
         "predicts a token that is not there"),
    )  # fmt: skip
    got = one_number(function(x.clone(), ids.clone()))
    tolerance = ROUNDING * max(1, nats.exp().item())
    compare(call, got, nats.exp(), causes, tolerance=tolerance)


def _log_p(x: Tensor) -> Tensor:
    return x.log_softmax(dim=-1)


PARTS = {
    "loss": {"log_probabilities": _log_p},
    "perplexity": {
        "log_probabilities": _log_p,
        "loss": lambda logits, targets: cross_entropy(logits, targets),
    },
}
PARTS["perplexity_of_random_logits"] = PARTS["perplexity"]
