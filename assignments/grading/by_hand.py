"""Written answers: a table in which a person enters points, and the rows with these points.

grade.py writes OUT/<assignment>/by_hand.csv, with an empty column `points`. Whatever is entered
there stays, as long as the answer beside it does.
"""

import csv
from pathlib import Path

from .rows import Row, load_rows, plain

HEADER = ("student", "exercise", "points", "of", "answer")


def results(out: Path, stem: str) -> list[Row]:
    """All rows of an assignment, with the points that a person has entered.

    Raises:
        SystemExit: what was entered is no number, or more than the exercise has.
    """
    rows, entered = load_rows(out, stem), _entered(out / stem / "by_hand.csv")
    for row in rows:
        for name in row.waiting:
            text = entered.get((row.student, name, _answer(row, name)), "")
            if text:
                row.points[name] = _points(text, row, name)
                row.messages.pop(name, None)
    return rows


def write_table(out: Path, stem: str) -> int:
    """by_hand.csv, with all answers that a person grades; how many have no points yet."""
    path = out / stem / "by_hand.csv"
    entered, waiting, lines = _entered(path), 0, []
    for row in load_rows(out, stem):
        for name in row.waiting:
            key = (row.student, name, _answer(row, name))
            points = entered.get(key, "")
            waiting += not points
            lines.append((plain(row.student), name, points, f"{row.most[name]:g}", key[2]))
    if lines or path.exists():
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([HEADER, *lines])
    return waiting


def _answer(row: Row, name: str) -> str:
    return plain(row.written.get(name, "").replace("\r\n", "\n"))


def _entered(path: Path) -> dict[tuple[str, str, str], str]:
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        return {
            (
                line["student"].removeprefix("'"),
                line["exercise"],
                line["answer"].replace("\r\n", "\n"),
            ): line["points"].strip()
            for line in csv.DictReader(file)
        }


def _points(text: str, row: Row, name: str) -> float:
    where = f"by_hand.csv, {row.student}, {name}"
    try:
        points = float(text.replace(",", "."))
    except ValueError:
        raise SystemExit(f"{where}: {text!r} is not a number of points.") from None
    if not 0 <= points <= row.most[name]:
        raise SystemExit(f"{where}: {text} is not between 0 and {row.most[name]:g}.")
    return points
