"""Checks of the exercises of chapter 3."""

import torch
from torch import Tensor

from oneprompt.position import rope_frequencies, rotate

from . import Results, compare, one_tensor
from .table import Table, from_table


@from_table
def by_hand() -> Table:
    """The head (1, 2, 3, 4), pairs by halves, pair 0 turned by 90 degrees and pair 1 by 180."""
    return Table("(1, 2, 3, 4), turned", *hand_results())


def hand_results(head=(1, 2, 3, 4), speeds=(90, 180), position: int = 1) -> Results:
    """The answer and the mistakes of `by_hand` for another head, by degrees per position.

    One pair makes an odd number of quarter turns, the other a half turn.
    """
    x = torch.tensor([head], dtype=torch.float64)
    degrees = [speed * position % 360 for speed in speeds]
    angles = torch.tensor([degrees], dtype=torch.float64).deg2rad()

    def turned(angles: Tensor, pairing: str = "halves") -> Tensor:
        return rotate(x, angles, pairing)[0]

    right, quarter = turned(angles), 0 if degrees[0] % 180 else 1
    swapped, pair = right.clone(), [quarter, quarter + 2]
    swapped[pair] = x[0, pair[::-1]]
    once = torch.tensor([speeds], dtype=torch.float64).deg2rad()
    causes = (
        (turned(angles, "interleaved"), "neighbors were paired: by halves, pair i is the numbers i "
         "and i + 2"),
        (turned(-angles), f"pair {quarter} was turned the other way: by 90 degrees, (a, b) becomes "
         "(-b, a)"),
        (turned(angles.flip(-1)), f"the angles are exchanged: pair 0 turns by {degrees[0]} "
         "degrees"),
        (turned(angles[:, :1].expand(-1, 2)), f"both pairs were turned by {degrees[0]} degrees"),
        (turned(angles[:, 1:].expand(-1, 2)), f"both pairs were turned by {degrees[1]} degrees"),
        (turned(angles * torch.tensor([1, 0])), "pair 1 was left where it was"),
        (turned(angles * torch.tensor([0, 1])), "pair 0 was left where it was"),
        (swapped, f"the numbers of pair {quarter} changed places, and one of them has to change "
         "its sign"),
        (right[[0, 2, 1, 3]], "the pairs were written one after the other: each number goes back "
         "to its own place"),
        *([(turned(once), "this is position 1: the angle is the position times the speed")]
          if position > 1 else []),
    )  # fmt: skip
    return right, causes


def turn_pairs(function) -> None:
    """RoPE's turn of one head by halves: x (T, d) and angles (T, d / 2) -> (T, d)."""
    x, angles = _random((5, 6)), _random((5, 3), seed=1)
    cos, sin = angles.cos(), angles.sin()
    a, b = x.chunk(2, dim=-1)
    first, second = a * cos - b * sin, a * sin + b * cos
    causes = (
        (rotate(x, angles, "interleaved"),
         "neighbors were paired: that is the interleaved pairing"),
        (rotate(x, -angles), "the pairs turn the wrong way: check the signs of the two sines"),
        (torch.stack((first, second), dim=-1).flatten(-2),
         "the pairs are right but interleaved: all first numbers come before all second ones"),
        (torch.cat((second, first), dim=-1), "the two halves changed places"),
        (torch.cat((first, first * sin + b * cos), dim=-1),
         "the second number of a pair was made from the new first one: both use the old numbers"),
        (torch.cat((a * cos + b * sin, a * sin + b * cos), dim=-1),
         "a sign is missing: a turn keeps the length of a pair"),
        (rotate(x, torch.deg2rad(angles)), "the angles are radians already"),
        (rotate(x, angles[:1].expand_as(angles)),
         "every row was turned by the angles of the first one: position t has angles[t]"),
    )  # fmt: skip
    got = one_tensor(function(x.clone(), angles.clone()))
    call = "turn_pairs(x, angles) with random x of shape (5, 6) and angles of shape (5, 3)"
    compare(call, got, rotate(x, angles), causes)


def partial_rope(function) -> None:
    """RoPE on the first n_rotated numbers of a head, the rest unturned: (T, d) -> (T, d)."""
    x, d, n, theta = _random((5, 8)), 8, 4, 10_000.0
    positions = torch.tensor([3, 4, 5, 6, 7])

    def turned(frequencies: Tensor, pairing: str = "halves", at: Tensor = positions) -> Tensor:
        return rotate(x, at[:, None] * frequencies, pairing)

    frequencies = rope_frequencies(n, theta)
    right = turned(frequencies)
    later = turned(rope_frequencies(d, theta)[n // 2 :])
    at_the_end = torch.cat((x[:, :n], rotate(x[:, n:], positions[:, None] * frequencies)), dim=-1)
    across = x.clone()  # wrong pairs, i and i + d / 2, of which only the first n / 2 turn
    pairs = torch.tensor([0, 1, 4, 5])
    across[:, pairs] = rotate(x[:, pairs], positions[:, None] * frequencies)
    causes = (
        (turned(rope_frequencies(d, theta)), "the whole head was turned: the last numbers stay"),
        (turned(rope_frequencies(d, theta)[: n // 2]),
         "the exponent has the width of the head in it: here it is n_rotated"),
        (later, "the exponent has the width of the head in it: here it is n_rotated"),
        (right[:, :n], "the unturned numbers are missing: put them back after the turned ones"),
        (at_the_end, "the last numbers of the head were turned, and not the first"),
        (across, "pair i is the numbers i and i + n_rotated / 2: pairs do not reach outside"),
        (turned(frequencies, "interleaved"), "neighbors were paired: this one is by halves"),
        (turned(frequencies, at=positions - 3),
         "positions were counted from 0: use those that are given"),
        (torch.cat((right[:, :n], 0 * x[:, n:]), dim=-1), "the unturned numbers became 0"),
        (turned(-frequencies), "the pairs turn the wrong way: check the sign of the angles"),
    )  # fmt: skip
    got = one_tensor(function(x.clone(), positions.clone(), n, theta))
    call = "partial_rope(x, positions=[3, 4, 5, 6, 7], n_rotated=4, theta=10_000) with x (5, 8)"
    compare(call, got, right, causes)
    got = one_tensor(function(x.clone(), positions.clone(), d, 500.0))
    whole = turned(rope_frequencies(d, 500.0))
    fixed = turned(rope_frequencies(d, theta))
    compare("the same with n_rotated=8 and theta=500", got, whole,
            [(fixed, "the base is fixed in your code: use theta")])  # fmt: skip


def _random(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
