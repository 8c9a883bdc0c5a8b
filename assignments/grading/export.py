"""Grades as Canvas and Moodle import them, beside the ids under which they know the students.

The ids come from a table that the LMS itself exports, so nobody types them:

- Canvas: Grades, Export. Its import needs a student's ID (or SIS ids), the section, and a column
  named like the assignment, "Attention (1234)"; a second line holds the points possible.
- Moodle, gradebook: Grades, Export, Plain text file. Its import maps one identity column and the
  columns of grades and feedback by name.
- Moodle, one assignment: the grading worksheet ("Download grading worksheet"), which is uploaded
  again with Grade and Feedback comments filled in.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .by_hand import results
from .rows import Row, number, plain

CANVAS_IDENTITY = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
MOODLE_IDENTITY = ("First name", "Last name", "Surname", "ID number", "Email address", "Username")
KEYS = ("ID", "SIS Login ID", "SIS User ID", "Email address", "ID number", "Username", "Identifier")


@dataclass(frozen=True)
class Export:
    """A table to import, and what could not be put into it."""

    lines: list[list[str]]
    unknown: list[str]  # students of ours whom the LMS's table does not have
    unfinished: list[str]  # students without points, or with answers still to be graded


def canvas(out: Path, stem: str, ids: list[dict], column: str) -> Export:
    """Canvas's gradebook import, for the assignment that Canvas calls `column`."""
    found, unknown, unfinished = matched(results(out, stem), ids)
    identity = [name for name in CANVAS_IDENTITY if name in ids[0]]
    most = next((number(sum(row.most.values())) for row, _ in found), "")
    possible = ["    Points Possible" if name == "Student" else "" for name in identity]
    lines = [[*identity, column], [*possible, most]]
    lines += [[*(line[name] for name in identity), number(row.total)] for row, line in found]
    return Export(lines, unknown, unfinished)


def moodle(out: Path, stem: str, ids: list[dict], column: str) -> Export:
    """Moodle's grade import, or its grading worksheet when the ids come from one."""
    found, unknown, unfinished = matched(results(out, stem), ids)
    if "Identifier" in ids[0]:
        header = list(ids[0])
        fill = _worksheet
    else:
        identity = [name for name in MOODLE_IDENTITY if name in ids[0]]
        header = [*identity, column, f"{column} (feedback)"]
        fill = _gradebook(column)
    lines = [[fill(row, line).get(name, "") for name in header] for row, line in found]
    return Export([header, *lines], unknown, unfinished)


def read_ids(path: Path) -> list[dict[str, str]]:
    """The students in a table that Canvas or Moodle has exported.

    Raises:
        SystemExit: none of its columns identifies a student.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = [{key.strip(): value for key, value in line.items() if key}
                 for line in csv.DictReader(file)]  # fmt: skip
    lines = [line for line in lines if any(line.get(key) for key in KEYS)]
    if not lines:
        raise SystemExit(f"{path} has none of the columns {', '.join(KEYS)}.")
    return lines


def matched(rows: list[Row], ids: list[dict]) -> tuple[list[tuple[Row, dict]], list, list]:
    """Each row with points beside its student's ids; students not found; students not finished.

    A student of ours is found by any of the ids, or by the number in the name of a download.
    """
    by_key = {}
    for line in ids:
        for key in filter(None, (line.get(name, "").strip() for name in KEYS)):
            by_key[key.casefold().removeprefix("participant ")] = line
    found, unknown, unfinished = [], [], []
    for row in rows:
        names = (row.student, row.student.rpartition("_")[2])
        line = next((by_key[n.casefold()] for n in names if n.casefold() in by_key), None)
        if line is None:
            unknown.append(row.student)
        elif row.total is None or row.waiting:
            unfinished.append(row.student)
        else:
            found.append((row, line))
    return found, unknown, unfinished


def write(export: Export, path: Path) -> None:
    lines = [[plain(cell) for cell in line] for line in export.lines]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(lines)


def comment(row: Row) -> str:
    """What a student is told beside the points, in one line."""
    parts = (
        f"{name} {number(points)}/{number(row.most[name])}" for name, points in row.points.items()
    )
    return "; ".join([*parts, *filter(None, [row.reason])])


def _gradebook(column: str) -> Callable[[Row, dict], dict]:
    return lambda row, line: line | {
        column: number(row.total), f"{column} (feedback)": comment(row),
    }  # fmt: skip


def _worksheet(row: Row, line: dict) -> dict:
    return line | {"Grade": number(row.total), "Feedback comments": comment(row)}
