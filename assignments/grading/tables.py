"""The rows of an assignment as tables: grades.csv for a spreadsheet, grades.txt to read."""

import csv
from pathlib import Path

from .by_hand import results
from .rows import Row, number, plain


def write(out: Path, stem: str) -> None:
    """Write both tables."""
    rows = results(out, stem)
    exercises = list(dict.fromkeys(name for row in rows for name in row.most))
    end = ["reason", "seconds", "memory_mb", "file"]
    header = ["student", "status", "total", "of", *exercises, "by hand", *end]
    lines = [_line(row, exercises) for row in rows]
    with (out / stem / "grades.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *([plain(cell) for cell in line] for line in lines)])
    text = table([header[:-3], *(line[:-3] for line in lines)])
    (out / stem / "grades.txt").write_text(text, encoding="utf-8")


def table(lines: list[list]) -> str:
    """Columns side by side; the last one, the reason, as long as it is."""
    cells = [[" ".join(str(cell).split()) for cell in line] for line in lines]
    widths = [max(map(len, column)) for column in list(zip(*cells, strict=True))[:-1]]
    rows = (
        "  ".join([*map(str.ljust, line[:-1], widths), line[-1]]).rstrip() for line in cells
    )  # fmt: skip
    return "\n".join(rows) + "\n"


def _line(row: Row, exercises: list[str]) -> list[str]:
    points = [number(row.points.get(name)) for name in exercises]
    most = number(sum(row.most.values()) if row.most else None)
    seconds, memory = f"{row.seconds:.1f}", str(row.memory_mb)
    ends = [row.reason, seconds, memory, row.file]
    by_hand = ", ".join(row.waiting)  # what a person has still to grade
    return [row.student, row.status, number(row.total), most, *points, by_hand, *ends]
