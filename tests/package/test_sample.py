"""Filters, worked by hand and by their properties; draws, by statistics."""

import itertools
import math
from collections import Counter

import pytest
import torch
from chi_square import SIGNIFICANCE, p_value
from hypothesis import example, given, settings
from hypothesis import strategies as st

import oneprompt as op
from oneprompt.sample import (
    FILTERS,
    ROUNDING,
    apply_min_p,
    apply_repetition_penalty,
    apply_temperature,
    apply_top_k,
    apply_top_p,
    draw,
    entropy,
    probabilities,
    uniforms,
)

CUT = float("-inf")
LAST_UNIFORM = 1 - 2**-53  # the largest float64 below 1

logits_of_any_kind = st.lists(st.floats(-30, 30), min_size=1, max_size=12).map(
    lambda values: torch.tensor(values, dtype=torch.float64)
)
shares = st.floats(1e-6, 1)
law = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def logits_of(*p: float) -> torch.Tensor:
    return torch.tensor(p, dtype=torch.float64).log()


def kept(logits: torch.Tensor) -> list[bool]:
    return (logits > CUT).tolist()


# By hand. The probabilities 0.15, 0.5, 0.05, 0.3 are not in order, so that a result left in the
# order of its ranks is noticed.
P = (0.15, 0.5, 0.05, 0.3)


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (op.Sampling(), P),
        (op.Sampling(temperature=0.5), [p**2 / 0.365 for p in P]),
        (op.Sampling(temperature=2), [p**0.5 / sum(x**0.5 for x in P) for p in P]),
        (op.Sampling(top_k=1), (0, 1, 0, 0)),
        (op.Sampling(top_k=3), (0.15 / 0.95, 0.5 / 0.95, 0, 0.3 / 0.95)),
        (op.Sampling(top_k=9), P),
        (op.Sampling(top_p=0.7), (0, 0.625, 0, 0.375)),  # 0.3 crosses 0.7 and stays
        (op.Sampling(top_p=0.4), (0, 1, 0, 0)),
        (op.Sampling(top_p=1e-9), (0, 1, 0, 0)),
        (op.Sampling(top_p=1), P),
        (op.Sampling(min_p=0.25), (0.15 / 0.95, 0.5 / 0.95, 0, 0.3 / 0.95)),
        (op.Sampling(min_p=0), P),
        (op.Sampling(min_p=1), (0, 1, 0, 0)),
        (op.GREEDY, (0, 1, 0, 0)),
    ],
    ids=str,
)
def test_cases_worked_by_hand(sampling, expected):
    found = probabilities(logits_of(*P), sampling)
    assert found.tolist() == pytest.approx(list(expected), abs=1e-12)  # float64


def test_filters_keep_what_is_worked_out_by_hand():
    logits = logits_of(*P)
    assert kept(apply_top_k(logits, 2)) == [False, True, False, True]
    assert kept(apply_top_p(logits, 0.9)) == [True, True, False, True]
    assert kept(apply_min_p(logits, 0.5)) == [False, True, False, True]
    assert apply_temperature(logits, 0.5).tolist() == (2 * logits).tolist()


def test_among_equal_logits_the_lower_ids_are_kept():
    equal = torch.zeros(5)
    assert kept(apply_top_k(equal, 2)) == [True, True, False, False, False]
    assert kept(apply_top_p(equal, 0.5)) == [True, True, True, False, False]
    assert kept(apply_min_p(equal, 1.0)) == [True] * 5  # none is less likely than another
    assert probabilities(torch.tensor([1.0, 3, 3, 3]), op.GREEDY).tolist() == [0, 1, 0, 0]


def test_exact_sums_count_as_reached():
    """Binary fractions, which add up exactly: 0.5 + 0.25 reaches 0.75, one more is too many."""
    assert kept(apply_top_p(logits_of(0.125, 0.5, 0.125, 0.25), 0.75)) == [False, True, False, True]


@given(logits=logits_of_any_kind, k=st.integers(1, 15))
@law
def test_top_k_keeps_exactly_k(logits, k):
    found = apply_top_k(logits, k)
    assert sum(kept(found)) == min(k, len(logits))
    left = [x for x, keep in zip(logits.tolist(), kept(found), strict=True) if keep]
    assert sorted(left, reverse=True) == sorted(logits.tolist(), reverse=True)[:k]


