"""Grades one submission, in a process of its own: `python -m grading.submission`.

The first line of its standard input says what to grade; the row is its standard output. When the
input ends, whoever started it is gone, and so is it.
"""

import contextlib
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import rows
from .assemble import Assembled, Step, assemble, stem_of
from .course import Assignment, Exercise, load_course
from .files import Submission
from .jail import Jail
from .kernel import Kernel, NoKernel, Outcome
from .limits import Limits
from .notebook import Returned, read
from .rows import Row

REASON_CHARS = 600


@dataclass
class Progress:
    """What has come out of the cells so far."""

    points: dict[str, float] = field(default_factory=dict)  # by test cell
    messages: dict[str, str] = field(default_factory=dict)  # by cell, of those that failed
    status: str = rows.GRADED
    trouble: list[str] = field(default_factory=list)

    def note(self, status: str, sentence: str) -> None:
        order = (rows.GRADED, rows.LIMIT, rows.CRASHED, rows.LOOK)
        self.status = max(self.status, status, key=order.index)
        if sentence not in self.trouble:
            self.trouble.append(sentence)


def main() -> None:
    spec = json.loads(sys.stdin.readline())
    folder = Path(tempfile.mkdtemp(prefix="grade-"))
    threading.Thread(target=_end_with_input, args=[folder], daemon=True).start()
    path = Path(spec["path"])
    notes = tuple(spec["notes"])
    submission = Submission(spec["student"], path, spec["named"], spec["owner"], notes)
    course = load_course(Path(spec["course"]))
    try:
        limits = Limits(**spec["limits"])
        row = grade(submission, course, limits, spec["isolated"], folder, alone=True)
    except Exception as error:
        reason = f"the grader failed, not the student: {type(error).__name__}: {error}"
        row = Row(submission.student, spec["stem"], rows.ERROR, reason[:REASON_CHARS])
    shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(asdict(row)))


def grade(
    submission: Submission, course: dict[str, Assignment], limits: Limits, isolated: bool,
    folder: Path, alone: bool = False,
) -> Row:  # fmt: skip
    """The row of one submission. For `folder` and `alone`, see Jail."""
    start = time.monotonic()
    stem = submission.named or ""
    try:
        notebook = read(submission.path, limits.notebook_mb)
        belongs_to = stem_of(notebook, course)
        stem = stem or belongs_to or ""
        if stem not in course:
            raise Returned("this is not a notebook of the course")
        if belongs_to not in (None, stem):
            raise Returned(f"the file is named {stem}, but it holds the assignment {belongs_to}")
        assignment = course[stem]
        assembled = assemble(notebook, assignment)
        assembled.notes[:0] = submission.notes
    except Returned as returned:
        return Row(submission.student, stem, rows.RETURNED, str(returned))
    jail = Jail(folder, limits, isolated, alone)
    try:
        progress = run(assembled, assignment, jail, submission.owner)
    except NoKernel as error:
        return Row(submission.student, stem, rows.ERROR, str(error))
    row = _row(submission.student, assignment, assembled, progress)
    row.seconds, row.memory_mb = time.monotonic() - start, jail.peak_mb
    return row


def run(assembled: Assembled, assignment: Assignment, jail: Jail, owner: str | None) -> Progress:
    """Run all cells in a kernel of their own.

    Raises:
        NoKernel: it did not start, or the machine ran out of memory.
    """
    progress, killed = Progress(), out_of_memory_kills()
    kernel = Kernel(jail, assignment.about["graded"], owner)
    try:
        for step in assembled.steps:
            if not jail.alive:
                _not_run(progress, step)
            elif step.kind == "test":
                _test(progress, step, kernel, assignment)
            else:
                _judge(progress, step, kernel.run(step.code), jail)
    finally:
        kernel.close()
    if progress.status == rows.CRASHED and out_of_memory_kills() > killed:
        raise NoKernel("the machine ran out of memory; grade again with fewer jobs")
    return progress


def out_of_memory_kills() -> int:
    """How often Linux has ended a process because the machine had no memory left."""
    path = Path("/proc/vmstat")
    lines = path.read_text().splitlines() if path.exists() else []
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def _test(progress: Progress, step: Step, kernel: Kernel, assignment: Assignment) -> None:
    changed = kernel.changed()
    outcome = kernel.run(step.code) if kernel.jail.alive else Outcome("ended")
    changed = changed or (kernel.changed() if kernel.jail.alive else None)
    _judge(progress, step, outcome, kernel.jail)
    if changed:
        sentence = f"the notebook replaces what the tests rely on: {changed}"
        progress.note(rows.LOOK, sentence)
        progress.messages[step.name] = sentence
        progress.points[step.name] = 0.0
    else:
        most = float(assignment.source.labeled[step.name].told["points"])
        progress.points[step.name] = score(most, outcome)


