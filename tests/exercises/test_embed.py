"""The checks of chapter 2's exercises: right, not attempted, and wrong with the cause named."""

import math

import pytest
import torch
import torch.nn.functional as F
from exercises import assert_wrong

from oneprompt import embed
from oneprompt.checks import diagnose


def test_untouched_exercises_are_not_attempted():
    assert diagnose("embed.by_hand", ...).status == "not attempted"
    assert diagnose("embed.push_by_hand", ...).status == "not attempted"
    assert diagnose("embed.lookup", lambda ids, table: ...).status == "not attempted"
    assert diagnose("embed.nearest", lambda table, token_id, k: None).status == "not attempted"


# By hand


@pytest.mark.parametrize("answer", [0.6, 3 / 5, torch.tensor(0.6)])
def test_a_right_answer_by_hand_is_accepted(answer):
    assert diagnose("embed.by_hand", answer).status == "right"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (30, "divide it by both lengths"),
        (6, "first row's length only"),
        (3, "second row's length only"),
        (2, "multiplied, and not added"),
        (15, "divided by D"),
        (0.012, "the root is missing"),
        (3 / 7, "and not the sum"),
        (0, "counted from 0"),
        (0.4, "cosine distance"),
        (math.sqrt(8**2 + 1), "distance of the two points"),
        (53.1301, "the angle"),
        (0.927295, "the angle"),
        (0.5, "got:      0.5"),
    ],
)
def test_a_wrong_answer_by_hand_is_told_why(answer, words):
    assert_wrong("embed.by_hand", answer, words)


@pytest.mark.parametrize("answer", [[12, 28, 0.8], (12.0, 28.0, 4 / 5)])
def test_right_scores_and_a_right_cosine_after_pushes_are_accepted(answer):
    assert diagnose("embed.push_by_hand", answer).status == "right"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([-6, 28, 0.8], "this is the score of b"),
        ([6, 28, 0.8], "and add up"),
        ([12, 20, 0.8], "after one push"),
        ([12, 24, 0.8], "and not the score"),
        ([12, 10, 0.8], "this is the score of b"),
        ([12, 28, -0.217], "before the pushes"),
        ([12, 28, 0.385], "after one push"),
        ([12, 28, -0.388], "b was not pushed"),
        ([12, 28, -0.843], "b was pushed away"),
        ([12, 28, 40], "divide it by both lengths"),
        ([12, 28], "Write 3 answers in a list"),
    ],
)
def test_a_wrong_answer_about_pushes_is_told_why(answer, words):
    assert_wrong("embed.push_by_hand", answer, words)


# Rebuild


def refusing(rows):
    """The rows, after checking the ids."""

    def lookup(ids, table):
        if any(not 0 <= token_id < len(table) for token_id in ids.flatten().tolist()):
            raise ValueError("an id has no row")
        return rows(ids, table)

    return lookup


def one_hot_product(ids, table):
    return (ids[..., None] == torch.arange(len(table))).float() @ table


def by_loop(ids, table):
    rows = torch.stack([table[token_id] for token_id in ids.flatten().tolist()])
    return rows.reshape(*ids.shape, table.shape[1])


