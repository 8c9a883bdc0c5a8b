"""Training data as rows of ids: packed documents, and random tokens that repeat."""

import torch
from torch import Tensor

IGNORE = -100  # the target of positions that do not count in the loss
SHORT_ROW = 64  # tokens in a row of the copying phase


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


def with_more(rows: Tensor, favored: Tensor, share: float) -> Tensor:
    """All rows, plus the favored ones, repeated until they are about `share` of the whole."""
    times = round(share / (1 - share) * len(rows) / len(favored))
    return torch.cat([rows, favored.repeat(times, 1)])


def repeated_row(length: int, longest: int, vocab_size: int, generator: torch.Generator):
    """Random tokens that repeat with a period of 3 to `longest`.

    Returns:
        ids and targets, each (length,). The first period is pure chance and does not count: its
        targets are IGNORE.
    """
    period = int(torch.randint(3, longest + 1, (), generator=generator))
    block = torch.randint(1, vocab_size, (period,), generator=generator)
    row = block.repeat(length // period + 2)[: length + 1]
    targets = row[1:].clone()
    targets[: period - 1] = IGNORE
    return row[:-1], targets


def batch(recipe, step: int, rows: Tensor, generator: torch.Generator, vocab_size: int):
    """One batch of ids and targets, mixed as the `Recipe` says for this step.

    Returns:
        two tensors (B, T); in the copying phase just as many tokens, in more and shorter rows.
    """
    n_rows, length = recipe.batch_size, rows.shape[1] - 1
    if step < recipe.copying_steps:
        n_repeated = n_rows = n_rows * length // SHORT_ROW
        length = SHORT_ROW
    else:
        chances = torch.rand(n_rows, generator=generator)
        n_repeated = int((chances < recipe.repeats).sum())
    documents = rows[torch.randint(len(rows), (n_rows - n_repeated,), generator=generator)]
    pairs = [(row[:-1], row[1:]) for row in documents]
    longest = recipe.longest_period(step)
    pairs += [repeated_row(length, longest, vocab_size, generator) for _ in range(n_repeated)]
    ids, targets = zip(*pairs, strict=True)
    return torch.stack(ids), torch.stack(targets)
