"""Tests of the assignment on speculative decoding."""

import random
from collections.abc import Callable

import torch
from torch import Tensor

from oneprompt.sample import draw, uniforms
from oneprompt.speculate import residual

from .. import Wrong, compare, one_tensor, random_tensors, speculate
from ..autoregress import plain_ids
from ..table import Table
from .frequencies import SURE, misfit
from .speculation import speculation, speculation_with_the_model
from .variants import own_variant
from .verification import MISTAKES, verified

__all__ = ["by_hand", "count_kept", "frequencies", "leftover", "speculation",
           "speculation_with_the_model", "verify"]  # fmt: skip


def numbers(rng: random.Random) -> dict:
    """Two distributions over three tokens, in tenths, and a number of drafted tokens."""
    p, q = ((a, b, 10 - a - b) for a, b in (rng.sample(range(1, 6), 2) for _ in range(2)))
    return {"p": p, "q": q, "gamma": rng.choice([2, 3])} if p != q and min(*p, *q) > 0 else {}


def by_hand(answer, student: str) -> None:
    """The chapter's question, with the student's distributions."""
    given = own_variant("speculate", student)
    call = f"tokens per pass with gamma = {given['gamma']}"
    Table(call, *speculate.hand_results(**given)).check(answer)


def count_kept(function, n: int = 3, V: int = 5, seed: int = 0, times: int = 30) -> None:
    """(p (n + 1, V), q (n, V), drafted, u) -> how many drafted ids are kept."""
    cases = [_case(n, V, 100 * seed + i) for i in range(times)]

    def each(keep: Callable, stop: bool = True) -> list[int]:
        return [_kept(*case, keep, stop) for case in cases]

    causes = (
        (each(_is_kept, stop=False), "ids after the first rejection were counted: they follow a "
         "text that does not exist, so nothing after it is kept"),
        (each(lambda p, q, u: u * p < q), "the ratio is upside down: keep with probability p / q"),
        (each(lambda p, q, u: u < p), "kept with probability p: divide by q"),
        (each(lambda p, q, u: u * q >= p), "kept and rejected are exchanged"),
        (each(lambda p, q, u: True), "everything is kept: that gives the draft's text"),
        (each(lambda p, q, u: p >= q), "kept only where p is at least q: the smaller p / q is, the "
         "rarer it is kept, and u decides"),
        ([_kept(p[1:], q, drafted, u) for p, q, drafted, u in cases],
         "the rows of p are one position off: row i is about drafted id i"),
        ([_kept(p, q, drafted, u[:1] * n) for p, q, drafted, u in cases],
         "one random number decided on all ids: each has its own"),
        ([k + 1 for k in each(_is_kept)], "one too many: the id that was rejected is not kept"),
    )  # fmt: skip
    got = [_count(function(p.clone(), q.clone(), list(d), list(u))) for p, q, d, u in cases]
    call = f"count_kept(p, q, drafted, u) with {n} drafted ids, {times} times"
    compare(call, got, each(_is_kept), causes)
    never, half = (torch.tensor([x] * 2, dtype=torch.float64) for x in ([0.0, 1.0], [0.5, 0.5]))
    compare("count_kept with p = 0 at the drafted id, and u = 0",
            _count(function(never, half[:1], [0], [0.0])), 0,
            [(1, "p is 0, so the id must never be kept: compare with <, not with <=")]
            )  # fmt: skip


def leftover(function, p=(0.1, 0.4, 0.3, 0.2), q=(0.3, 0.1, 0.35, 0.25)) -> None:
    """(p (V,), q (V,)) -> (V,), max(0, p - q), scaled to sum to 1."""
    call = f"residual({list(p)}, {list(q)})"
    p, q = (torch.tensor(x, dtype=torch.float64) for x in (p, q))
    positive, gap = (p - q).clamp(min=0), (p - q).abs()
    causes = (
        (positive / positive.sum(), "p and q are equal, so nothing is left over, and 0 is divided "
         "by 0: return p"),
        (positive, "the residual does not add up to 1: divide it by its sum"),
        (gap / gap.sum(), "|p - q| also has the tokens that the draft proposed too often: only "
         "where p exceeds q"),
        ((q - p).clamp(min=0) / (q - p).clamp(min=0).sum(),
         "the residual is max(0, p - q), and not of q - p"),
        (p - q, "the differences below 0 are still there"),
        (positive.softmax(-1), "a softmax is for logits: divide by the sum"),
        (p, "this is p: tokens that the draft proposes often would come too often"),
        (q, "this is the draft's q"),
    )  # fmt: skip
    compare(call, one_tensor(function(p.clone(), q.clone())), residual(p, q), causes)


def verify(function, n: int = 3, V: int = 5, seed: int = 0, times: int = 30) -> None:
    """(p (n + 1, V), q (n, V), drafted, random) -> between 1 and n + 1 new ids."""
    cases = [(_case(n, V, 100 * seed + i), i) for i in range(times)]
    got = []
    for (p, q, drafted, _), i in cases:
        source = uniforms(i)
        ids = function(p.clone(), q.clone(), list(drafted), lambda source=source: next(source))
        got.append(plain_ids(ids))
    right, *wrong = (
        [verified(p, q, drafted, uniforms(i), **how) for (p, q, drafted, _), i in cases]
        for how in ({}, *(how for how, _ in MISTAKES))
    )
    causes = [(ids, text) for ids, (_, text) in zip(wrong, MISTAKES, strict=True)]
    compare(f"verify with {n} drafted ids, {times} times", got, right, causes)


def frequencies(function, n: int = 2, V: int = 6, seed: int = 5, times: int = 3000) -> None:
    """Whatever the draft proposes, the first new id has the target's distribution."""
    p, q, _, _ = _case(n, V, seed)
    source, first = uniforms(seed), []
    for _ in range(times):
        drafted = [draw(row, next(source)) for row in q]
        ids = plain_ids(function(p.clone(), q.clone(), drafted, lambda: next(source)))
        first.append(ids[0] if isinstance(ids, list) and ids else -1)
    if not all(0 <= token < V for token in first):
        raise Wrong("not yet. verify gave no id, or one outside the vocabulary")
    if misfit(first, p[0]) > SURE:
        shares = [round(first.count(token) / times, 3) for token in range(V)]
        expected = [round(share, 3) for share in p[0].tolist()]
        raise Wrong(f"not yet. The first new id of verify, {times} times, does not follow p\n"
                    f"  got:      {shares}\n  expected: about {expected}")  # fmt: skip


def _case(n: int, V: int, seed: int) -> tuple[Tensor, Tensor, list[int], list[float]]:
    """p, q, ids drawn from q, and a random number for each."""
    p, q = (x.double().softmax(-1) for x in random_tensors((n + 1, V), (n, V), seed=seed))
    source = uniforms(seed)
    return p, q, [draw(row, next(source)) for row in q], [next(source) for _ in range(n)]


def _is_kept(p, q, u) -> bool:
    return bool(u * q < p)


def _kept(p, q, drafted, u, keep: Callable = _is_kept, stop: bool = True) -> int:
    n = 0
    for i, token in enumerate(drafted):
        if keep(p[i, token], q[i, token], u[i]):
            n += 1
        elif stop:
            break
    return n


def _count(result) -> int:
    if isinstance(result, Tensor):
        result = one_tensor(result).tolist()
    if not isinstance(result, int | float):
        raise Wrong(f"not yet. The result is a {type(result).__name__} and should be an int")
    return int(result)


PARTS = {
    name: {"count_kept": lambda *case: _kept(*case), "residual": lambda p, q: residual(p, q)}
    for name in ("verify", "frequencies")
}
