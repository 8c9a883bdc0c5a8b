"""The minutes that chapters and their parts state are counted."""

import json

import minutes
import pytest

PARTS = ("The idea", "Build it", "Deeper")
BOOK = minutes.Path(__file__).parents[2] / "book"


def markdown(text: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(text: str, *tags: str) -> dict:
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": text}


def test_the_stated_minutes_are_the_counted_ones():
    off = [
        f"{path.name}, {part.title}: says {part.stated}, counted {part.counted}"
        for path in sorted(BOOK.glob("*.ipynb"))
        for part in minutes.parts(json.loads(path.read_text("utf-8")))
        if part.stated != part.counted
    ]
    assert off == [], "run tools/minutes.py"


def test_a_chapter_with_parts_states_the_minutes_of_each():
    silent = []
    for path in sorted(BOOK.glob("0*.ipynb")):
        notebook = json.loads(path.read_text("utf-8"))
        stated = {part.title for part in minutes.parts(notebook)}
        first = (cells[0]["source"] for cells in minutes.by_heading(notebook["cells"]))
        titles = [minutes.HEADING.match(source)[2].strip() for source in first]
        in_parts = any(title.startswith("The idea") for title in titles)
        silent += [
            f"{path.name}: {title}"
            for title in titles
            if title.startswith(PARTS) and in_parts and title not in stated
        ]
    assert silent == []


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([markdown("word " * 400)], 2),
        ([markdown("$x + y$ `code` ```\nmore code\n``` [link](https://a.b)")], 1 / 200),
        ([code("a = 1\n\nb = 2", "show")], 8 / 60),
        ([code("a = 1"), code("b = 2", "contract")], 0),
        ([code("AttentionExplorer(model)")], 2),
    ],
)
def test_words_lines_and_explorers_are_counted(cells, expected):
    assert minutes.minutes(cells) == pytest.approx(expected)


def test_a_part_ends_where_the_next_begins_and_a_chapter_holds_them_all(tmp_path):
    words = "word " * 590
    cells = [
        markdown("# Title\n\n*1 minute*\n\n" + words),
        markdown(f"## The idea\n\n*9 minutes*\n\n```\n## no heading\n```\n\n{words}"),
        markdown(f"{words}\n\n## Deeper\n\n{words}"),
    ]
    found = minutes.parts({"cells": cells})
    assert [part.counted for part in found] == [12, 6]
    path = tmp_path / "chapter.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    minutes.fill_in(path)
    written = "".join(json.loads(path.read_text())["cells"][1]["source"])
    assert "*6 minutes*" in written
    assert [part.stated for part in minutes.parts(json.loads(path.read_text()))] == [12, 6]
