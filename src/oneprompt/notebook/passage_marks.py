"""The small pictures beside the steps in the picture of the model, each drawn from its data."""

import math
from html import escape

from .drawing.marks import color
from .style import shade

HEIGHT = 34  # px
WIDTH = 176  # px, which fits beside a step's name on a phone
LEVELS = 6  # of opacity
STRIP = 44  # numbers of a row that are shown


def chips(tokens: list[tuple[str, str]]) -> str:
    """Tokens in a row, each with a small text below, as HTML."""
    return "".join(
        f"<span class='op-chip'>{escape(token)}<small>{escape(below)}</small></span>"
        if below
        else f"<span class='op-chip'>{escape(token)}</span>"
        for token, below in tokens
    )


def strips(rows: list[list[float]]) -> str:
    """The first numbers of each row."""
    seen = [row[:STRIP] for row in rows]
    largest = max(abs(value) for row in seen for value in row)
    step = HEIGHT / len(seen)
    return _svg(_shades(
        (x * WIDTH / STRIP, y * step, WIDTH / STRIP, step - 1.5, value / largest)
        for y, row in enumerate(seen) for x, value in enumerate(row)
    ), stretch=True)  # fmt: skip


def clocks(count: int) -> str:
    """A hand per position, turned by one radian more each time."""
    marks, room = [], WIDTH / count
    for t in range(count):
        x, y, r = (t + 0.5) * room, HEIGHT / 2, HEIGHT / 2 - 3
        marks.append(_circle(x, y, r))
        marks.append(f'<line x1="{x:.1f}" y1="{y}" x2="{x + r * math.cos(t):.1f}"'
                     f' y2="{y - r * math.sin(t):.1f}" stroke="{color("blue")}"'
                     ' stroke-width="2.4"/>')  # fmt: skip
    return _svg("".join(marks))


def heads(maps: list[list[list[float]]]) -> str:
    """A small map per head: a row per token that looks, a column per token it looks at."""
    room = min(HEIGHT + 2, WIDTH / len(maps))
    size, cells, frames = room - 3, [], []
    for h, rows in enumerate(maps):
        step = size / len(rows)
        frames.append(f'<rect x="{h * room:.1f}" y="0.5" width="{size:.1f}" height="{size:.1f}"'
                      f' fill="none" stroke="{color("line")}"/>')  # fmt: skip
        cells += [(h * room + s * step, 0.5 + t * step, step, step, weight)
                  for t, row in enumerate(rows) for s, weight in enumerate(row)]  # fmt: skip
    return _svg(_shades(cells) + "".join(frames))


def spindle(narrow: int, wide: int) -> str:
    """A row widened and narrowed again, in true proportion."""
    thin, middle = HEIGHT * narrow / wide, HEIGHT / 2
    x = [4, 0.3 * WIDTH, 0.5 * WIDTH, 0.8 * WIDTH]
    outline = [(x[0], middle - thin / 2), (x[1], 1), (x[2], 1), (x[3], middle - thin / 2),
               (x[3], middle + thin / 2), (x[2], HEIGHT - 1), (x[1], HEIGHT - 1),
               (x[0], middle + thin / 2)]  # fmt: skip
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in outline)
    texts = [(x[0] + 14, narrow), ((x[1] + x[2]) / 2, wide), (x[3] - 14, narrow)]
    said = "".join(f'<text x="{a:.1f}" y="{middle + 4:.1f}" text-anchor="middle"'
                   f' fill="{color("text")}">{n}</text>' for a, n in texts)  # fmt: skip
    return _svg(
        f'<polygon points="{points}" fill="{color("blue")}" fill-opacity=".22"'
        f' stroke="{color("line")}"/>{said}'
    )


def towers(values: list[float]) -> str:
    """A bar per score, from the least of those shown on."""
    room, least = WIDTH / len(values), min(values)
    height = [(HEIGHT - 4) * (v - least) / ((max(values) - least) or 1) + 3 for v in values]
    return _svg("".join(
        f'<rect x="{i * room:.1f}" y="{HEIGHT - h:.1f}" width="{room - 3:.1f}" height="{h:.1f}"'
        f' fill="{color("blue" if i else "orange")}"/>'
        for i, h in enumerate(height)
    ), stretch=True)  # fmt: skip


def _circle(x: float, y: float, r: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y}" r="{r}" fill="none" stroke="{color("line")}"/>'


def _shades(cells) -> str:
    """Cells (x, y, width, height, value from -1 to 1), one path per color."""
    paths: dict[int, str] = {}
    for x, y, width, height, value in cells:
        level = round(LEVELS * max(-1.0, min(1.0, value)))
        if level:
            box = f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z"
            paths[level] = paths.get(level, "") + box
    shades = {level: shade(level / LEVELS) for level in sorted(paths)}
    return "".join(
        f'<path d="{paths[level]}" fill="{color(paint)}" fill-opacity="{opacity}"/>'
        for level, (paint, opacity) in shades.items()
    )


def _svg(marks: str, stretch: bool = False) -> str:
    """The picture; `stretch` lets its two sides have any proportion."""
    ratio = ' preserveAspectRatio="none"' if stretch else ""
    return (
        f'<svg aria-hidden="true"{ratio} viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"'
        f' height="{HEIGHT}">{marks}</svg>'
    )
