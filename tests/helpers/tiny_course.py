"""A course with one tiny assignment, and submissions to it: right, wrong and hostile."""

import json
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

STEM = "tiny"
SOFTMAX = """\
def softmax(logits, T=1.0):
    exps = [math.exp((x - max(logits)) / T) for x in logits]
    return [e / sum(exps) for e in exps]
"""
DOUBLE = "def double(x):\n    return 2 * x\n"
TEMPERATURE_LATE = """\
def softmax(logits, T=1.0):
    exps = [math.exp(x - max(logits)) / T for x in logits]
    return [e / sum(exps) for e in exps]
"""
WHY = "The temperature divides the gaps between the logits."
VISIBLE = """\
p = [float(x) for x in softmax([0.0, 0.0])]
assert p == [0.5, 0.5], f"softmax([0, 0])\\n  got:      {p}\\n  expected: [0.5, 0.5]"
"""
HIDDEN = """\
# Later also with a temperature, and with large logits.
assert len(softmax([1.0, 2.0])) == 2, "one probability per logit"
### BEGIN HIDDEN TESTS
q = [float(x) for x in softmax([2.0, 0.0], T=2.0)]
assert abs(q[0] - 0.731059) < 1e-5, f"got: {q[0]:.3f}\\n  likely cause: T divides after the exp"
big = [float(x) for x in softmax([1000.0, 0.0])]
assert abs(big[0] - 1) < 1e-9, "softmax([1000, 0]) should be close to [1, 0]"
### END HIDDEN TESTS
"""
TWICE = 'assert float(double(4)) == 8.0, f"double(4)\\n  got:      {double(4)}\\n  expected: 8"\n'


def _cell(make, name: str, source: str, *, grade=False, solution=False, points=None):
    told = {
        "grade": grade, "grade_id": name, "locked": not solution, "schema_version": 3,
        "solution": solution, "task": False,
    }  # fmt: skip
    if points is not None:
        told["points"] = points
    return make(source, id=f"tiny-{name}", metadata={"nbgrader": told})


def _solved(code: str) -> str:
    head, body = code.split("\n", 1)
    return f"{head}\n    ### BEGIN SOLUTION\n{body}    ### END SOLUTION"


def source() -> nbformat.NotebookNode:
    notebook = new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "oneprompt": {"title": "Tiny", "graded": ["oneprompt.sample.probabilities"]},
        }
    )
    notebook.cells = [
        _cell(new_markdown_cell, "text", "# Tiny\nWrite `softmax` and `double`."),
        _cell(new_code_cell, "setup", "import math\n\nimport torch\n\nimport oneprompt as op"),
        _cell(new_code_cell, "softmax", _solved(SOFTMAX), solution=True),
        _cell(new_code_cell, "softmax-visible", VISIBLE, grade=True, points=2),
        _cell(new_code_cell, "softmax-hidden", HIDDEN, grade=True, points=3),
        _cell(new_code_cell, "double", _solved(DOUBLE), solution=True),
        _cell(new_code_cell, "double-test", TWICE, grade=True, points=1),
        _cell(new_markdown_cell, "why", WHY, grade=True, solution=True, points=2),
    ]
    return notebook


def release() -> nbformat.NotebookNode:
    """What students get, made by nbgrader's own steps."""
    notebook = source()
    for step in (LockCells(), ClearSolutions(), ClearHiddenTests(), ComputeChecksums()):
        notebook, _ = step.preprocess(notebook, {})
    return notebook


def write_course(folder: Path) -> Path:
    for kind, notebook in (("source", source()), ("release", release())):
        path = folder / kind / STEM / f"{STEM}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    return folder


def submission(softmax: str = SOFTMAX, double: str = DOUBLE, why: str = WHY):
    """The released notebook with these answers; None leaves a cell as it was."""
    notebook = release()
    for cell in notebook.cells:
        answer = {"softmax": softmax, "double": double, "why": why}.get(
            cell.id.removeprefix("tiny-")
        )
        if answer is not None:
            cell.source = answer
    return notebook


def named(notebook, name: str):
    return next(cell for cell in notebook.cells if cell.get("id") == f"tiny-{name}")


def without(notebook, *names: str):
    kept = deepcopy(notebook)
    kept.cells = [cell for cell in kept.cells if cell.id.removeprefix("tiny-") not in names]
    return kept


def write(notebook, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = notebook if isinstance(notebook, str) else json.dumps(notebook)
    path.write_text(text, encoding="utf-8")
    return path
