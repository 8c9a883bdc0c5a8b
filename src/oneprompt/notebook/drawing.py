"""Drawings in the book's colors, made from numbers: arrows, cells, boxes, bars and curves.

    from oneprompt.notebook import drawing
    drawing.arrows({"q": (2, 1), "k": (1, 3)}, alt="Two arrows from the origin: ...")

Each function gives a `Drawing`. The page and a live notebook show it as HTML in the colors of the
theme; the committed notebook keeps a plain SVG, which GitHub shows, too. A text is at least 11 px
high on a phone, since no drawing is wider than `MAX_WIDTH`: what is wider goes `beside`, whose
parts stand below each other where there is no room.
"""

from collections.abc import Mapping, Sequence

from .drawing_marks import FONT, Drawing, arrow, color, label, line, rectangle, text_width

CELL = 30  # the height of a cell
GAP = 6


def arrows(vectors: Mapping[str, Sequence], *, alt: str, colors: Mapping[str, str] | None = None,
           title: str = "", size: float = 250) -> Drawing:  # fmt: skip
    """Vectors in the plane, on a grid with a line per unit.

    Args:
        vectors: name -> (x, y) from the origin, or ((x, y), (x, y)) from one point to another.
        alt: what is to be seen, in a sentence or two.
        colors: name -> a name of the palette; the others follow its order.
        title: a line above.
        size: of the longer side, in pixels.
    """
    ends = {name: _ends(vector) for name, vector in vectors.items()}
    xs = [0.0, *(x for pair in ends.values() for x, _ in pair)]
    ys = [0.0, *(y for pair in ends.values() for _, y in pair)]
    left, right, low, high = min(xs) - 0.5, max(xs) + 0.7, min(ys) - 0.5, max(ys) + 0.7
    unit = size / max(right - left, high - low)

    def at(x: float, y: float) -> tuple[float, float]:
        return (x - left) * unit, (high - y) * unit

    marks = _grid(at, left, right, low, high)
    for (name, (start, end)), plain in zip(ends.items(), _cycle(), strict=False):
        paint = (colors or {}).get(name, plain)
        marks += [arrow(*at(*start), *at(*end), paint), _tip(name, at(*start), at(*end), paint)]
    return Drawing((right - left) * unit, (high - low) * unit, "".join(marks), alt, title)


def cells(rows: Sequence[Sequence], *, alt: str, row_names: Sequence[str] = (),
          column_names: Sequence[str] = (), title: str = "", digits: int = 2,
          shade: bool = True, lit: Sequence[tuple[int, int]] = ()) -> Drawing:  # fmt: skip
    """A small matrix or a row of cells: numbers or texts; `None` is an empty cell.

    Args:
        rows: the entries; a tensor or an array of one or two dimensions will do.
        row_names, column_names: texts beside the rows and above the columns.
        digits: decimals of numbers that are not whole.
        shade: blue above zero and orange below, the deeper the larger.
        lit: (row, column) of the cells with a frame.
    """
    rows = _rows(rows)
    texts = [[_entry(value, digits) for value in row] for row in rows]
    width = max(38.0, *(text_width(text) + 12 for row in texts for text in row),
                *(text_width(name) + 8 for name in column_names))  # fmt: skip
    left = max((text_width(name) + 10 for name in row_names), default=0.0)
    top = FONT + GAP if column_names else 0.0
    largest = max((abs(v) for row in rows for v in row if _is_number(v)), default=1) or 1
    marks = [label(left + (j + 0.5) * width, FONT - 2, name, "middle", quiet=True)
             for j, name in enumerate(column_names)]  # fmt: skip
    marks += [label(left - 8, top + (i + 0.5) * CELL + 5, name, "end", quiet=True)
              for i, name in enumerate(row_names)]  # fmt: skip
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            box = left + j * width + 1, top + i * CELL + 1, width - 2, CELL - 2
            fill = _shade(value, largest) if shade else None
            marks.append(rectangle(*box, fill=fill, lit=(i, j) in lit, empty=value is None))
            marks.append(label(box[0] + box[2] / 2, box[1] + CELL / 2 + 4, texts[i][j], "middle"))
    size = left + width * len(rows[0]), top + CELL * len(rows)
    return Drawing(*size, "".join(marks), alt, title)


