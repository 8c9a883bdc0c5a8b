"""Rows of documents and of repeated tokens, and the batches that mix them."""

import pytest
import torch
from rows import CONTEXT_LENGTH, tiny_rows

from oneprompt.training.batches import IGNORE, SHORT_ROW, batch, pack, repeated_row, with_more
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


def test_rows_start_with_documents():
    rows = tiny_rows()
    assert rows.shape[1] == CONTEXT_LENGTH + 1
    for row in rows.tolist():
        assert row[:12] == [1 + (row[0] - 1 + i) % 39 for i in range(11)] + [0]


@pytest.mark.parametrize("longest", [3, 8, 64])
def test_a_repeated_row_repeats_and_hides_its_random_first_round(longest):
    for seed in range(20):
        ids, targets = repeated_row(100, longest, 1000, generator(seed))
        assert ids.shape == targets.shape == (100,)
        assert ids.min() >= 1  # no EOS
        hidden = int((targets == IGNORE).sum())
        period = hidden + 1  # the first token of the second round is the first that counts
        assert 3 <= period <= longest
        assert (targets[:hidden] == IGNORE).all()
        assert torch.equal(ids[period:], ids[:-period])
        assert torch.equal(targets[hidden:-1], ids[period:])
        assert ids[:period].unique().numel() > 1


def test_a_batch_mixes_documents_and_repeats():
    rows = tiny_rows()
    for share, n_repeated in ((0.0, 0), (1.0, 6)):
        recipe = Recipe(steps=10, batch_size=6, repeats=share)
        ids, targets = batch(recipe, 0, rows, generator(), 40)
        assert ids.shape == targets.shape == (6, 24)
        assert int((targets == IGNORE).any(-1).sum()) == n_repeated
    documents = {tuple(row) for row in rows.tolist()}
    ids, targets = batch(Recipe(steps=10), 0, rows, generator(), 40)
    assert {(i[0], *t) for i, t in zip(ids.tolist(), targets.tolist(), strict=True)} <= documents


def test_the_copying_phase_has_only_short_repeats_and_as_many_tokens():
    rows = torch.ones(3, 2 * SHORT_ROW + 1, dtype=torch.int64)
    recipe = Recipe(steps=10, batch_size=5, copying_steps=4)
    ids, targets = batch(recipe, 3, rows, generator(), 40)
    assert ids.shape == targets.shape == (10, SHORT_ROW)
    assert (targets == IGNORE).any(-1).all()
    assert batch(recipe, 4, rows, generator(), 40)[0].shape == (5, 2 * SHORT_ROW)


def test_favored_rows_get_their_share():
    rows, favored = torch.zeros(90, 5), torch.ones(3, 5)
    mixed = with_more(rows, favored, share=0.25)
    assert mixed[:, 0].sum() == 30
    assert len(mixed) == 120
