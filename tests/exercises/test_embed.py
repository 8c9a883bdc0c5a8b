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
    assert diagnose("embed.lookup", lambda ids, table: ...).status == "not attempted"
    assert diagnose("embed.nearest", lambda table, id, k: None).status == "not attempted"


# By hand


@pytest.mark.parametrize("answer", [0.6, 3 / 5, torch.tensor(0.6)])
def test_by_hand_right(answer):
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
def test_by_hand_wrong(answer, words):
    assert_wrong("embed.by_hand", answer, words)


# Rebuild


def refusing(rows):
    """The rows, after a look at the ids."""

    def lookup(ids, table):
        if any(not 0 <= id < len(table) for id in ids.flatten().tolist()):
            raise ValueError("an id has no row")
        return rows(ids, table)

    return lookup


def one_hot_product(ids, table):
    return (ids[..., None] == torch.arange(len(table))).float() @ table


def by_loop(ids, table):
    rows = torch.stack([table[id] for id in ids.flatten().tolist()])
    return rows.reshape(*ids.shape, table.shape[1])


@pytest.mark.parametrize(
    "solution", [embed.embed, refusing(one_hot_product), refusing(by_loop), refusing(F.embedding)]
)
def test_lookup_right(solution):
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
        (lambda ids, table: [table[id] for id in ids], "torch.stack"),
        (lambda ids, table: torch.stack([table[id] for id in ids.flatten()]), "was flattened"),
        (lambda ids, table: table[ids], "For id -1 your function returns a result"),
        (one_hot_product, "For id -1 your function returns a result"),
        (F.embedding, "For id -1 your function raises IndexError"),
        (lambda ids, table: table[ids.clamp(min=0)], "For id -1 your function returns a result"),
        (lambda ids, table: embed.embed(ids.clamp(max=5), table), "For id 6 your function returns"),
        (lambda ids, table: table, "the shape is (6, 4) and should be (4, 4)"),
    ],
)
def test_lookup_wrong(answer, words):
    assert_wrong("embed.lookup", answer, words)


# Extend


def cosines_to(table, id):
    return F.cosine_similarity(table, table[id], dim=1)


def without(ranking, id, k):
    return [other for other in ranking.tolist() if other != id][:k]


def by_ranking(table, id, k):
    return without(cosines_to(table, id).argsort(descending=True), id, k)


def by_topk(table, id, k):
    cosines = cosines_to(table, id)
    cosines[id] = -2  # below every cosine
    return cosines.topk(k).indices


def by_sorted(table, id, k):
    def cosine(other):
        return float(table[id] @ table[other] / (table[id].norm() * table[other].norm()))

    others = [other for other in range(len(table)) if other != id]
    return tuple(sorted(others, key=cosine, reverse=True)[:k])


@pytest.mark.parametrize("solution", [by_ranking, by_topk, by_sorted])
def test_nearest_right(solution):
    assert diagnose("embed.nearest", solution).status == "right"


def ranked_by(score):
    """The search, with another score than the cosine."""

    def nearest(table, id, k):
        return without(score(table, id).argsort(descending=True), id, k)

    return nearest


def cut_out(table, id, k):
    others = torch.cat((table[:id], table[id + 1 :]))
    return F.cosine_similarity(others, table[id], dim=1).argsort(descending=True)[:k]


def first_dropped(table, id, k):
    return cosines_to(table, id).argsort(descending=True, stable=True)[1 : k + 1]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda table, id, k: cosines_to(table, id).topk(k).indices, "its own nearest"),
        (lambda table, id, k: cosines_to(table, id).topk(k + 1).indices, "its own nearest"),
        (lambda table, id, k: by_ranking(table, id, k + 1), "k + 1 rows"),
        (ranked_by(lambda table, id: table @ table[id]), "dot product"),
        (ranked_by(lambda table, id: -(table - table[id]).norm(dim=1)), "ranks by distance"),
        (ranked_by(lambda table, id: -cosines_to(table, id)), "smallest cosines"),
        (ranked_by(lambda table, id: cosines_to(table, id).abs()), "the sign was lost"),
        (lambda table, id, k: by_ranking(table, id, k)[::-1], "in the wrong order"),
        (lambda table, id, k: cosines_to(table, id)[by_ranking(table, id, k)], "are the cosines"),
        (cut_out, "one too low"),
        (first_dropped, "leave row 2 out by its id"),
        (lambda table, id, k: by_ranking(table, id, k)[0], "should be a list of ids"),
        (lambda table, id, k: table[id] @ table, "raised RuntimeError"),
        (lambda table, id, k: list(range(k)), "got:"),
    ],
)
def test_nearest_wrong(answer, words):
    assert_wrong("embed.nearest", answer, words)
