"""Penalties, biases and constraints: by hand, against `transformers`, and their errors."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.generation.logits_process import (
    PrefixConstrainedLogitsProcessor,
    SequenceBiasLogitsProcessor,
    SuppressTokensLogitsProcessor,
)

from oneprompt.processors import Allow, LogitBias, RepetitionCost, process

LOGITS = torch.tensor([3.0, -1.0, 0.5, 2.0, 0.0])
TEXT, N_PROMPT = [0, 0, 3, 3, 1, 3], 3  # the prompt is 0, 0, 3


def test_the_presence_penalty_counts_once_and_the_frequency_penalty_each_time():
    both = RepetitionCost(presence=1.0, frequency=0.25)
    assert both(LOGITS, TEXT, N_PROMPT).tolist() == [3.0, -2.25, 0.5, 0.5, 0.0]


def test_the_prompt_counts_only_where_asked():
    everything = RepetitionCost(presence=1.0, frequency=0.25, counts="text")
    assert everything(LOGITS, TEXT, N_PROMPT).tolist() == [1.5, -2.25, 0.5, 0.25, 0.0]


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.integers(0, 4), max_size=12),
    st.floats(-2, 2),
    st.floats(-2, 2),
)
def test_penalties_equal_those_of_a_loop(new, presence, frequency):
    expected = [
        logit - presence * (i in new) - frequency * new.count(i)
        for i, logit in enumerate(LOGITS.tolist())
    ]
    found = RepetitionCost(presence, frequency)(LOGITS.double(), [2, *new], 1)
    assert found.tolist() == pytest.approx(expected, abs=1e-12)


def test_a_bias_is_added_and_minus_infinity_forbids():
    biased = LogitBias({1: 5.0, 3: -math.inf})(LOGITS, TEXT, N_PROMPT)
    assert biased.tolist() == [3.0, 4.0, 0.5, -math.inf, 0.0]
    ids, row = torch.tensor([TEXT]), LOGITS[None].clone()
    theirs = SequenceBiasLogitsProcessor([[[1], 5.0], [[3], -math.inf]])(ids, row)
    assert torch.equal(biased, theirs[0])
    forbidden = SuppressTokensLogitsProcessor([0, 3])(ids, row)
    assert torch.equal(LogitBias({0: -math.inf, 3: -math.inf})(LOGITS, TEXT, 0), forbidden[0])


def test_only_ids_allowed_after_the_new_ones_can_come():
    asked = []

    def allowed(new):
        asked.append(list(new))
        return [4, 0]

    found = Allow(allowed)(LOGITS, TEXT, N_PROMPT)
    assert found.tolist() == [3.0, -math.inf, -math.inf, -math.inf, 0.0]
    assert asked == [[3, 1, 3]]
    theirs = PrefixConstrainedLogitsProcessor(lambda batch, ids: [4, 0], num_beams=1)
    assert torch.equal(found, theirs(torch.tensor([TEXT]), LOGITS[None])[0])


def test_processors_run_in_the_order_of_the_list():
    doubled = lambda logits, text, n_prompt: 2 * logits  # noqa: E731
    bias = LogitBias({0: 1.0})
    assert process([doubled, bias], LOGITS, TEXT, N_PROMPT)[0] == 7
    assert process([bias, doubled], LOGITS, TEXT, N_PROMPT)[0] == 8
    assert process([], LOGITS, TEXT, N_PROMPT) is LOGITS


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RepetitionCost(presence=math.nan), "presence must be a finite number, got nan"),
        (lambda: RepetitionCost(frequency="1"), "frequency must be a finite number, got '1'"),
        (lambda: RepetitionCost(counts="prompt"), "choose from 'output' and 'text'"),
        (lambda: LogitBias({1: math.inf}), "the bias of 1 must be finite or -inf, got inf"),
        (lambda: LogitBias({9: 1.0})(LOGITS, [], 0), r"id 9 is outside the vocabulary \(0 to 4\)"),
        (lambda: Allow(lambda new: [])(LOGITS, [2], 0), r"nothing is allowed after .* \[2\]"),
        (lambda: process([lambda *_: None], LOGITS, [], 0), r"shape \(5,\), got None"),
        (lambda: process([lambda *_: LOGITS[:3]], LOGITS, [], 0), r"shape \(5,\), got \(3,\)"),
        (lambda: Allow(lambda new: [-1])(LOGITS, [], 0), "id -1 is outside the vocabulary"),
    ],
)
def test_bad_input_is_refused_with_a_clear_message(make, words):
    with pytest.raises(ValueError, match=words):
        make()