@given(logits=logits_of_any_kind, p=shares)
@example(logits=torch.tensor([13.0, 29.0], dtype=torch.float64), p=0.9999999)
@law
def test_top_p_keeps_the_smallest_set_that_reaches_p(logits, p):
    share, keep = logits.softmax(-1), torch.tensor(kept(apply_top_p(logits, p)))
    total = math.fsum(share[keep].tolist())
    assert total >= p - ROUNDING - 1e-12  # a sum that misses p by less than ROUNDING reaches it
    if keep.sum() > 1:  # and without the least likely of the kept ones it is not
        assert total - share[keep].min().item() < p + 1e-12
    if not keep.all():
        assert share[keep].min() >= share[~keep].max()


@given(logits=logits_of_any_kind, p=shares)
@law
def test_min_p_compares_with_the_most_likely(logits, p):
    share = logits.softmax(-1).tolist()
    for probability, keep in zip(share, kept(apply_min_p(logits, p)), strict=True):
        if abs(probability - p * max(share)) > 1e-12:
            assert keep is (probability > p * max(share))


@given(logits=logits_of_any_kind, k=st.integers(1, 15), p=shares)
@law
def test_filters_only_remove_tokens_and_never_the_best(logits, k, p):
    for found in (apply_top_k(logits, k), apply_top_p(logits, p), apply_min_p(logits, p)):
        keep = torch.tensor(kept(found))
        assert torch.equal(found[keep], logits[keep])
        assert keep[logits.argmax()]


@given(logits=logits_of_any_kind, k=st.integers(1, 15), p=shares)
@law
def test_applying_top_k_or_min_p_twice_changes_nothing(logits, k, p):
    once = apply_top_k(logits, k)
    assert torch.equal(apply_top_k(once, k), once)
    # A cut makes no probability smaller compared with the best one, so min-p cuts no more. Softmax
    # rounds again, so a probability that equals the threshold to the last bit is left out.
    once = apply_min_p(logits, p)
    twice = apply_min_p(once, p * (1 - 1e-12))
    assert torch.equal(twice, once)


def test_applying_top_p_twice_may_cut_more():
    """What is left is a larger share of what is left: 0.5 of 0.8 reaches 0.6 alone."""
    once = apply_top_p(logits_of(0.5, 0.3, 0.2), 0.6)
    assert kept(once) == [True, True, False]
    assert kept(apply_top_p(once, 0.6)) == [True, False, False]


@given(
    logits=logits_of_any_kind,
    temperature=st.sampled_from([0.0, 1e-3, 0.5, 1.0, 100.0]),
    k=st.none() | st.integers(1, 15),
    p=st.none() | shares,
    m=st.none() | st.floats(0, 1),
    penalty=st.sampled_from([1.0, 0.5, 1.3, 5.0]),
    order=st.permutations(FILTERS),
)
@law
def test_any_setting_gives_a_distribution(logits, temperature, k, p, m, penalty, order):
    sampling = op.Sampling(temperature, k, p, m, penalty, tuple(order))
    given = logits.clone()
    found = probabilities(logits, sampling, history=[0, len(logits) - 1])
    assert torch.equal(logits, given)  # left as they were
    assert found.dtype == torch.float64
    assert found.min() >= 0
    assert found.sum().item() == pytest.approx(1, abs=1e-12)
    if k is not None:
        assert (found > 0).sum() <= k


def test_rows_are_handled_one_by_one():
    logits = torch.randn(3, 4, 9, generator=torch.Generator().manual_seed(0))
    sampling = op.Sampling(0.8, top_k=6, top_p=0.9, min_p=0.05, repetition_penalty=1.2)
    histories = [[1, 2], [], [3, 3, 8], [0]] * 3
    found = probabilities(logits, sampling, histories)
    for row, (i, j) in enumerate(itertools.product(range(3), range(4))):
        assert torch.equal(found[i, j], probabilities(logits[i, j], sampling, histories[row]))


def test_the_order_of_the_steps_matters():
    """Top-p after the temperature looks at a flatter distribution, and keeps more."""
    late = (*(name for name in FILTERS if name != "temperature"), "temperature")
    first = probabilities(logits_of(*P), op.Sampling(temperature=4, top_p=0.7))
    last = probabilities(logits_of(*P), op.Sampling(temperature=4, top_p=0.7, order=late))
    assert (first > 0).tolist() == [True, True, False, True]
    assert (last > 0).tolist() == [False, True, False, True]
    # Top-k before top-p makes p a share of what top-k left: 0.5 of 0.8 reaches 0.6 alone.
    swapped = ("repetition_penalty", "temperature", "top_p", "top_k", "min_p")
    both = {"top_k": 2, "top_p": 0.6}
    assert (probabilities(logits_of(*P), op.Sampling(**both)) > 0).sum() == 1
    assert (probabilities(logits_of(*P), op.Sampling(**both, order=swapped)) > 0).sum() == 2


