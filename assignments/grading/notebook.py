"""Notebooks as far as grading needs them: cells with a name, a role and a text, no outputs.

Read as plain JSON. A stranger's file may break any rule of the format, and importing nbformat with
its validator would take longer than reading a hundred notebooks.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .limits import MB


class Returned(Exception):
    """The file cannot be graded; the message tells the student what to do."""


@dataclass(frozen=True)
class Cell:
    """`told` is nbgrader's metadata; empty where there is none that can be used."""

    kind: str  # "code", "markdown" or "raw"
    id: str
    source: str
    told: dict

    @property
    def label(self) -> str:
        return self.told.get("grade_id", "")

    @property
    def name(self) -> str:
        return self.label or self.id

    @property
    def is_solution(self) -> bool:
        return bool(self.told.get("solution"))

    @property
    def is_written(self) -> bool:
        return self.is_solution and bool(self.told.get("grade"))

    @property
    def is_test(self) -> bool:
        return bool(self.told.get("grade")) and not self.is_solution


@dataclass(frozen=True)
class Notebook:
    cells: list[Cell]
    metadata: dict

    @cached_property
    def labeled(self) -> dict[str, Cell]:
        return {cell.label: cell for cell in self.cells if cell.label}


def read(path: Path, most_mb: float) -> Notebook:
    """The notebook in a file.

    Raises:
        Returned: it is too large, damaged, or no notebook.
    """
    size = path.stat().st_size if path.exists() else 0
    if size == 0:
        raise Returned("there is no notebook, or it is empty; hand in the .ipynb file")
    if size > most_mb * MB:
        raise Returned(
            f"the file has {size / MB:.0f} MB, and {most_mb:g} MB is the most; "
            "clear all outputs, save, and hand it in again"
        )
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Returned(
            f"the file is damaged or incomplete ({error}); save it and hand it in again"
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise Returned("the file is not a notebook; hand in the .ipynb that you worked in")
    cells = [_cell(cell) for cell in content["cells"] if isinstance(cell, dict)]
    metadata = content.get("metadata")
    return Notebook(cells, metadata if isinstance(metadata, dict) else {})


def _cell(cell: dict) -> Cell:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    text = source if isinstance(source, str) else ""
    text = text.encode("utf-8", "replace").decode()  # half a surrogate pair could not be sent
    kind = cell["cell_type"] if cell.get("cell_type") in ("markdown", "raw") else "code"
    id_ = cell["id"] if isinstance(cell.get("id"), str) else ""
    metadata = cell.get("metadata")
    told = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    usable = isinstance(told, dict) and isinstance(told.get("grade_id"), str)
    return Cell(kind, id_, text, told if usable else {})
