"""Step 2, embed: every token id becomes a vector.

A table holds one learned row of `d_model` numbers for each of the `vocab_size` tokens, and
embedding a token is reading its row. (Multiplying a one-hot vector by the table gives the same
row, which is how gradients reach it.)
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def embed(ids: Tensor, table: Tensor) -> Tensor:
    """Look up the row of each id.

    Args:
        ids: (B, T) or (T,), int64, each in [0, V).
        table: (V, D), the learned embedding table.

    Returns:
        (B, T, D) or (T, D).

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
    """Refuse ids that have no row in the table.

    Raises:
        TypeError, ValueError: as in `embed`.
    """
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


def nearest(table: Tensor, token_id: int, k: int) -> tuple[Tensor, Tensor]:
    """The k rows with the largest cosine to that of `token_id`, the most similar first.

    The token's own row is left out.

    Args:
        table: (V, D).

    Returns:
        Their ids and their cosines, (k,) each.

    >>> nearest(torch.tensor([[1.0, 0.0], [0.0, 1.0], [3.0, 4.0]]), 0, 1)
    (tensor([2]), tensor([0.6000]))
    """
    cosines = F.cosine_similarity(table, table[token_id], dim=1)
    ranking = cosines.argsort(descending=True, stable=True)
    ids = ranking[ranking != token_id][:k]
    return ids, cosines[ids]


def flatten(rows: Tensor) -> tuple[Tensor, float]:
    """Map rows (n, D) to the two dimensions that keep most of their spread (PCA).

    Returns:
        The points (n, 2), and the share of the spread that they keep.
    """
    centered = rows - rows.mean(dim=0)
    _, sigma, directions = torch.linalg.svd(centered, full_matrices=False)
    spread = sigma.square()
    return centered @ directions[:2].T, float(spread[:2].sum() / spread.sum())
