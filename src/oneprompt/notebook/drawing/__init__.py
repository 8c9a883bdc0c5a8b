"""Drawings in the book's colors, made from numbers: arrows, boxes, cells, charts, dots and more.

    from oneprompt.notebook import drawing
    drawing.arrows({"q": (2, 1), "k": (1, 3)}, alt="Two arrows from the origin: ...")

Each function gives a `Drawing`. The page and a live notebook show it as HTML in the colors of the
theme; the committed notebook keeps a plain SVG, which GitHub shows, too. A text is at least 11 px
high on a phone, since no drawing is wider than `MAX_WIDTH`: what is wider goes `beside`, whose
parts stand below each other where there is no room.
"""

from .arrows import arrows
from .boxes import boxes
from .cells import beside, cells
from .charts import bars, curves
from .dials import dials
from .dots import dots
from .marks import Drawing
from .reads import reads
from .slices import slices

__all__ = [
    "Drawing", "arrows", "bars", "beside", "boxes", "cells", "curves", "dials", "dots", "reads",
    "slices",
]  # fmt: skip
