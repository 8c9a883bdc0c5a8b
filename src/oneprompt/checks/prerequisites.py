"""Checks of the page of prerequisites: the product of two matrices, by hand."""

import torch

from .table import Table, from_table

LEFT = ((1, 2, 0), (3, 0, 1))  # (2, 3)
RIGHT = ((4, 1), (1, 0), (2, 5))  # (3, 2)


@from_table
def product() -> list[Table]:
    """Two entries of the product of `LEFT` and `RIGHT`."""
    result = torch.tensor(LEFT) @ torch.tensor(RIGHT)
    rows = "the first number of a place is the row: take that row of the left matrix"
    zero = "rows and columns are counted from 0"
    first = (
        (int(result[0, 1]), rows),
        (int(result[0, 0]), f"this is the entry at (0, 0): {zero}"),
        (int(result[1, 1]), "this is the entry at (1, 1): take the other column of the right one"),
        (12, "the row has a third number: 1 times 2 is still to be added"),
    )
    second = (
        (int(result[1, 0]), rows),
        (int(result[1, 1]), f"this is the entry at (1, 1): {zero}"),
        (int(result[0, 0]), "this is the entry at (0, 0): take the other column of the right one"),
    )
    return [
        Table("the entry at (1, 0)", int(result[1, 0]), first),
        Table("the entry at (0, 1)", int(result[0, 1]), second),
    ]


@from_table
def shape() -> Table:
    """How many numbers the product of a (2, 3) and a (3, 4) matrix has."""
    return Table(
        "the numbers in the product",
        2 * 4,
        (
            (2 * 3, "this is the size of the left matrix; the 3 meet each other and are gone"),
            (3 * 4, "this is the size of the right matrix; the 3 meet each other and are gone"),
            (2 * 3 * 4, "so many multiplications are needed, and three of them make one entry"),
            (3 * 3, "the inner numbers, 3 and 3, meet each other; the outer ones stay"),
        ),
    )
