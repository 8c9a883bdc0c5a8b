"""Grades many submissions, several at a time, and goes on where it was interrupted."""

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tqdm import tqdm

from . import rows
from .assemble import stem_of
from .course import Assignment
from .files import UNRECOGNIZED, Roster, Submission
from .limits import PATIENT, Limits
from .notebook import Returned, read
from .rows import Row

ASSIGNMENTS = Path(__file__).resolve().parents[1]
SPARE_SECONDS = 60  # for what surrounds the kernel of a submission


@dataclass(frozen=True)
class Plan:
    """How a batch is graded."""

    course_folder: Path
    course: dict[str, Assignment]
    out: Path
    limits: Limits
    isolated: bool
    jobs: int = 1


@dataclass(frozen=True)
class Task:
    submission: Submission
    stem: str
    key: str


def grade_all(submissions: list[Submission], plan: Plan, roster: Roster, only=None) -> set[str]:
    """Grade what is not graded yet; the stems of all that was submitted."""
    tasks = assign(submissions, plan, only)
    waiting = [task for task in tasks if not done(task, plan.out)]
    if len(waiting) < len(tasks):
        print(f"{len(tasks) - len(waiting)} of {len(tasks)} are graded already.", flush=True)
    with ThreadPoolExecutor(plan.jobs) as pool:
        running = [pool.submit(grade_one, task, plan) for task in waiting]
        try:
            for future in tqdm(as_completed(running), total=len(running), unit="notebook"):
                rows.save(future.result(), plan.out)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    stems = {task.stem for task in tasks} | ({only} if only else set())
    for stem in stems - {UNRECOGNIZED}:
        add_missing(stem, {task.submission.student for task in tasks if task.stem == stem},
                    roster, plan.out)  # fmt: skip
    return stems


def assign(submissions: list[Submission], plan: Plan, only: str | None) -> list[Task]:
    """One task per student and assignment: by the file's name, else by the cells in it."""
    found: dict[tuple[str, str], list[Submission]] = {}
    for submission in submissions:
        stem = submission.named or _recognize(submission, plan)
        if stem is None:
            stem = only or (next(iter(plan.course)) if len(plan.course) == 1 else UNRECOGNIZED)
        elif submission.named is None:
            note = f"the file is named {submission.path.name!r}; its cells say that it is {stem}"
            submission = replace(submission, named=stem, notes=(note,))
        if only in (None, stem):
            found.setdefault((submission.student, stem), []).append(submission)
    return [
        Task(chosen, stem, key(chosen, stem, plan))
        for (_, stem), files in found.items()
        for chosen in [_choose(files, stem)]
    ]


def _recognize(submission: Submission, plan: Plan) -> str | None:
    try:
        return stem_of(read(submission.path, plan.limits.notebook_mb), plan.course)
    except (Returned, OSError):
        return None


def _choose(files: list[Submission], stem: str) -> Submission:
    """The file to grade when a student has several for one assignment."""
    if len(files) == 1:
        return files[0]
    exact = [file for file in files if file.path.stem == stem] or [
        file for file in files if file.named == stem
    ]
    chosen = (exact or files)[-1]
    others = ", ".join(file.path.name for file in files if file is not chosen)
    return replace(chosen, notes=(*chosen.notes, f"other files were not graded: {others}"))


def key(submission: Submission, stem: str, plan: Plan) -> str:
    """Changes with the file, the assignment and the limits, and then it is graded again."""
    digest = hashlib.sha256()
    if submission.path.exists():
        digest.update(submission.path.read_bytes())
    assignment = plan.course.get(stem)
    settings = (submission.owner, assignment and assignment.digest, asdict(plan.limits))
    digest.update(repr(settings).encode())
    return digest.hexdigest()


def done(task: Task, out: Path) -> bool:
    path = rows.row_path(out, task.stem, task.submission.student)
    if not path.exists():
        return False
    row = rows.load(path)
    return row.key == task.key and row.status != rows.ERROR


def grade_one(task: Task, plan: Plan) -> Row:
    """Grade in a process of its own, which cannot outlive this one."""
    submission = task.submission
    try:
        row = _worker(task, plan)
    except (OSError, ValueError, TypeError, subprocess.SubprocessError) as error:
        row = Row(submission.student, task.stem, rows.ERROR, f"the grader failed: {error}"[:600])
    row.stem, row.key, row.file = task.stem, task.key, submission.path.name
    return row


def _worker(task: Task, plan: Plan) -> Row:
    submission, limits = task.submission, plan.limits
    spec = {
        "student": submission.student, "path": str(submission.path.resolve()), "stem": task.stem,
        "named": submission.named, "owner": submission.owner, "notes": submission.notes,
        "course": str(plan.course_folder.resolve()), "limits": asdict(limits),
        "isolated": plan.isolated,
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "grading.submission"], cwd=ASSIGNMENTS, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    process.stdin.write(json.dumps(spec) + "\n")
    process.stdin.flush()
    limits_together = limits.start_seconds + limits.seconds
    try:
        output, errors = _wait(process, PATIENT * limits_together + SPARE_SECONDS)
    finally:
        process.stdin.close()  # the worker ends itself and its kernel
        process.wait(timeout=30)
    if process.returncode:
        raise ValueError(errors.strip()[-300:] or f"its process ended with {process.returncode}")
    return Row(**json.loads(output))


def add_missing(stem: str, seen: set[str], roster: Roster, out: Path) -> None:
    """A row for each student on the list who handed nothing in."""
    for student in roster.rows:
        if student not in seen and not rows.row_path(out, stem, student).exists():
            rows.save(Row(student, stem, rows.MISSING, "nothing was handed in"), out)


def _wait(process: subprocess.Popen, seconds: float) -> list[str]:
    """All that a process puts out and says of errors, while its input stays open."""
    with ThreadPoolExecutor(2) as pool:
        streams = [pool.submit(stream.read) for stream in (process.stdout, process.stderr)]
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return [stream.result() for stream in streams]
