"""Write graded points as a file that Canvas or Moodle imports.

    python assignments/export.py canvas attention gradebook.csv --column "Attention (1234)"
    python assignments/export.py moodle attention grades.csv --column "Assignment: Attention"

The CSV file is one that the LMS has exported: it holds the ids of the students, and for Canvas also
the name of the column. The result is OUT/<assignment>/<lms>.csv, OUT being `grades`.
"""

import argparse
from pathlib import Path

from grading import export


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lms", choices=("canvas", "moodle"))
    parser.add_argument("assignment")
    parser.add_argument("ids", type=Path, help="exported by the LMS")
    parser.add_argument("--column", help="what the LMS calls the assignment")
    parser.add_argument("--out", type=Path, default=Path("grades"))
    arguments = parser.parse_args()
    stem, out = arguments.assignment, arguments.out
    if not (out / stem / "rows").is_dir():
        raise SystemExit(f"{out} has no grades of {stem!r}: run `make grade` first.")
    make = export.canvas if arguments.lms == "canvas" else export.moodle
    done = make(out, stem, export.read_ids(arguments.ids), arguments.column or stem)
    path = out / stem / f"{arguments.lms}.csv"
    export.write(done, path)
    print(f"{path}: {len(done.lines)} lines with the header")
    for students, why in (
        (done.unknown, f"not in {arguments.ids}"),
        (done.unfinished, "left out, without points or with answers still to be graded by hand"),
    ):
        if students:
            print(f"{why}: {', '.join(students)}")


if __name__ == "__main__":
    main()
