"""One batch of unknown submissions: what each gets, and that none harms another."""

import html
from pathlib import Path

import psutil
import pytest
import submissions
import tiny_course

pytestmark = pytest.mark.slow

CASES = sorted(submissions.cases(Path(), Path(), 0))


@pytest.mark.parametrize("student", CASES)
def test_each_submission_gets_its_status_points_and_reason(batch, student):
    case, row = batch.cases[student], batch.row(student)
    assert (row.status, row.points) == (case.status, case.points), row.reason
    assert case.words in row.reason


def test_every_student_has_one_row(batch):
    assert [line["student"] for line in batch.table()] == CASES


def test_the_table_states_points_per_exercise_and_the_total(batch):
    line = next(line for line in batch.table() if line["student"] == "wrong")
    assert {name: line[name] for name in ("status", "total", "of", "softmax", "double", "why")} == {
        "status": "graded", "total": "3", "of": "8", "softmax": "2", "double": "1", "why": "",
    }  # fmt: skip
    assert "softmax: T divides after the exp" in (batch.out / "tiny" / "grades.txt").read_text()


def test_what_cannot_be_graded_has_no_points_rather_than_zero(batch):
    for line in batch.table():
        if line["status"] == "returned":
            assert (line["total"], line["softmax"], line["double"]) == ("", "", ""), line


def test_nothing_takes_longer_than_its_limits(batch):
    for line in batch.table():
        allowed = 4 * (submissions.SECONDS + 120)
        assert float(line["seconds"]) < allowed, line


def test_nothing_outside_the_throw_away_folder_changes(batch):
    assert batch.changed == []


def test_nobody_reaches_the_network(batch):
    assert batch.callers == []


def test_no_process_of_a_submission_is_left(batch):
    names = [
        " ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])
    ]
    ours = str(Path(batch.out).parent)
    assert [name for name in names if "grading.submission" in name and ours in name] == []


def test_every_student_gets_feedback_without_the_hidden_tests(batch):
    hidden = [
        line.strip() for line in tiny_course.HIDDEN.partition("BEGIN HIDDEN")[2].splitlines()[1:-1]
    ]
    assert len(hidden) == 4
    for student in CASES:
        page = (batch.out / "tiny" / "feedback" / f"{student}.html").read_text(encoding="utf-8")
        text = html.unescape(page)
        assert [line for line in hidden if line in text] == [], student


def test_feedback_says_what_went_wrong_and_what_it_cost(batch):
    page = (batch.out / "tiny" / "feedback" / "wrong.html").read_text(encoding="utf-8")
    assert "softmax: 2 of 5" in page
    assert "T divides after the exp" in page
    page = (batch.out / "tiny" / "feedback" / "truncated.html").read_text(encoding="utf-8")
    assert "the file is damaged or incomplete" in page


def test_code_that_is_the_same_but_for_names_is_reported_as_a_question(batch):
    report = (batch.out / "tiny" / "similar.csv").read_text(encoding="utf-8")
    assert (
        "softmax,deleted-tests,reordered,4,2,How did deleted-tests come to the same code" in report
    )
    assert "endless-loop" not in report  # nobody else wrote that