def score(most: float, outcome: Outcome) -> float:
    """The points of a test cell by nbgrader's rule, but a warning costs none.

    A test that raises nothing earns all of its points, or as many as its last line's number says.
    (Importing the rule from nbgrader would take longer than everything else a submission needs.)
    """
    if outcome.how != "ok":
        return 0.0
    for output in outcome.outputs:
        if output.kind == "execute_result":
            with contextlib.suppress(ValueError):
                points = float(output.text)
                return 0.0 if points > most else points if points >= 0 else most
    return most


def _judge(progress: Progress, step: Step, outcome: Outcome, jail: Jail) -> None:
    """Keep what a cell's failure says, in words for its author."""
    limits, where = jail.limits, f"cell {step.name!r}"
    name, text = outcome.error
    if outcome.how == "time":
        message = f"it ran longer than {limits.cell_seconds:g} s and was interrupted"
        progress.note(rows.LIMIT, f"{where}: {message}")
    elif outcome.how == "ended" and jail.ended_by:
        message = jail.ended_by
        progress.note(rows.LIMIT, f"{where}: {message}")
    elif outcome.how == "ended":
        message = "it ended the kernel"
        progress.note(rows.CRASHED, f"{where}: {message}")
    elif name == "MemoryError" or "can't allocate memory" in text:
        message = f"it used more than {limits.memory_mb} MB of memory"
        progress.note(rows.LIMIT, f"{where}: {message}")
    else:
        message = text if name == "AssertionError" and text else f"{name}: {text}"
    if outcome.how != "ok":
        progress.messages.setdefault(step.name, message)
    if jail.ended_by and outcome.how != "ended":
        progress.note(rows.LIMIT, jail.ended_by)


def _not_run(progress: Progress, step: Step) -> None:
    if step.kind == "test":
        progress.points[step.name] = 0.0
        progress.messages[step.name] = "not run, because the kernel had ended"


def _row(student: str, assignment: Assignment, assembled: Assembled, progress: Progress) -> Row:
    row = Row(student, assignment.stem, progress.status, notes=assembled.notes)
    row.code, row.written = assembled.code, assembled.written
    for exercise in assignment.exercises:
        row.most[exercise.name] = exercise.points
        row.points[exercise.name] = _points(exercise, assembled, progress)
        message = _message(exercise, assembled, progress, row.points[exercise.name])
        if message:
            row.messages[exercise.name] = message
    row.reason = _reason(row, progress, assembled)
    return row


def _points(exercise: Exercise, assembled: Assembled, progress: Progress) -> float | None:
    if exercise.tests:
        return sum(progress.points.get(test, 0.0) for test in exercise.tests)
    return None if assembled.written.get(exercise.name) else 0.0


def _message(
    exercise: Exercise, assembled: Assembled, progress: Progress, points: float | None
) -> str:
    if points is None:
        return "for a person to grade"
    if points >= exercise.points:
        return ""
    if exercise.name in assembled.untouched:
        return "not attempted"
    said = (progress.messages.get(cell) for cell in (exercise.name, *exercise.tests))
    return next((message for message in said if message), "")


def _reason(row: Row, progress: Progress, assembled: Assembled) -> str:
    parts = [*progress.trouble, *row.notes]
    if set(row.messages.values()) == {"not attempted"} and not row.total:
        return "; ".join([*parts, "nothing was attempted"])
    told = " ".join(parts)
    for name, message in row.messages.items():
        if message not in told and name not in row.waiting:
            parts.append(f"{name}: {gist(message)}")
    reason = "; ".join(parts)
    return reason if len(reason) <= REASON_CHARS else f"{reason[:REASON_CHARS]} …"


def gist(message: str) -> str:
    """A message in one line: the likely cause, if it names one."""
    cause = message.partition("likely cause:")[2] or message
    return " ".join(cause.split())[:200]


def _end_with_input(folder: Path) -> None:
    sys.stdin.read()
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, 9)


if __name__ == "__main__":
    main()
