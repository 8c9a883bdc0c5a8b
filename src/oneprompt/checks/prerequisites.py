"""The check of the page on prerequisites."""

import torch

from .table import Table, from_table


@from_table
def by_hand() -> Table:
    """The product of the row (1, 2) with the matrix whose rows are 3, 0 and 1, 2."""
    row, matrix = torch.tensor([1.0, 2]), torch.tensor([[3.0, 0], [1, 2]])
    causes = (
        (matrix @ row, "the row met the rows of the matrix; it meets its columns"),
        (row * matrix.diagonal(), "only the diagonal was used: each number is a sum of two"),
        (row.sum() * torch.ones(2), "the numbers of the matrix are missing"),
        (matrix.sum(dim=0), "the columns were added up without the row: multiply by 1 and by 2"),
        (row.flip(0) @ matrix, "the row was read from its end: 1 belongs to the first row"),
    )
    return Table("(1, 2) times the matrix", row @ matrix, causes)
