"""What a reader can answer after a chapter: five questions, each with the place of its answer."""

import json
import re

import pytest
import yaml
from pages import ROOT

QUESTIONS = yaml.safe_load((ROOT / "tests" / "book" / "questions.yaml").read_text("utf-8"))


@pytest.mark.parametrize("chapter", QUESTIONS)
def test_five_questions_two_by_hand_and_each_answered_under_a_heading(chapter):
    notebook = json.loads((ROOT / "book" / f"{chapter}.ipynb").read_text("utf-8"))
    texts = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown"]
    headings = re.findall(r"^#+ (.+)$", "\n\n".join(texts), re.MULTILINE)
    asked = QUESTIONS[chapter]
    assert len(asked) == 5
    assert sum(each["by_hand"] for each in asked) >= 2
    assert [each["where"] for each in asked if each["where"] not in headings] == []
