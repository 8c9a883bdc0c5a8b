"""The checks of chapter 7's exercises: right, not attempted, and wrong with the cause named."""

import pytest
import torch
from exercises import assert_wrong

from oneprompt.checks import diagnose
from oneprompt.sample import apply_repetition_penalty, apply_top_p

CUT = float("-inf")


def ranked(logits):
    """Logits from the largest to the smallest, their ids, and the total probability before each."""
    values, ids = logits.sort(descending=True, stable=True)
    probability = values.softmax(-1)
    return values, ids, probability.cumsum(-1) - probability


def nucleus_by_loop(logits, p):
    result, total = torch.full_like(logits, CUT), 0.0
    for i in logits.argsort(descending=True).tolist():
        result[i] = logits[i]
        total += logits.softmax(-1)[i].item()
        if total >= p:
            break
    return result


def without_the_crossing_token(logits, p):
    probability = logits.softmax(-1)
    values, ids = probability.sort(descending=True)
    kept = ids[values.cumsum(-1) < p]
    return torch.full_like(logits, CUT).scatter(-1, kept, logits[kept])


def one_too_many(logits, p):
    n = int((ranked(logits)[2] < p).sum()) + 1
    kept = logits.argsort(descending=True)[:n]
    return torch.full_like(logits, CUT).scatter(-1, kept, logits[kept])


def in_the_order_of_ranks(logits, p):
    values, _, before = ranked(logits)
    return values.masked_fill(before >= p, CUT)


def in_place(logits, p):
    logits[...] = apply_top_p(logits, p)
    return logits


def counted(logits, alpha, history):
    result = logits.clone()
    for token_id in history:
        result[token_id] -= alpha
    return result


def once_per_id(logits, alpha, history):
    result = logits.clone()
    result[history] -= alpha
    return result


def raises(*args):
    raise RuntimeError("no luck")


RIGHT = [
    ("sample.temperature_by_hand", [0.9, 0.1]),
    ("sample.temperature_by_hand", torch.tensor([0.9, 0.1])),
    ("sample.top_p", apply_top_p),
    ("sample.top_p", nucleus_by_loop),
    ("sample.frequency_penalty", counted),
    ("sample.frequency_penalty",
     lambda logits, alpha, history: logits - alpha * torch.bincount(
         torch.tensor(history, dtype=torch.int64), minlength=len(logits))),
]  # fmt: skip

WRONG = [
    ("sample.temperature_by_hand", [0.634, 0.366], "got:"),  # rounded, so no cause is sure
    ("sample.temperature_by_hand", [0.6339746, 0.3660254], "temperature 2"),
    ("sample.temperature_by_hand", [0.5625, 0.0625], "divide by their sum"),
    ("sample.temperature_by_hand", [0.75, 0.25], "nothing changed"),
    ("sample.temperature_by_hand", [1, 0], "temperature 0"),
    ("sample.temperature_by_hand", [1.5, 0.5], "no distribution"),
    ("sample.temperature_by_hand", [0.7310586, 0.2689414], "where logits belong"),
    ("sample.temperature_by_hand", 0.9, "the shape is () and should be (2,)"),
    ("sample.top_p", without_the_crossing_token, "crosses p was cut"),
    ("sample.top_p", one_too_many, "one token too many"),
    ("sample.top_p", in_the_order_of_ranks, "order of their ids"),
    ("sample.top_p", lambda l, p: apply_top_p(l, p).softmax(-1), "returns logits"),
    ("sample.top_p", lambda l, p: l.softmax(-1) * (apply_top_p(l, p) > CUT), "returns logits"),
    ("sample.top_p", lambda l, p: l.masked_fill(apply_top_p(l, p) == CUT, 0), "logit -inf"),
    ("sample.top_p", lambda l, p: l.masked_fill(l.softmax(-1) < p, CUT), "everything was cut"),
    ("sample.top_p", lambda l, p: l.masked_fill(l.softmax(-1) < 1 - p - 1e-9, CUT), "nucleus("),
    ("sample.top_p", in_place, "changed the logits"),
    ("sample.top_p", raises, "RuntimeError: no luck"),
    ("sample.frequency_penalty", once_per_id, "penalized once"),
    ("sample.frequency_penalty", lambda l, a, h: counted(l, -a, h), "rewards repetition"),
    ("sample.frequency_penalty", lambda l, a, h: counted(l, 1, h), "alpha was left out"),
    ("sample.frequency_penalty", lambda l, a, h: apply_repetition_penalty(l, a, h), "divides"),
    ("sample.frequency_penalty", lambda l, a, h: counted(l, a / max(len(h), 1), h), "share"),
    ("sample.frequency_penalty", lambda l, a, h: l.sub_(a), "changed the logits"),
]  # fmt: skip


@pytest.mark.parametrize(("exercise", "answer"), RIGHT)
def test_a_right_answer_is_accepted(exercise, answer):
    assert diagnose(exercise, answer).status == "right"


@pytest.mark.parametrize(("exercise", "answer", "words"), WRONG)
def test_a_wrong_answer_is_told_why(exercise, answer, words):
    assert_wrong(exercise, answer, words)


@pytest.mark.parametrize(
    ("exercise", "placeholder"),
    [
        ("sample.temperature_by_hand", ...),
        ("sample.top_p", lambda logits, p: ...),
        ("sample.frequency_penalty", lambda logits, alpha, history: None),
    ],
)
def test_untouched_exercises_are_not_attempted(exercise, placeholder):
    assert diagnose(exercise, placeholder).status == "not attempted"
