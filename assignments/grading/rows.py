"""What grading one submission found: a row.

Each row is a file of its own, written in one go. So an interruption loses none and doubles none,
and the rows of several machines are merged by copying them together.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote

GRADED = "graded"  # every cell ran
LIMIT = "limit"  # a limit stopped cells or all of it; what ran before counts
CRASHED = "crashed"  # the submission ended its own kernel; what ran before counts
LOOK = "look"  # something was done to the tests: a person should look
RETURNED = "returned"  # the file cannot be graded; no points, and not zero either
ERROR = "ERROR"  # our trouble: no points; it is graded again on the next call
MISSING = "missing"  # on the list of students, and nothing handed in


@dataclass
class Row:
    student: str
    stem: str
    status: str
    reason: str = ""
    points: dict[str, float | None] = field(default_factory=dict)  # None: for a person to grade
    most: dict[str, float] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)  # by exercise
    notes: list[str] = field(default_factory=list)
    code: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    memory_mb: int = 0
    file: str = ""
    key: str = ""  # of the file, the assignment and the limits: the same is not graded again

    @property
    def total(self) -> float | None:
        """The points so far; None when there is nothing to add up."""
        given = [points for points in self.points.values() if points is not None]
        return sum(given) if given else None

    @property
    def waiting(self) -> list[str]:
        return [name for name, points in self.points.items() if points is None]


def row_path(out: Path, stem: str, student: str) -> Path:
    return out / stem / "rows" / f"{quote(student, safe=' ')}.json"


def save(row: Row, out: Path) -> None:
    path = row_path(out, row.stem, row.student)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    unfinished.write_text(json.dumps(asdict(row), indent=1, ensure_ascii=False), encoding="utf-8")
    unfinished.replace(path)


def load(path: Path) -> Row:
    return Row(**json.loads(path.read_text(encoding="utf-8")))


def load_rows(out: Path, stem: str) -> list[Row]:
    rows = map(load, (out / stem / "rows").glob("*.json"))
    return sorted(rows, key=lambda row: (row.student.casefold(), row.student))


def stems(out: Path) -> list[str]:
    return sorted(path.parent.name for path in out.glob("*/rows"))


def merge(folders: list[Path], out: Path) -> None:
    """Copy the rows of several folders together.

    Raises:
        SystemExit: two folders have different rows of one student.
    """
    for folder in folders:
        for stem in stems(folder):
            for row in load_rows(folder, stem):
                path = row_path(out, stem, row.student)
                if path.exists() and load(path).key != row.key and ERROR not in (
                    row.status, load(path).status,
                ):  # fmt: skip
                    raise SystemExit(f"{row.student!r} has two different rows for {stem!r}.")
                if not path.exists() or load(path).status == ERROR:
                    save(row, out)


def number(points: float | None) -> str:
    return "" if points is None else f"{points:g}"


def plain(cell) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = str(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
