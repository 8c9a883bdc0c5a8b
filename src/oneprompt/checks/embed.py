"""Checks of the exercises of chapter 2."""

import math

import torch
from torch import Tensor

from oneprompt.embed import embed

from . import Results, Wrong, compare, one_tensor
from .table import Table, from_table


@from_table
def by_hand() -> Table:
    """The cosine of the rows (0, 5) and (8, 6), with lengths 5 and 10."""
    return Table("the cosine of the two rows", *hand_results())


def hand_results(table=((3, 4), (8, 6), (-4, 3), (0, 5)), ids=(3, 1)) -> Results:
    """The answer and the mistakes of `by_hand` for another table (V, 2) and two ids."""
    a, b = (torch.tensor(table[i], dtype=torch.float64) for i in ids)
    dot, of_a, of_b = float(a @ b), float(a.norm()), float(b.norm())
    cosine = dot / (of_a * of_b)
    others = [torch.tensor(table[i - 1], dtype=torch.float64) for i in ids]
    root = "a length is the square root of the sum of squares"
    causes = (
        (dot, "this is the dot product: divide it by both lengths"),
        (dot / of_a, "the dot product was divided by the first row's length only"),
        (dot / of_b, "the dot product was divided by the second row's length only"),
        (dot / (of_a + of_b), "the lengths are multiplied, and not added, before you divide by "
         "them"),
        (dot / 2, "the dot product was divided by D: divide by the two lengths"),
        (dot / (of_a * of_b) ** 2, f"{root}; the root is missing"),
        (dot / float(a.abs().sum() * b.abs().sum()), f"{root}, and not the sum"),
        (float(torch.cosine_similarity(*others, dim=0)),
         "these are the rows of other ids: rows are counted from 0"),
        (1 - cosine, "this is 1 minus the cosine, which is called the cosine distance"),
        (float((a - b).norm()), "this is the distance of the two points; the cosine compares "
         "directions"),
        (math.degrees(math.acos(cosine)), "this is the angle: the answer is its cosine"),
        (math.acos(cosine), "this is the angle: the answer is its cosine"),
    )  # fmt: skip
    return cosine, causes


@from_table
def push_by_hand() -> list[Table]:
    """Rows a (2, 4) and b (-4, 1), pushed twice by the arrow (2, 2): scores and their cosine."""
    a, b, arrow = (torch.tensor(row, dtype=torch.float64) for row in ((2, 4), (-4, 1), (2, 2)))
    score, after = float(a @ arrow), float((a + 2 * arrow) @ arrow)
    product = "multiply number by number, and add up"
    scores = ((float(b @ arrow), "this is the score of b"), (float(a.sum()), product))
    later = (
        (float((a + arrow) @ arrow), "this is after one push, and there are two"),
        (2 * score, "the row is pushed, and not the score: add the arrow to the row twice"),
        (float((b + 2 * arrow) @ arrow), "this is the score of b"),
    )
    angles = (
        (_cosine(a, b), "this is the cosine before the pushes"),
        (_cosine(a + arrow, b + arrow), "this is after one push, and there are two"),
        (_cosine(a + 2 * arrow, b), "b was not pushed: it stands in the same place as a"),
        (_cosine(a + 2 * arrow, b - 2 * arrow), "b was pushed away: it stands in the same place "
         "as a"),
        (float((a + 2 * arrow) @ (b + 2 * arrow)), "this is the dot product: divide it by both "
         "lengths"),
    )  # fmt: skip
    return [
        Table("the score of a before the pushes", score, scores),
        Table("the score of a after them", after, later),
        Table("the cosine of a and b after them", _cosine(a + 2 * arrow, b + 2 * arrow), angles),
    ]


