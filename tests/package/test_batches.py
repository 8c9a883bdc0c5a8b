"""Rows of documents and of repeated tokens, and the batches that mix them."""

from itertools import pairwise
from typing import NamedTuple

import pytest
import torch
from rows import CONTEXT_LENGTH, tiny_rows

from oneprompt.training.batches import IGNORE, batch, pack, pack_counted, repeated_row, with_more
from oneprompt.training.recipe import Recipe


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_pack_by_hand():
    documents = [[1, 2], [3, 4, 5], [6], [7, 8], [9]]
    assert pack(documents, eos_id=0, length=5).tolist() == [
        [1, 2, 0, 3, 4, 5],  # cut before the EOS of its second document
        [6, 0, 7, 8, 0, 9],
    ]


def test_pack_drops_a_row_that_is_not_filled():
    assert pack([[1, 2, 3], [4]], eos_id=0, length=3).tolist() == [[1, 2, 3, 0]]


def test_rows_start_with_documents_and_targets_follow():
    rows = tiny_rows()
    assert rows.shape[1:] == (2, CONTEXT_LENGTH)
    for ids, targets in rows.tolist():
        assert ids[:12] == [1 + (ids[0] - 1 + i) % 39 for i in range(11)] + [0]
        assert targets[:-1] == ids[1:]


@pytest.mark.parametrize("longest", [3, 8, 64])
def test_a_repeated_row_is_a_block_and_pieces_of_it(longest):
    for seed in range(20):
        ids, targets = repeated_row(100, longest, 1000, generator(seed))
        assert ids.shape == targets.shape == (100,)
        assert ids.min() >= 1  # no EOS
        counts = targets != IGNORE
        assert torch.equal(targets[:-1][counts[:-1]], ids[1:][counts[:-1]])
        size = int(
            counts.int().argmax()
        )  # the last of the block's hidden targets is a piece's first
        assert 3 <= size <= longest
        block = set(ids[:size].tolist())
        assert set(ids.tolist()) == block
        pairs = set(pairwise(ids[:size].tolist()))
        known = {(int(i), int(t)) for i, t in zip(ids, targets, strict=True) if t != IGNORE}
        assert known <= pairs  # what counts can be known from the block
        assert len(known) > 1


def test_only_so_many_tokens_are_repeated():
    rows = [repeated_row(100, 50, 5, generator(seed))[0] for seed in range(20)]
    assert torch.stack(rows).unique().tolist() == [1, 2, 3, 4]


def test_a_batch_mixes_documents_and_repeats():
    rows = tiny_rows()
    for share, n_repeated in ((0.0, 0), (1.0, 6)):
        recipe = Recipe(steps=10, batch_size=6, repeats=(share, share))
        ids, targets = batch(recipe, 0, rows, 40, generator())
        assert ids.shape == targets.shape == (6, 24)
        assert int((targets == IGNORE).any(-1).sum()) == n_repeated
    known = {tuple(row) for row in rows.flatten(1).tolist()}
    mixed = batch(Recipe(steps=10), 0, rows, 40, generator())
    assert {(*i, *t) for i, t in zip(*mixed.tolist(), strict=True)} <= known


def test_repeats_change_from_the_first_step_to_the_last():
    recipe = Recipe(steps=101, batch_size=1000, repeats=(0.5, 0.1), longest_block=(4, 20))
    n_repeated = []
    for step in (0, 50, 100):
        _, targets = batch(recipe, step, tiny_rows(), 40, generator())
        n_repeated.append(int((targets == IGNORE).any(-1).sum()))
    assert n_repeated == [pytest.approx(n, abs=50) for n in (500, 300, 100)]


def test_rows_of_repeats_alone_may_be_shorter():
    recipe = Recipe(steps=10, batch_size=5, repeats=(1, 1), row_length=16)
    assert batch(recipe, 3, tiny_rows(), 40, generator()).shape == (2, 5, 16)


class Letters:
    """Encodes each letter as its number in the alphabet."""

    eos_id = 0

    def encode(self, text: str) -> list[int]:
        return [ord(letter) - 96 for letter in text]


class Parts(NamedTuple):
    parts: tuple


def test_parts_that_do_not_count_are_no_targets():
    documents = [Parts((("ab", False), ("cd", True))), Parts((("e", True),))]
    ids, targets = pack_counted(documents, Letters(), 6)[0].tolist()
    assert ids == [1, 2, 3, 4, 0, 5]
    assert targets == [IGNORE, 3, 4, 0, 5, 0]


def test_favored_rows_get_their_share():
    rows, favored = torch.zeros(90, 5), torch.ones(3, 5)
    mixed = with_more(rows, favored, share=0.25)
    assert mixed[:, 0].sum() == 30
    assert len(mixed) == 120
