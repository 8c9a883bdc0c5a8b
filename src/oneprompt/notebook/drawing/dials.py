"""Clocks with one hand each, in rows and columns."""

import math
from collections.abc import Sequence

from .marks import FONT, Drawing, arrow, color, label, text_width

GAP = 6


def dials(rows: Sequence[Sequence[float]], *, alt: str = "", caption: str = "",
          row_names: Sequence[str] = (), column_names: Sequence[str] = (), title: str = "",
          size: float = 36, paint: str = "blue") -> Drawing:  # fmt: skip
    """A dial for each angle: its hand starts at the right and turns against the clock.

    Args:
        rows: the angles in radians; a tensor of two dimensions will do.
        alt, caption: see `Drawing`.
        row_names, column_names: texts beside the rows and above the columns.
        size: of a dial, in pixels.
        paint: the color of the hands, a name of the palette.
    """
    left = max((text_width(name) + 10 for name in row_names), default=0.0)
    top = FONT + GAP if column_names else 0.0
    step, radius = size + GAP, size / 2
    marks = [label(left + (j + 0.5) * step, FONT - 2, name, "middle", quiet=True)
             for j, name in enumerate(column_names)]  # fmt: skip
    for i, row in enumerate(rows):
        y = top + (i + 0.5) * step
        if row_names:
            marks.append(label(left - 8, y + 5, row_names[i], "end", quiet=True))
        marks += [_dial(left + (j + 0.5) * step, y, radius, float(angle), paint)
                  for j, angle in enumerate(row)]  # fmt: skip
    width = left + step * max(len(row) for row in rows)
    return Drawing(width, top + step * len(rows), "".join(marks), alt, title, caption)


def _dial(x: float, y: float, radius: float, angle: float, paint: str) -> str:
    tip = x + (radius - 2) * math.cos(angle), y - (radius - 2) * math.sin(angle)
    face = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="none"'
    return f'{face} stroke="{color("line")}"/>{arrow(x, y, *tip, paint, 1.8)}'
