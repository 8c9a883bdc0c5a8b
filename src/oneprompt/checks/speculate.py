"""Checks of the exercises of chapter 9."""

from collections.abc import Callable
from operator import index

import torch
from torch import Tensor

from oneprompt.sample import draw
from oneprompt.speculate import expected_tokens_per_pass, residual

from . import Results, Wrong, compare
from .table import Table, from_table


@from_table
def by_hand() -> Table:
    """Expected tokens per pass for p = (0.6, 0.3, 0.1), q = (0.3, 0.5, 0.2) and gamma 2."""
    return Table("tokens per pass with gamma = 2", *hand_results())


def hand_results(p=(6, 3, 1), q=(3, 5, 2), gamma: int = 2) -> Results:
    """The answer and the mistakes of `by_hand`, for p and q in tenths."""
    p, q = (x / 10 for x in _distributions(p, q))
    alpha, agreement = torch.minimum(p, q).sum().item(), (p @ q).item()
    last = f"α{'⁰¹²³⁴'[gamma]}"

    def expected(acceptance: float, gamma: int = gamma) -> float:
        # By the plain formula: some mistakes below put something into it that is not a probability.
        return sum(acceptance**i for i in range(gamma + 1))

    causes = (
        (alpha, "this is the acceptance probability α, the first of the two steps"),
        (gamma * alpha, "the second drafted token counts only if the first was kept as well"),
        (1 + gamma * alpha, "the second drafted token counts only if the first was kept as well"),
        (expected(alpha) - 1, "the token that the target adds in every pass is missing"),
        (expected(alpha, gamma - 1),
         f"this is gamma {gamma - 1}: with gamma {gamma} there is a term {last} as well"),
        (expected(alpha, gamma + 1),
         f"this is gamma {gamma + 1}: the sum ends with α to the power of gamma"),
        (1 / (1 - alpha), f"this is the sum of all powers of α: it ends with {last}"),
        (expected(agreement), "Σ p q is the chance that two independent draws agree; a drafted "
         "token is kept with probability min(1, p / q), so α = Σ min(p, q)"),
        (expected(1 - (p - q).abs().sum().item()), "Σ |p - q| counts what is moved twice, once "
         "where it is taken away and once where it is added"),
        (expected(torch.maximum(p, q).sum().item()), "α is the sum of the smaller of p and q"),
    )  # fmt: skip
    return expected(alpha), causes


