"""Training data as rows of ids: packed documents, and random tokens that repeat."""

import torch
from torch import Tensor

IGNORE = -100  # the target of positions that do not count in the loss


def pack(documents: list[list[int]], eos_id: int, length: int) -> Tensor:
    """Documents, each followed by EOS, in rows of length + 1 ids; every row starts a document.

    A document that does not fit into the rest of a row is cut there.
    """
    rows, row = [], []
    for document in documents:
        row += [*document, eos_id]
        if len(row) > length:
            rows.append(row[: length + 1])
            row = []
    return torch.tensor(rows)


def with_targets(rows: Tensor) -> Tensor:
    """Ids and targets (n, 2, T) of packed rows (n, T + 1) in which every token counts."""
    return torch.stack((rows[:, :-1], rows[:, 1:]), dim=1)


def pack_counted(documents, tokenizer, length: int) -> Tensor:
    """Ids and targets (n, 2, length) of `Document`s; targets that do not count are IGNORE."""
    ids, targets = [], []
    for document in documents:
        parts = [(tokenizer.encode(text), counts) for text, counts in document.parts]
        ids.append([token for tokens, _ in parts for token in tokens])
        targets.append([t if counts else IGNORE for tokens, counts in parts for t in tokens])
    rows = [pack(column, tokenizer.eos_id, length) for column in (ids, targets)]
    return torch.stack((rows[0][:, :-1], rows[1][:, 1:]), dim=1)


def with_more(rows: Tensor, favored: Tensor, share: float) -> Tensor:
    """All rows, plus the favored ones, repeated until they are about `share` of the whole."""
    times = round(share / (1 - share) * len(rows) / len(favored))
    return torch.cat([rows, favored.repeat(times, *[1] * (rows.ndim - 1))])


def repeated_row(length: int, longest: int, n_tokens: int, generator: torch.Generator):
    """A block of 3 to `longest` random tokens, then pieces of it, from anywhere, of any length.

    Returns:
        ids and targets (2, length). Only what can be known from the block counts: its own tokens
        and the first of each piece are pure chance, and their targets are IGNORE.
    """

    def random(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=generator))

    size = random(3, longest)
    row = block = torch.randint(1, n_tokens, (size,), generator=generator).tolist()
    targets = [IGNORE] * size
    while len(row) <= length:
        start = random(0, size - 2)
        piece = block[start : start + random(2, size - start)]
        row, targets = row + piece, [*targets, IGNORE, *piece[1:]]
    return torch.tensor((row[:length], targets[1 : length + 1]))


def batch(recipe, step: int, rows: Tensor, n_tokens: int, generator: torch.Generator) -> Tensor:
    """One batch of ids and targets (2, B, T), mixed as the `Recipe` says for this step.

    Args:
        recipe: a `Recipe`.
        step: of its steps.
        rows: (n, 2, T), documents.
        n_tokens: how many distinct tokens are repeated.
        generator: for all that is random.
    """
    chances = torch.rand(recipe.batch_size, generator=generator)
    n_repeated = int((chances < recipe.at(step, recipe.repeats)).sum())
    chosen = torch.randint(len(rows), (recipe.batch_size - n_repeated,), generator=generator)
    length = recipe.row_length or rows.shape[-1]
    longest = round(recipe.at(step, recipe.longest_block))
    repeated = [repeated_row(length, longest, n_tokens, generator) for _ in range(n_repeated)]
    mixed = torch.stack([*rows[chosen], *repeated])
    return mixed.transpose(0, 1)
