"""Grade an assignment in this process: its test cells, with solutions put into its source."""

import contextlib
import importlib.util
import io
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import nbformat

from oneprompt.checks.coursework import restore

FOLDER = Path(__file__).resolve().parents[2] / "assignments"
STEMS = sorted(path.name for path in (FOLDER / "source").iterdir() if path.is_dir())
MARKS = re.compile(r"^ *### (?:BEGIN|END) SOLUTION\n?", re.MULTILINE)
Edit = str | tuple[str, str]  # a cell's new source, or what to replace in its solution, and by what


class Mutant(NamedTuple):
    """A solution, wrong or right in another way, and what the tests must say to it.

    Attributes:
        name: the mistake.
        points: what its automatic tests give together.
        says: words that one of their messages contains; "" if none fails.
        edits: solution cell -> Edit. The other cells have the right solution.
    """

    name: str
    points: int
    says: str
    edits: dict[str, Edit]


class Result(NamedTuple):
    """What one test cell gave."""

    points: int
    message: str


@cache
def module(path: str) -> ModuleType:
    """A Python file in `assignments/`, imported from where it is."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, FOLDER / path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@cache
def source(stem: str) -> nbformat.NotebookNode:
    return nbformat.read(module("release.py").source_path(stem), as_version=4)


@cache
def release(stem: str) -> nbformat.NotebookNode:
    return nbformat.read(module("release.py").release_path(stem), as_version=4)


def grade_id(cell) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def cells(stem: str, kind: str) -> Iterator:
    """The cells of a source that nbgrader marks as "grade" or "solution"."""
    return (c for c in source(stem).cells if c.metadata.get("nbgrader", {}).get(kind))


def full_points(stem: str) -> dict[str, int]:
    """Automatic test -> its points."""
    return {
        grade_id(c): c.metadata.nbgrader.points
        for c in cells(stem, "grade")
        if c.cell_type == "code"
    }


def solutions(stem: str) -> dict[str, str]:
    """Solution cell -> its right solution."""
    return {
        grade_id(c): MARKS.sub("", c.source)
        for c in cells(stem, "solution")
        if c.cell_type == "code"
    }


def stubs(stem: str) -> dict[str, str]:
    """Solution cell -> what students get of it."""
    return {grade_id(c): c.source for c in release(stem).cells if grade_id(c) in solutions(stem)}


def edited(stem: str, edits: Mapping[str, Edit]) -> dict[str, str]:
    """The right solutions, with some of them changed."""
    result = solutions(stem)
    for name, edit in edits.items():
        if isinstance(edit, tuple):
            old, new = edit
            assert result[name].count(old) == 1, f"{old!r} is not once in {name}"
            edit = result[name].replace(old, new)
        assert edit != result[name], f"{name} is not changed"
        result[name] = edit
    return result


def grade(stem: str, answers: Mapping[str, str], student: str = "ada") -> dict[str, Result]:
    """Run the notebook with these solution cells, and give what each of its tests gave."""
    namespace, results, points = {"__name__": "__main__"}, {}, full_points(stem)
    texts = dict(answers) | {"student": f"student = {student!r}"}
    try:
        for cell in source(stem).cells:
            name = grade_id(cell) or cell.id.removeprefix(f"{stem}-")
            if cell.cell_type == "code" and name != "install":
                message = _run(texts.get(name, cell.source), namespace)
                is_ours = cell.metadata.get("nbgrader", {}).get("locked") and name not in points
                assert not (message and is_ours), f"{name}: {message}"
                if name in points:
                    results[name] = Result(0 if message else points[name], message)
    finally:
        restore()
    return results


def _run(code: str, namespace: dict) -> str:
    """What an exception said, or "" if there was none."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code, "<cell>", "exec"), namespace)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def total(results: Mapping[str, Result]) -> int:
    return sum(result.points for result in results.values())
