"""A line cut into slices, and a point on it: how one number picks one of several things."""

from collections.abc import Mapping

from .marks import FONT, Drawing, arrow, entry, label, line, rectangle, text_width

HIGH = 30  # px, of the line
ROW = FONT + 5  # px, of a row of names
ROWS = 3  # of names, at most: a name that meets another goes one row up


def slices(shares: Mapping[str, float], *, at: float | None = None, alt: str = "",
           caption: str = "", title: str = "", width: float = 340) -> Drawing:  # fmt: skip
    """A line from 0 to 1, cut in proportion to the shares, the names above.

    Args:
        shares: name -> any number of at least 0; an empty name is not written.
        at: from 0 to 1, a point on the line, with an arrow; its slice is in orange.
        width: in pixels.

    Raises:
        ValueError: the shares add up to nothing.
    """
    total = sum(shares.values())
    if not total > 0:
        raise ValueError(f"the shares must add up to more than 0, got {total}")
    starts, x = {}, 0.0
    for name, share in shares.items():
        starts[name] = x, x + width * share / total
        x = starts[name][1]
    rows = _rows(starts, width)
    top = ROW * (1 + max(rows.values(), default=0))
    marks = []
    for i, (name, (start, end)) in enumerate(starts.items()):
        hit = at is not None and start <= at * width < end
        fill = ("orange", 0.75) if hit else ("blue", 0.35 if i % 2 else 0.18)
        marks.append(rectangle(start, top, end - start, HIGH, fill=fill, radius=0))
        if name:
            marks.append(_name(name, (start + end) / 2, top, rows[name], width))
    marks += [label(0, top + HIGH + FONT + 2, "0", quiet=True),
              label(width, top + HIGH + FONT + 2, "1", "end", quiet=True)]  # fmt: skip
    if at is not None:
        below = top + HIGH
        marks += [arrow(at * width, below + 20, at * width, below + 1, "text", 1.8),
                  label(at * width, below + 32, entry(at, 2), "middle", bold=True)]  # fmt: skip
    return Drawing(width, top + HIGH + (36 if at is not None else FONT + 6), "".join(marks),
                   alt, title, caption)  # fmt: skip


def _left(name: str, middle: float, width: float) -> float:
    """Where a name begins: above the middle of its slice, and inside the drawing."""
    return max(0.0, min(middle - text_width(name) / 2, width - text_width(name)))


def _rows(starts: Mapping[str, tuple[float, float]], width: float) -> dict[str, int]:
    """The row of each name, counted upwards from the line: the lowest with room."""
    ends, rows = [-9.0] * ROWS, {}
    for name, (start, end) in starts.items():
        left = _left(name, (start + end) / 2, width)
        free = [i for i in range(ROWS) if ends[i] + 6 <= left]
        rows[name] = free[0] if free else ROWS - 1
        if name:
            ends[rows[name]] = left + text_width(name)
    return rows


def _name(name: str, middle: float, top: float, row: int, width: float) -> str:
    y = top - row * ROW - 5
    stem = line([(middle, y + 3), (middle, top)], "line", 1) if row else ""
    return stem + label(_left(name, middle, width), y, name)
