"""The assignments of a course, as its source notebooks define them."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .notebook import Cell, Notebook, read

HIDDEN = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
OURS_MB = 100  # our own notebooks may be as large as they like


@dataclass(frozen=True)
class Exercise:
    """A solution cell and the test cells that follow it, or a written question, which has none."""

    name: str  # the grade_id of the solution cell
    points: float
    tests: tuple[str, ...]  # grade_ids


@dataclass(frozen=True)
class Assignment:
    """One assignment: `source` has tests and solutions, `release` is what students get."""

    stem: str
    source: Notebook
    release: Notebook
    digest: str  # of both files: a new version grades anew

    @property
    def about(self) -> dict:
        """The title, and the names of the graded functions, which nobody may call meanwhile."""
        return {"title": self.stem, "graded": []} | self.source.metadata.get("oneprompt", {})

    @cached_property
    def untouched(self) -> dict[str, str]:
        """What each cell holds before a student has written anything."""
        return {name: cell.source for name, cell in self.release.labeled.items()}

    @cached_property
    def ids(self) -> dict[str, str]:
        """The name of each cell by its id, for notebooks that have lost their metadata."""
        return {cell.id: cell.name for cell in self.release.cells if cell.id}

    @cached_property
    def exercises(self) -> tuple[Exercise, ...]:
        return tuple(_exercises(self.source.labeled))

    @cached_property
    def hidden_lines(self) -> frozenset[str]:
        """The lines of the hidden tests, which no student may get to see."""
        cells = self.source.labeled.values()
        return frozenset(line for cell in cells for line in _hidden(cell.source))


def load_course(folder: Path) -> dict[str, Assignment]:
    """All assignments of a course folder, by stem.

    Raises:
        SystemExit: there is none, or one has not been released.
    """
    found = sorted((folder / "source").glob("*/*.ipynb"))
    stems = [path.stem for path in found if path.stem == path.parent.name]
    if not stems:
        raise SystemExit(f"{folder} has no assignments: source/<name>/<name>.ipynb is missing.")
    return {stem: _load(folder, stem) for stem in stems}


def _load(folder: Path, stem: str) -> Assignment:
    source = folder / "source" / stem / f"{stem}.ipynb"
    release = folder / "release" / stem / f"{stem}.ipynb"
    if not release.exists():
        raise SystemExit(f"{release} is missing: run `make release` first.")
    digest = hashlib.sha256(source.read_bytes() + release.read_bytes()).hexdigest()
    return Assignment(stem, read(source, OURS_MB), read(release, OURS_MB), digest)


def _exercises(cells: dict[str, Cell]) -> list[Exercise]:
    tests: dict[str, list[str]] = {}
    current = ""
    for name, cell in cells.items():
        if cell.is_solution:
            current = name
            tests.setdefault(name, [])
        elif cell.is_test:
            tests.setdefault(current or name, []).append(name)
    exercises = []
    for name, own in tests.items():
        scored = own or ([name] if cells[name].is_written else [])
        points = sum(float(cells[test].told["points"]) for test in scored)
        if scored:
            exercises.append(Exercise(name, points, tuple(own)))
    return exercises


def _hidden(source: str) -> list[str]:
    begin, end = HIDDEN
    inside, lines = False, []
    for line in source.splitlines():
        if begin in line or end in line:
            inside = begin in line
        elif inside and len(line.strip()) > 10:
            lines.append(line.strip())
    return lines
