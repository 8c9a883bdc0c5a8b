"""Checks for the exercises: they name what went wrong and the likely cause, never the code.

An exercise cell ends with `check("attention.causal_mask", my_causal_mask)`. The checks of a chapter
are in the module of the same name here: one function per exercise, which takes the reader's
answer, compares it with the package, and raises `Wrong` through `compare`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

import torch

EXACT = 1e-5  # what float32 work loses


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


def diagnose(exercise: str, answer) -> Verdict:
    """Compare an answer with the package.

    Args:
        exercise: "chapter.exercise", for instance "attention.causal_mask".
        answer: a function or a value; `...`, or a function that returns None or `...`, counts as
            not attempted.

    Raises:
        ValueError: there is no such exercise.
    """
    judge = checker(exercise)
    try:
        if answer is ...:
            raise NotAttempted
        judge(_guarded(answer) if callable(answer) else answer)
    except NotAttempted:
        return Verdict("not attempted", "not attempted yet.")
    except Wrong as wrong:
        return Verdict("wrong", str(wrong))
    return Verdict("right", "right.")


def compare(
    call: str,
    got,
    expected,
    causes: Sequence[tuple[object, str]] = (),
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
    if _equal(got, expected, tolerance):
        return
    cause = next((text for wrong, text in causes if _equal(got, wrong, tolerance)), None)
    lines = [f"not yet. {call}", f"  got:      {_short(got)}"]
    if reveal:
        lines.append(f"  expected: {_short(expected)}")
    if cause is None and _shape(got) != _shape(expected):
        cause = f"the shape is {_shape(got)} and should be {_shape(expected)}"
    if cause is not None:
        lines.append(f"  likely cause: {cause}")
    raise Wrong("\n".join(lines))


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
    return result


def random_tensors(*shapes: tuple[int, ...]) -> list[torch.Tensor]:
    """Normally distributed numbers, the same every time."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator) for shape in shapes]


def checker(exercise: str) -> Callable:
    """The function that judges an answer.

    Raises:
        ValueError: there is no such exercise.
    """
    chapter, _, name = exercise.partition(".")
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
        except Exception as error:
            name = getattr(function, "__name__", "your function")
            raise Wrong(f"not yet. {name} raised {type(error).__name__}: {error}") from error
        if result is None or result is ...:
            raise NotAttempted
        return result

    return call


def _equal(a, b, tolerance: float) -> bool:
    if isinstance(b, str | bool | bytes | None) or isinstance(a, str | bool | bytes | None):
        return type(a) is type(b) and a == b
    try:
        a, b = (torch.as_tensor(x, dtype=torch.float64) for x in (a, b))
    except (TypeError, ValueError, RuntimeError):
        return type(a) is type(b) and a == b
    return a.shape == b.shape and torch.allclose(a, b, atol=tolerance, equal_nan=True)


def _shape(x) -> tuple[int, ...] | None:
    try:
        return tuple(torch.as_tensor(x).shape)
    except (TypeError, ValueError, RuntimeError):
        return None


def readable(x: torch.Tensor):
    """A tensor as nested lists of short decimals."""
    return x.detach().double().numpy().round(3).tolist()


def _short(x) -> str:
    if isinstance(x, torch.Tensor):
        x = readable(x)
    text = repr(x) if isinstance(x, str | bytes) else " ".join(str(x).split())
    return text if len(text) <= 200 else f"{text[:200]} …"
