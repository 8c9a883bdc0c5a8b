"""Finds submissions in the shapes in which they arrive: nbgrader's folders and LMS downloads."""

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

UNRECOGNIZED = "unrecognized"  # the stem of what belongs to no assignment
MOODLE = re.compile(r"(?P<name>.+_\d+)_assignsubmission_\w+")
CANVAS = re.compile(r"(?P<name>.+?)(_LATE)?_(?P<user>\d+)_\d+")
COPY = re.compile(r"(-\d+| ?\(\d+\))$")  # what browsers and Canvas add to a name that is taken


@dataclass(frozen=True)
class Submission:
    """One file of one student. `named` is the assignment in its name, if there is one."""

    student: str
    path: Path
    named: str | None
    owner: str | None  # the id that the student's notebook should hold; None when unknown
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roster:
    """The list of students: id -> the row of the CSV file, which has at least `student`."""

    rows: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def by_folder(self) -> dict[str, str]:
        return {row.get("folder") or student: student for student, row in self.rows.items()}


def read_roster(path: Path | None) -> Roster:
    """A CSV file with a column `student`; `folder` where a download uses another name.

    Raises:
        SystemExit: the column is missing.
    """
    if path is None:
        return Roster()
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if not rows or "student" not in rows[0]:
        raise SystemExit(f"{path} needs a column named student.")
    return Roster({row["student"].strip(): row for row in rows})


def find(folder: Path, stems: list[str], roster: Roster) -> list[Submission]:
    """All notebooks of a folder of submissions.

    Raises:
        SystemExit: there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise SystemExit(f"{folder} is not a folder of submissions.")
    found = []
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            found += _in_folder(entry, stems, roster)
        elif entry.suffix == ".ipynb":
            found.append(_flat(entry, stems, roster))
    if not found:
        raise SystemExit(f"{folder} is empty: <student>/<assignment>.ipynb is expected in it.")
    return found


def _in_folder(folder: Path, stems: list[str], roster: Roster) -> list[Submission]:
    moodle = MOODLE.fullmatch(folder.name)
    student, owner = _who(moodle["name"] if moodle else folder.name, folder.name, moodle, roster)
    files = [
        path for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.parts[-3:])
    ]  # fmt: skip
    notebooks = [path for path in files if path.suffix == ".ipynb"]
    return [
        Submission(student, path, _stem(path.stem, stems), owner)
        for path in notebooks or files[:1] or [folder / "nothing.ipynb"]
    ]


def _flat(path: Path, stems: list[str], roster: Roster) -> Submission:
    name = COPY.sub("", path.stem)
    named = next((stem for stem in stems if name.endswith(f"_{stem}")), None)
    head = name.removesuffix(f"_{named}") if named else name
    canvas = CANVAS.fullmatch(head)
    key = f"{canvas['name']}_{canvas['user']}" if canvas else head
    student, owner = _who(key, path.name, canvas, roster)
    return Submission(student, path, named, owner)


def _who(key: str, name: str, from_lms, roster: Roster) -> tuple[str, str | None]:
    """The student, and the id that the notebook should hold: an LMS's names are not such ids."""
    student = roster.by_folder.get(name) or roster.by_folder.get(key)
    if student:
        return student, student
    return key, None if from_lms else key


def _stem(name: str, stems: list[str]) -> str | None:
    bare = COPY.sub("", name)
    return bare if bare in stems else None
