"""Bars and curves."""

import math
from collections.abc import Mapping, Sequence

from ..style import ABOVE, BELOW
from .marks import FONT, ORDER, Drawing, color, entry, label, line, rectangle, text_width


def bars(values: Mapping[str, float], *, alt: str = "", caption: str = "", title: str = "",
         digits: int = 2, largest: float | None = None, lit: Sequence[str] = (), length: float = 180
         ) -> Drawing:  # fmt: skip
    """Horizontal bars, a name before and the number behind each; `lit` are in orange.

    Where a value is negative, its bar goes to the left of a line at zero.
    """
    low, high = min(0, *values.values()), largest or max(0, *values.values())
    unit = length / ((high - low) or 1)
    left = max(map(text_width, values)) + 8
    zero = left - low * unit
    ends = max(text_width(entry(value, digits)) for value in values.values()) + 10
    marks = []
    for i, (name, value) in enumerate(values.items()):
        y, width = i * 24, max(1.0, abs(value) * unit)
        start = zero - width if value < 0 else zero
        paint = "orange" if name in lit else ABOVE if value >= 0 else BELOW
        marks.append(label(left - 8, y + 16, name, "end"))
        marks.append(rectangle(start, y + 4, width, 16, fill=(paint, 1), bare=True))
        marks.append(label(max(start + width, zero) + 6, y + 16, entry(value, digits)))
    if low < 0:
        marks.append(line([(zero, 0), (zero, 24 * len(values))], "quiet", 1))
    return Drawing(left + length + ends, 24 * len(values), "".join(marks), alt, title, caption)


def curves(lines: Mapping[str, Sequence[float | None]], *, alt: str = "", caption: str = "",
           x: Sequence[float] | None = None, x_name: str = "", y_name: str = "", title: str = "",
           width: float = 340, height: float = 190, marks_at: Sequence[tuple[float, float]] = (),
           edge: float | None = None, log: bool = False,
           names: Mapping[str, tuple[float, float]] | None = None) -> Drawing:  # fmt: skip
    """Lines over common x values (0, 1, 2, … if none are given), their names in a legend below.

    Args:
        lines: name -> the y values; `None` where a line has none.
        x_name, y_name: what the axes count.
        marks_at: (x, y) of points with a dot.
        edge: an x at which a quiet line goes from top to bottom.
        log: both axes by factors, a thin line per factor of ten; all values are above zero.
        names: text -> the point with a dot that it is written below.
    """
    each = {name: [None if value is None else float(value) for value in values]
            for name, values in lines.items()}  # fmt: skip
    known = [value for values in each.values() for value in values if value is not None]
    xs = [float(v) for v in (x if x is not None else range(len(next(iter(each.values())))))]
    low, high = min(known), max(known)
    ends = entry(low, 2), entry(high, 2)
    left, top = max(map(text_width, ends)) + 8, FONT + 8
    scale = math.log10 if log else float
    (x0, x1), (y0, y1) = map(scale, (xs[0], xs[-1])), map(scale, (low, high))
    first, last = entry(xs[0], 2), entry(xs[-1], 2)
    room = width - 8 - left - text_width(first) - text_width(last) - 2 * FONT
    below = FONT + 4 if text_width(x_name) > room else 0  # a long name has a line of its own

    def at(a: float, b: float) -> tuple[float, float]:
        return (left + (scale(a) - x0) / (x1 - x0) * (width - left - 8),
                top + (y1 - scale(b)) / ((y1 - y0) or 1) * (height - top))  # fmt: skip

    marks = [line([at(xs[0], high), at(xs[0], low), at(xs[-1], low)], "line", 1),
             label(left - 6, at(xs[0], high)[1] + 10, ends[1], "end", quiet=True),
             label(left - 6, at(xs[0], low)[1], ends[0], "end", quiet=True),
             label(0, FONT - 2, y_name, quiet=True),
             label(left, height + FONT + 4, first, quiet=True),
             label((left + width) / 2, height + FONT + 4 + below, x_name, "middle", quiet=True),
             label(width - 8, height + FONT + 4, last, "end", quiet=True)]  # fmt: skip
    if log:
        marks += [line([at(ten, high), at(ten, low)], "line", 0.5) for ten in _tens(x0, x1)]
        marks += [line([at(xs[0], ten), at(xs[-1], ten)], "line", 0.5) for ten in _tens(y0, y1)]
    if edge is not None:
        marks.append(line([at(edge, high), at(edge, low)], "quiet", 1))
    down = height + 2 * FONT + 12 + below
    for (name, values), paint in zip(each.items(), ORDER, strict=False):
        points = [at(a, b) for a, b in zip(xs, values, strict=True) if b is not None]
        marks.append(line(points, paint, 2.2))
        if name:
            marks += [line([(left, down - 5), (left + 22, down - 5)], paint, 3),
                      label(left + 28, down, name)]  # fmt: skip
            down += FONT + 6
    named = {text: at(*point) for text, point in (names or {}).items()}
    marks += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4.5" fill="{color("orange")}"/>'
              for a, b in [*(at(*point) for point in marks_at), *named.values()]]  # fmt: skip
    marks += [_name(text, a, b, width) for text, (a, b) in named.items()]
    return Drawing(width, down - 10, "".join(marks), alt, title, caption)


def _name(text: str, x: float, y: float, width: float) -> str:
    """Below its point, to the right where there is room."""
    fits = x + 8 + text_width(text) <= width
    return label(x + 8 if fits else width, y + FONT + 3, text, "start" if fits else "end")


def _tens(low: float, high: float) -> list[float]:
    """The powers of ten between two given by their logarithms, both left out."""
    return [10.0**n for n in range(math.floor(low) + 1, math.ceil(high))]
