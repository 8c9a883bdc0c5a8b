"""Small matrices, and drawings beside each other."""

from collections.abc import Sequence

from ..style import shade as shade_of
from .marks import FONT, Drawing, entry, label, rectangle, text_width

CELL = 30  # the height of a cell
GAP = 6


def cells(rows: Sequence[Sequence], *, alt: str = "", caption: str = "",
          row_names: Sequence[str] = (), column_names: Sequence[str] = (), title: str = "",
          digits: int = 2, shade: bool = True, lit: Sequence[tuple[int, int]] = ()
          ) -> Drawing:  # fmt: skip
    """A small matrix or a row of cells: numbers or texts; `None` is an empty cell.

    Args:
        rows: the entries; a tensor or an array of one or two dimensions will do.
        row_names, column_names: texts beside the rows and above the columns.
        digits: decimals of numbers that are not whole.
        shade: color the cells of numbers by their size (style.py).
        lit: (row, column) of the cells with a frame.
    """
    rows = _rows(rows)
    texts = [[entry(value, digits) for value in row] for row in rows]
    widths = _widths(rows, texts, column_names)
    left = max((text_width(name) + 10 for name in row_names), default=0.0)
    top = FONT + GAP if column_names else 0.0
    largest = max((abs(v) for row in rows for v in row if _is_number(v)), default=1) or 1
    starts = [left + sum(widths[:j]) for j in range(len(widths))]
    marks = [label(starts[j] + widths[j] / 2, FONT - 2, name, "middle", quiet=True)
             for j, name in enumerate(column_names)]  # fmt: skip
    marks += [label(left - 8, top + (i + 0.5) * CELL + 5, name, "end", quiet=True)
              for i, name in enumerate(row_names)]  # fmt: skip
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            box = starts[j] + 1, top + i * CELL + 1, widths[j] - 2, CELL - 2
            fill = _shade(value, largest) if shade else None
            marks.append(rectangle(*box, fill=fill, lit=(i, j) in lit, empty=value is None))
            marks.append(label(box[0] + box[2] / 2, box[1] + CELL / 2 + 4, texts[i][j], "middle"))
    size = left + sum(widths), top + CELL * len(rows)
    return Drawing(*size, "".join(marks), alt, title, caption)


def _widths(rows: list[list], texts: list[list[str]], names: Sequence[str]) -> list[float]:
    """The width of each column: its own where there are texts, and the same for all numbers."""
    names = names or [""] * len(rows[0])
    own = [max(38.0, text_width(name) + 8, *(text_width(text) + 12 for text in column))
           for name, *column in zip(names, *texts, strict=True)]  # fmt: skip
    has_text = any(isinstance(value, str) for row in rows for value in row)
    return own if has_text else [max(own)] * len(own)


def beside(*parts: "Drawing | str", alt: str = "", caption: str = "", title: str = "") -> Drawing:
    """Drawings and signs such as "×" in one row, below each other where there is no room."""
    drawings = [_sign(part) if isinstance(part, str) else part for part in parts]
    return Drawing.joined(drawings, alt, title, caption)


def _sign(text: str) -> Drawing:
    width = text_width(text) + 8
    return Drawing(width, CELL, label(width / 2, CELL / 2 + 5, text, "middle", bold=True), "")


def _rows(rows) -> list[list]:
    rows = rows.tolist() if hasattr(rows, "tolist") else list(rows)
    nested = rows and isinstance(rows[0], list | tuple)
    return [list(row) for row in rows] if nested else [rows]


def _is_number(value) -> bool:
    return isinstance(value, int | float) and abs(value) != float("inf")


def _shade(value, largest: float) -> tuple[str, str] | None:
    if not _is_number(value) or value == 0:
        return None
    return shade_of(value / largest, under_text=True)