def boxes(places: Mapping[str, tuple[float, float]], links: Sequence[tuple] = (), *, alt: str,
          texts: Mapping[str, str] | None = None, lit: Sequence[str] = (), title: str = "",
          column: float | None = None, row: float = 64) -> Drawing:  # fmt: skip
    """Boxes with arrows between them: a flow, a tree, a circuit.

    Args:
        places: name -> (column, row) of its middle, from 0; halves are allowed.
        links: (from, to) or (from, to, text) by name.
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
    for name, (x, y) in middle.items():
        width, height = sizes[name]
        paint = ("blue", 0.22) if name in lit else None
        marks.append(rectangle(x - width / 2, y - height / 2, width, height, fill=paint,
                               lit=name in lit, radius=5))  # fmt: skip
        start = y - height / 2 + FONT + 5
        marks += [label(x, start + i * (FONT + 3), text, "middle")
                  for i, text in enumerate(said[name])]  # fmt: skip
    return Drawing(right - left, bottom - top, "".join(marks), alt, title)


def bars(values: Mapping[str, float], *, alt: str, title: str = "", digits: int = 2,
         largest: float | None = None, lit: Sequence[str] = (), length: float = 180
         ) -> Drawing:  # fmt: skip
    """Horizontal bars from zero, a name before and the number behind each; `lit` are in orange."""
    left = max(map(text_width, values)) + 8
    most = largest or max(map(abs, values.values())) or 1
    ends = max(text_width(_entry(value, digits)) for value in values.values()) + 10
    marks = []
    for i, (name, value) in enumerate(values.items()):
        y, width = i * 24, max(1.0, length * abs(value) / most)
        paint = "orange" if name in lit else "blue" if value >= 0 else "vermillion"
        marks.append(label(left - 8, y + 16, name, "end"))
        marks.append(rectangle(left, y + 4, width, 16, fill=(paint, 1), bare=True))
        marks.append(label(left + width + 6, y + 16, _entry(value, digits)))
    return Drawing(left + length + ends, 24 * len(values), "".join(marks), alt, title)


def curves(lines: Mapping[str, Sequence[float]], *, alt: str, x: Sequence[float] | None = None,
           x_name: str = "", y_name: str = "", title: str = "", width: float = 340,
           height: float = 190, marks_at: Sequence[tuple[float, float]] = ()
           ) -> Drawing:  # fmt: skip
    """Lines over common x values (0, 1, 2, … if none are given), their names in a legend below.

    Args:
        lines: name -> the y values.
        x_name, y_name: what the axes count.
        marks_at: (x, y) of points with a dot.
    """
    each = {name: [float(value) for value in values] for name, values in lines.items()}
    xs = [float(v) for v in (x if x is not None else range(len(next(iter(each.values())))))]
    low, high = min(map(min, each.values())), max(map(max, each.values()))
    ends = _entry(low, 2), _entry(high, 2)
    left, top = max(map(text_width, ends)) + 8, FONT + 8

    def at(a: float, b: float) -> tuple[float, float]:
        return (left + (a - xs[0]) / (xs[-1] - xs[0]) * (width - left - 8),
                top + (high - b) / ((high - low) or 1) * (height - top))  # fmt: skip

    marks = [line([at(xs[0], high), at(xs[0], low), at(xs[-1], low)], "line", 1),
             label(left - 6, at(0, high)[1] + 10, ends[1], "end", quiet=True),
             label(left - 6, at(0, low)[1], ends[0], "end", quiet=True),
             label(0, FONT - 2, y_name, quiet=True),
             label(left, height + FONT + 4, _entry(xs[0], 2), quiet=True),
             label((left + width) / 2, height + FONT + 4, x_name, "middle", quiet=True),
             label(width - 8, height + FONT + 4, _entry(xs[-1], 2), "end", quiet=True)]  # fmt: skip
    down = height + 2 * FONT + 12
    for (name, values), paint in zip(each.items(), _cycle(), strict=False):
        marks.append(line([at(a, b) for a, b in zip(xs, values, strict=True)], paint, 2.2))
        if name:
            marks += [line([(left, down - 5), (left + 22, down - 5)], paint, 3),
                      label(left + 28, down, name)]  # fmt: skip
            down += FONT + 6
    marks += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4.5" fill="{color("orange")}"/>'
              for a, b in (at(*point) for point in marks_at)]  # fmt: skip
    return Drawing(width, down - 10, "".join(marks), alt, title)


def _ends(vector) -> tuple[tuple[float, float], tuple[float, float]]:
    first, second = vector
    if hasattr(first, "__len__"):
        return tuple(map(float, first)), tuple(map(float, second))
    return (0.0, 0.0), (float(first), float(second))


def _grid(at, left: float, right: float, low: float, high: float) -> list[str]:
    """A thin line per unit, both axes, and the numbers along them."""
    across = range(int(-(-left // 1)), int(right // 1) + 1)
    along = range(int(-(-low // 1)), int(high // 1) + 1)
    lines = [line([at(x, low), at(x, high)], "line", 0.5 if x else 1.2) for x in across]
    lines += [line([at(left, y), at(right, y)], "line", 0.5 if y else 1.2) for y in along]
    unit = at(1, 0)[0] - at(0, 0)[0]
    if unit < 24:
        return lines
    x0, y0 = at(0, 0)
    lines += [label(at(x, 0)[0], y0 + FONT, str(x), "middle", quiet=True) for x in across if x]
    lines += [label(x0 - 4, at(0, y)[1] + 5, str(y), "end", quiet=True) for y in along if y]
    return lines


def _tip(name: str, start, end, paint: str) -> str:
    """A vector's name, just beyond its tip and on the side it points to."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = max((dx * dx + dy * dy) ** 0.5, 1e-9)
    anchor = "start" if dx > 0.3 * length else "end" if dx < -0.3 * length else "middle"
    return label(end[0] + 9 * dx / length, end[1] + 11 * dy / length + 4, name, anchor, bold=True)