def test_extreme_temperatures_are_greedy_or_flat():
    logits = torch.tensor([1.0, 3.0, 2.9, -50.0])
    assert probabilities(logits, op.Sampling(temperature=1e-3)).tolist() == pytest.approx(
        [0, 1, 0, 0], abs=1e-12
    )  # a lead of 0.1 is 100 at this temperature
    flat = probabilities(logits, op.Sampling(temperature=1e6))
    assert flat.tolist() == pytest.approx([0.25] * 4, abs=1e-4)  # e^(53 / 10⁶) is 1 + 5e-5
    at_100 = [math.exp(x / 100) for x in logits.tolist()]
    assert probabilities(logits, op.Sampling(temperature=100)).tolist() == pytest.approx(
        [x / sum(at_100) for x in at_100], abs=1e-9
    )


def penalized_as_in_transformers(scores: list[float], history: list[int], penalty: float):
    """RepetitionPenaltyLogitsProcessor: negative scores times, others by the penalty, once each."""
    scores = list(scores)
    for token_id in set(history):
        scores[token_id] = (
            scores[token_id] * penalty if scores[token_id] < 0 else scores[token_id] / penalty
        )
    return scores


@given(logits=logits_of_any_kind, penalty=st.floats(0.2, 5), data=st.data())
@law
def test_the_repetition_penalty_is_that_of_transformers(logits, penalty, data):
    history = data.draw(st.lists(st.integers(0, len(logits) - 1), max_size=6))
    expected = penalized_as_in_transformers(logits.tolist(), history, penalty)
    found = apply_repetition_penalty(logits, penalty, history)
    assert found.tolist() == pytest.approx(expected, rel=1e-12)


def test_the_repetition_penalty_comes_before_the_greedy_choice():
    logits = torch.tensor([2.0, 1.5])
    penalty = op.Sampling(temperature=0, repetition_penalty=2)
    assert probabilities(logits, penalty, history=[0]).tolist() == [0, 1]
    assert probabilities(logits, penalty, history=[]).tolist() == [1, 0]


def test_other_filters_cannot_change_the_greedy_choice():
    logits = torch.randn(50, 20, generator=torch.Generator().manual_seed(0))
    strict = op.Sampling(temperature=0, top_k=3, top_p=0.2, min_p=0.9)
    assert torch.equal(probabilities(logits, strict), probabilities(logits, op.GREEDY))


# Draws.


@pytest.mark.parametrize(
    ("uniform", "expected"),
    [(0, 1), (0.249, 1), (0.25, 3), (0.5, 3), (0.749, 3), (0.75, 4), (LAST_UNIFORM, 4)],
)
def test_draw_takes_the_token_whose_slice_holds_the_number(uniform, expected):
    """Tokens 0, 2 and 5 have probability 0 and are never drawn, whatever the number."""
    p = torch.tensor([0, 0.25, 0, 0.5, 0.25, 0], dtype=torch.float64)
    assert draw(p, uniform) == expected


def test_draw_never_leaves_the_vocabulary():
    """Ten times 0.1 is a little less than 1 in float64; the last number must still give a token."""
    p = torch.full((10,), 0.1, dtype=torch.float64)
    assert p.cumsum(0)[-1] < 1
    assert draw(p, LAST_UNIFORM) == 9
    p = torch.tensor([0.1] * 10 + [0.0], dtype=torch.float64)
    assert draw(p, LAST_UNIFORM) == 9


@given(logits=logits_of_any_kind, uniform=st.floats(0, LAST_UNIFORM), p=shares)
@law
def test_draw_takes_only_what_was_kept(logits, uniform, p):
    probability = probabilities(logits, op.Sampling(top_p=p))
    assert probability[draw(probability, uniform)] > 0


def test_draws_follow_the_distribution():
    """50,000 draws, chi-square."""
    p = probabilities(3 * torch.randn(12, generator=torch.Generator().manual_seed(3)),
                      op.Sampling(top_p=0.97))  # fmt: skip
    counts = Counter(draw(p, u) for u in itertools.islice(uniforms(seed=0), 50_000))
    exact = dict(enumerate(p.tolist()))
    assert p_value(counts, exact) > SIGNIFICANCE
    # The test can fail: counts from probabilities that are off by 4 % at two tokens fail it.
    wrong = exact | {i: exact[i] * f for i, f in zip(p.topk(2).indices.tolist(), (0.96, 1.04),
                                                     strict=True)}  # fmt: skip
    wrong = {i: x / sum(wrong.values()) for i, x in wrong.items()}
    assert p_value(counts, wrong) < SIGNIFICANCE


