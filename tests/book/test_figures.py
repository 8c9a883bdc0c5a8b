"""Every drawing and explorer of a page has a number and a caption; no answer has either."""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pages import NOTEBOOKS

LONGEST = 100  # characters: two lines of a caption
NUMBER = re.compile(r"Figure (\w+)\.(\d+)\. ")


class Figures(HTMLParser):
    """The captions of a page's figures, in order, and of those inside a prediction."""

    def __init__(self, source: str):
        super().__init__()
        self.captions, self.answers = [], []
        self.in_prediction, self.in_caption = False, False
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.in_prediction |= tag == "fieldset"
        self.in_caption |= tag == "figcaption"
        if tag == "figure":
            self.found.append("")

    @property
    def found(self) -> list[str]:
        return self.answers if self.in_prediction else self.captions

    def handle_endtag(self, tag):
        self.in_prediction &= tag != "fieldset"
        self.in_caption &= tag != "figcaption"

    def handle_data(self, data):
        if self.in_caption:
            self.found[-1] += data


@cache
def figures(folder: Path, name: str) -> Figures:
    return Figures((folder / f"{name}.html").read_text("utf-8"))


def texts(folder: Path) -> list[str]:
    """All captions of the book without their numbers."""
    every = (caption for name in NOTEBOOKS for caption in figures(folder, name).captions)
    return [NUMBER.sub("", caption) for caption in every]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_figures_of_a_page_are_numbered_in_order(name, built_book):
    numbers = [NUMBER.match(caption) for caption in figures(built_book, name).captions]
    assert all(numbers)
    assert [int(number[2]) for number in numbers] == list(range(1, len(numbers) + 1))
    chapters = {number[1] for number in numbers}
    step = re.search(r"/(\d\d)_", name)
    (chapter,) = chapters
    assert chapter == str(int(step[1])) if step else chapter.isalpha()


def test_no_two_pages_have_the_same_letter_or_number(built_book):
    firsts = [NUMBER.match(figures(built_book, name).captions[0])[1] for name in NOTEBOOKS]
    assert len(set(firsts)) == len(NOTEBOOKS)


def test_what_answers_a_prediction_has_no_caption(built_book):
    answers = [answer for name in NOTEBOOKS for answer in figures(built_book, name).answers]
    assert len(answers) > 20
    assert [answer for answer in answers if answer] == []


def test_a_caption_is_one_short_sentence_without_figures(built_book):
    """A number in it would need a cell that asserts it, as in the prose."""
    found = texts(built_book)
    assert len(found) > 100
    assert [text for text in found if not re.fullmatch(r"[A-Z“][^.?!\d]*\.", text)] == []
    assert [text for text in found if len(text) > LONGEST] == []


def test_no_caption_is_written_twice(built_book):
    found = texts(built_book)
    assert len(set(found)) == len(found)
