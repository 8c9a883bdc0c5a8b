"""The framework of the exercise checks: verdicts, causes, and messages that never crash."""

import math
import sys
import types

import numpy as np
import pytest
import torch

from oneprompt import checks
from oneprompt.checks import NotAttempted, Wrong, check, compare, diagnose, require

EXPECTED = torch.tensor([1.0, 2.0])


@pytest.fixture(autouse=True)
def chapter(monkeypatch):
    """A chapter `trial` with two exercises: a value and a function."""
    module = types.ModuleType("oneprompt.checks.trial")

    def value(answer):
        compare("the value", answer, EXPECTED, [(EXPECTED.flip(0), "the order is reversed")])

    def double(function):
        compare("double(3)", function(3), 6, [(9, "this is the square")])

    module.value, module.double = value, double
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.parametrize(
    "answer",
    [EXPECTED, EXPECTED.double(), [1, 2], (1.0, 2.0), np.array([1, 2]), [1.000001, 2]],
    ids=str,
)
def test_a_right_answer_is_right_in_any_type(answer):
    assert diagnose("trial.value", answer).status == "right"


def test_a_right_function_is_accepted():
    assert diagnose("trial.double", lambda x: 2 * x).status == "right"


@pytest.mark.parametrize("answer", [..., lambda x: None, lambda x: ...])
def test_a_placeholder_counts_as_not_attempted(answer):
    verdict = diagnose("trial.double", answer)
    assert (verdict.status, verdict.message) == ("not attempted", "not attempted yet.")


def test_a_wrong_value_is_told_what_was_expected_and_why():
    verdict = diagnose("trial.value", [2.0, 1.0])
    assert verdict.status == "wrong"
    assert verdict.message.splitlines() == [
        "not yet. the value",
        "  got:      [2.0, 1.0]",
        "  expected: [1.0, 2.0]",
        "  likely cause: the order is reversed",
    ]


def test_an_exercise_by_hand_does_not_reveal_the_answer():
    with pytest.raises(Wrong) as wrong:
        compare("the value", 6.5, 4.25, [(6.5, "this is the sum")], reveal=False)
    assert "4.25" not in str(wrong.value)
    assert "likely cause: this is the sum" in str(wrong.value)


def test_a_wrong_function_is_told_the_likely_cause():
    message = diagnose("trial.double", lambda x: x * x).message
    assert "double(3)" in message
    assert "likely cause: this is the square" in message


def test_an_unknown_mistake_gets_no_invented_cause():
    assert "likely cause" not in diagnose("trial.value", [5.0, 5.0]).message


@pytest.mark.parametrize(("off", "named"), [(0.004, True), (4.0, False)])
def test_a_wrong_result_may_be_rounded_as_much_worse_as_it_is_larger(off, named):
    """Float32 keeps seven digits of the largest number in a sum, also where the sum is small."""
    got, cause = torch.tensor([1000.0, 0.5 + off]), torch.tensor([1000.0, 0.5])
    with pytest.raises(Wrong) as wrong:
        compare("the value", got, EXPECTED, [(cause, "the last step is missing")])
    assert ("likely cause" in str(wrong.value)) == named


@pytest.mark.parametrize("cause", [[math.inf, 1.0], [math.nan, 1.0], "text"])
def test_a_wrong_result_without_a_size_is_no_cause_of_another(cause):
    with pytest.raises(Wrong) as wrong:
        compare("the value", [5.0, 5.0], EXPECTED, [(cause, "nothing was divided")])
    assert "likely cause" not in str(wrong.value)


def test_a_wrong_shape_is_named():
    message = diagnose("trial.value", [[1.0, 2.0]]).message
    assert "likely cause: the shape is (1, 2) and should be (2,)" in message


def test_an_exception_in_the_answer_becomes_a_verdict():
    def broken(x):
        raise RuntimeError("boom")

    verdict = diagnose("trial.double", broken)
    assert verdict.status == "wrong"
    assert "broken raised RuntimeError: boom" in verdict.message