@pytest.mark.parametrize(
    "solution", [embed.embed, refusing(one_hot_product), refusing(by_loop), refusing(F.embedding)]
)
def test_a_right_lookup_is_accepted(solution):
    assert diagnose("embed.lookup", solution).status == "right"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda ids, table: F.one_hot(ids, len(table)), "one-hot vectors: multiply"),
        (lambda ids, table: table[ids].sum(dim=0), "added up"),
        (lambda ids, table: table[ids.unique()], "each row came once"),
        (lambda ids, table: table[ids, :1], "only the first number"),
        (lambda ids, table: table[ids - 1], "the row before its own"),
        (lambda ids, table: F.normalize(table[ids], dim=-1), "scaled to length 1"),
        (lambda ids, table: table[ids].T, "transposed"),
        (lambda ids, table: table[:, ids], "index 5 is out of bounds"),
        (lambda ids, table: [table[token_id] for token_id in ids], "torch.stack"),
        (
            lambda ids, table: torch.stack([table[token_id] for token_id in ids.flatten()]),
            "was flattened",
        ),
        (lambda ids, table: table[ids], "For id -1 your function returns a result"),
        (one_hot_product, "For id -1 your function returns a result"),
        (F.embedding, "For id -1 your function raises IndexError"),
        (lambda ids, table: table[ids.clamp(min=0)], "For id -1 your function returns a result"),
        (lambda ids, table: embed.embed(ids.clamp(max=5), table), "For id 6 your function returns"),
        (lambda ids, table: table, "the shape is (6, 4) and should be (4, 4)"),
    ],
)
def test_a_wrong_lookup_is_told_why(answer, words):
    assert_wrong("embed.lookup", answer, words)


# Extend


def cosines_to(table, token_id):
    return F.cosine_similarity(table, table[token_id], dim=1)


def without(ranking, token_id, k):
    return [other for other in ranking.tolist() if other != token_id][:k]


def by_ranking(table, token_id, k):
    return without(cosines_to(table, token_id).argsort(descending=True), token_id, k)


def by_topk(table, token_id, k):
    cosines = cosines_to(table, token_id)
    cosines[token_id] = -2  # below every cosine
    return cosines.topk(k).indices


def by_sorted(table, token_id, k):
    def cosine(other):
        return float(
            table[token_id] @ table[other] / (table[token_id].norm() * table[other].norm())
        )

    others = [other for other in range(len(table)) if other != token_id]
    return tuple(sorted(others, key=cosine, reverse=True)[:k])


@pytest.mark.parametrize("solution", [by_ranking, by_topk, by_sorted])
def test_a_right_nearest_is_accepted(solution):
    assert diagnose("embed.nearest", solution).status == "right"


def ranked_by(score):
    """The search, with a score other than the cosine."""

    def nearest(table, token_id, k):
        return without(score(table, token_id).argsort(descending=True), token_id, k)

    return nearest


def cut_out(table, token_id, k):
    others = torch.cat((table[:token_id], table[token_id + 1 :]))
    return F.cosine_similarity(others, table[token_id], dim=1).argsort(descending=True)[:k]


def first_dropped(table, token_id, k):
    return cosines_to(table, token_id).argsort(descending=True, stable=True)[1 : k + 1]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda table, token_id, k: cosines_to(table, token_id).topk(k).indices, "its own nearest"),
        (
            lambda table, token_id, k: cosines_to(table, token_id).topk(k + 1).indices,
            "its own nearest",
        ),
        (lambda table, token_id, k: by_ranking(table, token_id, k + 1), "k + 1 rows"),
        (ranked_by(lambda table, token_id: table @ table[token_id]), "dot product"),
        (
            ranked_by(lambda table, token_id: -(table - table[token_id]).norm(dim=1)),
            "ranks by distance",
        ),
        (ranked_by(lambda table, token_id: -cosines_to(table, token_id)), "smallest cosines"),
        (ranked_by(lambda table, token_id: cosines_to(table, token_id).abs()), "the sign was lost"),
        (lambda table, token_id, k: by_ranking(table, token_id, k)[::-1], "in the wrong order"),
        (
            lambda table, token_id, k: cosines_to(table, token_id)[by_ranking(table, token_id, k)],
            "are the cosines",
        ),
        (cut_out, "one too low"),
        (first_dropped, "leave row 2 out by its id"),
        (lambda table, token_id, k: by_ranking(table, token_id, k)[0], "should be a list of ids"),
        (lambda table, token_id, k: table[token_id] @ table, "raised RuntimeError"),
        (lambda table, token_id, k: list(range(k)), "got:"),
    ],
)
def test_a_wrong_nearest_is_told_why(answer, words):
    assert_wrong("embed.nearest", answer, words)
