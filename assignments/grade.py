"""Grade a folder of submissions that nobody has looked at.

    python assignments/grade.py SUBMISSIONS [--out grades] [--only attention] [--jobs 4]

SUBMISSIONS holds <student>/<assignment>.ipynb, or what Canvas and Moodle download. For each
assignment, OUT/<assignment>/ gets grades.csv and grades.txt, feedback/<student>.html and
similar.csv. Called again, it grades only what is new, has changed, or was our trouble (ERROR).
"""

import argparse
import os
from pathlib import Path

from grading import batch, by_hand, feedback, rows, similarity, tables
from grading.course import load_course
from grading.files import find, read_roster
from grading.jail import missing_isolation
from grading.limits import Limits

HERE = Path(__file__).resolve().parent
NOT_ISOLATED = """\
This machine cannot isolate the code of submissions: {reason}.
Their code could read your files, change them, and use the network. Grade on a Linux machine that
allows user namespaces (instructors.md says how), or, if you trust everybody who handed in, call
this again with --without-isolation."""


def main() -> None:
    arguments = parse()
    if arguments.merge:
        rows.merge(arguments.merge, arguments.out)
        found = set(rows.stems(arguments.out))
    else:
        found = grade(arguments)
    course = load_course(arguments.course)
    for stem in sorted(found):
        report(stem, arguments.out, course)


def grade(arguments: argparse.Namespace) -> set[str]:
    reason = None if arguments.without_isolation else missing_isolation()
    if reason:
        raise SystemExit(NOT_ISOLATED.format(reason=reason))
    course = load_course(arguments.course)
    if arguments.only and arguments.only not in course:
        raise SystemExit(f"There is no assignment {arguments.only!r}: {', '.join(course)}.")
    roster = read_roster(arguments.roster)
    submissions = find(arguments.submissions, list(course), roster)
    number, _, of = arguments.shard.partition("/")
    students = sorted({submission.student for submission in submissions})
    mine = set(students[int(number) - 1 :: int(of)])
    submissions = [submission for submission in submissions if submission.student in mine]
    limits = Limits(
        cell_seconds=arguments.cell_seconds, seconds=arguments.seconds,
        memory_mb=arguments.memory_mb,
    )  # fmt: skip
    isolated = not arguments.without_isolation
    plan = batch.Plan(arguments.course, course, arguments.out, limits, isolated, arguments.jobs)
    return batch.grade_all(submissions, plan, roster, arguments.only)


def report(stem: str, out: Path, course: dict) -> None:
    waiting = by_hand.write_table(out, stem)
    tables.write(out, stem)
    print(f"\n{stem}\n{(out / stem / 'grades.txt').read_text(encoding='utf-8')}")
    if waiting:
        print(
            f"{waiting} answers are for a person to grade: enter points in {out / stem}/by_hand.csv"
        )
        print("and call this again.")
    if stem in course:
        feedback.write_feedback(out, course[stem])
        n_pairs = similarity.write_report(out, course[stem])
        if n_pairs:
            print(f"{n_pairs} pairs have the same code but for names: {out / stem}/similar.csv")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = Limits()
    parser.add_argument("submissions", type=Path, nargs="?", metavar="SUBMISSIONS")
    parser.add_argument("--out", type=Path, default=Path("grades"))
    parser.add_argument("--only", metavar="ASSIGNMENT")
    parser.add_argument("--roster", type=Path, help="a CSV file with a column student")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--shard", default="1/1", help="2/3: the second of three parts")
    parser.add_argument("--merge", type=Path, nargs="+", metavar="FOLDER", help="of other shards")
    parser.add_argument("--cell-seconds", type=float, default=default.cell_seconds)
    parser.add_argument("--seconds", type=float, default=default.seconds)
    parser.add_argument("--memory-mb", type=int, default=default.memory_mb)
    parser.add_argument("--without-isolation", action="store_true")
    parser.add_argument("--course", type=Path, default=HERE, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if (arguments.submissions is None) == (arguments.merge is None):
        parser.error("give a folder of submissions, or --merge with folders of grades")
    return arguments


if __name__ == "__main__":
    main()
