"""`make book` says what it does: its steps, and a line for each notebook."""

import re

from pages import NOTEBOOKS


def test_the_build_names_each_notebook_and_how_long_it_took(book_build):
    assert "Step 2 of 3: the notebooks" in book_build.stdout
    assert "Step 3 of 3: the pages" in book_build.stdout
    lines = re.findall(r"^ +(\d+) of (\d+)  (\S+) \(\d+ s\)$", book_build.stdout, re.MULTILINE)
    counted = [int(place) for place, _, _ in lines]
    assert counted == list(range(1, len(lines) + 1))
    assert {name for _, _, name in lines} <= set(NOTEBOOKS)
    assert {int(total) for _, total, _ in lines} <= {len(lines)}
