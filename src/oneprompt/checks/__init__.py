"""Checks for the exercises: they name what went wrong and the likely cause, never the code.

An exercise cell ends with `check("attention.causal_mask", my_causal_mask)`. The checks of a chapter
are in the module of the same name here: one function per exercise, which takes the reader's
answer, compares it with the package, and raises `Wrong` through `compare`.

The tests of an assignment call `require`, which raises. What they need beyond the exercises is in
`coursework`, in modules of the same names.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import combinations

import torch

from .equality import EXACT, are_equal, bare, rounding, shape_of

ROUNDED = 0.005  # answers by hand are judged to two decimals
Causes = Sequence[tuple[object, str]]  # a wrong result, and the mistake that leads to it
Results = tuple[object, Causes]  # the right one, and the wrong ones


class Wrong(Exception):
    """The answer is wrong; the message teaches."""


class NotAttempted(Exception):
    """The exercise still has its placeholder."""


@dataclass(frozen=True)
class Verdict:
    status: str  # "right", "wrong" or "not attempted"
    message: str


def check(exercise: str, answer) -> None:
    """Print what `diagnose` finds.

    Raises:
        ValueError: there is no such exercise.
    """
    verdict = diagnose(exercise, answer)
    marks = {"right": "✓", "wrong": "✗", "not attempted": "○"}
    print(f"{marks[verdict.status]} {exercise}: {verdict.message}")


def require(exercise: str, answer, **variation) -> None:
    """Print that the answer is right, or raise what `diagnose` finds.

    Raises:
        AssertionError: it is wrong or not attempted; the message is the verdict's.
        ValueError: there is no such exercise.
    """
    verdict = diagnose(exercise, answer, **variation)
    if verdict.status != "right":
        raise AssertionError(verdict.message)
    print(f"✓ {exercise.rpartition('.')[2]}: right.")


def diagnose(exercise: str, answer, **variation) -> Verdict:
    """Compare an answer with the package.

    Args:
        exercise: "chapter.exercise", for instance "attention.causal_mask".
        answer: a function or a value; `...`, or a function that returns None or `...`, counts as
            not attempted.
        variation: other sizes or numbers than the exercise's own, if its check takes any.

    Raises:
        ValueError: there is no such exercise.
    """
    judge = checker(exercise)
    try:
        if answer is ...:
            raise NotAttempted
        judge(_guarded(answer) if callable(answer) else answer, **variation)
    except NotAttempted:
        return Verdict("not attempted", "not attempted yet.")
    except Wrong as wrong:
        return Verdict("wrong", str(wrong))
    return Verdict("right", "right.")


def compare(
    call: str,
    got,
    expected,
    causes: Causes = (),
    *,
    reveal: bool = True,
    tolerance: float = EXACT,
) -> None:
    """Raise Wrong unless got equals expected.

    Args:
        call: what was computed, as the reader would type it.
        got: the reader's result.
        expected: the right result.
        causes: pairs of a wrong result and the mistake that leads to it; the message names the
            mistake of the first result that equals `got`.
        reveal: whether the message gives the right answer. Exercises by hand hold it back.
        tolerance: how far apart two numbers may lie that count as equal.

    Raises:
        Wrong: they differ.
    """
    if are_equal(got, expected, tolerance):
        return
    named = (text for wrong, text in causes if are_equal(got, wrong, rounding(wrong, tolerance)))
    cause = next(named, None)
    lines = [f"not yet. {call}", f"  got:      {_short(got)}"]
    if reveal:
        lines.append(f"  expected: {_short(expected)}")
    if cause is None and shape_of(got) != shape_of(expected):
        cause = f"the shape is {shape_of(got)} and should be {shape_of(expected)}"
    if cause is not None:
        lines.append(f"  likely cause: {cause}")
    raise Wrong("\n".join(lines))


def are_told_apart(expected, causes: Causes) -> bool:
    """Whether no mistake gives the right result or another mistake's."""
    results = [expected, *(wrong for wrong, _ in causes)]
    texts = [None, *(text for _, text in causes)]
    return all(
        texts[i] == texts[j] or not are_equal(results[i], results[j], ROUNDED)
        for i, j in combinations(range(len(results)), 2)
    )


def one_tensor(result) -> torch.Tensor:
    """The reader's result, if it is a tensor.

    Raises:
        Wrong: it is not.
    """
    if not isinstance(result, torch.Tensor):
        kind = type(result).__name__
        raise Wrong(
            f"not yet. The result is a {kind} and should be one tensor; "
            "torch.stack makes one of a list of tensors"
        )
    return bare(result)


def random_tensors(*shapes: tuple[int, ...], seed: int = 0) -> list[torch.Tensor]:
    """Normally distributed numbers, the same every time."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) for shape in shapes]


def checker(exercise: str) -> Callable:
    """The function that judges an answer.

    Raises:
        ValueError: there is no such exercise.
    """
    chapter, _, name = exercise.rpartition(".")
    try:
        return getattr(import_module(f"{__name__}.{chapter}"), name)
    except (ImportError, AttributeError, ValueError):
        message = f"there is no exercise {exercise!r}; copy the name from its cell"
        raise ValueError(message) from None


def _guarded(function: Callable) -> Callable:
    """The reader's function, with its exceptions turned into a verdict."""

    def call(*args, **kwargs):
        try:
            result = function(*args, **kwargs)
        except NotImplementedError:
            raise NotAttempted from None
        except Exception as error:
            name = getattr(function, "__name__", "your function")
            raise Wrong(f"not yet. {name} raised {type(error).__name__}: {error}") from error
        if result is None or result is ...:
            raise NotAttempted
        return result

    return call


def readable(x: torch.Tensor):
    """A tensor as nested lists of short decimals."""
    return x.detach().double().numpy().round(3).tolist()


def _short(x) -> str:
    x = bare(x)
    if isinstance(x, torch.Tensor):
        x = readable(x)
    try:
        text = repr(x) if isinstance(x, str | bytes) else " ".join(str(x).split())
    except Exception:  # a class of the reader's own may refuse
        text = f"a {type(x).__name__} that cannot be shown"
    return text if len(text) <= 200 else f"{text[:200]} …"
