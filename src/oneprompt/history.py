"""Counts of each token in the ids so far, for repetition penalties."""

from collections.abc import Sequence

import torch
from torch import Tensor

History = Sequence[int] | Sequence[Sequence[int]] | Tensor


def token_counts(history: History, logits: Tensor) -> Tensor:
    """How often each token occurs in the history, in the shape of the logits.

    Args:
        history: the ids of one text for logits (V,), or one such list per row for (B, V).
        logits: (..., V).

    Returns:
        (..., V), int64.

    Raises:
        ValueError: an id is outside the vocabulary, or there is not one history per row.
    """
    V = logits.shape[-1]
    counts = torch.zeros(logits.shape, dtype=torch.int64, device=logits.device)
    rows, texts = counts.view(-1, V), _texts(history)
    if len(rows) != len(texts):
        raise ValueError(
            f"{len(rows)} rows of logits need a history each, but there are {len(texts)}: "
            "give a list with the ids of every row"
        )
    for row, text in zip(rows, texts, strict=True):
        ids = torch.as_tensor(text, dtype=torch.int64).to(row.device)
        if ids.numel() and not 0 <= int(ids.min()) <= int(ids.max()) < V:
            raise ValueError(f"the history has an id outside the vocabulary (0 to {V - 1})")
        row += ids.bincount(minlength=V)
    return counts


def _texts(history: History) -> Sequence:
    """A list of texts; a single text becomes a list of one."""
    first = history[0] if len(history) else 0
    is_text = isinstance(first, Sequence) or getattr(first, "ndim", 0) > 0
    return history if is_text else [history]
