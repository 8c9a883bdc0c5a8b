"""Pairs of submissions whose code is the same but for names: a question, never a verdict.

Two right answers to a small exercise are often alike, so a pair says how many lines it is about,
and in how many submissions the same code is found. The package's own functions are compared too.
"""

import ast
import csv
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from .course import Assignment
from .jail import PACKAGE_ROOT
from .rows import Row, load_rows, plain

HEADER = ("exercise", "student", "same as", "lines", "students with this code", "question")
COMMON = 5  # code that more students share than this says nothing about two of them
MIN_NODES = 12  # of the syntax tree; shorter code is alike by necessity


class _Nameless(ast.NodeTransformer):
    """Replaces each name that the code gives itself by the number of its first use."""

    def __init__(self, own: set[str]):
        self.own, self.numbers = own, {}

    def rename(self, name: str) -> str:
        if name not in self.own:
            return name
        return self.numbers.setdefault(name, f"_{len(self.numbers)}")

    def visit_Name(self, node):
        return ast.copy_location(ast.Name(self.rename(node.id), node.ctx), node)

    def visit_arg(self, node):
        return ast.arg(self.rename(node.arg))

    def visit_FunctionDef(self, node):
        node.name = self.rename(node.name)
        node.body = _without_docstring(node.body)
        node.returns = None
        return self.generic_visit(node)


def shape(code: str) -> str | None:
    """The code's syntax tree without names, comments, docstrings, types; None if not Python."""
    try:
        tree = ast.parse(textwrap.dedent(code))
        nodes = list(ast.walk(tree))
        own = {node.id for node in nodes if _assigned(node)}
        own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        own |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
        return ast.dump(_Nameless(own).visit(tree)) if len(nodes) >= MIN_NODES else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def pairs(rows: list[Row], assignment: Assignment) -> Iterator[tuple]:
    """The lines of the report: exercise, two students, lines of code, how many share it."""
    package = {shape(code): name for name, code in package_functions(assignment)}
    for exercise in assignment.exercises:
        start = shape(assignment.untouched.get(exercise.name, ""))
        by_shape = defaultdict(list)
        for row in rows:
            same = shape(row.code.get(exercise.name, ""))
            if same is not None and same != start:
                by_shape[same].append(row)
        for same, group in by_shape.items():
            code = group[0].code[exercise.name]
            n_lines = sum(bool(line.strip()) for line in code.splitlines())
            for first, second in _compared(group, package.get(same)):
                question = f"How did {first} come to the same code as {second}?"
                yield (exercise.name, first, second, n_lines, len(group), question)


def package_functions(assignment: Assignment) -> Iterator[tuple[str, str]]:
    """The names and the source of the package's functions that the assignment asks for."""
    for name in assignment.about["graded"]:
        module, _, function = name.rpartition(".")
        path = PACKAGE_ROOT / (module.replace(".", "/") + ".py")
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name == function:
                yield name, ast.unparse(node)


def _compared(group: list[Row], package: str | None) -> Iterator[tuple[str, str]]:
    students = [row.student for row in group]
    if package:
        yield from ((student, package) for student in students)
    if len(students) <= COMMON:
        yield from combinations(students, 2)


def write_report(out: Path, assignment: Assignment) -> int:
    """similar.csv; the number of pairs in it."""
    found = list(pairs(load_rows(out, assignment.stem), assignment))
    lines = [[plain(cell) for cell in line] for line in found]
    with (out / assignment.stem / "similar.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER, *lines])
    return len(found)


def _assigned(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if is_docstring and isinstance(first.value.value, str) else body
