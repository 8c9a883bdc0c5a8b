"""How long grading takes, and how much memory: copies of one assignment, right and untouched.

    python benchmarks/grading.py [--submissions 100] [--jobs 2] [--assignment attention]

Every second submission holds the solutions, the others are as released. Prints a table of seconds
and memory per submission, as JSON. The seconds are by the clock, and depend on what else runs.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "assignments"))

from grading import batch, rows  # noqa: E402
from grading.course import load_course  # noqa: E402
from grading.files import Roster, find  # noqa: E402
from grading.jail import missing_isolation  # noqa: E402
from grading.limits import Limits  # noqa: E402

COURSE = ROOT / "assignments"


def hand_in(folder: Path, stem: str, number: int) -> None:
    """The submission of one student."""
    kind = "source" if number % 2 == 0 else "release"
    text = (COURSE / kind / stem / f"{stem}.ipynb").read_text(encoding="utf-8")
    student = f"student-{number:03}"
    path = folder / student / f"{stem}.ipynb"
    path.parent.mkdir()
    path.write_text(text.replace('student = \\"ada\\"', f'student = \\"{student}\\"'))


def measure(n_submissions: int, jobs: int, stem: str) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        handed_in, out = Path(folder) / "in", Path(folder) / "out"
        handed_in.mkdir()
        for number in range(n_submissions):
            hand_in(handed_in, stem, number)
        course, isolated = load_course(COURSE), missing_isolation() is None
        plan = batch.Plan(COURSE, course, out, Limits(), isolated, jobs)
        start = time.perf_counter()
        batch.grade_all(find(handed_in, list(course), Roster()), plan, Roster(), stem)
        seconds = time.perf_counter() - start
        graded = rows.load_rows(out, stem)
    return {
        "assignment": stem,
        "submissions": len(graded),
        "jobs": jobs,
        "isolated": isolated,
        "statuses": sorted({row.status for row in graded}),
        "points": sorted({row.total for row in graded}),
        "seconds": round(seconds, 1),
        "seconds per submission": round(seconds / len(graded), 2),
        "seconds of one, median": round(statistics.median(row.seconds for row in graded), 1),
        "memory of one, MB, most": max(row.memory_mb for row in graded),
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--submissions", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--assignment", default="attention")
    arguments = parser.parse_args()
    print(
        json.dumps(measure(arguments.submissions, arguments.jobs, arguments.assignment), indent=1)
    )


if __name__ == "__main__":
    main()
