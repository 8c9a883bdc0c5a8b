"""Graded batches that several tests read."""

import csv
import hashlib
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import submissions
import tiny_course
from grade_runs import run_grade
from grading import jail, rows


@pytest.fixture(scope="session")
def isolation():
    if reason := jail.missing_isolation():
        pytest.skip(f"this machine cannot isolate submissions: {reason}")


@dataclass
class Batch:
    """All strangers' submissions, graded together."""

    cases: dict[str, submissions.Case]
    out: Path
    output: str
    changed: list[str]  # files outside the folder of grades that grading has changed
    callers: list = field(default_factory=list)  # who reached the server

    def row(self, student: str) -> rows.Row:
        return rows.load(rows.row_path(self.out, "tiny", student))

    def table(self) -> list[dict[str, str]]:
        with (self.out / "tiny" / "grades.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def batch(isolation, tmp_path_factory) -> Batch:
    folder = tmp_path_factory.mktemp("strangers")
    course, handed_in, out = folder / "course", folder / "submissions", folder / "grades"
    tiny_course.write_course(course)
    with socket.create_server(("127.0.0.1", 0)) as server:
        callers = accept_all(server)
        cases = submissions.cases(course, out, server.getsockname()[1])
        for student, case in cases.items():
            tiny_course.write(case.content, handed_in / student / case.file)
        before = contents(folder)
        result = run_grade(handed_in, "--course", course, "--out", out, "--jobs", 2)
        after = {path: text for path, text in contents(folder).items() if out not in path.parents}
    changed = [
        str(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    ]
    return Batch(cases, out, result.stdout + result.stderr, changed, callers)


def accept_all(server: socket.socket) -> list:
    """Who connects to the server, as it happens."""
    callers: list = []

    def accept():
        while True:
            try:
                callers.append(server.accept()[1])
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    return callers


def contents(folder: Path) -> dict[Path, str]:
    """A digest of every file."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
