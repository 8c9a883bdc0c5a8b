"""Training data as rows of ids: documents, and random tokens that repeat.

Most documents have a row of their own. Rows are kept in buckets by their length, and a batch takes
all its rows from one bucket, so that little of it is padding.
"""

from collections import defaultdict

import torch
from torch import Tensor

IGNORE = -100  # the target of positions that do not count in the loss
LENGTHS = (12, 16, 20, 24, 32, 40, 48, 64, 96, 128, 192)  # of buckets, but for the longest rows
PACKED = 1  # document in ten: it shares a row as long as the context, so late positions are trained
TRUNCATED = 4  # documents in ten lose the end of their answer, which their beginning tells
DECIDED_AFTER = 16  # tokens of a sentence, opening and subject included, that tell its end
AT_LEAST = 8  # tokens, or the end stays


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
    return torch.tensor(rows, dtype=torch.long).view(-1, length + 1)


def with_targets(rows: Tensor) -> Tensor:
    """Ids and targets (n, 2, T) of packed rows (n, T + 1) in which every token counts."""
    return torch.stack((rows[:, :-1], rows[:, 1:]), dim=1)


def with_loss_mask(document, tokenizer) -> tuple[list[int], list[int]]:
    """The ids of a `Document`, and the same with IGNORE for those that do not count."""
    parts = [(tokenizer.encode(text), counts) for text, counts in document.parts]
    ids = [token for tokens, _ in parts for token in tokens]
    return ids, [t if counts else IGNORE for tokens, counts in parts for t in tokens]


def pack_counted(documents, tokenizer, length: int) -> Tensor:
    """Ids and targets (n, 2, length) of `Document`s; targets that do not count are IGNORE."""
    columns = zip(*(with_loss_mask(d, tokenizer) for d in documents), strict=True)
    ids, targets = (pack(column, tokenizer.eos_id, length) for column in columns)
    return torch.stack((ids[:, :-1], targets[:, 1:]), dim=1)


def n_decided(document, tokenizer) -> int:
    """How many tokens at the end of an answer its last sentence's beginning tells; 0 for few."""
    if len(document.parts) == 1:
        return 0
    sentence = document.parts[-1][0].rpartition(". ")[2].strip()
    n = len(tokenizer.encode(f" {sentence}")) - DECIDED_AFTER
    return n if n >= AT_LEAST else 0


def padded_row(document, tokenizer, length: int, truncated: bool = False) -> Tensor:
    """Ids and targets (2, T) of one `Document` with its EOS; T is the length of its bucket.

    Truncated, it has neither EOS nor what is decided before it. More than `length` is cut.
    """
    ids, targets = with_loss_mask(document, tokenizer)
    n_left_out = n_decided(document, tokenizer) if truncated else 0
    if n_left_out:
        ids, targets = ids[:-n_left_out], targets[:-n_left_out]
    else:
        ids, targets = [*ids, tokenizer.eos_id], [*targets, tokenizer.eos_id]
    ids, targets = ids[:-1][:length], targets[1:][:length]
    bucket = min((n for n in LENGTHS if len(ids) <= n < length), default=length)
    n_missing = bucket - len(ids)
    return torch.tensor((ids + [tokenizer.eos_id] * n_missing, targets + [IGNORE] * n_missing))


def bucketed(documents, tokenizer, length: int) -> dict[int, Tensor]:
    """Rows (n, 2, T) by their length T: packed ones of T = length, and documents alone."""
    rows = defaultdict(list)
    packed = [document for i, document in enumerate(documents) if i % 10 < PACKED]
    rows[length].extend(pack_counted(packed, tokenizer, length))
    for i, document in enumerate(documents):
        if i % 10 >= PACKED:
            row = padded_row(document, tokenizer, length, truncated=i % 10 >= 10 - TRUNCATED)
            rows[row.shape[-1]].append(row)
    return {n: torch.stack(rows[n]) for n in sorted(rows) if rows[n]}


def with_more(
    buckets: dict[int, Tensor], favored: dict[int, Tensor], share: float
) -> dict[int, Tensor]:
    """All rows, plus the favored ones, repeated until they are about `share` of all tokens."""
    n_tokens, n_favored = (sum(rows.numel() for rows in s.values()) for s in (buckets, favored))
    times = round(share / (1 - share) * n_tokens / n_favored)
    more = {length: rows.repeat(times, 1, 1) for length, rows in favored.items()}
    return {
        length: torch.cat([s[length] for s in (buckets, more) if length in s])
        for length in sorted(buckets.keys() | more.keys())
    }


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


def batch(
    recipe, step: int, buckets: dict[int, Tensor], n_tokens: int, generator: torch.Generator
) -> Tensor:
    """One batch of ids and targets (2, B, T): rows of one bucket, or of repeated random tokens.

    Args:
        recipe: a `Recipe`, which says how often a batch is one of repeats.
        step: of its steps.
        buckets: rows (n, 2, T) of documents by their length T. Buckets are drawn by how many tokens
            they hold, and of shorter rows a batch has as many more.
        n_tokens: how many distinct tokens are repeated.
        generator: for all that is random.
    """
    longest = max(buckets)
    if torch.rand((), generator=generator) < recipe.at(step, recipe.repeats):
        length, block = recipe.row_length or longest, round(recipe.at(step, recipe.longest_block))
        repeated = [
            repeated_row(length, block, n_tokens, generator) for _ in range(recipe.batch_size)
        ]
        return torch.stack(repeated, dim=1)
    sizes = torch.tensor([float(rows.numel()) for rows in buckets.values()])
    rows = list(buckets.values())[int(torch.multinomial(sizes, 1, generator=generator))]
    n_rows = recipe.batch_size * longest // rows.shape[-1]
    return rows[torch.randint(len(rows), (n_rows,), generator=generator)].transpose(0, 1)
