"""Whether tokens were drawn from a distribution."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

# Where draws are right, `misfit` exceeds this once in three million seeds; the mistakes that the
# tests look for give more than 10.
SURE = 5.0


def misfit(tokens: Sequence[int], p: Tensor) -> float:
    """How far counts are from what is expected: nearly normal with deviation 1 if p is right.

    Pearson's statistic over bins that expect at least 5, made normal by its cube root (Wilson and
    Hilferty 1931).
    """
    n, counts = len(tokens), torch.bincount(torch.tensor(tokens), minlength=len(p)).double()
    if counts[p == 0].any():
        return math.inf
    common = n * p >= 5  # the rarer tokens share one bin
    drawn, expected = (torch.cat((x[common], x[~common].sum()[None])) for x in (counts, n * p))
    drawn, expected = drawn[expected > 0.5], expected[expected > 0.5]
    f = len(expected) - 1
    if f == 0:
        return 0.0
    statistic = ((drawn - expected) ** 2 / expected).sum().item()
    return ((statistic / f) ** (1 / 3) - 1 + 2 / (9 * f)) / math.sqrt(2 / (9 * f))
