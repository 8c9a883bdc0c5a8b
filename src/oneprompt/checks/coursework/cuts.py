"""What top-k, top-p and min-p keep, and what they keep when a mistake is in them."""

from collections.abc import Callable

import torch
from torch import Tensor

Cut = Callable[[Tensor, float], Tensor]  # probabilities and a setting -> which tokens stay


def _top_k(p: Tensor, k: int) -> Tensor:
    return _ranks(p) < k


def _top_p(p: Tensor, share: float) -> Tensor:
    return _before(p) < share - 1e-9


def _min_p(p: Tensor, share: float) -> Tensor:
    return p >= share * p.max()


CUTS = {"top_k": _top_k, "top_p": _top_p, "min_p": _min_p}
WRONG_CUTS = (
    ("top_k", lambda p, k: p >= p.sort(descending=True).values[min(k, len(p)) - 1],
     "with equal probabilities at the border, more than k tokens stayed: the lower ids go first"),
    ("top_k", lambda p, k: _ranks(p.flip(0)).flip(0) < k,
     "of equal probabilities the higher ids stayed: the lower ids go first"),
    ("top_k", lambda p, k: _ranks(p) <= k, "one token too many was kept by top-k"),
    ("top_k", lambda p, k: _ranks(p) < k - 1, "one token too few was kept by top-k"),
    ("top_k", lambda p, k: _ranks(-p) < k, "the least likely tokens were kept"),
    ("top_p", lambda p, share: (_before(p) + p < share) | (_ranks(p) == 0),
     "the token that crosses p was cut: without it the kept tokens do not reach p"),
    ("top_p", lambda p, share: _before(p) + p < share,
     "the token that crosses p was cut: without it the kept tokens do not reach p"),
    ("top_p", lambda p, share: _ranks(p) <= _top_p(p, share).sum(),
     "one token too many was kept by top-p: those before it reach p already"),
    ("top_p", lambda p, share: p.cumsum(0) - p < share,
     "the running sum of top-p went by the ids: it goes by rank, the most likely first"),
    ("top_p", lambda p, share: p >= share,
     "top-p compared each probability with p: it compares their running sum"),
    ("min_p", lambda p, share: p >= share,
     "min-p was taken as a share of 1: it is a share of the largest probability"),
    ("min_p", lambda p, share: p > share * p.max(),
     "a token with exactly min_p times the largest probability is kept"),
    ("min_p", lambda p, share: p <= share * p.max(), "min-p kept the unlikely tokens"),
)  # fmt: skip


def wrong_kept(p: Tensor, filters: dict) -> tuple:
    """Wrong results of filters on probabilities (V,), and the mistakes that lead to them.

    Args:
        p: the probabilities.
        filters: some of "top_k", "top_p" and "min_p", in this order, and their settings.
    """
    right = kept(p, filters)
    alone = [{name: value} for name, value in filters.items()] if len(filters) > 1 else []
    backward = dict(reversed(filters.items()))
    raw = torch.ones_like(p)
    for name, value in filters.items():
        raw = raw * CUTS[name](p, value)
    return (
        (kept(p, filters, scale=False), "what was kept does not add up to 1: divide by its sum"),
        (p * raw, "what was kept does not add up to 1: divide by its sum"),
        (p * raw / (p * raw).sum(), "a later filter saw the probabilities of the start: it works "
         "on what the one before left, scaled to sum to 1"),
        *((kept(p, filters, **{name: cut}), text)
          for name, cut, text in WRONG_CUTS if name in filters),
        *((kept(p, filters, scale=False, **{name: cut}), text)
          for name, cut, text in WRONG_CUTS if name in filters),
        (kept(p, backward), "the filters came in another order than top-k, top-p, min-p"),
        *((kept(p, one), "only one of the filters was used") for one in alone),
        (right.softmax(-1), "a softmax is for logits: divide the kept probabilities by their sum"),
        (p, "nothing was cut"),
        (right.sort(descending=True).values,
         "the tokens are in the order of their rank: bring them back to the order of their ids"),
    )  # fmt: skip


def kept(p: Tensor, filters: dict, scale: bool = True, **cuts: Cut) -> Tensor:
    """The filters one after the other, some of them replaced by wrong ones."""
    for name, setting in filters.items():
        if setting is not None:
            p = p * (CUTS | cuts)[name](p, setting)
            p = p / p.sum() if scale else p
    return p


def _ranks(p: Tensor) -> Tensor:
    """The rank of each token, 0 for the most likely; of equal ones the lower id comes first."""
    return p.argsort(descending=True, stable=True).argsort()


def _before(p: Tensor) -> Tensor:
    """What the more likely tokens add up to, for each token."""
    ranked = p.sort(descending=True, stable=True).values
    return (ranked.cumsum(0) - ranked)[_ranks(p)]
