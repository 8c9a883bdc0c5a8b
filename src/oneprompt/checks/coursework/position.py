"""Tests of the assignment on positions."""

import random

import torch
from torch import Tensor

from oneprompt.position import alibi_bias, alibi_slopes, rope_frequencies, rotate, sinusoidal

from .. import Wrong, compare, one_tensor, position, random_tensors
from ..table import Table
from .reference import reference_trace
from .variants import own_variant

ROUNDING = 1e-3  # the model's queries are large, and their angles are float32


def numbers(rng: random.Random) -> dict:
    """A head of four numbers, and two speeds that make a quarter and a half turn at a position."""
    head, t = tuple(rng.sample(range(1, 10), 4)), rng.choice([2, 6])
    speeds = tuple(rng.sample([45, 90, 135], 2))
    turns = [speed * t % 360 // 90 for speed in speeds]
    fits = sorted(turn % 2 for turn in turns) == [0, 1] and 0 not in turns
    return {"head": head, "speeds": speeds, "position": t} if fits else {}


def by_hand(answer, student: str) -> None:
    """The chapter's question, with the student's numbers."""
    given = own_variant("position", student)
    call = f"{given['head']} at position {given['position']}"
    Table(call, *position.hand_results(**given)).check(answer)


def waves(function, positions=(0, 1, 2, 3, 4), d_model: int = 6) -> None:
    """(positions (T,), D) -> (T, D)."""
    t, i = torch.tensor(positions), torch.arange(0, d_model, 2)
    right = sinusoidal(t, d_model)
    sines, cosines = right[:, 0::2], right[:, 1::2]

    def at(angles: Tensor) -> Tensor:
        return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)

    def powers(exponents: Tensor) -> Tensor:
        return at(t[:, None] * 10_000.0**exponents)

    columns = t[:, None] * 10_000.0 ** (-torch.arange(d_model) / d_model)
    causes = (
        (torch.stack((cosines, sines), dim=-1).flatten(1),
         "sine and cosine are exchanged: the sine comes first"),
        (torch.cat((sines, cosines), dim=-1),
         "all sines come first: a sine and its cosine stand side by side"),
        (powers(-i / 2 / d_model), "the exponent is -2i / D, and not -i / D"),
        (powers(-2 * i / d_model), "the exponent is -2i / D with i = 0, 1, 2, …, which counts the "
         "pairs: it was doubled twice"),
        (powers(i / d_model), "the sign of the exponent is wrong: later pairs are slower"),
        (torch.where(torch.arange(d_model) % 2 == 0, columns.sin(), columns.cos()),
         "every number got a speed of its own: a sine and its cosine share one angle"),
        (at((10_000.0 ** (-i / d_model)).expand(len(t), -1)), "the angles do not depend on the "
         "position: it is a factor"),
        (sinusoidal(t + 1, d_model), "positions were counted from 1"),
        (sinusoidal(torch.arange(len(t)), d_model),
         "positions were counted from 0: use those that are given"),
    )  # fmt: skip
    got = one_tensor(function(t.clone(), d_model))
    compare(f"waves(torch.tensor({t.tolist()}), {d_model})", got, right, causes)


def turn(
    function, H: int = 2, positions=(0, 1, 2, 3, 4), d: int = 6, theta: float = 10_000.0, seed=0
) -> None:
    """(x (H, T, d), positions (T,), theta) -> (H, T, d)."""
    (x,), t = random_tensors((H, len(positions), d), seed=seed), torch.tensor(positions)
    got = one_tensor(function(x.clone(), t.clone(), theta))
    call = (f"turn(x, torch.tensor({t.tolist()}), {theta:g}) with random x of shape "
            f"{(H, len(t), d)}")  # fmt: skip
    compare(call, got, _turned(x, t, theta), _wrong_turns(x, t, theta))


