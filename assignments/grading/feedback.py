"""Feedback for a student, as a page of its own: points, what failed and why, and the code.

It holds nothing of the tests but what they say about an answer. Whatever of a hidden test the
student's code managed to put into a message is taken out.
"""

from html import escape
from pathlib import Path
from urllib.parse import quote

from .by_hand import results
from .course import Assignment
from .rows import Row, number

REMOVED = "(a line of the tests)"
PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto }}
body {{ padding: 0 1rem }}
table {{ border-collapse: collapse }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0 }}
pre {{ overflow-x: auto; padding: .6rem; background: #f3f3f3; color: #111 }}
</style>
<h1>{title}</h1>
<p>{student}: {total}</p>
{notes}
{exercises}
</html>
"""


def write_feedback(out: Path, assignment: Assignment) -> None:
    """One page per student."""
    folder = out / assignment.stem / "feedback"
    folder.mkdir(parents=True, exist_ok=True)
    for row in results(out, assignment.stem):
        page = without(assignment.hidden_lines, feedback(row, assignment))
        (folder / f"{quote(row.student, safe=' ')}.html").write_text(page, encoding="utf-8")


def feedback(row: Row, assignment: Assignment) -> str:
    """A row as a page."""
    told = [row.reason] if not row.most and row.reason else row.notes
    return PAGE.format(
        title=escape(f"Feedback: {assignment.about['title']}"),
        student=escape(row.student),
        total=escape(_total(row)),
        notes="\n".join(f"<p>Note: {escape(note)}</p>" for note in told),
        exercises="\n".join(_exercise(row, name) for name in row.most),
    )


def without(hidden: frozenset[str], page: str) -> str:
    """A page without the lines of hidden tests, however they got into it."""
    for line in sorted(hidden, key=len, reverse=True):
        for form in (escape(line), escape(repr(line)[1:-1]), escape(escape(line)), line):
            page = page.replace(form, REMOVED)
    return page


def _total(row: Row) -> str:
    if row.total is None:
        return f"no points yet ({row.status})"
    waiting = f"; still to be graded by a person: {', '.join(row.waiting)}" if row.waiting else ""
    return f"{number(row.total)} of {number(sum(row.most.values()))} points{waiting}"


def _exercise(row: Row, name: str) -> str:
    points = row.points.get(name)
    given = "to be graded" if points is None else f"{number(points)} of {number(row.most[name])}"
    parts = [f"<h2>{escape(name)}: {escape(given)}</h2>"]
    if row.messages.get(name):
        parts.append(f"<pre>{escape(row.messages[name])}</pre>")
    answer = row.code.get(name) or row.written.get(name)
    if answer:
        code = f"<pre>{escape(answer)}</pre>"
        parts.append(f"<details><summary>Your answer</summary>{code}</details>")
    return "\n".join(parts)
