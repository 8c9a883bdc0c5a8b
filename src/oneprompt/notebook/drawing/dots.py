"""Points in the plane: a map, a cloud and its shadow."""

from collections.abc import Mapping, Sequence

from .marks import FONT, ORDER, Drawing, color, label, line, text_width

AROUND = 8  # px between the outermost points and the frame
Point = tuple[float, float]


def dots(groups: Mapping[str, Sequence[Point]], *, alt: str = "", caption: str = "",
         title: str = "", size: float = 250, frame: tuple[Point, Point] | None = None,
         radius: float = 3, links: Sequence[tuple[Point, Point]] = (),
         names: Mapping[str, Point] | None = None, colors: Mapping[str, str] | None = None
         ) -> Drawing:  # fmt: skip
    """Points in the plane, in a frame without units, a color and a line of the legend per group.

    Args:
        groups: name -> points; a tensor (n, 2) will do. A name that is empty or begins with "_"
            stays out of the legend.
        size: of the longer side, in pixels.
        frame: ((left, low), (right, high)) of what is shown; without it, all points.
        links: pairs of points that a thin line joins.
        names: text -> the point that it is written beside.
        colors: name -> a name of the palette; the others follow its order.
    """
    points = {name: _points(group) for name, group in groups.items()}
    (left, low), (right, high) = frame or _bounds([p for group in points.values() for p in group])
    unit = (size - 2 * AROUND) / (max(right - left, high - low) or 1)

    def at(point: Point) -> Point:
        return AROUND + (point[0] - left) * unit, AROUND + (high - point[1]) * unit

    width, height = (right - left) * unit + 2 * AROUND, (high - low) * unit + 2 * AROUND
    marks = [line([(0, 0), (width, 0), (width, height), (0, height), (0, 0)], "line", 1)]
    marks += [line([at(a), at(b)], "quiet", 0.8) for a, b in links]
    paints = [(colors or {}).get(name, plain) for name, plain in zip(points, ORDER, strict=False)]
    marks += [_dots([at(point) for point in group], radius, paint)
              for group, paint in zip(points.values(), paints, strict=True)]  # fmt: skip
    marks += [_name(text, *at(point), width) for text, point in (names or {}).items()]
    down = height + FONT + 4
    for name, paint in zip(points, paints, strict=True):
        if name and not name.startswith("_"):
            marks += [_dots([(6, down - 5)], 4, paint), label(16, down, name)]
            down += FONT + 6
    texts = [16 + text_width(name) for name in points if name and not name.startswith("_")]
    return Drawing(max([width, *texts]), down - FONT - 2, "".join(marks), alt, title, caption)


def _points(group) -> list[Point]:
    rows = group.tolist() if hasattr(group, "tolist") else group
    return [(float(x), float(y)) for x, y in rows]


def _bounds(points: list[Point]) -> tuple[Point, Point]:
    xs, ys = zip(*points, strict=True)
    return (min(xs), min(ys)), (max(xs), max(ys))


def _dots(points: list[Point], radius: float, paint: str) -> str:
    """One path for all of them: lines of no length with round ends."""
    path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)
    width = f'stroke-width="{2 * radius}" stroke-linecap="round"'
    return f'<path d="{path}" stroke="{color(paint)}" {width}/>'


def _name(text: str, x: float, y: float, width: float) -> str:
    """Right of its point, or left of it where there is no room."""
    fits = x + 8 + text_width(text) <= width
    return label(x + 6 if fits else x - 6, y + 5, text, "start" if fits else "end")