def _wrong_turns(x: Tensor, t: Tensor, theta: float) -> tuple:
    d, i = x.shape[-1], torch.arange(x.shape[-1] // 2)
    angles = _angles(t, d, theta)
    right, (a, b) = rotate(x, angles), x.chunk(2, dim=-1)
    cos, sin = angles.cos(), angles.sin()
    first = a * cos - b * sin

    def by(speeds: Tensor) -> Tensor:
        return rotate(x, t[:, None] * speeds)

    def others(theta: float) -> Tensor:
        return by(rope_frequencies(d, theta))

    return (
        (rotate(x, angles, "interleaved"),
         "neighbors were paired, 2i and 2i + 1: pair i is the numbers i and i + d / 2"),
        (rotate(x, -angles), "the pairs turn the wrong way: check the signs of the two sines"),
        (rotate(x, rope_frequencies(d, theta).expand(len(t), -1)), "the angles do not depend on "
         "the position: the angle is the position times the speed"),
        (by(theta ** (-i / d)), "the exponent is -2i / d, and not -i / d"),
        (by(theta ** (-4 * i / d)), "the exponent is -2i / d: it was doubled twice"),
        (by(theta ** (2 * i / d)), "the sign of the exponent is wrong: later pairs are slower"),
        (others(10_000.0), "the base is fixed in your code: use theta"),
        (others(100_000.0), "the base is fixed in your code: use theta"),
        (rotate(x, _angles(torch.arange(len(t)), d, theta)),
         "positions were counted from 0: use those that are given"),
        (rotate(x, _angles(t + 1, d, theta)), "positions were counted from 1"),
        (rotate(x, angles.deg2rad()), "the angles are radians already"),
        (torch.stack((first, a * sin + b * cos), dim=-1).flatten(-2),
         "the pairs are right but interleaved: each number goes back to its own place"),
        (torch.cat((a * sin + b * cos, first), dim=-1), "the two halves changed places"),
        (torch.cat((first, first * sin + b * cos), dim=-1),
         "the second number of a pair was made from the new first one: both use the old numbers"),
        (torch.cat((a * cos + b * sin, a * sin + b * cos), dim=-1),
         "a sign is missing: a turn keeps the length of a pair"),
        (x + right, "the turned rows were added: they take the place of the rows"),
    )  # fmt: skip


def shifts(function, n_heads: int = 4, queries=range(4), keys=range(4)) -> None:
    """(H, query positions (T,), key positions (S,)) -> (H, T, S)."""
    t, s = torch.tensor([*queries]), torch.tensor([*keys])
    distances, slopes = t[:, None] - s, alibi_slopes(n_heads)[:, None, None]
    right, seen, h = alibi_bias(n_heads, t, s), distances >= 0, torch.arange(n_heads)
    by_distance = -distances.expand(n_heads, -1, -1)

    def by(exponents: Tensor) -> Tensor:
        return 2.0 ** exponents[:, None, None] * by_distance

    causes = (
        (-right, "the sign is wrong: a key that is further away has a lower score"),
        (-slopes * s.expand(len(t), -1), "this depends on where the key is, and not on how far "
         "away: the distance is t - s"),
        (slopes * s.expand(len(t), -1), "this depends on where the key is, and not on how far "
         "away: the distance is t - s"),
        (-slopes * t[:, None].expand(-1, len(s)), "this depends on where the query is, and not on "
         "how far away the key is: the distance is t - s"),
        (by_distance.to(slopes.dtype), "all heads are alike: the slopes are missing"),
        (by(-8 * h / n_heads), "the first slope is 2 to the power -8 / H, and not 1: h counts from "
         "0"),
        (by(-(h + 1.0)), "the exponent is -8 (h + 1) / H: its step depends on the number of heads"),
        (right.flip(0), "the slopes are in the reverse order: head 0 has the steepest"),
        (alibi_bias(n_heads, torch.arange(len(t)), s), "queries were counted from 0: use the "
         "positions that are given"),
        (alibi_bias(n_heads, t, torch.arange(len(s))), "keys were counted from 0: use the "
         "positions that are given"),
        (-slopes * distances.square(), "the distance was squared"),
        (right.exp(), "these are factors: the shift is added to a score"),
    )  # fmt: skip
    got = one_tensor(function(n_heads, t.clone(), s.clone()))
    call = f"shifts({n_heads}, torch.tensor({t.tolist()}), torch.tensor({s.tolist()}))"
    if got.shape != right.shape:
        compare(call, got, right, [(right.mT, "the result is transposed: a row belongs to a "
                                    "query")])  # fmt: skip
    shown = [(wrong.where(seen, 0), text) for wrong, text in causes]
    compare(f"{call}, keys after the query left out", got.where(seen, 0), right.where(seen, 0),
            shown)  # fmt: skip


def place(
    function, layer: int = 0, prompt: str = "What is machine learning?", start: int = 0
) -> None:
    """(q, k, v (H, T, d), positions (T,), theta) -> what the attention of a block works with."""
    model, trace = reference_trace(prompt)
    q, k, v = (x[0] for x in model.blocks[layer].attention.project(trace.layers[layer].norm1))
    t, theta = torch.arange(start, start + q.shape[1]), model.config.rope_theta
    result = function(q.clone(), k.clone(), v.clone(), t.clone(), theta)
    if not isinstance(result, tuple | list) or len(result) != 3:
        raise Wrong("not yet. The result should be three tensors: queries, keys, values")
    call = f"place(q, k, v, positions={t.tolist()}, theta) in block {layer} for {prompt!r}: its"
    for name, x, got in (("queries", q, result[0]), ("keys", k, result[1])):
        right = _turned(x, t, theta)
        causes = (
            (x, f"the {name} are not turned"),
            (_turned(x, -t, theta), f"the {name} turn the other way: queries and keys turn alike, "
             "so that the difference of their positions is left"),
            (_turned(x, torch.arange(len(t)), theta),
             "positions were counted from 0: use those that are given"),
            (_turned(right, t, theta), f"the {name} were turned twice"),
            (_turned(x, t[-1:].expand_as(t), theta),
             f"the {name} were all turned by the last position: each has its own"),
            (_turned(k if name == "queries" else q, t, theta), "queries and keys are exchanged"),
        )  # fmt: skip
        compare(f"{call} {name}", one_tensor(got), right, causes, tolerance=ROUNDING)
    causes = (
        (_turned(v, t, theta), "the values were turned too: position decides where to read, and "
         "not what is read"),
    )  # fmt: skip
    compare(f"{call} values", one_tensor(result[2]), v, causes, tolerance=ROUNDING)


def _angles(positions: Tensor, d: int, theta: float) -> Tensor:
    return positions[:, None] * rope_frequencies(d, theta)


def _turned(x: Tensor, positions: Tensor, theta: float) -> Tensor:
    return rotate(x, _angles(positions, x.shape[-1], theta))


PARTS = {"place": {"turn": lambda x, positions, theta: _turned(x, positions, theta)}}
