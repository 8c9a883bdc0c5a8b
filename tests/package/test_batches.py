"""Rows of documents and of repeated tokens, and the batches made of them."""

from itertools import pairwise
from typing import NamedTuple

import pytest
import torch
from rows import CONTEXT_LENGTH, tiny_buckets, tiny_rows

from oneprompt.training.batches import (
    DECIDED_AFTER,
    IGNORE,
    LENGTHS,
    batch,
    bucketed,
    pack,
    pack_counted,
    padded_row,
    repeated_row,
    with_more,
)
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


def test_a_batch_is_one_of_documents_or_one_of_repeats():
    for share in (0.0, 1.0):
        recipe = Recipe(steps=10, batch_size=6, repeats=(share, share))
        ids, targets = batch(recipe, 0, tiny_buckets(), 40, generator())
        assert ids.shape == targets.shape == (6, 24)
        assert bool((targets == IGNORE).any(-1).all()) == bool(share)
    known = {tuple(row) for row in tiny_rows().flatten(1).tolist()}
    drawn = batch(Recipe(steps=10), 0, tiny_buckets(), 40, generator())
    assert {(*i, *t) for i, t in zip(*drawn.tolist(), strict=True)} <= known


def test_repeats_change_from_the_first_step_to_the_last():
    recipe = Recipe(steps=101, batch_size=1, repeats=(0.5, 0.1), longest_block=(4, 20))
    for step, share in ((0, 0.5), (50, 0.3), (100, 0.1)):
        batches = (batch(recipe, step, tiny_buckets(), 40, generator(seed)) for seed in range(400))
        n_repeated = sum(int((targets == IGNORE).any()) for _, targets in batches)
        assert n_repeated == pytest.approx(400 * share, abs=50)  # five standard deviations of 10


def test_rows_of_repeats_alone_may_be_shorter():
    recipe = Recipe(steps=10, batch_size=5, repeats=(1, 1), row_length=16)
    assert batch(recipe, 3, tiny_buckets(), 40, generator()).shape == (2, 5, 16)


def test_buckets_are_drawn_by_their_tokens_and_batches_have_equally_many():
    buckets = {4: torch.zeros(30, 2, 4), 8: torch.ones(5, 2, 8), 12: torch.full((20, 2, 12), 2)}
    drawn = [batch(Recipe(1, batch_size=2), 0, buckets, 9, generator(i)) for i in range(400)]
    assert {tuple(ids.shape) for ids, _ in drawn} == {(6, 4), (3, 8), (2, 12)}
    counts = [sum(int(ids[0, 0]) == bucket for ids, _ in drawn) for bucket in range(3)]
    for n, tokens in zip(counts, (120, 40, 240), strict=True):
        assert n == pytest.approx(tokens, abs=50)  # five standard deviations of at most 10


class Letters:
    """Encodes each letter as its number in the alphabet."""

    eos_id = 0

    def encode(self, text: str) -> list[int]:
        return [ord(letter) - 96 for letter in text]


class Characters:
    """Encodes each character as its code point."""

    eos_id = 0

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]


class Parts(NamedTuple):
    parts: tuple


def test_parts_that_do_not_count_are_no_targets():
    documents = [Parts((("ab", False), ("cd", True))), Parts((("e", True),))]
    ids, targets = pack_counted(documents, Letters(), 6)[0].tolist()
    assert ids == [1, 2, 3, 4, 0, 5]
    assert targets == [IGNORE, 3, 4, 0, 5, 0]


def test_no_row_is_filled():
    assert pack_counted([Parts((("ab", True),))], Letters(), 6).shape == (0, 2, 6)


def test_a_document_alone_ends_with_eos_and_is_padded_to_the_length_of_its_bucket():
    document = Parts((("ab", False), ("cd", True)))
    ids, targets = padded_row(document, Letters(), 256).tolist()
    assert len(ids) == len(targets) == LENGTHS[0] == 12
    assert ids == [1, 2, 3, 4, *[0] * 8]
    assert targets == [IGNORE, 3, 4, 0, *[IGNORE] * 8]


def test_a_long_document_alone_is_cut():
    ids, targets = padded_row(Parts((("a" * 300, True),)), Letters(), 256).tolist()
    assert ids == targets == [1] * 256


def counted_targets(document, truncated: bool) -> str:
    _, targets = padded_row(document, Characters(), 256, truncated).tolist()
    return "".join(map(chr, (t for t in targets if t != IGNORE)))


def test_a_truncated_document_ends_where_the_end_of_its_last_sentence_is_decided():
    """Its end and EOS are no targets; the sentences before, and the decisive tokens, are."""
    first, last = " ccc. ", "d" * 40
    document = Parts((("ab", False), (first + last, True)))
    assert counted_targets(document, truncated=False) == f"{first}{last}\0"
    # The space before a sentence is one of its tokens.
    assert counted_targets(document, truncated=True) == first + last[: DECIDED_AFTER - 1]


def test_short_answers_and_texts_without_a_prompt_are_not_truncated():
    for document in (Parts((("ab", False), (" cd.", True))), Parts((("d" * 60, True),))):
        assert counted_targets(document, truncated=True) == counted_targets(
            document, truncated=False
        )


def test_of_ten_documents_one_is_packed_and_four_are_truncated():
    documents = [Parts(((chr(200 + i), False), (" " + "c" * 50, True))) for i in range(100)]
    buckets = bucketed(documents, Characters(), 128)
    assert [(n, len(rows)) for n, rows in buckets.items()] == [(16, 40), (64, 50), (128, 3)]
    firsts = {n: {int(ids[0]) - 200 for ids, _ in rows} for n, rows in buckets.items()}
    assert {i % 10 for i in firsts[16]} == {6, 7, 8, 9}
    assert {i % 10 for i in firsts[64]} == {1, 2, 3, 4, 5}
    assert torch.equal(buckets[128], pack_counted(documents[::10], Characters(), 128))


def test_favored_rows_get_their_share_of_the_tokens():
    buckets, favored = {4: torch.zeros(90, 2, 4), 8: torch.zeros(5, 2, 8)}, {8: torch.ones(5, 2, 8)}
    mixed = with_more(buckets, favored, share=0.25)
    assert {length: len(rows) for length, rows in mixed.items()} == {4: 90, 8: 5 + 3 * 5}
    # Asked for a quarter of all: three times 40 tokens beside 400 are 23 %, four times were 29 %.
    assert mixed[8].sum() == 3 * favored[8].sum()