def test_uniforms_repeat_with_their_seed():
    first, again, other = (list(itertools.islice(uniforms(s), 5)) for s in (1, 1, 2))
    assert first == again != other
    assert all(0 <= u < 1 for u in first)
    assert next(uniforms(None)) != next(uniforms(None))


@pytest.mark.parametrize(
    ("p", "bits"), [([1.0, 0], 0), ([0.5, 0.5], 1), ([0.125] * 8, 3), ([0.5, 0.25, 0.25], 1.5)]
)
def test_entropy_in_bits(p, bits):
    assert entropy(torch.tensor(p)) == pytest.approx(bits)
    assert math.copysign(1, entropy(torch.tensor(p))) == 1  # 0 and not -0, which a page would show


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"temperature": -0.1}, ValueError, r"temperature must be 0 \(greedy\) or .*got -0.1"),
        ({"temperature": float("nan")}, ValueError, "temperature must be .*got nan"),
        ({"temperature": float("inf")}, ValueError, "temperature must be .*got inf"),
        ({"top_p": 0}, ValueError, r"top_p must be None or a number in \(0, 1\], got 0"),
        ({"top_p": 1.01}, ValueError, "top_p must be .*got 1.01"),
        ({"top_p": float("nan")}, ValueError, "top_p must be .*got nan"),
        ({"top_k": 0}, ValueError, "top_k must be None or an int of at least 1, got 0"),
        ({"top_k": 2.5}, TypeError, "top_k must be None or an int .*, got 2.5"),
        ({"top_k": True}, TypeError, "top_k must be None or an int .*, got True"),
        ({"temperature": None}, TypeError, "temperature must be .*, got None"),
        ({"temperature": "0.7"}, TypeError, "temperature must be .*, got '0.7'"),
        ({"min_p": -0.1}, ValueError, r"min_p must be None or a number in \[0, 1\], got -0.1"),
        ({"min_p": 1.1}, ValueError, "min_p must be .*got 1.1"),
        ({"repetition_penalty": 0}, ValueError, "repetition_penalty must be a positive .*got 0"),
        ({"repetition_penalty": -1}, ValueError, "repetition_penalty must be .*got -1"),
        ({"order": ("temperature",)}, ValueError, "order must name each of .*'min_p'.* once"),
        ({"order": (*FILTERS, "top_k")}, ValueError, "order must name each of"),
    ],
)
def test_settings_outside_their_range_are_refused(fields, error, words):
    with pytest.raises(error, match=words):
        op.Sampling(**fields)


def test_the_repetition_penalty_needs_the_history():
    with pytest.raises(ValueError, match="repetition penalty needs the history of ids"):
        probabilities(torch.zeros(3), op.Sampling(repetition_penalty=1.2))


# In exact arithmetic the running sum meets p, and no further token is needed.
MET_EXACTLY = [
    ([0.3, 0.1, 0.1, 0.5], 0.8, 2),
    ([0.7, 0.2, 0.1], 0.7, 1),
    ([0.6, 0.3, 0.1], 0.9, 2),
    ([0.5, 0.3, 0.2], 0.8, 2),
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("p", "top_p", "kept"), MET_EXACTLY)
def test_top_p_stops_where_the_sum_meets_p(p, top_p, kept, dtype):
    logits = torch.tensor(p, dtype=dtype).log()
    assert (probabilities(logits, op.Sampling(top_p=top_p)) > 0).sum() == kept


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_top_p_keeps_what_exact_fractions_say_for_all_round_numbers(dtype):
    """Every way to share 20 twentieths among four tokens, at every twentieth that a sum meets."""
    shares = [s for s in itertools.product(range(1, 18), repeat=4) if sum(s) == 20]
    for share in shares[::7]:
        sums = list(itertools.accumulate(sorted(share, reverse=True)))
        logits = torch.tensor(share, dtype=dtype).div(20).log()
        for kept, meets in enumerate(sums[:-1], start=1):
            found = probabilities(logits, op.Sampling(top_p=meets / 20)) > 0
            assert found.sum() == kept, (share, meets)


