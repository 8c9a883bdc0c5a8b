"""Says what is wrong with a submitted notebook, and puts the student's cells into the source.

Tests, set-up and texts always come from the source, in its order. Of the submission only what the
student wrote is used: the solution cells, and cells of their own.
"""

from dataclasses import dataclass, field

from .course import Assignment
from .notebook import Cell, Notebook, Returned

OWN = "a cell of the student's own"


@dataclass(frozen=True)
class Step:
    """A code cell to run. `kind` is "given", "student" or "test"."""

    kind: str
    name: str
    code: str


@dataclass
class Assembled:
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # plain sentences about the file
    written: dict[str, str] = field(default_factory=dict)  # answers for a person to grade
    code: dict[str, str] = field(default_factory=dict)  # the student's solution cells
    untouched: list[str] = field(default_factory=list)  # exercises that nobody has begun


def stem_of(notebook: Notebook, course: dict[str, Assignment]) -> str | None:
    """The assignment to which most of the notebook's cells belong; None for another notebook."""
    labels, ids = set(notebook.labeled), {cell.id for cell in notebook.cells}
    known = {
        stem: (len(ids & set(assignment.ids)), len(labels & set(assignment.source.labeled)))
        for stem, assignment in course.items()
    }
    best = max(known, key=known.get)
    return best if max(known[best]) > 1 else None


def assemble(notebook: Notebook, assignment: Assignment) -> Assembled:
    """The cells to run, in the order of the source.

    Raises:
        Returned: the notebook has none of the assignment's cells.
    """
    found = Assembled()
    names = _recognize(notebook, assignment, found)
    parts, extras = _sort(notebook, names)
    found.notes += describe(notebook, names, assignment)
    _add_extras(found, extras.get("", []))
    for cell in assignment.source.cells:
        if cell.is_solution:
            _add_solution(found, cell, parts.get(cell.name, []), assignment)
        elif cell.kind == "code":
            own = parts.get(cell.name) if not cell.told else None
            code = "\n".join(own) if own else cell.source
            found.steps.append(Step("test" if cell.is_test else "given", cell.name, code))
        _add_extras(found, extras.get(cell.name, []))
    return found


def describe(notebook: Notebook, names: list[str], assignment: Assignment) -> list[str]:
    """Notes on cells that are missing, doubled, changed or moved."""
    released = assignment.release.labeled
    ours = [name for name in names if name in released]
    first = list(dict.fromkeys(ours))
    missing = [name for name in released if name not in first]
    lost = [name for name in missing if released[name].is_solution]
    changed = {
        name for name, cell in zip(names, notebook.cells, strict=True)
        if name in released and not released[name].is_solution
        and bare(cell.source) != bare(released[name].source)
    }  # fmt: skip
    findings = (
        ("missing", lost),
        ("missing and put back", [name for name in missing if name not in lost]),
        ("there more than once", [name for name in first if ours.count(name) > 1]),
        ("changed, and graded as they were", [name for name in first if name in changed]),
    )
    notes = [f"cells {what}: {', '.join(cells)}" for what, cells in findings if cells]
    if first != [name for name in released if name in first]:
        notes.append("the cells were in another order, and graded in the original one")
    return notes


def bare(source: str) -> str:
    """A text without the white space that editors add and remove."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _recognize(notebook: Notebook, assignment: Assignment, found: Assembled) -> list[str]:
    """The name of each cell of a submission; "" for a cell of the student's own.

    nbgrader's metadata says it. Where an editor has removed that, the cells' ids do.
    """
    known = {cell.name for cell in assignment.source.cells}
    if not any(label in known for label in notebook.labeled):
        if not any(cell.id in assignment.ids for cell in notebook.cells):
            raise Returned(
                "none of the assignment's cells is in the file: it is another notebook, or its "
                "cells have lost their metadata; copy the answers into a fresh copy of it"
            )
        found.notes.append("the metadata of the cells was gone; they were recognized by their ids")
    return [
        cell.label if cell.label in known else assignment.ids.get(cell.id, "")
        for cell in notebook.cells
    ]


def _sort(notebook: Notebook, names: list[str]) -> tuple[dict, dict]:
    """What the student wrote, by cell; and their own code cells, by the cell that they follow."""
    parts: dict[str, list[str]] = {}
    extras: dict[str, list[str]] = {}
    before = ""
    for cell, name in zip(notebook.cells, names, strict=True):
        if name:
            before = name
            parts.setdefault(name, []).append(cell.source)
        elif cell.kind == "code" and cell.source.strip():
            extras.setdefault(before, []).append(cell.source)
    return parts, extras


def _add_solution(found: Assembled, cell: Cell, parts: list[str], assignment: Assignment) -> None:
    """A cell that was split or copied counts with all of its parts, as it did for the student."""
    start = bare(assignment.untouched.get(cell.name, ""))
    changed = [part for part in parts if bare(part) != start]
    if parts and not changed:
        found.untouched.append(cell.name)
    if cell.is_written:
        found.written[cell.name] = "\n\n".join(changed)
    elif cell.kind == "code":
        found.steps.extend(Step("student", cell.name, part) for part in parts)
        found.code[cell.name] = "\n\n".join(parts)


def _add_extras(found: Assembled, sources: list[str]) -> None:
    found.steps.extend(Step("student", OWN, code) for code in sources)
