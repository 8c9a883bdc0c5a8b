"""Runs assignments/grade.py as an instructor does, but with small limits."""

import subprocess
import sys
from pathlib import Path

import submissions

GRADE = Path(__file__).resolve().parents[2] / "assignments" / "grade.py"
SLOWEST = 1200  # seconds that any of the runs may take before the test fails


def command(*arguments) -> list[str]:
    """How grade.py is called, with small limits."""
    limits = (
        "--cell-seconds", submissions.CELL_SECONDS, "--seconds", submissions.SECONDS,
        "--memory-mb", submissions.MEMORY_MB,
    )  # fmt: skip
    return [str(word) for word in (sys.executable, GRADE, *arguments, *limits)]


def run_grade(*arguments) -> subprocess.CompletedProcess:
    """Run it to its end, which has to be a good one."""
    result = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=SLOWEST)
    assert result.returncode == 0, result.stdout + result.stderr
    return result
