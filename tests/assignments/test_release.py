"""What students get: current, without solutions, and the same however often it is made."""

import ast
import re

import nbformat
import pytest
from coursework import FOLDER, STEMS, full_points, grade_id, module, release, solutions, source

make = module("release.py")
HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS", re.DOTALL)

LONGER = {"generator": 240}  # the final project


@pytest.mark.parametrize("stem", STEMS)
def test_the_released_notebook_is_current(stem):
    """`make release` makes it again."""
    assert make.release_path(stem).read_text("utf-8") == make.release_text(stem)


def test_every_released_notebook_has_a_source_and_is_listed():
    assert sorted(path.name for path in (FOLDER / "release").iterdir()) == STEMS
    assert set(STEMS) <= set(make.STEMS)


@pytest.mark.parametrize("stem", STEMS)
def test_no_solution_and_no_hidden_test_is_released(stem):
    text = nbformat.writes(release(stem))
    assert not re.search("BEGIN|END (SOLUTION|HIDDEN)", text)
    kept = {line.strip() for cell in release(stem).cells for line in cell.source.splitlines()}
    for cell in source(stem).cells:
        for test in HIDDEN.findall(cell.source):
            assert not {line.strip() for line in test.splitlines() if line.strip()} & kept
    for name, solution in solutions(stem).items():
        stub = next(c.source for c in release(stem).cells if grade_id(c) == name)
        assert stub != solution
        assert "...  # your code here" in stub
    written = [c for c in release(stem).cells if grade_id(c) == "written"]
    assert [c.source for c in written] == ["*Your answer here.*"]


@pytest.mark.parametrize("stem", STEMS)
def test_the_handout_says_what_the_metadata_says(stem):
    notebook = source(stem)
    meta, title = notebook.metadata.oneprompt, notebook.cells[0].source
    graded = [c.metadata.nbgrader for c in notebook.cells if "nbgrader" in c.metadata]
    assert sum(m.get("points", 0) for m in graded) == meta.points
    rows = re.findall(r"^\| (.+?) \| \**(\d+)\** \|$", title, re.MULTILINE)
    assert sum(int(points) for _, points in rows[:-1]) == int(rows[-1][1]) == meta.points
    assert 60 <= meta.minutes <= LONGER.get(stem, 90)
    assert f"about {meta.minutes} minutes" in title
    assert all(f"- {goal}\n" in title for goal in meta.goals)
    headings = [re.search(r"^## .*?\((\d+) points\)", c.source) for c in notebook.cells]
    assert sum(int(found[1]) for found in headings if found) == meta.points


@pytest.mark.parametrize("stem", STEMS)
def test_the_notebook_withholds_what_it_grades(stem):
    """The metadata names it for the grader, and the set-up cell takes it away."""
    setup = next(c.source for c in source(stem).cells if grade_id(c) == "setup")
    call = ast.parse(setup).body[-1].value
    assert call.func.id == "withhold"
    assert [argument.value for argument in call.args] == source(stem).metadata.oneprompt.graded


@pytest.mark.parametrize("stem", STEMS)
def test_every_solution_has_a_visible_test_and_every_hidden_one_begins_with_it(stem):
    tests = {grade_id(c): c.source for c in source(stem).cells if grade_id(c) in full_points(stem)}
    for name in set(solutions(stem)) - {"by-hand"}:
        visible, hidden = tests[f"{name}-visible"], tests[f"{name}-hidden"]
        assert "HIDDEN" not in visible
        assert HIDDEN.sub("", hidden).partition("\n")[2].strip() == visible
    assert "by-hand-test" in tests


@pytest.mark.parametrize("stem", STEMS)
def test_rubrics_add_up_to_the_points_of_the_question(stem):
    cells = {grade_id(c): c for c in source(stem).cells}
    rows = re.findall(r"^\|.*\| (\d+) \|$", cells["written-text"].source, re.MULTILINE)
    assert sum(map(int, rows)) == cells["written"].metadata.nbgrader.points


def test_released_notebooks_install_from_the_address_in_the_settings():
    config = (FOLDER.parent / "_config.yml").read_text("utf-8")
    address = re.search(r"url: (https://github\S+)", config)[1]
    assert all(f"git+{address}" in nbformat.writes(release(stem)) for stem in STEMS)
