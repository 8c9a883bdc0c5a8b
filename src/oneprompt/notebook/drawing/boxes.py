"""Boxes with arrows between them."""

from collections.abc import Mapping, Sequence

from .marks import FONT, Drawing, arrow, label, line, rectangle, text_width

AROUND = 20  # how far below the boxes an arrow passes


def boxes(places: Mapping[str, tuple[float, float]], links: Sequence[tuple] = (), *, alt: str = "",
          caption: str = "", around: Sequence[tuple] = (), texts: Mapping[str, str] | None = None,
          lit: Sequence[str] = (), title: str = "", column: float | None = None, row: float = 64
          ) -> Drawing:  # fmt: skip
    """Boxes with arrows between them: a flow, a tree, a circuit.

    Args:
        places: name -> (column, row) of its middle, from 0; halves are allowed.
        links: (from, to) or (from, to, text) by name.
        around: (from, to) of arrows that pass below all boxes between the two.
        texts: name -> what the box says, if not its name; "\\n" begins a line.
        lit: names of the boxes in blue.
        column, row: the distance of two columns and rows in pixels.
    """
    said = {name: (texts or {}).get(name, name).split("\n") for name in places}
    sizes = {name: (max(map(text_width, lines)) + 16, (FONT + 3) * len(lines) + 12)
             for name, lines in said.items()}  # fmt: skip
    column = column or max(width for width, _ in sizes.values()) + 20
    left = min(x * column - sizes[name][0] / 2 for name, (x, _) in places.items()) - 2
    right = max(x * column + sizes[name][0] / 2 for name, (x, _) in places.items()) + 2
    top = min(y * row - sizes[name][1] / 2 for name, (_, y) in places.items()) - 2
    bottom = max(y * row + sizes[name][1] / 2 for name, (_, y) in places.items()) + 2
    middle = {name: (x * column - left, y * row - top) for name, (x, y) in places.items()}
    marks = [_link(middle, sizes, *link) for link in links]
    marks += [_around(middle, sizes, bottom - top + AROUND, *ends) for ends in around]
    for name, (x, y) in middle.items():
        width, height = sizes[name]
        paint = ("blue", 0.22) if name in lit else None
        marks.append(rectangle(x - width / 2, y - height / 2, width, height, fill=paint,
                               lit=name in lit, radius=5))  # fmt: skip
        start = y - height / 2 + FONT + 5
        marks += [label(x, start + i * (FONT + 3), text, "middle")
                  for i, text in enumerate(said[name])]  # fmt: skip
    height = bottom - top + (AROUND + 2 if around else 0)
    return Drawing(right - left, height, "".join(marks), alt, title, caption)


def _link(middle, sizes, source: str, target: str, text: str = "") -> str:
    """An arrow from the edge of one box to the edge of another, with a text beside its middle."""
    (x1, y1), (x2, y2) = middle[source], middle[target]
    start = _edge(x1, y1, x2, y2, sizes[source])
    end = _edge(x2, y2, x1, y1, sizes[target])
    said = label((start[0] + end[0]) / 2 + 6, (start[1] + end[1]) / 2 + 5, text, quiet=True)
    return arrow(*start, *end, "quiet", 1.6) + (said if text else "")


def _around(middle, sizes, down: float, source: str, target: str) -> str:
    """An arrow out of the bottom of one box, below the others, into the bottom of another."""
    (x1, y1), (x2, y2) = middle[source], middle[target]
    start, end = y1 + sizes[source][1] / 2, y2 + sizes[target][1] / 2 + 2
    path = line([(x1, start), (x1, down), (x2, down)], "quiet", 1.6)
    return path + arrow(x2, down, x2, end, "quiet", 1.6)


def _edge(x: float, y: float, to_x: float, to_y: float, size) -> tuple[float, float]:
    """Where the line to another point leaves a box, with a little air."""
    dx, dy = to_x - x, to_y - y
    share = min((size[0] / 2 + 3) / abs(dx) if dx else 9, (size[1] / 2 + 3) / abs(dy) if dy else 9)
    return x + dx * min(share, 0.5), y + dy * min(share, 0.5)