def lookup(function) -> None:
    """The rows of ids (T,) or (B, T) in a table (V, D); ids without a row are refused."""
    table, ids = _random(6, 4), torch.tensor([2, 0, 5, 2])
    rows = embed(ids, table)
    hot = torch.eye(6)[ids]
    causes = (
        (hot, "these are the one-hot vectors: multiply them by the table"),
        (rows.sum(dim=0), "the rows were added up: each position keeps its own"),
        (table[ids.unique()], "each row came once: a repeated id gives its row again"),
        (table[:, :1][ids], "only the first number of each row came back"),
        (table[ids - 1], "each id got the row before its own: rows are counted from 0"),
        (rows / rows.norm(dim=1, keepdim=True), "the rows were scaled to length 1"),
        (rows.T, "the result is transposed: one row per position"),
    )
    call = "lookup(torch.tensor([2, 0, 5, 2]), table) with a random table of shape (6, 4)"
    compare(call, one_tensor(function(ids.clone(), table.clone())), rows, causes)
    batch = torch.tensor([[1, 4], [4, 3], [0, 0]])
    expected = embed(batch, table)
    causes = ((expected.flatten(0, 1), "the batch was flattened: (B, T) becomes (B, T, D)"),)
    call = "lookup(torch.tensor([[1, 4], [4, 3], [0, 0]]), the same table)"
    compare(call, one_tensor(function(batch.clone(), table.clone())), expected, causes)
    _refuses(function, -1, table, "in Python -1 means the last row, and no token has that id")
    _refuses(function, 6, table, "the table has rows 0 to 5")


def nearest(function) -> None:
    """The ids of the k rows with the largest cosine to one row, the best first, without it."""
    lengths = torch.tensor([1.0, 0.3, 2.0, 0.5, 4.0, 1.0, 0.2, 3.0])
    table, row, k = _random(8, 3) * lengths[:, None], 3, 3
    unit = table / table.norm(dim=1, keepdim=True)
    cosines = unit @ unit[row]
    expected = _best(cosines, row)[:k]
    shifted = _best(torch.cat((cosines[:row], cosines[row + 1 :])))[:k]
    causes = (
        (_best(cosines)[:k], f"row {row} is its own nearest: leave it out"),
        (_best(cosines)[: k + 1], f"row {row} is its own nearest: leave it out"),
        (_best(cosines, row)[: k + 1], "these are k + 1 rows, and k were asked for"),
        (_best(table @ table[row], row)[:k],
         "this ranks by the dot product, which favors long rows: divide by their lengths"),
        (_best(-(table - table[row]).norm(dim=1), row)[:k],
         "this ranks by distance: the cosine compares directions, whatever the lengths"),
        (_best(-cosines, row)[:k], "these are the rows with the smallest cosines"),
        (_best(cosines.abs(), row)[:k],
         "the sign was lost: a cosine near -1 is an opposite direction"),
        (expected[::-1], "the right rows in the wrong order: the most similar comes first"),
        (cosines[expected], "these are the cosines: return the ids of their rows"),
        (shifted, f"row {row} was cut out before ranking, so all ids above {row} are one too low"),
    )  # fmt: skip
    call = "nearest(table, 3, 3) with a random table of shape (8, 3)"
    compare(call, _ids(function(table.clone(), row, k)), expected, causes)
    _among_parallel_rows(function)


def _among_parallel_rows(function) -> None:
    """Check `nearest` on a table in which another row also has the cosine 1."""
    table = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
    causes = (([2], "the first of the ranking was dropped, but here that is another row with the "
               "same direction: leave row 2 out by its id"),)  # fmt: skip
    call = "nearest(torch.tensor([[1., 0.], [0., 1.], [2., 0.]]), 2, 1)"
    compare(call, _ids(function(table.clone(), 2, 1)), [0], causes)


def _cosine(a: Tensor, b: Tensor) -> float:
    return float(torch.cosine_similarity(a, b, dim=0))


def _random(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def _best(scores: Tensor, without: int | None = None) -> list[int]:
    """Ids by descending score."""
    ranking = scores.argsort(descending=True, stable=True).tolist()
    return [row for row in ranking if row != without]


def _refuses(function, token_id: int, table: Tensor, why: str) -> None:
    """Wrong unless the function raises ValueError for this id."""
    try:
        function(torch.tensor([token_id]), table.clone())
    except Wrong as wrong:
        error = wrong.__cause__
        if isinstance(error, ValueError):
            return
        raise Wrong(
            f"not yet. For id {token_id} your function raises {type(error).__name__}: {error}\n"
            f"  likely cause: nothing checks the ids before they are used; {why}. Raise a "
            "ValueError that says so"
        ) from error
    raise Wrong(
        f"not yet. For id {token_id} your function returns a result\n"
        f"  likely cause: nothing checks the ids; {why}. Raise a ValueError that says so"
    )


def _ids(result) -> list:
    try:
        return [x.item() if isinstance(x, Tensor) else x for x in result]
    except (TypeError, RuntimeError):
        raise Wrong(
            f"not yet. The result is {type(result).__name__!r} and should be a list of ids"
        ) from None