def _link(middle, sizes, source: str, target: str, text: str = "") -> str:
    """An arrow from the edge of one box to the edge of another, with a text beside its middle."""
    (x1, y1), (x2, y2) = middle[source], middle[target]
    start = _edge(x1, y1, x2, y2, sizes[source])
    end = _edge(x2, y2, x1, y1, sizes[target])
    said = label((start[0] + end[0]) / 2 + 6, (start[1] + end[1]) / 2 + 5, text, quiet=True)
    return arrow(*start, *end, "quiet", 1.6) + (said if text else "")


def _edge(x: float, y: float, to_x: float, to_y: float, size) -> tuple[float, float]:
    """Where the line to another point leaves a box, with a little air."""
    dx, dy = to_x - x, to_y - y
    share = min((size[0] / 2 + 3) / abs(dx) if dx else 9, (size[1] / 2 + 3) / abs(dy) if dy else 9)
    return x + dx * min(share, 0.5), y + dy * min(share, 0.5)


def _rows(rows) -> list[list]:
    rows = rows.tolist() if hasattr(rows, "tolist") else list(rows)
    nested = rows and isinstance(rows[0], list | tuple)
    return [list(row) for row in rows] if nested else [rows]


def _is_number(value) -> bool:
    return isinstance(value, int | float) and abs(value) != float("inf")


def _entry(value, digits: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, int | float):
        return str(value)
    if abs(value) == float("inf"):
        return "−∞" if value < 0 else "∞"
    text = f"{value:.0f}" if value == int(value) else f"{value:.{digits}f}"
    return text.replace("-", "−")


def _shade(value, largest: float) -> tuple[str, float] | None:
    if not _is_number(value) or value == 0:
        return None
    return ("blue" if value > 0 else "vermillion", 0.08 + 0.37 * min(1, abs(value) / largest))


def _cycle() -> tuple[str, ...]:
    return ("blue", "orange", "green", "purple", "vermillion", "sky", "yellow", "gray")


def beside(*parts: "Drawing | str", alt: str, title: str = "") -> Drawing:
    """Drawings and signs such as "×" in one row, below each other where there is no room."""
    return Drawing.joined([_sign(p) if isinstance(p, str) else p for p in parts], alt, title)


def _sign(text: str) -> Drawing:
    width = text_width(text) + 8
    return Drawing(width, CELL, label(width / 2, CELL / 2 + 5, text, "middle", bold=True), "")
