"""The checks of chapter 9's exercises: right, not attempted, and wrong with the cause named."""

import pytest
import torch
from exercises import assert_wrong

from oneprompt.checks import diagnose
from oneprompt.sample import draw
from oneprompt.speculate import expected_tokens_per_pass, residual


def test_untouched_exercises_are_not_attempted():
    def placeholder(*args): ...

    assert diagnose("speculate.by_hand", ...).status == "not attempted"
    assert diagnose("speculate.accept", placeholder).status == "not attempted"
    assert diagnose("speculate.best_gamma", placeholder).status == "not attempted"


# By hand: α = 0.3 + 0.3 + 0.1 = 0.7


@pytest.mark.parametrize("answer", [2.19, 1 + 0.7 + 0.49, torch.tensor(2.19)])
def test_a_right_answer_by_hand_is_accepted(answer):
    assert diagnose("speculate.by_hand", answer).status == "right"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (0.7, "the first of the two steps"),
        (1.4, "only if the first was kept"),
        (2.4, "only if the first was kept"),
        (1.19, "adds in every pass is missing"),
        (1.7, "this is gamma 1"),
        (2.533, "this is gamma 3"),
        (10 / 3, "sum of all powers"),
        (1 + 0.35 + 0.35**2, "two independent draws"),
        (1 + 0.4 + 0.16, "moved twice"),
        (1 + 1.3 + 1.69, "the smaller of p and q"),
        (2.0, "got:      2.0"),
    ],
)
def test_a_wrong_answer_by_hand_is_told_why(answer, words):
    assert_wrong("speculate.by_hand", answer, words)
    assert "2.19" not in diagnose("speculate.by_hand", answer).message


# Rebuild


def by_package(p, q, token, u, v):
    return token if u * q[token] < p[token] else draw(residual(p, q), v)


def by_loops(p, q, token, u, v):
    if u < min(1.0, float(p[token] / q[token])):
        return token
    left = [max(0.0, float(a - b)) for a, b in zip(p, q, strict=True)]
    running = 0.0
    for token_id, mass in enumerate(left):
        running += mass / sum(left)
        if v < running:
            return token_id
    return len(left) - 1


@pytest.mark.parametrize("solution", [by_package, by_loops])
def test_a_right_accept_is_accepted(solution):
    assert diagnose("speculate.accept", solution).status == "right"


def variant(keep=lambda p, q, u: u * q < p, rest=residual, choose=lambda r, u, v: draw(r, v)):
    """The accept step; each argument can introduce a mistake."""

    def accept(p, q, token, u, v):
        return token if keep(p[token], q[token], u) else choose(rest(p, q), u, v)

    return accept


def scaled(x):
    return x / x.sum()


def without_scale(r, u, v):
    cumulative = (0.4 * r).cumsum(0)  # Σ max(0, p - q) = 0.4
    return next((i for i, c in enumerate(cumulative) if v < c), len(r) - 1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (variant(keep=lambda p, q, u: True), "always kept"),
        (variant(keep=lambda p, q, u: False), "never kept"),
        (variant(keep=lambda p, q, u: False, rest=lambda p, q: p), "never kept"),
        (variant(keep=lambda p, q, u: u < q / p), "upside down"),
        (variant(keep=lambda p, q, u: u < p), "divide by q"),
        (variant(keep=lambda p, q, u: u >= min(1, p / q)), "exchanged"),
        (variant(rest=lambda p, q: p), "p itself was drawn from"),
        (variant(rest=lambda p, q: q), "the draft's q was drawn from"),
        (variant(rest=lambda p, q: scaled((p - q).abs())), "only where p exceeds q"),
        (variant(rest=lambda p, q: residual(q, p)), "not q - p"),
        (variant(choose=without_scale), "divide it by its sum"),
        (variant(choose=lambda r, u, v: draw(r, u)), "u was used a second time"),
        (variant(choose=lambda r, u, v: int(r.argmax())), "draw one, with v"),
        (lambda p, q, token, u, v: bool(u * q[token] < p[token]), "return the token"),
        (variant(keep=lambda p, q, u: u * q <= p), "compare with <"),
        (lambda p, q, token, u, v: p[token] / q, "should be one token"),
        (lambda p, q, token, u, v: p[7], "raised IndexError"),
    ],
)
def test_a_wrong_accept_is_told_why(answer, words):
    assert_wrong("speculate.accept", answer, words)


# Extend


def by_formula(alpha, c):
    def speedup(gamma):
        tokens = gamma + 1 if alpha == 1 else (1 - alpha ** (gamma + 1)) / (1 - alpha)
        return tokens / (c * gamma + 1)

    return max(range(11), key=speedup)  # gamma 0 has the speedup 1


def by_search(alpha, c):
    best, fastest = 0, 1.0
    for gamma in range(1, 11):
        faster = expected_tokens_per_pass(alpha, gamma) / (c * gamma + 1)
        if faster > fastest:
            best, fastest = gamma, faster
    return best


@pytest.mark.parametrize("solution", [by_formula, by_search])
def test_a_right_best_gamma_is_accepted(solution):
    assert diagnose("speculate.best_gamma", solution).status == "right"


def choosing(least=0, shift=0, cost=lambda c, gamma: c * gamma + 1):
    def best_gamma(alpha, c):
        def speedup(gamma):
            if gamma == 0:
                return 1.0
            return round(expected_tokens_per_pass(alpha, gamma - shift) / cost(c, gamma), 12)

        return max(range(least, 11), key=speedup)

    return best_gamma


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (choosing(least=1), "the answer is 0"),
        (choosing(cost=lambda c, gamma: 1), "cost of the draft was left out"),
        (choosing(least=1, cost=lambda c, gamma: 1), "cost of the draft was left out"),
        (choosing(shift=1), "the power is gamma + 1"),
        (choosing(least=1, shift=1), "the power is gamma + 1"),
        (choosing(cost=lambda c, gamma: c + 1), "gamma draft passes, not one"),
        (lambda alpha, c: 5, "got:"),
        (lambda alpha, c: 1 / c, "raised ZeroDivisionError"),
    ],
)
def test_a_wrong_best_gamma_is_told_why(answer, words):
    assert_wrong("speculate.best_gamma", answer, words)
