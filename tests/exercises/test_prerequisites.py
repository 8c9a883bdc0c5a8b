"""The check of the exercise on the page of prerequisites."""

import pytest
import torch
from exercises import assert_wrong

from oneprompt.checks import diagnose


@pytest.mark.parametrize("answer", [[5, 4], (5.0, 4.0), torch.tensor([5, 4])])
def test_a_right_answer_by_hand_is_accepted(answer):
    assert diagnose("prerequisites.by_hand", answer).status == "right"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([3, 5], "it meets its columns"),
        ([3, 4], "only the diagonal"),
        ([3, 3], "are missing"),
        ([4, 2], "without the row"),
        ([7, 2], "from its end"),
        ([5, 5], "got:"),
        (9, "the shape is () and should be (2,)"),
    ],
)
def test_a_wrong_answer_by_hand_is_told_why(answer, words):
    assert_wrong("prerequisites.by_hand", answer, words)


def test_an_untouched_exercise_is_not_attempted():
    assert diagnose("prerequisites.by_hand", ...).status == "not attempted"