def sorted_top_p(logits, p):
    """Top-p by a full sort, as its definition reads."""
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    before = ordered.softmax(dim=-1).cumsum(dim=-1).roll(1, dims=-1)
    before[..., 0] = 0
    kept = before < p - 1e-7
    kept[..., 0] = True
    return ordered.masked_fill(~kept, -math.inf).gather(-1, order.argsort(dim=-1))


@pytest.mark.parametrize("scale", [0.0, 0.01, 1.0, 8.0])
def test_filters_without_a_full_sort_equal_those_with_one(scale):
    """Flat distributions need many of the tokens, and coarse logits have many ties."""
    generator = torch.Generator().manual_seed(0)
    for V in (5, 300, 5000):
        logits = (scale * torch.randn(3, V, generator=generator)).double()
        for values in (logits, (4 * logits).round() / 4):
            for p in (1e-8, 0.3, 0.95, 0.9999):
                assert torch.equal(apply_top_p(values, p), sorted_top_p(values, p)), (V, p)
            for k in (1, 7, V - 1, V, V + 5):
                order = values.argsort(dim=-1, descending=True, stable=True)
                expected = values.scatter(-1, order[..., k:], -math.inf)
                assert torch.equal(apply_top_k(values, k), expected), (V, k)


@pytest.mark.parametrize("values", [[math.nan, 1.0], [math.inf, 1.0], [-math.inf, -math.inf]])
@pytest.mark.parametrize("sampling", [op.GREEDY, op.Sampling(), op.Sampling(top_p=0.5)])
def test_logits_without_a_distribution_are_refused(values, sampling):
    with pytest.raises(ValueError, match=r"NaN, \+inf, or nothing but -inf"):
        probabilities(torch.tensor(values), sampling)


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ([-1], r"an id outside the vocabulary \(0 to 4\)"),
        ([7], r"an id outside the vocabulary \(0 to 4\)"),
        ([[1], [2]], "1 rows of logits need a history each, but there are 2"),
    ],
)
def test_a_history_that_does_not_fit_is_refused(history, words):
    with pytest.raises(ValueError, match=words):
        probabilities(torch.zeros(5), op.Sampling(repetition_penalty=2), history)


def test_a_batch_needs_a_history_per_row():
    with pytest.raises(ValueError, match="2 rows of logits need a history each, but there are 1"):
        probabilities(torch.zeros(2, 5), op.Sampling(repetition_penalty=2), [1])


@pytest.mark.parametrize("uniform", [1.0, -0.1, math.nan])
def test_draw_refuses_random_numbers_outside_0_to_1(uniform):
    with pytest.raises(ValueError, match=r"must be in \[0, 1\)"):
        draw(torch.tensor([0.5, 0.5]), uniform)


def test_draw_refuses_probabilities_that_do_not_add_up_to_1():
    with pytest.raises(ValueError, match="must add up to 1, got 0"):
        draw(torch.zeros(3), 0.5)


def test_cases_from_the_tests_of_transformers():
    """The distributions of the generation tests of `transformers`, and what a filter leaves."""
    two = torch.tensor([[0.3, 0.1, 0.1, 0.5], [0.15, 0.3, 0.3, 0.25]]).log()
    assert (apply_top_p(two, 0.8) > CUT).tolist() == [
        [True, False, False, True],
        [False, True, True, True],
    ]
    three = torch.tensor(
        [[0.9, 0.0274, 0.047, 0.0274], [0.15, 0.3, 0.3, 0.25], [0.97, 0.01, 0.01, 0.01]]
    ).log()
    assert (apply_min_p(three, 0.1) > CUT).tolist() == [
        [True, False, False, False],
        [True, True, True, True],
        [True, False, False, False],
    ]
    ramp = torch.arange(10.0)
    assert (apply_top_k(ramp, 3) > CUT).tolist() == 7 * [False] + 3 * [True]
    steep = torch.stack([ramp, 100 * ramp])  # a second row that one token holds alone
    assert (apply_top_p(steep, 0.9) > CUT).sum(dim=-1).tolist() == [3, 1]
    peak, valley, rest = 0.5, 0.1, 0.4 / 18
    p = torch.tensor([peak, valley, *[rest] * 18])
    sharp, smooth = (apply_temperature(p.log(), t).softmax(-1) for t in (0.5, 1.3))
    assert sharp[0] > peak > smooth[0]
    assert sharp[2] < rest < smooth[2]
    seen = torch.tensor([-10.0, 4.0, 10.0, -4.0])
    assert apply_repetition_penalty(seen, 2.0, [0, 2, 2]).tolist() == [-20.0, 4.0, 5.0, -4.0]
