"""The numbers of the questions by hand: each student's own, and always the same for a student."""

import os
import random
from importlib import import_module

from .. import Results, Wrong, are_told_apart

STUDENT = "ONEPROMPT_STUDENT"  # the grader says here whose notebook it runs


def variant(assignment: str, student: str) -> dict:
    """The numbers of an assignment's question by hand.

    They are drawn until every mistake that the chapter's check knows gives a result of its own.

    Args:
        assignment: such as "attention".
        student: the id by which the course knows a student; case and outer spaces do not count.

    Raises:
        ValueError: the id is empty.
    """
    if not isinstance(student, str) or not student.strip():
        raise ValueError(f"student is {student!r}; write your id between the quotes")
    rng = random.Random(f"{assignment} {_plain(student)}")
    draw = import_module(f"{__package__}.{assignment}").numbers
    while True:
        numbers = draw(rng)  # {} where they are of no use
        if numbers and are_told_apart(*hand_results(assignment, numbers)):
            return numbers


def hand_results(assignment: str, numbers: dict) -> Results:
    """The answer to the question by hand, and the mistakes: the chapter's, or the assignment's."""
    own = import_module(f"{__package__}.{assignment}")
    if hasattr(own, "hand_results"):
        return own.hand_results(**numbers)
    return import_module(f"oneprompt.checks.{assignment}").hand_results(**numbers)


def own_variant(assignment: str, student: str) -> dict:
    """The same, unless the notebook that is graded belongs to another student.

    Raises:
        Wrong: the ids differ.
    """
    owner = os.environ.get(STUDENT)
    if owner is not None and _plain(owner) != _plain(student):
        raise Wrong(
            f"not yet. The notebook has the numbers of {student!r}, and {owner!r} handed it in\n"
            "  likely cause: the cell with your id holds another one"
        )
    return variant(assignment, student)


def _plain(student: str) -> str:
    return str(student).strip().casefold()
