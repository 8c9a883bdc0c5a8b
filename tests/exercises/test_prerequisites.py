"""The checks of the page of prerequisites: right, not attempted, and wrong with the cause named."""

import pytest
from exercises import assert_wrong

from oneprompt.checks import are_told_apart, diagnose
from oneprompt.checks.table import tables


@pytest.mark.parametrize("exercise", ["prerequisites.product", "prerequisites.shape"])
def test_untouched_exercises_are_not_attempted(exercise):
    assert diagnose(exercise, ...).status == "not attempted"


def test_right_answers_are_accepted():
    assert diagnose("prerequisites.product", [14, 1]).status == "right"
    assert diagnose("prerequisites.shape", 8).status == "right"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([1, 1], "first number of a place is the row"),
        ([6, 1], "counted from 0"),
        ([8, 1], "other column"),
        ([12, 1], "third number"),
        ([14, 14], "first number of a place is the row"),
        ([14, 8], "counted from 0"),
        ([14, 6], "other column"),
        ([13, 1], "got:      13"),
    ],
)
def test_a_wrong_entry_is_told_why(answer, words):
    assert_wrong("prerequisites.product", answer, words)


@pytest.mark.parametrize(
    ("answer", "words"),
    [(6, "the left matrix"), (12, "the right matrix"), (24, "multiplications"), (9, "outer ones")],
)
def test_a_wrong_size_is_told_why(answer, words):
    assert_wrong("prerequisites.shape", answer, words)


@pytest.mark.parametrize("exercise", ["prerequisites.product", "prerequisites.shape"])
def test_every_cause_has_a_result_of_its_own(exercise):
    for table in tables(exercise):
        assert are_told_apart(table.expected, table.causes)
