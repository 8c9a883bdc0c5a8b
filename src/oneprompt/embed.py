"""Step 2, embed: every token id becomes a vector.

A table holds one learned row of `d_model` numbers for each of the `vocab_size` tokens, and
embedding a token is reading its row. (Multiplying a one-hot vector by the table gives the same
row, which is how gradients reach it.)
"""

import torch
from torch import Tensor


def embed(ids: Tensor, table: Tensor) -> Tensor:
    """Look up the row of each id.

    Args:
        ids: (batch, time) or (time,), int64, each in [0, vocab_size).
        table: (vocab_size, d_model), the learned embedding table.

    Returns:
        (batch, time, d_model) or (time, d_model).

    Raises:
        TypeError: the ids are not integers.
        ValueError: there is no id, or one lies outside the table.

    >>> embed(torch.tensor([2, 0]), torch.tensor([[1.0], [2.0], [3.0]]))
    tensor([[3.],
            [1.]])
    """
    check_ids(ids, vocab_size=table.shape[0])
    return table[ids]


def check_ids(ids: Tensor, vocab_size: int) -> None:
    """Refuse ids that no row of the table belongs to."""
    if ids.dtype not in (torch.int64, torch.int32):
        raise TypeError(
            f"token ids must be integers (int64), got {ids.dtype}; "
            "make them with tokenizer.encode(text)"
        )
    if ids.numel() == 0:
        raise ValueError("there are no token ids; give the model at least one token")
    lowest, highest = int(ids.min()), int(ids.max())
    if lowest < 0 or highest >= vocab_size:
        wrong = lowest if lowest < 0 else highest
        raise ValueError(
            f"token id {wrong} is outside the vocabulary (0 to {vocab_size - 1}); "
            "encode the text with the tokenizer that belongs to this model"
        )
