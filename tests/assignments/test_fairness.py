"""Numbers that differ per student, mistakes that cost once, and functions that cannot be called."""

import pytest
import torch
from coursework import STEMS

import oneprompt as op
from oneprompt.checks import diagnose
from oneprompt.checks.coursework import require, restore, variant, withhold
from oneprompt.checks.coursework.variants import hand_results
from oneprompt.checks.coursework.withheld import Withheld

STUDENTS = [f"student-{i}" for i in range(60)]


def hand(stem):
    return f"coursework.{stem}.by_hand"


@pytest.mark.parametrize("stem", STEMS)
def test_students_have_different_numbers_and_each_always_the_same(stem):
    every = [repr(variant(stem, student)) for student in STUDENTS]
    assert len(set(every)) > 15
    assert variant(stem, " Student-7 ") == variant(stem, "student-7")


@pytest.mark.parametrize("stem", STEMS)
def test_with_any_numbers_every_mistake_is_named(stem):
    for student in STUDENTS:
        expected, causes = hand_results(stem, variant(stem, student))
        assert diagnose(hand(stem), expected, student=student).status == "right"
        for result, text in causes:
            assert text in diagnose(hand(stem), result, student=student).message


@pytest.mark.parametrize("stem", STEMS)
def test_the_numbers_of_another_student_are_refused(stem, monkeypatch):
    monkeypatch.setenv("ONEPROMPT_STUDENT", "grace")
    message = diagnose(hand(stem), 0.123, student="ada").message
    assert "has the numbers of 'ada', and 'grace' handed it in" in message
    message = diagnose(hand(stem), 0.123, student="Grace ").message
    assert "handed it in" not in message


@pytest.mark.parametrize("student", ["", "  ", ..., None])
def test_a_missing_id_is_refused(student):
    with pytest.raises(ValueError, match="write your id"):
        variant(STEMS[0], student)


# What is withheld


@pytest.fixture
def without_attention():
    withhold("oneprompt.attention.scaled_dot_product_attention", "torch.Tensor.softmax")
    yield
    restore()


def test_a_withheld_function_works_for_the_package_and_for_nobody_else(without_attention):
    q = torch.ones(1, 1, 2, 4)
    for call in (lambda: op.attention.scaled_dot_product_attention(q, q, q), q.softmax):
        with pytest.raises(Withheld, match="is not available in this assignment"):
            call()
    assert op.answer(op.PROMPT)
    assert op.load_model("draft").trace(torch.tensor([[1, 2]])).logits.isfinite().all()


def test_a_withheld_function_is_no_answer(without_attention):
    answer = op.attention.scaled_dot_product_attention
    message = diagnose("attention.causal_attention", answer).message
    assert "is not available in this assignment" in message


def test_a_layer_of_torch_is_withheld_with_its_function():
    withhold("torch.nn.functional.layer_norm", "torch.layer_norm")
    try:
        for call in (torch.nn.LayerNorm(4), lambda x: torch.layer_norm(x, (4,))):
            with pytest.raises(Withheld, match="is not available in this assignment"):
                call(torch.ones(2, 4))
        assert op.answer(op.PROMPT)  # the model's own norms are torch's layer_norm
    finally:
        restore()


def test_what_was_withheld_comes_back(without_attention):
    withhold("oneprompt.attention.scaled_dot_product_attention")  # a second time changes nothing
    restore()
    q = torch.ones(1, 1, 2, 4)
    assert op.attention.scaled_dot_product_attention(q, q, q).equal(q)
    assert q.softmax(-1).sum() == 2
    assert "softmax" not in vars(torch.Tensor)


@pytest.mark.parametrize("name", ["oneprompt.attention.no_such", "oneprompt.no_such.function"])
def test_an_unknown_name_cannot_be_withheld(name):
    with pytest.raises((AttributeError, ImportError)):
        withhold(name)


# Each part on its own


def test_earlier_parts_are_right_while_a_later_one_is_tested():
    notebook = {"torch": torch}
    exec(
        "def scores(q, k):\n    return None\n"
        "def attention(q, k, v, mask):\n"
        "    k, v = (x.repeat_interleave(len(q) // len(k), 0) for x in (k, v))\n"
        "    return scores(q, k).masked_fill(~mask, -torch.inf).softmax(-1) @ v",
        notebook,
    )
    wrong = notebook["scores"]
    require("coursework.attention.attention_of", notebook["attention"])
    assert notebook["scores"] is wrong
    with pytest.raises(AssertionError, match="not attempted"):
        require("coursework.attention.scores", wrong)
