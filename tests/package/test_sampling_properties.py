"""The samplers against `transformers`' own, in every order, and at the extremes."""

import itertools
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.generation.logits_process import (
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

import oneprompt as op
from oneprompt.sample import (
    FILTERS,
    apply_min_p,
    apply_repetition_penalty,
    apply_temperature,
    apply_top_k,
    apply_top_p,
    probabilities,
)

law = settings(max_examples=200, deadline=None, derandomize=True, database=None)
distinct = st.lists(st.integers(-3000, 3000), min_size=2, max_size=40, unique=True).map(
    lambda values: torch.tensor(values, dtype=torch.float64) / 100
)

shares = st.floats(0.01, 0.99)


@law
@given(distinct, st.floats(0.05, 5), st.integers(1, 50), shares, shares)
def test_each_filter_equals_that_of_transformers(logits, temperature, k, p, min_p):
    """On distinct logits: `transformers` keeps all that are equal to the k-th."""
    row = logits[None]
    for ours, theirs in (
        (apply_temperature(row, temperature), TemperatureLogitsWarper(temperature)),
        (apply_top_k(row, k), TopKLogitsWarper(k)),
        (apply_top_p(row, p), TopPLogitsWarper(p)),
        (apply_min_p(row, min_p), MinPLogitsWarper(min_p)),
    ):
        torch.testing.assert_close(ours, theirs(None, row), atol=1e-12, rtol=1e-12)
    history = list(range(0, len(logits), 3))
    expected = RepetitionPenaltyLogitsProcessor(1.7)(torch.tensor([history]), row.clone())
    torch.testing.assert_close(apply_repetition_penalty(row, 1.7, history), expected)


def theirs_in_order(logits, history, settings: dict):
    """`transformers`' processors and warpers, in the order of its `generate`."""
    row, ids = logits[None].clone(), torch.tensor([history])
    for make, name in (
        (RepetitionPenaltyLogitsProcessor, "repetition_penalty"),
        (TemperatureLogitsWarper, "temperature"),
        (TopKLogitsWarper, "top_k"),
        (TopPLogitsWarper, "top_p"),
        (MinPLogitsWarper, "min_p"),
    ):
        if settings[name] is not None:
            row = make(settings[name])(ids, row)
    return row[0]


def test_two_thousand_random_settings_keep_the_tokens_that_transformers_keeps():
    rng, generator, wrong = random.Random(0), torch.Generator().manual_seed(0), []
    for n in range(2000):
        V = rng.choice((5, 50, 1000))
        logits = rng.choice((0.3, 2, 6)) * torch.randn(V, generator=generator, dtype=torch.float64)
        history = rng.choices(range(V), k=rng.randint(1, 20))
        fields = {
            "repetition_penalty": rng.choice((1.0, 0.5, 1.1, 3.0)),
            "temperature": rng.choice((0.1, 0.7, 1.0, 1.9)),
            "top_k": rng.choice((None, 1, 3, 40, V, V + 1)),
            "top_p": rng.choice((None, rng.uniform(0.01, 0.999), 0.9)),
            "min_p": rng.choice((None, rng.uniform(0, 1), 0.05)),
        }
        found = probabilities(logits, op.Sampling(**fields), history)
        expected = theirs_in_order(logits, history, fields).softmax(dim=-1)
        if not torch.equal(found > 0, expected > 0) or (found - expected).abs().max() > 1e-12:
            wrong.append((n, fields))
    assert wrong == []


APPLY = {
    "repetition_penalty": lambda logits, s, h: apply_repetition_penalty(logits, s, h),
    "temperature": lambda logits, s, h: apply_temperature(logits, s),
    "top_k": lambda logits, s, h: apply_top_k(logits, s),
    "top_p": lambda logits, s, h: apply_top_p(logits, s),
    "min_p": lambda logits, s, h: apply_min_p(logits, s),
}


def test_every_order_applies_its_filters_one_after_the_other():
    """All 120 of them."""
    generator = torch.Generator().manual_seed(7)
    fields = dict(zip(FILTERS, (1.9, 0.7, 9, 0.8, 0.04), strict=True))
    logits = 3 * torch.randn(30, generator=generator, dtype=torch.float64)
    history = [1, 5, 5, 29, int(logits.argmax())]
    wrong = []
    for order in itertools.permutations(FILTERS):
        expected = logits
        for name in order:
            expected = APPLY[name](expected, fields[name], history)
        found = probabilities(logits, op.Sampling(**fields, order=order), history)
        if not torch.allclose(found, expected.softmax(-1), atol=1e-15, rtol=0):
            wrong.append(order)
    assert wrong == []


@law
@given(distinct, st.integers(1, 30), st.floats(0.05, 0.95))
def test_a_looser_filter_keeps_what_a_stricter_one_keeps(logits, k, p):
    def kept(filtered):
        return filtered > float("-inf")

    assert (kept(apply_top_k(logits, k)) <= kept(apply_top_k(logits, k + 1))).all()
    assert (kept(apply_top_p(logits, p)) <= kept(apply_top_p(logits, min(1, p + 0.04)))).all()
    assert (kept(apply_min_p(logits, p)) <= kept(apply_min_p(logits, p - 0.04))).all()


@law
@given(distinct, st.floats(0.1, 4), st.integers(1, 30), st.floats(0.05, 0.95), st.randoms())
def test_the_numbering_of_tokens_does_not_matter(logits, temperature, k, p, rng):
    """Distinct logits in another order give the same probabilities in that order."""
    order = list(range(len(logits)))
    rng.shuffle(order)
    sampling = op.Sampling(temperature, k, p, min_p=p / 10)
    expected = probabilities(logits, sampling)[order]
    torch.testing.assert_close(probabilities(logits[order], sampling), expected, atol=1e-12, rtol=0)


@law
@given(distinct, st.floats(-1e6, 1e6), st.integers(1, 30), st.floats(0.05, 0.95))
def test_a_constant_added_to_all_logits_does_not_matter(logits, constant, k, p):
    sampling = op.Sampling(0.7, k, p, min_p=p / 10)
    shifted = probabilities(logits + constant, sampling)
    torch.testing.assert_close(shifted, probabilities(logits, sampling), atol=1e-6, rtol=0)


EXTREMES = {
    "one token": torch.tensor([3.0]),
    "all equal": torch.zeros(50),
    "all equal and huge": torch.full((50,), 3e38),
    "from -3e38 to 3e38": torch.linspace(-1, 1, 50) * 3e38,
    "all but one impossible": torch.tensor([-float("inf"), 2.0, -float("inf")]),
    "fp16": torch.linspace(-60000, 60000, 50).half(),
    "bf16": torch.linspace(-1e30, 1e30, 50).bfloat16(),
    "tiny differences": torch.arange(50) * 1e-30,
}


TEMPERATURES = [0, 1e-6, 1e-3, 1, 1e6, 1e100]
FIELDS = [
    {}, {"top_k": 1}, {"top_k": 10**9}, {"top_p": 1e-300}, {"top_p": 1 - 1e-16}, {"min_p": 1.0},
    {"repetition_penalty": 1e6}, {"repetition_penalty": 1e-6},
    {"top_k": 3, "top_p": 0.5, "min_p": 0.3, "repetition_penalty": 2.0},
]  # fmt: skip


def is_distribution_over(logits: torch.Tensor, found: torch.Tensor) -> bool:
    """Whether all numbers are probabilities, and 0 where a logit is -inf."""
    return (
        found.shape == logits.shape
        and bool((found >= 0).all())
        and found.sum().item() == pytest.approx(1, abs=1e-9)
        and bool((found[logits == float("-inf")] == 0).all())
    )


def test_extreme_settings_give_a_distribution():
    wrong = []
    for (name, logits), temperature, fields in itertools.product(
        EXTREMES.items(), TEMPERATURES, FIELDS
    ):
        found = probabilities(logits, op.Sampling(temperature, **fields), history=[0])
        best_stays = "repetition_penalty" in fields or found[logits.argmax()] == found.max()
        if not (is_distribution_over(logits, found) and best_stays):
            wrong.append((name, temperature, fields))
    assert wrong == []