@pytest.mark.parametrize(
    "answer",
    ["1 2", b"12", True, None, object(), {"a": 1}, [1, "2"], [float("nan"), 2.0], []],
    ids=lambda answer: type(answer).__name__,
)
def test_odd_answers_are_wrong_and_do_not_crash(answer):
    assert diagnose("trial.value", answer).status == "wrong"


def test_an_object_that_equals_everything_earns_nothing():
    class Chameleon:
        def __eq__(self, other):
            return True

        __hash__ = None

    assert diagnose("trial.value", Chameleon()).status == "wrong"
    assert diagnose("trial.double", lambda x: Chameleon()).status == "wrong"


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        ("a", "a", True),
        ("a", "b", False),
        (True, True, True),
        (1, True, False),  # a number is not the answer where a truth value is asked for
        (True, 1, False),
        (float("-inf"), float("-inf"), True),
        (float("nan"), float("nan"), True),
        ([1.0, float("-inf")], [1.0, -1e9], False),
        (["What", " is"], ["What", " is"], True),
        (["What", "is"], ["What", " is"], False),
        (1.0 + 2e-5, 1.0, True),  # 1e-5 absolute plus 1e-5 relative: float32 work passes
        (1.0 + 1e-4, 1.0, False),
        (torch.ones(2, requires_grad=True), [1.0, 1.0], True),
    ],
)
def test_what_counts_as_equal(got, expected, same):
    if same:
        compare("f()", got, expected)
    else:
        with pytest.raises(Wrong):
            compare("f()", got, expected)


def test_long_answers_are_cut():
    verdict = diagnose("trial.value", list(range(10_000)))
    assert max(len(line) for line in verdict.message.splitlines()) < 230


def test_check_prints_one_verdict(capsys):
    for answer in (EXPECTED, [2.0, 1.0], ...):
        check("trial.value", answer)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "✓ trial.value: right."
    assert lines[1] == "✗ trial.value: not yet. the value"
    assert lines[-1] == "○ trial.value: not attempted yet."


@pytest.mark.parametrize("name", ["", "trial", "trial.", ".value", "trial.no", "nowhere.value"])
def test_an_unknown_exercise_is_refused(name):
    with pytest.raises(ValueError, match=f"no exercise {name!r}; copy the name from its cell"):
        diagnose(name, 1)


def test_an_exercise_may_decide_that_nothing_was_attempted():
    def undecided(answer):
        raise NotAttempted

    sys.modules["oneprompt.checks.trial"].undecided = undecided
    assert diagnose("trial.undecided", [1]).status == "not attempted"


def test_every_check_of_the_package_accepts_a_placeholder():
    """The checks of all chapters are found, and none crashes on an untouched exercise."""
    from importlib import import_module
    from pkgutil import iter_modules

    names = [
        f"{module.name}.{name}"
        for module in iter_modules(checks.__path__)
        for name, function in vars(import_module(f"oneprompt.checks.{module.name}")).items()
        if not name.startswith("_")
        and getattr(function, "__module__", "") == f"oneprompt.checks.{module.name}"
    ]
    assert names
    for name in names:
        assert diagnose(name, ...).status == "not attempted"


# Answers that claim to equal everything


class Anything:
    def __eq__(self, other):
        return True

    __hash__ = None


class AnyText(str):
    def __eq__(self, other):
        return True

    __hash__ = None


class AnyTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (Anything(), "a"),
        (Anything(), [1, 2]),
        ([Anything()], ["a"]),
        ([AnyText("b")], ["a"]),
        ({"a": Anything()}, {"a": b"a"}),
        (torch.zeros(2).as_subclass(AnyTensor), EXPECTED),
        ([torch.zeros(2).as_subclass(AnyTensor), "a"], [EXPECTED, "a"]),
    ],
)
def test_what_equals_everything_is_wrong(claim, expected):
    with pytest.raises(Wrong):
        compare("the value", claim, expected)


def test_a_required_answer_raises_what_the_check_says(capsys):
    require("trial.double", lambda x: 2 * x)
    assert capsys.readouterr().out == "✓ double: right.\n"
    with pytest.raises(AssertionError, match="likely cause: this is the square"):
        require("trial.double", lambda x: x * x)
    with pytest.raises(AssertionError, match="not attempted yet"):
        require("trial.double", ...)