def accept(function) -> None:
    """One drafted token: keep it, or draw from the residual."""
    p, q = _distributions([0.45, 0.2, 0.25, 0.1], [0.2, 0.5, 0.1, 0.2])
    keep_all, ratio, other_ratio = (lambda *_: True), _below(p, q), _below(q, p)
    calls = [(token, u, 0.35) for token in range(4) for u in (0.0, 0.3, 0.47, 0.9)]
    calls += [(token, 0.95, v) for token in (1, 3) for v in (0.1, 0.5, 0.8)]
    rest = residual(p, q)

    def answers(keep: Callable, drawn_from: Tensor) -> list[int]:
        return [t if keep(t, u) else draw(drawn_from, v) for t, u, v in calls]

    def scaled(x: Tensor) -> Tensor:
        return x / x.sum()

    def unscaled(v: float) -> int:
        cumulative = (p - q).clamp(min=0).cumsum(0)
        return min(int((cumulative <= v).sum()), len(p) - 1)

    causes = (
        (answers(keep_all, rest), "the drafted token is always kept: that gives the draft's text"),
        (answers(lambda *_: False, rest), "the drafted token is never kept"),
        (answers(lambda *_: False, p), "the drafted token is never kept"),
        (answers(other_ratio, rest), "the ratio is upside down: keep with probability p / q"),
        (answers(lambda t, u: u < p[t], rest), "kept with probability p: divide by q"),
        (answers(lambda t, u: u >= min(1, p[t] / q[t]), rest),
         "kept and rejected are exchanged: keep where u is below p / q"),
        (answers(ratio, p), "after a rejection p itself was drawn from, so tokens that the draft "
         "proposes often come too often: subtract q first"),
        (answers(ratio, q), "after a rejection the draft's q was drawn from"),
        (answers(ratio, scaled((p - q).abs())),
         "|p - q| also has the tokens that the draft proposed too often: only where p exceeds q"),
        (answers(ratio, scaled((q - p).clamp(min=0))), "the residual is max(0, p - q), not q - p"),
        ([t if ratio(t, u) else unscaled(v) for t, u, v in calls],
         "the residual does not add up to 1: divide it by its sum"),
        ([t if ratio(t, u) else draw(rest, u) for t, u, v in calls],
         "u was used a second time; the second draw needs its own random number v"),
        ([t if ratio(t, u) else int(rest.argmax()) for t, u, v in calls],
         "the likeliest token of the residual was taken: draw one, with v"),
        ([bool(ratio(t, u)) for t, u, v in calls],
         "this says whether the token is kept: return the token that the text gets"),
    )  # fmt: skip
    got = [_token(function(p.clone(), q.clone(), *call)) for call in calls]
    call = f"accept({p.tolist()}, {q.tolist()}, token, u, v), {len(calls)} times"
    compare(call, got, answers(ratio, rest), causes)
    never, always = _distributions([0.0, 1.0], [0.5, 0.5])
    compare("accept([0, 1], [0.5, 0.5], token=0, u=0, v=0)",
            _token(function(never, always, 0, 0.0, 0.0)), 1,
            [(0, "p is 0, so the token must never be kept: compare with <, not with <=")]
            )  # fmt: skip


def best_gamma(function) -> None:
    """The gamma from 0 to 10 with the largest expected speedup; 0 where none is above 1."""
    pairs = [(0.9, 0.0), (0.9, 0.05), (0.9, 0.2), (0.7, 0.1), (0.5, 0.3), (0.3, 0.5), (0.0, 0.1)]

    def best(alpha: float, c: float, power: int = 1, least: int = 0, cost=None) -> int:
        cost = cost or (lambda gamma: c * gamma + 1)
        speedups = {0: 1.0} if least == 0 else {}
        for gamma in range(1, 11):
            speedups[gamma] = expected_tokens_per_pass(alpha, gamma - 1 + power) / cost(gamma)
        return max(speedups, key=lambda gamma: (round(speedups[gamma], 12), -gamma))

    def each(**changed) -> list[int]:
        return [best(alpha, c, **changed) for alpha, c in pairs]

    free = each(cost=lambda gamma: 1)
    causes = (
        (each(least=1), "where even gamma 1 is slower than no draft, the answer is 0"),
        (free, "the cost of the draft was left out: more tokens per pass are not more per second"),
        ([best(a, c, cost=lambda gamma: 1, least=1) for a, c in pairs],
         "the cost of the draft was left out: more tokens per pass are not more per second"),
        (each(power=0), "the target's own token is missing: the power is gamma + 1"),
        (each(power=0, least=1), "the target's own token is missing: the power is gamma + 1"),
        ([best(a, c, cost=lambda gamma, c=c: c + 1) for a, c in pairs],
         "a block costs gamma draft passes, not one"),
    )  # fmt: skip
    call = "best_gamma(alpha, c) for (alpha, c) = " + ", ".join(map(str, pairs))
    compare(call, [function(alpha, c) for alpha, c in pairs], each(), causes)


def _distributions(*rows: list[float]) -> list[Tensor]:
    return [torch.tensor(row, dtype=torch.float64) for row in rows]


def _token(result) -> int:
    try:
        return index(result)
    except (TypeError, ValueError, RuntimeError):
        kind = type(result).__name__
        raise Wrong(f"not yet. The result is a {kind} and should be one token: an int") from None


def _below(p: Tensor, q: Tensor) -> Callable:
    """A function of token and u: whether u is below p / q."""
    return lambda token, u: bool(u * q[token] < p[token])
