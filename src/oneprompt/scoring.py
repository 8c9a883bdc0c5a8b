"""Log-probabilities of a given text: how expected each of its tokens was."""

from typing import NamedTuple

import torch
from torch import Tensor

from .model import Transformer
from .request import Ids, check_count, read_text


class Scored(NamedTuple):
    """One token of a text.

    Attributes:
        token_id: its id.
        logprob: its log p after the tokens before it, in nats; None for a first token that follows
            nothing.
        top: the likeliest tokens in its place, as (id, logprob), the likeliest first.
    """

    token_id: int
    logprob: float | None
    top: list[tuple[int, float]]


def top_logprobs(logits: Tensor, n: int) -> list[tuple[int, float]]:
    """The n likeliest tokens of logits (V,) with their log-probabilities, in nats."""
    best = logits.double().log_softmax(dim=-1).topk(min(n, logits.shape[-1]))
    return list(zip(best.indices.tolist(), best.values.tolist(), strict=True))


def logprob(logits: Tensor, token_id: int) -> float:
    """log p of one token under logits (V,), in nats."""
    logits = logits.double()
    return float(logits[token_id] - logits.logsumexp(dim=-1))


@torch.inference_mode()
def score(
    model: Transformer, ids: Ids, *, start_id: int | None = None, top_n: int = 0
) -> list[Scored]:
    """Every token of a text with its log-probability, by one pass over all of it.

    Args:
        model: the language model.
        ids: the text, at least one id, in one of the forms that `generate` takes.
        start_id: an id to put in front, such as the end-of-sequence token between the texts that
            the model was trained on; the first token then has a probability as well.
        top_n: how many of the likeliest tokens to list in each place.

    Raises:
        TypeError, ValueError: the model cannot read these ids, or top_n is no count.
    """
    ids = read_text(model, ids, "scored")
    check_count("top_n", top_n, least=0)
    read = ids if start_id is None else [start_id, *ids]
    logits = model(torch.tensor([read], device=model.embedding.device))[0]  # (T, V)
    rows = logits[:-1] if start_id is not None else [None, *logits[:-1]]
    return [
        Scored(token_id, None, [])
        if row is None
        else Scored(token_id, logprob(row, token_id), top_logprobs(row, top_n))
        for token_id, row in zip(ids, rows, strict=True)
    ]
