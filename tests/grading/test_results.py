"""What is made of the rows: points by hand, exports, similar pairs. And what is read."""

import ast
import csv
from pathlib import Path

import pytest
import tiny_course
from grading import by_hand, export, feedback, rows, similarity, tables
from grading.assemble import assemble
from grading.course import load_course
from grading.files import Roster, find, read_roster
from grading.kernel import Outcome, Output
from grading.notebook import read
from grading.submission import gist, score
from nbgrader.utils import determine_grade

STEM = tiny_course.STEM


def row(student: str, softmax=5.0, why=None, **more) -> rows.Row:
    return rows.Row(
        student, STEM, rows.GRADED, points={"softmax": softmax, "why": why},
        most={"softmax": 5.0, "why": 2.0}, written={"why": "Because."}, key="1", **more,
    )  # fmt: skip


def lines(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


# Points by hand


def test_points_entered_by_hand_count_and_stay(tmp_path):
    rows.save(row("ada"), tmp_path)
    rows.save(row("bob"), tmp_path)
    assert by_hand.write_table(tmp_path, STEM) == 2
    path = tmp_path / STEM / "by_hand.csv"
    path.write_text(path.read_text().replace("ada,why,,2,", "ada,why,1.5,2,"))
    assert [r.total for r in by_hand.results(tmp_path, STEM)] == [6.5, 5.0]
    assert by_hand.write_table(tmp_path, STEM) == 1
    assert lines(path)[1] == ["ada", "why", "1.5", "2", "Because."]


def test_points_by_hand_are_asked_for_again_when_the_answer_has_changed(tmp_path):
    rows.save(row("ada"), tmp_path)
    by_hand.write_table(tmp_path, STEM)
    path = tmp_path / STEM / "by_hand.csv"
    path.write_text(path.read_text().replace("ada,why,,2,", "ada,why,2,2,"))
    changed = row("ada")
    changed.written["why"] = "Because of something else."
    rows.save(changed, tmp_path)
    assert by_hand.write_table(tmp_path, STEM) == 1
    assert by_hand.results(tmp_path, STEM)[0].total == 5.0


@pytest.mark.parametrize("entered", ["three", "2.5", "-1"])
def test_points_by_hand_beyond_the_exercise_are_refused(tmp_path, entered):
    rows.save(row("ada"), tmp_path)
    by_hand.write_table(tmp_path, STEM)
    path = tmp_path / STEM / "by_hand.csv"
    path.write_text(path.read_text().replace("ada,why,,2,", f"ada,why,{entered},2,"))
    with pytest.raises(SystemExit, match=r"by_hand\.csv, ada, why"):
        by_hand.results(tmp_path, STEM)


def test_a_spreadsheet_takes_nothing_of_a_student_for_a_formula(tmp_path):
    sly = row("=1+1", reason="@sum(a1)")
    sly.written["why"] = '=HYPERLINK("http://example.org")'
    rows.save(sly, tmp_path)
    by_hand.write_table(tmp_path, STEM)
    tables.write(tmp_path, STEM)
    for name in ("by_hand.csv", "grades.csv"):
        for line in lines(tmp_path / STEM / name):
            assert not [cell for cell in line if cell.startswith(("=", "@"))], line
    path = tmp_path / STEM / "by_hand.csv"
    path.write_text(path.read_text().replace(",why,,2,", ",why,1,2,"))
    assert by_hand.results(tmp_path, STEM)[0].total == 6.0


# Exports


CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Tiny (77),Current Score
    Points Possible,,,,,8,(read only)
"Lovelace, Ada",101,s1,ada,ML 1,,
"Babbage, Charles",102,s2,charles,ML 1,,
"Hopper, Grace",103,s3,grace,ML 1,,
"""
MOODLE = """\
First name,Last name,ID number,Email address,Assignment: Tiny (Real)
Ada,Lovelace,s1,ada@example.org,-
Charles,Babbage,s2,charles@example.org,-
"""
WORKSHEET = """\
Identifier,Full name,Email address,Status,Grade,Maximum Grade,Feedback comments
Participant 4711,Ada Lovelace,ada@example.org,Submitted for grading,,8.00,
Participant 4712,Charles Babbage,charles@example.org,Submitted for grading,,8.00,
"""


def graded(folder: Path, *students: str) -> Path:
    for student in students:
        rows.save(row(student, why=1.0, reason="softmax: T divides after the exp"), folder)
    return folder


def ids(tmp_path: Path, text: str) -> list[dict]:
    path = tmp_path / "ids.csv"
    path.write_text("\ufeff" + text, encoding="utf-8")
    return export.read_ids(path)


def test_canvas_gets_its_own_columns_and_the_points_possible(tmp_path):
    out = graded(tmp_path, "ada", "babbagecharles_102", "stranger")
    rows.save(row("grace"), out)  # an answer is still to be graded
    done = export.canvas(out, STEM, ids(tmp_path, CANVAS), "Tiny (77)")
    assert done.lines == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Tiny (77)"],
        ["    Points Possible", "", "", "", "", "7"],
        ["Lovelace, Ada", "101", "s1", "ada", "ML 1", "6"],
        ["Babbage, Charles", "102", "s2", "charles", "ML 1", "6"],
    ]
    assert (done.unknown, done.unfinished) == (["stranger"], ["grace"])


def test_moodle_gets_an_identity_a_grade_and_feedback(tmp_path):
    out = graded(tmp_path, "ada@example.org", "s2")
    done = export.moodle(out, STEM, ids(tmp_path, MOODLE), "Assignment: Tiny")
    assert done.lines == [
        ["First name", "Last name", "ID number", "Email address", "Assignment: Tiny",
         "Assignment: Tiny (feedback)"],
        ["Ada", "Lovelace", "s1", "ada@example.org", "6",
         "softmax 5/5; why 1/2; softmax: T divides after the exp"],
        ["Charles", "Babbage", "s2", "charles@example.org", "6",
         "softmax 5/5; why 1/2; softmax: T divides after the exp"],
    ]  # fmt: skip


def test_moodles_worksheet_is_filled_in_by_the_number_in_a_downloads_name(tmp_path):
    out = graded(tmp_path, "Ada Lovelace_4711")
    done = export.moodle(out, STEM, ids(tmp_path, WORKSHEET), STEM)
    assert done.lines[1] == [
        "Participant 4711", "Ada Lovelace", "ada@example.org", "Submitted for grading", "6", "8.00",
        "softmax 5/5; why 1/2; softmax: T divides after the exp",
    ]  # fmt: skip


def test_what_has_no_points_is_not_exported_as_zero(tmp_path):
    rows.save(rows.Row("ada", STEM, rows.ERROR, "the grader failed"), tmp_path)
    done = export.canvas(tmp_path, STEM, ids(tmp_path, CANVAS), "Tiny (77)")
    assert len(done.lines) == 2
    assert done.unfinished == ["ada"]


# Similar code

RENAMED = """\
def softmax(values, T=1.0):
    '''My own.'''
    powers = [math.exp((v - max(values)) / T) for v in values]  # e to the power
    return [p / sum(powers) for p in powers]
"""
OTHER = """\
def softmax(logits, T=1.0):
    weights = [math.exp((x - max(logits)) / T) for x in logits]
    total = sum(weights)
    return [w / total for w in weights]
"""


def test_names_comments_and_layout_do_not_make_code_another():
    assert similarity.shape(RENAMED) == similarity.shape(tiny_course.SOFTMAX)
    assert similarity.shape(OTHER) != similarity.shape(tiny_course.SOFTMAX)
    wrong = RENAMED.replace("max", "min")  # a name that is not the code's own
    assert similarity.shape(wrong) != similarity.shape(RENAMED)
    assert similarity.shape("def f(:") is None
    ast.parse(RENAMED)


def test_pairs_and_copies_of_the_package_are_reported_and_common_code_is_not(tmp_path):
    assignment = load_course(tiny_course.write_course(tmp_path / "course"))[STEM]
    codes = {"ada": RENAMED, "bob": tiny_course.SOFTMAX, "cy": OTHER}
    some = [
        rows.Row(name, STEM, rows.GRADED, code={"softmax": code}) for name, code in codes.items()
    ]
    [found] = similarity.pairs(some, assignment)
    assert found[:3] == ("softmax", "ada", "bob")
    assert found[-1] == "How did ada come to the same code as bob?"
    copied = next(code for _, code in similarity.package_functions(assignment))
    copied = copied.replace("sampling", "settings")
    [found] = similarity.pairs(
        [rows.Row("dan", STEM, rows.GRADED, code={"softmax": copied})], assignment
    )
    assert found[1:3] == ("dan", "oneprompt.sample.probabilities")
    many = [
        rows.Row(str(n), STEM, rows.GRADED, code={"softmax": RENAMED})
        for n in range(similarity.COMMON + 1)
    ]
    assert list(similarity.pairs(many, assignment)) == []
    untouched = assignment.untouched["softmax"]
    idle = [rows.Row(name, STEM, rows.GRADED, code={"softmax": untouched}) for name in "ab"]
    assert list(similarity.pairs(idle, assignment)) == []


# Files as they arrive


@pytest.mark.parametrize(
    ("path", "student", "named", "owner"),
    [
        ("ada/tiny.ipynb", "ada", "tiny", "ada"),
        ("ada/tiny/tiny.ipynb", "ada", "tiny", "ada"),
        ("ada/tiny (1).ipynb", "ada", "tiny", "ada"),
        ("ada/Untitled.ipynb", "ada", None, "ada"),
        ("ada_tiny.ipynb", "ada", "tiny", "ada"),
        ("lovelaceada_101_5550_tiny.ipynb", "lovelaceada_101", "tiny", None),
        ("lovelaceada_LATE_101_5550_tiny-2.ipynb", "lovelaceada_101", "tiny", None),
        ("Ada Lovelace_4711_assignsubmission_file/tiny.ipynb", "Ada Lovelace_4711", "tiny", None),
        ("Ada Lovelace_4711_assignsubmission_file_/x.ipynb", "Ada Lovelace_4711", None, None),
        ("ada/report.pdf", "ada", None, "ada"),
    ],
)
def test_the_names_of_nbgrader_canvas_and_moodle_are_understood(
    tmp_path, path, student, named, owner
):
    tiny_course.write("{}", tmp_path / path)
    [found] = find(tmp_path, [STEM], Roster())
    assert (found.student, found.named, found.owner) == (student, named, owner)
    assert found.path == tmp_path / path


def test_a_list_of_students_gives_downloads_their_owners(tmp_path):
    path = tmp_path / "students.csv"
    path.write_text("student,folder\nada,lovelaceada_101\nbob,\n")
    roster = read_roster(path)
    tiny_course.write("{}", tmp_path / "in" / "lovelaceada_101_5550_tiny.ipynb")
    [found] = find(tmp_path / "in", [STEM], roster)
    assert (found.student, found.owner) == ("ada", "ada")
    path.write_text("name\nada\n")
    with pytest.raises(SystemExit, match="column named student"):
        read_roster(path)


# Notebooks


def test_the_cells_of_the_student_run_among_those_of_the_source(tmp_path):
    assignment = load_course(tiny_course.write_course(tmp_path / "course"))[STEM]
    notebook = tiny_course.submission()
    own = tiny_course.new_code_cell("helper = 1", id="own")
    notebook.cells.insert(2, own)
    found = assemble(read(tiny_course.write(notebook, tmp_path / "x.ipynb"), 1), assignment)
    assert [(step.kind, step.code.split("\n")[0]) for step in found.steps][:3] == [
        ("given", "import math"), ("student", "helper = 1"),
        ("student", "def softmax(logits, T=1.0):"),
    ]  # fmt: skip
    hidden = next(step for step in found.steps if step.name == "softmax-hidden")
    assert "T divides after" in hidden.code
    assert found.notes == []


def test_a_missing_solution_is_never_replaced_by_the_right_one(tmp_path):
    assignment = load_course(tiny_course.write_course(tmp_path / "course"))[STEM]
    notebook = tiny_course.without(tiny_course.submission(), "softmax")
    found = assemble(read(tiny_course.write(notebook, tmp_path / "x.ipynb"), 1), assignment)
    assert not [step for step in found.steps if "math.exp" in step.code]


@pytest.mark.parametrize("shown", [None, "0.5", "3", "4", "-1", "right"])
def test_points_follow_nbgraders_rule(shown):
    cell = tiny_course.named(tiny_course.source(), "softmax-hidden")
    cell.outputs = []
    outputs = []
    if shown is not None:
        data = {"text/plain": shown}
        cell.outputs = [
            tiny_course.nbformat.v4.new_output("execute_result", data, execution_count=1)
        ]
        outputs = [Output("execute_result", "", shown)]
    try:
        expected = determine_grade(cell)[0]
    except ValueError:  # nbgrader stops there
        expected = 0
    assert score(3, Outcome("ok", outputs=outputs)) == expected


def test_the_reason_is_the_likely_cause_where_a_message_has_one():
    assert gist("not yet. f(1)\n  got:  2\n  likely cause: off by one") == "off by one"
    assert gist("ValueError: no") == "ValueError: no"


def test_feedback_loses_lines_of_hidden_tests_in_any_form():
    hidden = frozenset({'assert f(1) == "<a>", "no"'})
    page = feedback.without(hidden, "x assert f(1) == &quot;&lt;a&gt;&quot;, &quot;no&quot; y")
    assert "assert f(1)" not in page
    assert page.startswith("x ")
    assert page.endswith(" y")
