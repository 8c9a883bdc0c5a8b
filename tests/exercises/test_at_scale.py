"""The check of the exercise on serving: right, not attempted, and wrong with the cause named."""

import pytest
from exercises import assert_wrong

from oneprompt.checks import are_told_apart, diagnose
from oneprompt.checks.table import tables


def test_the_right_answer_is_accepted():
    assert diagnose("at_scale.by_hand", [18, 4 / 3]).status == "right"
    assert diagnose("at_scale.by_hand", ...).status == "not attempted"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([26, 4 / 3], "at the same time"),
        ([8, 4 / 3], "the memory is not"),
        ([9, 4 / 3], "has its own"),
        ([36, 4 / 3], "read once for all four"),
        ([6, 4 / 3], "the caches are read"),
        ([12, 4 / 3], "the weights are read as well"),
        ([18, 3], "not what a pass waits for"),
        ([18, 1], "more than the memory needs"),
        ([18, 24], "divide by those of the plain one"),
        ([18, 0.75], "upside down"),
        ([18, 42 / 26], "at the same time"),
        ([18, 16 / 18], "gamma + 1"),
    ],
)
def test_a_wrong_answer_is_told_why(answer, words):
    assert_wrong("at_scale.by_hand", answer, words)


def test_no_two_mistakes_give_the_same_answer():
    assert all(are_told_apart(t.expected, t.causes) for t in tables("at_scale.by_hand"))
