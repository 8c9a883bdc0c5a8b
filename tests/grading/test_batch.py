"""Batches that are interrupted, split, repeated, or meet trouble that is not the student's."""

import csv
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import tiny_course
from grade_runs import SLOWEST, command, run_grade
from grading import batch, jail, rows, submission
from grading.course import load_course
from grading.files import Roster, Submission
from grading.kernel import Outcome
from grading.limits import Limits

pytestmark = pytest.mark.slow

QUICK = ["ada", "bob", "cy"]  # damaged files, which need no kernel
SLOW = ["dan", "eve"]


@pytest.fixture
def course(tmp_path) -> Path:
    return tiny_course.write_course(tmp_path / "course")


@pytest.fixture
def handed_in(tmp_path) -> Path:
    folder = tmp_path / "submissions"
    for student in QUICK:
        tiny_course.write("{", folder / student / "tiny.ipynb")
    for student in SLOW:
        tiny_course.write(tiny_course.submission(), folder / student / "tiny.ipynb")
    return folder


def table(out: Path) -> list[dict]:
    with (out / "tiny" / "grades.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_after_a_kill_half_way_no_row_is_lost_or_doubled(isolation, course, handed_in, tmp_path):
    out = tmp_path / "grades"
    process = subprocess.Popen(
        command(handed_in, "--course", course, "--out", out, "--jobs", 1),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    wait_for(lambda: rows.row_path(out, "tiny", "cy").exists())
    wait_for(lambda: kernels_of(process.pid))
    kernels = kernels_of(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=30)
    wait_for(lambda: not any(map(running, kernels)))
    assert not rows.row_path(out, "tiny", "eve").exists()
    first = {path: path.stat().st_mtime_ns for path in (out / "tiny" / "rows").glob("*.json")}

    result = run_grade(handed_in, "--course", course, "--out", out, "--jobs", 2)
    assert f"{len(first)} of 5 are graded already" in result.stdout
    assert [line["student"] for line in table(out)] == [*QUICK, *SLOW]
    assert [line["total"] for line in table(out)] == ["", "", "", "6", "6"]
    assert {path: path.stat().st_mtime_ns for path in first} == first


def wait_for(condition) -> None:
    end = time.monotonic() + SLOWEST
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def kernels_of(pid: int) -> list[psutil.Process]:
    found = psutil.Process(pid).children(recursive=True)
    return [process for process in found if "ipykernel_launcher" in " ".join(process.cmdline())]


def running(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_two_shards_merge_into_the_table_of_the_whole(isolation, course, handed_in, tmp_path):
    (handed_in / "eve" / "tiny.ipynb").unlink()
    shards = [tmp_path / "first", tmp_path / "second"]
    for number, out in enumerate(shards, 1):
        run_grade(handed_in, "--course", course, "--out", out, "--shard", f"{number}/2")
    assert [[line["student"] for line in table(out)] for out in shards] == [
        ["ada", "cy", "eve"], ["bob", "dan"],
    ]  # fmt: skip
    out = tmp_path / "together"
    run_grade("--merge", *shards, "--course", course, "--out", out)
    assert [(line["student"], line["total"]) for line in table(out)] == [
        ("ada", ""), ("bob", ""), ("cy", ""), ("dan", "6"), ("eve", ""),
    ]  # fmt: skip


def test_shards_that_disagree_do_not_merge(tmp_path):
    for folder, total in (("a", 1), ("b", 2)):
        row = rows.Row("ada", "tiny", rows.GRADED, points={"x": total}, key=folder)
        rows.save(row, tmp_path / folder)
    with pytest.raises(SystemExit, match="two different rows"):
        rows.merge([tmp_path / "a", tmp_path / "b"], tmp_path / "c")


# Trouble that is ours


def plan(course: Path, out: Path, isolated=True) -> batch.Plan:
    return batch.Plan(course, load_course(course), out, Limits(), isolated)


def test_a_grader_that_fails_is_an_error_without_points_and_is_graded_again(
    course, tmp_path, monkeypatch
):
    path = tiny_course.write("{", tmp_path / "ada" / "tiny.ipynb")
    handed_in = [Submission("ada", path, "tiny", None)]
    with monkeypatch.context() as broken:
        broken.setattr(batch, "ASSIGNMENTS", tmp_path)  # where there is no such module
        batch.grade_all(handed_in, plan(course, tmp_path / "out"), Roster())
    row = rows.load(rows.row_path(tmp_path / "out", "tiny", "ada"))
    assert (row.status, row.points) == ("ERROR", {})
    assert "No module named 'grading'" in row.reason

    batch.grade_all(handed_in, plan(course, tmp_path / "out"), Roster())
    assert rows.load(rows.row_path(tmp_path / "out", "tiny", "ada")).status == "returned"


def test_a_kernel_that_does_not_start_is_an_error_without_points(course, tmp_path, monkeypatch):
    monkeypatch.setattr("grading.kernel.PYTHON", "/no/such/python")
    path = tiny_course.write(tiny_course.submission(), tmp_path / "tiny.ipynb")
    isolated = jail.missing_isolation() is None
    (tmp_path / "run").mkdir()
    row = submission.grade(
        Submission("ada", path, "tiny", None), load_course(course), Limits(), isolated,
        tmp_path / "run",
    )  # fmt: skip
    assert (row.status, row.points) == ("ERROR", {})
    assert "the kernel did not start" in row.reason
    assert "No such file" in row.reason


def test_running_out_of_memory_on_the_machine_is_an_error(course, tmp_path, monkeypatch):
    class Killed:
        """A kernel that ends in its first cell."""

        def __init__(self, jail, graded, student):
            self.jail = jail
            jail.process = SimpleNamespace(poll=lambda: None)

        def run(self, code):
            self.jail.process = None
            return Outcome("ended")

        def close(self): ...

    kills = iter([3, 4])
    monkeypatch.setattr(submission, "Kernel", Killed)
    monkeypatch.setattr(submission, "out_of_memory_kills", lambda: next(kills))
    path = tiny_course.write(tiny_course.submission(), tmp_path / "tiny.ipynb")
    handed_in = Submission("ada", path, "tiny", None)
    row = submission.grade(handed_in, load_course(course), Limits(), False, tmp_path)
    assert (row.status, row.points) == ("ERROR", {})
    assert "out of memory" in row.reason


# Machines without isolation


@pytest.fixture
def no_isolation(tmp_path) -> dict[str, str]:
    """The environment of a machine on which no namespaces can be made."""
    tools = tmp_path / "tools"
    tools.mkdir()
    refusing = tools / "unshare"
    refusing.write_text("#!/bin/sh\necho 'unshare: Operation not permitted' >&2\nexit 1\n")
    refusing.chmod(0o755)
    return os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}


def test_without_isolation_it_says_so_and_stops(course, handed_in, tmp_path, no_isolation):
    result = subprocess.run(
        command(handed_in, "--course", course, "--out", tmp_path / "out"),
        capture_output=True, text=True, env=no_isolation, timeout=SLOWEST,
    )  # fmt: skip
    assert result.returncode == 1
    assert "cannot isolate" in result.stderr
    assert "Operation not permitted" in result.stderr
    assert "--without-isolation" in result.stderr
    assert not (tmp_path / "out").exists()


def test_it_goes_on_without_isolation_when_told_and_limits_still_hold(
    course, tmp_path, no_isolation, monkeypatch
):
    monkeypatch.setenv("PATH", no_isolation["PATH"])
    folder = tmp_path / "submissions"
    forever = tiny_course.submission("def softmax(logits, T=1.0):\n    while True: pass")
    exits = tiny_course.submission(double="import os\n\nos._exit(0)")
    tiny_course.write(forever, folder / "ada" / "tiny.ipynb")
    tiny_course.write(exits, folder / "bob" / "tiny.ipynb")
    run_grade(folder, "--course", course, "--out", tmp_path / "out", "--without-isolation")
    found = [(line["status"], line["softmax"], line["double"]) for line in table(tmp_path / "out")]
    assert found == [("limit", "0", "1"), ("crashed", "5", "0")]


# Which file belongs to whom


def test_students_on_the_list_who_handed_nothing_in_have_a_row(course, tmp_path):
    roster = Roster({"ada": {"student": "ada"}, "bob": {"student": "bob"}})
    path = tiny_course.write("{", tmp_path / "ada" / "tiny.ipynb")
    handed_in = [Submission("ada", path, "tiny", "ada")]
    batch.grade_all(handed_in, plan(course, tmp_path / "out"), roster)
    found = rows.load_rows(tmp_path / "out", "tiny")
    assert [(row.student, row.status, row.total) for row in found] == [
        ("ada", "returned", None), ("bob", "missing", None),
    ]  # fmt: skip


def test_of_several_files_the_one_with_the_right_name_is_graded(course, tmp_path):
    names = ("tiny.ipynb", "tiny-old.ipynb")
    paths = [tiny_course.write(tiny_course.submission(), tmp_path / "ada" / name) for name in names]
    files = [
        Submission("ada", paths[0], "tiny", None), Submission("ada", paths[1], None, None),
    ]  # fmt: skip
    [task] = batch.assign(files, plan(course, tmp_path / "out"), None)
    assert task.submission.path == paths[0]
    assert task.submission.notes == ("other files were not graded: tiny-old.ipynb",)


def test_a_changed_file_is_graded_again_and_an_unchanged_one_is_not(course, tmp_path):
    path = tiny_course.write("{", tmp_path / "ada" / "tiny.ipynb")
    handed_in, where = [Submission("ada", path, "tiny", None)], plan(course, tmp_path / "out")
    batch.grade_all(handed_in, where, Roster())
    [task] = batch.assign(handed_in, where, None)
    assert batch.done(task, where.out)
    path.write_text(json.dumps({"cells": []}))
    [task] = batch.assign(handed_in, where, None)
    assert not batch.done(task, where.out)
