"""The checks of chapter 4's exercises: right, not attempted, and wrong with the cause named."""

import math

import pytest
import torch
from exercises import assert_wrong

from oneprompt.attention import causal_mask, repeat_kv, scaled_dot_product_attention
from oneprompt.checks import diagnose

WEIGHTS = torch.tensor([1.0, 1.0, 2.0])  # e to the scaled scores
VALUES = torch.tensor([8.0, 4.0, 2.0])


def test_untouched_exercises_are_not_attempted():
    def placeholder(q, k, v): ...

    assert diagnose("attention.by_hand", ...).status == "not attempted"
    assert diagnose("attention.causal_attention", placeholder).status == "not attempted"
    assert diagnose("attention.grouped_attention", placeholder).status == "not attempted"


# By hand


@pytest.mark.parametrize("answer", [4, 4.0, torch.tensor(4.0)])
def test_a_right_answer_by_hand_is_accepted(answer):
    assert diagnose("attention.by_hand", answer).status == "right"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (20 / 6, "not divided by √d"),
        ((12 + 2 * math.sqrt(2)) / (2 + math.sqrt(2)), "divided by d, and not"),
        (116 / 5, "became 0"),
        ((16 + 100 * math.exp(3.5)) / (4 + math.exp(3.5)), "in the future"),
        (16 / (4 + math.exp(3.5)), "dropped after the softmax"),
        (14 / 3, "plain mean"),
        (2, "best match"),
        (16, "not divided by their sum"),
        (5, "got:      5"),
    ],
)
def test_a_wrong_answer_by_hand_is_told_why(answer, words):
    assert_wrong("attention.by_hand", answer, words)


# Rebuild


def by_loops(q, k, v):
    n, d = q.shape
    rows = []
    for t in range(n):
        powers = [math.exp(float(q[t] @ k[s]) / math.sqrt(d)) for s in range(t + 1)]
        rows.append(sum(p / sum(powers) * v[s] for s, p in enumerate(powers)))
    return torch.stack(rows)


def by_torch(q, k, v):
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)


@pytest.mark.parametrize("solution", [by_loops, by_torch])
def test_a_right_causal_attention_is_accepted(solution):
    assert diagnose("attention.causal_attention", solution).status == "right"


def variant(scale=2.0, hide=-math.inf, visible=torch.tril, axis=-1):
    """Attention by matrices; each argument can introduce a mistake. The width of a head is 4."""

    def attention(q, k, v):
        scores = q @ k.T / scale
        shown = visible(torch.ones_like(scores)).bool()
        return scores.masked_fill(~shown, hide).softmax(dim=axis) @ v

    return attention


def mask_after_softmax(q, k, v):
    return (q @ k.T / 2).softmax(dim=-1).tril() @ v


def without_the_sum(q, k, v):
    return (q @ k.T / 2).exp().tril() @ v


def strictly_before_without_nan(q, k, v):
    return variant(visible=lambda x: x.tril(-1))(q, k, v).nan_to_num()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (variant(visible=lambda x: x), "the causal mask is missing"),
        (variant(scale=1), "not divided by √d"),
        (variant(scale=4), "divided by d, and not"),
        (variant(visible=torch.triu), "upside down"),
        (variant(visible=lambda x: x.tril(-1)), "the first row is empty"),
        (strictly_before_without_nan, "does not see itself"),
        (variant(hide=0.0), "became 0"),
        (mask_after_softmax, "after the softmax"),
        (variant(axis=0), "over the queries"),
        (without_the_sum, "not divided by the sum"),
        (lambda q, k, v: variant()(q, k, k), "mix the keys"),
        (lambda q, k, v: variant()(q, k, torch.eye(5)), "these are the weights"),
        (lambda q, k, v: variant()(q, k, v)[None], "the shape is (1, 5, 4) and should be (5, 4)"),
        (lambda q, k, v: list(variant()(q, k, v)), "one tensor"),
        (lambda q, k, v: q @ k, "raised RuntimeError"),
        (lambda q, k, v: v, "got:"),
    ],
)
def test_a_wrong_causal_attention_is_told_why(answer, words):
    assert_wrong("attention.causal_attention", answer, words)


# Extend


def grouped_by_loop(q, k, v):
    size = len(q) // len(k)
    return torch.stack([by_torch(q[h], k[h // size], v[h // size]) for h in range(len(q))])


def grouped_by_package(q, k, v):
    k, v = (repeat_kv(x[None], len(q))[0] for x in (k, v))
    return scaled_dot_product_attention(q, k, v, causal_mask(q.shape[1]))


@pytest.mark.parametrize("solution", [grouped_by_loop, grouped_by_package])
def test_a_right_grouped_attention_is_accepted(solution):
    assert diagnose("attention.grouped_attention", solution).status == "right"


def reading(keys, values=None):
    """Attention in which query head h of H reads the heads keys(h, H, G) and values(h, H, G)."""
    values = values or keys

    def attention(q, k, v):
        n, g = len(q), len(k)
        heads = [by_torch(q[h], k[keys(h, n, g)], v[values(h, n, g)]) for h in range(n)]
        return torch.stack(heads)

    return attention


def in_groups(h, n, g):
    return h // (n // g)


def in_turn(h, n, g):
    return h % g


def without_mask(q, k, v):
    size = len(q) // len(k)
    return scaled_dot_product_attention(
        q, k.repeat_interleave(size, dim=0), v.repeat_interleave(size, dim=0)
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reading(in_turn), "take turns (0, 1, 0, 1"),
        (reading(lambda h, n, g: min(h // g, g - 1)), "wrong size"),
        (without_mask, "the causal mask is missing"),
        (reading(lambda h, n, g: 0), "multi-query"),
        (lambda q, k, v: by_torch(q, k.mean(0, True), v.mean(0, True)), "averaged"),
        (reading(in_groups, in_turn), "values take turns"),
        (reading(in_turn, in_groups), "keys take turns"),
        (lambda q, k, v: list(grouped_by_loop(q, k, v)), "torch.stack"),
        (lambda q, k, v: q @ k.transpose(-2, -1), "raised RuntimeError"),
        (lambda q, k, v: reading(lambda h, n, g: h // 3)(q, k, v), "as many key/value heads"),
    ],
)
def test_a_wrong_grouped_attention_is_told_why(answer, words):
    assert_wrong("attention.grouped_attention", answer, words)
