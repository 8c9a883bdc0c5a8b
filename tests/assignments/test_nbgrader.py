"""nbgrader itself, once per assignment: release it, and grade submissions in real kernels."""

import os
import sysconfig

import nbformat
import pytest
from coursework import FOLDER, STEMS, edited, full_points, grade_id, module, release, solutions
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI

ROOT = FOLDER.parent
make = module("release.py")


def submit(course, stem: str, student: str, answers: dict[str, str]) -> None:
    """The released notebook with these solution cells, as a student hands it in."""
    notebook = nbformat.from_dict(release(stem))
    for cell in notebook.cells:
        cell.source = answers.get(grade_id(cell), cell.source)
        if cell.id.endswith("-student"):
            cell.source = f"student = {student!r}"
    path = course / "submitted" / student / stem / f"{stem}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


@pytest.mark.slow
@pytest.mark.parametrize("stem", STEMS)
def test_nbgrader_gives_the_points_that_the_fast_tests_state(stem, tmp_path, monkeypatch):
    wrong = module(f"mutants/{stem}_mutants.py").WRONG[0]
    source = tmp_path / "source" / stem / f"{stem}.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(make.source_path(stem).read_text("utf-8"), "utf-8")
    submit(tmp_path, stem, "right", solutions(stem))
    submit(tmp_path, stem, "untouched", {})
    submit(tmp_path, stem, "wrong", edited(stem, wrong.edits))
    config = make.config()
    config.CourseDirectory.root = str(tmp_path)
    config.Application.log_level = "ERROR"
    config.Execute.timeout = config.Execute.iopub_timeout = 120  # a busy machine is slow
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))  # the kernels' package is this one
    scripts = sysconfig.get_path("scripts")  # it calls alembic by name
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    api = NbGraderAPI(config=config)
    assert api.generate_assignment(stem)["success"]
    points = {}
    for student in ("right", "untouched", "wrong"):
        assert api.autograde(stem, student)["success"], student
        with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
            submission = book.find_submission_notebook(stem, stem, student)
            points[student] = sum(g.auto_score or 0 for g in submission.grades)
    full = sum(full_points(stem).values())
    assert points == {"right": full, "untouched": 0, "wrong": wrong.points}
    assert (tmp_path / "release" / stem / f"{stem}.ipynb").exists()
