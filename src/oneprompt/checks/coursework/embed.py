"""Tests of the assignment on embeddings."""

import random

import torch
from torch import Tensor

from .. import Wrong, compare, embed, one_tensor, random_tensors
from ..table import Table
from .reference import reference, tokenizer
from .variants import own_variant

ROWS = [(3, 4), (4, 3), (-3, 4), (-4, 3), (3, -4), (6, 8), (8, 6), (-6, 8), (8, -6), (5, 0), (0, 5),
        (0, 10), (10, 0), (5, 12), (12, 5), (-5, 12)]  # fmt: skip


def numbers(rng: random.Random) -> dict:
    """Four rows whose lengths are whole numbers, and two different ids."""
    return {"table": rng.sample(ROWS, 4), "ids": rng.sample(range(4), 2)}


def by_hand(answer, student: str) -> None:
    """The chapter's question, with the student's table."""
    results = embed.hand_results(**own_variant("embed", student))
    Table("the cosine of the two rows", *results).check(answer)


def one_hot(function, ids=(2, 0, 5, 2), vocab_size: int = 6) -> None:
    """(ids (T,) or (B, T), V) -> (..., V); ids outside the vocabulary are refused."""
    ids = torch.tensor(ids)
    right = torch.eye(vocab_size)[ids]
    got = one_tensor(function(ids.clone(), vocab_size))
    if not got.is_floating_point():
        raise Wrong(
            f"not yet. The result has the type {got.dtype}\n  likely cause: a vector that is "
            "multiplied by the table has to hold floating-point numbers"
        )
    causes = (
        (right.sum(dim=-2), "the vectors were added up: each position has its own"),
        (right.mT, "the result is transposed: one row per position"),
        (torch.eye(vocab_size)[ids - 1], "the 1 is one place too far left: ids count from 0"),
        (
            torch.eye(vocab_size + 1)[ids + 1][..., :vocab_size],
            "the 1 is one place too far right: ids count from 0",
        ),
        (right.flatten(0, -2), "the batch was flattened: (B, T) becomes (B, T, V)"),
        (1 - right, "0 and 1 are exchanged"),
        (right * ids[..., None], "the place of the id holds the id, and should hold 1"),
    )
    compare(f"one_hot(torch.tensor({ids.tolist()}), {vocab_size})", got, right, causes)
    for token_id in (-1, vocab_size):
        _refuses(function, token_id, vocab_size)


def _refuses(function, token_id: int, vocab_size: int) -> None:
    try:
        function(torch.tensor([0, token_id]), vocab_size)
    except Wrong as wrong:
        if isinstance(wrong.__cause__, ValueError):
            return
        raise
    raise Wrong(
        f"not yet. one_hot(torch.tensor([0, {token_id}]), {vocab_size}) returns a result\n"
        "  likely cause: nothing checks the ids; one outside the vocabulary must raise a ValueError"
    )


def table_gradient(function, ids=(2, 0, 5, 2, 2), vocab_size: int = 6, d: int = 3) -> None:
    """(ids (T,), upstream (T, D), V) -> (V, D): the gradient of a loss by the table."""
    (upstream,) = random_tensors((len(ids), d))
    ids = torch.tensor(ids)
    hot = torch.eye(vocab_size)[ids]
    right = hot.T @ upstream
    last = torch.zeros(vocab_size, d)
    for i, row in zip(ids.tolist(), upstream, strict=True):
        last[i] = row
    first = torch.zeros(vocab_size, d)
    for i, row in zip(ids.flip(0).tolist(), upstream.flip(0), strict=True):
        first[i] = row
    counts = hot.sum(dim=0).clamp(min=1)[:, None]
    causes = (
        (last, "a token that occurs several times got the gradient of its last place only: add "
         "them up; `grad[ids] += upstream` changes each row once, however often it is listed"),
        (first, "a token that occurs several times got the gradient of one place only: add them "
         "up"),
        (right / counts, "the gradients of a token were averaged: they add up"),
        (right[ids], "there is a row per position: the gradient has the shape of the table"),
        (right.flip(0), "the rows are in the reverse order of the ids"),
        (right.sum(dim=0).expand(vocab_size, d), "all rows are alike: a row changes only where "
         "its token occurs"),
        (right / len(ids), "the gradient was divided by T: upstream is already that of the loss"),
        (-right, "the sign is wrong: this is the gradient, and not the step against it"),
    )  # fmt: skip
    call = f"table_gradient(torch.tensor({ids.tolist()}), upstream, {vocab_size})"
    got = one_tensor(function(ids.clone(), upstream.clone(), vocab_size))
    compare(call, got, right, causes)


def analogy(function, V: int = 12, d: int = 4, seed: int = 0, k: int = 3, ids=(1, 4, 7)) -> None:
    """(table, a, b, c, k) -> the ids of the rows nearest to row b - row a + row c."""
    (table,) = random_tensors((V, d), seed=seed)
    table = table * torch.linspace(0.2, 3, V)[:, None]  # rows of different lengths
    _compare_analogy(function, table, ids, k, f"a random table of shape {(V, d)}")


def analogy_in_the_model(function, words=(" model", " models", " token"), k: int = 3) -> None:
    """The same in the reference model's table; a word is its first token."""
    ids = [tokenizer().encode(word)[0] for word in words]
    table = reference().embedding.detach()
    _compare_analogy(function, table, ids, k, "the model's table")


def _compare_analogy(function, table: Tensor, ids, k: int, what: str) -> None:
    a, b, c = ids

    def best(target: Tensor, leave_out=ids, dots: bool = False, near: bool = False) -> list[int]:
        scores = table @ target
        scores = scores if dots else scores / table.norm(dim=1) / target.norm()
        scores = -(table - target).norm(dim=1) if near else scores
        ranking = scores.argsort(descending=True, stable=True).tolist()
        return [i for i in ranking if i not in leave_out][:k]

    target = table[b] - table[a] + table[c]
    unit = table / table.norm(dim=1, keepdim=True)
    right = best(target)
    causes = (
        (best(target, ()), "the three given rows are near their own sum: leave them out"),
        (best(target, (c,)), "leave all three given rows out, and not only the last"),
        (best(target, (a, b)), "leave all three given rows out: c is missing"),
        (best(target, dots=True),
         "this ranks by the dot product, which favors long rows: divide by their lengths"),
        (best(target, near=True), "this ranks by distance: the cosine compares directions"),
        (best(-target), "the sign is wrong: these are the rows that point the other way"),
        (best(table[a] - table[b] + table[c]), "a and b are exchanged: the step goes from a to b"),
        (best(table[b] - table[a] - table[c]), "row c is added, and not subtracted"),
        (best(table[b] - table[a]), "row c is left out: the step starts there"),
        (best(unit[b] - unit[a] + unit[c]), "the rows were scaled to length 1 before the sum: "
         "only the comparison is by direction"),
        (right[::-1], "the right rows in the wrong order: the most similar comes first"),
    )  # fmt: skip
    got = function(table.clone(), a, b, c, k)
    if isinstance(got, Tensor):
        got = one_tensor(got).tolist()
    compare(f"analogy(table, {a}, {b}, {c}, {k}) with {what}", _ids(got), right, causes)


def _ids(result) -> list:
    try:
        return [int(x) for x in result]
    except (TypeError, ValueError, RuntimeError):
        kind = type(result).__name__
        raise Wrong(f"not yet. The result is a {kind} and should be a list of ids") from None


PARTS = {
    "table_gradient": {"one_hot": lambda ids, vocab_size: torch.eye(vocab_size)[ids]},
}
