"""Exercises by hand: the right answer and the likely causes as data, for a cell and for the page.

    @from_table
    def by_hand() -> Table: ...

makes a check of a function that returns its table. `tables` hands the same table to the answer
field on the page, so that both name the same cause.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps

import torch

from . import ROUNDED, Wrong, checker, compare, readable


@dataclass(frozen=True)
class Table:
    """One answer by hand.

    Attributes:
        call: what is asked for, in a few words.
        expected: the right answer: a number, numbers, or texts that joined are one text.
        causes: pairs of a wrong answer and the mistake that leads to it.
        tolerance: how far apart two numbers may lie that count as equal.
    """

    call: str
    expected: object
    causes: Sequence[tuple[object, str]] = ()
    tolerance: float = ROUNDED

    def check(self, answer) -> None:
        """Raise Wrong unless this is the answer; the message names a cause and never the answer."""
        if _is_texts(self.expected):
            answer = _texts(answer, "".join(self.expected))
        compare(self.call, answer, self.expected, self.causes,
                reveal=False, tolerance=self.tolerance)  # fmt: skip

    def data(self) -> dict:
        """The table as JSON values, for the page."""
        causes = [[_plain(wrong), text] for wrong, text in self.causes]
        return {
            "call": self.call,
            "expected": _plain(self.expected),
            "causes": causes,
            "tolerance": self.tolerance,
        }


def from_table(function: Callable[[], Table | list[Table]]) -> Callable:
    """The check of an exercise by hand; with several tables the answer is a list, one for each."""

    @wraps(function)
    def check(answer) -> None:
        tables = check.tables()
        answers = [answer] if len(tables) == 1 else _several(answer, tables)
        for table, one in zip(tables, answers, strict=True):
            table.check(one)

    def tables() -> list[Table]:
        made = function()
        return [made] if isinstance(made, Table) else made

    check.tables = tables
    return check


def tables(exercise: str) -> list[Table]:
    """The tables of an exercise by hand.

    Raises:
        ValueError: there is no such exercise, or its answer is not a value.
    """
    found = checker(exercise)
    if not hasattr(found, "tables"):
        raise ValueError(f"{exercise!r} asks for a function: it has no answer to type")
    return found.tables()


def _several(answer, tables: list[Table]) -> list:
    if isinstance(answer, list | tuple) and len(answer) == len(tables):
        return list(answer)
    what = ", ".join(table.call for table in tables)
    raise Wrong(f"not yet. Write {len(tables)} answers in a list: [{what}]")


def _is_texts(value) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(text, str) for text in value)


def _texts(answer, joined: str) -> list[str]:
    """The answer as a list of texts; Wrong unless they spell the same text as the right one."""
    if not isinstance(answer, list | tuple) or not _is_texts(answer):
        raise Wrong('not yet. Write the tokens as a list of strings, such as ["a", "bc"]')
    spelled = "".join(answer)
    if spelled != joined:
        raise Wrong(
            f"not yet. Your tokens spell {spelled!r}\n  likely cause: a letter was lost or used "
            "twice; a merge joins two neighbors and changes nothing else"
        )
    return list(answer)


def _plain(value):
    """Numbers and texts as JSON has them."""
    if _is_texts(value):
        return list(value)
    return readable(torch.as_tensor(value, dtype=torch.float64))
