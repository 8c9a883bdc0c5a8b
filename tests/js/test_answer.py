"""Answers typed on the page are judged as Python judges them: by the same tables of causes."""

from importlib import import_module
from pkgutil import iter_modules

import pytest

from oneprompt import checks
from oneprompt.checks import diagnose
from oneprompt.checks.table import tables

BY_HAND = [
    f"{module.name}.{name}"
    for module in iter_modules(checks.__path__)
    for name, check in vars(import_module(f"oneprompt.checks.{module.name}")).items()
    if hasattr(check, "tables")
]
JUDGE = "([table, text]) => judge(table, text)"


def typed(answer) -> str:
    """An answer as a reader writes it."""
    if not isinstance(answer, list):
        return f"{answer:.3f}".replace("-", "−")
    separator = " " if isinstance(answer[0], str) else ", "
    return separator.join(each if isinstance(each, str) else f"{each:.3f}" for each in answer)


def judged(node, table, text: str) -> dict:
    return node.run(JUDGE, "notebook/answer.js", argument=[table.data(), text])


def test_every_chapter_has_an_exercise_by_hand():
    pages = {name.partition(".")[0] for name in BY_HAND}
    assert len(pages - {"at_scale", "prerequisites"}) == 9


@pytest.mark.parametrize("exercise", BY_HAND)
def test_the_page_accepts_the_right_answer_and_names_the_cause_of_every_wrong_one(exercise, node):
    for table in tables(exercise):
        data = table.data()
        right = judged(node, table, typed(data["expected"]))
        assert right == {"status": "right", "message": "Right."}
        for wrong, _ in data["causes"]:
            found = judged(node, table, typed(wrong))
            assert found["status"] == "wrong"
            assert any(text in found["message"] for _, text in data["causes"]), found


@pytest.mark.parametrize("exercise", [name for name in BY_HAND if len(tables(name)) == 1])
def test_page_and_python_name_the_same_cause(exercise, node):
    (table,) = tables(exercise)
    for wrong, _ in table.data()["causes"]:
        message = diagnose(exercise, wrong).message
        shown = judged(node, table, typed(wrong))["message"]
        if "likely cause: the shape" not in message:
            assert message.partition("likely cause: ")[2] == (
                shown.partition("Likely cause: ")[2].removesuffix(".")
            )


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.25", 0.25), (" 1/4 ", 0.25), ("−3", -3), ("1e3", 1000), ("1/2/3", None), ("", None),
     ("a", None), ("1/", None)],
)  # fmt: skip
def test_a_number_is_read_as_it_is_written(text, number, node):
    found = node.run("(text) => parseNumber(text)", "notebook/answer.js", argument=text)
    assert found == number or (number is None and found != found)


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("", "empty", "Type an answer"),
        ("four", "unread", "cannot be read as a number"),
        ("5", "wrong", "Work through it once more"),
        ("4.00", "right", "Right."),
    ],
)
def test_what_cannot_be_judged_is_said(text, status, words, node):
    (table,) = tables("attention.by_hand")
    found = judged(node, table, text)
    assert found["status"] == status
    assert words in found["message"]


def test_numbers_and_pieces_that_are_missing_are_named(node):
    (position,), (tokenize,) = tables("position.by_hand"), tables("tokenize.by_hand")
    assert "These are 3 numbers, and 4 are" in judged(node, position, "(1, 2, 3)")["message"]
    assert "Your pieces spell “learing”" in judged(node, tokenize, "le ar ing")["message"]
    assert judged(node, tokenize, "le|ar|n|ing")["status"] == "right"
