"""Vectors in the plane."""

from collections.abc import Mapping, Sequence

from .marks import FONT, ORDER, Drawing, arrow, entry, label, line, text_width

APART = 24  # pixels between two numbers along an axis


def arrows(vectors: Mapping[str, Sequence], *, alt: str = "", caption: str = "",
           colors: Mapping[str, str] | None = None, title: str = "", size: float = 250
           ) -> Drawing:  # fmt: skip
    """Vectors in the plane, on a grid with a line per unit.

    Args:
        vectors: name -> (x, y) from the origin, or ((x, y), (x, y)) from one point to another.
        alt, caption: see `Drawing`.
        colors: name -> a name of the palette; the others follow its order.
        title: a line above.
        size: of the longer side, in pixels.
    """
    ends = {name: _ends(vector) for name, vector in vectors.items()}
    xs = [0.0, *(x for pair in ends.values() for x, _ in pair)]
    ys = [0.0, *(y for pair in ends.values() for _, y in pair)]
    left, right, low, high = min(xs) - 0.5, max(xs) + 0.5, min(ys) - 0.5, max(ys) + 0.7
    unit = size / max(right - left, high - low)
    aside = max(map(text_width, vectors)) - 4  # room for a name on either side

    def at(x: float, y: float) -> tuple[float, float]:
        return aside + (x - left) * unit, (high - y) * unit

    marks = _grid(at, left, right, low, high)
    for (name, (start, end)), plain in zip(ends.items(), ORDER, strict=False):
        paint = (colors or {}).get(name, plain)
        marks += [arrow(*at(*start), *at(*end), paint), _tip(name, at(*start), at(*end), paint)]
    width = (right - left) * unit + 2 * aside
    return Drawing(width, (high - low) * unit, "".join(marks), alt, title, caption)


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
    step = next(n for n in (1, 2, 5, 10, 50, 100) if n * unit >= APART or n == 100)
    x0, y0 = at(0, 0)
    across, along = ([n for n in each if n and n % step == 0] for each in (across, along))
    lines += [label(at(x, 0)[0], y0 + FONT, entry(x, 0), "middle", quiet=True) for x in across]
    lines += [label(x0 - 4, at(0, y)[1] + 5, entry(y, 0), "end", quiet=True) for y in along]
    return lines


def _tip(name: str, start, end, paint: str) -> str:
    """A vector's name, just beyond its tip and on the side it points to."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = max((dx * dx + dy * dy) ** 0.5, 1e-9)
    aside = 7 if abs(dx) < 0.01 * length else 9 * dx / length  # upright: not over the axis' numbers
    anchor = "end" if dx < -0.3 * length else "start" if aside > 0.3 * 9 else "middle"
    return label(end[0] + aside, end[1] + 11 * dy / length + 4, name, anchor, bold=True)
