"""Step 6, logits: a score for every token of the vocabulary.

The last hidden vector of each position is compared with one output vector per token; in a model
with tied embeddings these are the rows of the embedding table itself (Press and Wolf 2017).
"""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby

import torch
import torch.nn.functional as F
from torch import Tensor


def to_logits(x: Tensor, table: Tensor) -> Tensor:
    """x tableᵀ, one score per token of the vocabulary.

    Args:
        x: (B, T, D), hidden vectors after the final norm.
        table: (V, D), the output matrix.

    Returns:
        (B, T, V).
    """
    return F.linear(x, table)


def lens(model, x: Tensor) -> Tensor:
    """The logit lens: the logits that `model` would give if it ended at x.

    Args:
        x: (B, T, D), the hidden vectors after any block, or before the first.

    Returns:
        (B, T, V); for the last block's output the model's own logits.
    """
    return to_logits(model.final_norm(x), model.output_table)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean of -log p(target), in nats: the loss that the model was trained on.

    Args:
        logits: (B, T, V).
        targets: (B, T), the id that really came next; -100 marks positions to leave out.

    Raises:
        ValueError: every position is left out, so there is no mean.
    """
    if (targets == -100).all():
        raise ValueError("every target is -100, so no position is left to take the mean of")
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=-100)


def perplexity(loss: float) -> float:
    """e^loss: how many equally likely tokens would leave the model as unsure, on average.

    Infinite if the loss is too large for a float (over 709 nats).
    """
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf


@torch.no_grad()
def document_loss(model, documents: Iterable[Sequence[int]]) -> float:
    """Mean loss in nats per token over documents, each read on its own and ended by EOS."""
    longest = model.config.context_length + 1
    rows = sorted(([*document, model.eos_id][:longest] for document in documents), key=len)
    total, n_tokens = 0.0, 0
    for _, group in groupby(rows, key=len):  # one pass for all of the same length
        ids = torch.tensor(list(group))
        n = ids[:, 1:].numel()
        total += cross_entropy(model(ids[:, :-1]), ids[:, 1:]).item() * n
        n_tokens += n
    return total / n_tokens
