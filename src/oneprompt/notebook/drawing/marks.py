"""What drawings are made of: a `Drawing`, and the marks in it as SVG."""

import re
from dataclasses import dataclass
from functools import cached_property
from html import escape

from ..markup import Device, caption_below
from ..style import INK, PALETTE, UNDER_INK

FONT = 14  # px
MAX_WIDTH = 400  # px: at this width a text is still 11 px high on a screen of 360 px
ORDER = ("blue", "orange", "green", "purple", "vermillion", "sky", "yellow", "gray")  # of lines
OWN = {"text": INK, "quiet": INK, "line": f"{INK}88"}  # the theme's, and what fits both themes
FIXED = PALETTE | OWN
VARIABLE = re.compile(r"var\(--op-(\w+)\)")
UNDER_TEXT = re.compile(r"calc\(([\d.]+) \* var\(--op-under-text\)\)")


def color(name: str) -> str:
    """A CSS color that follows the theme.

    Raises:
        ValueError: the palette has no such color.
    """
    if name not in FIXED:
        raise ValueError(f"unknown color {name!r}; choose from {', '.join([*PALETTE, *OWN])}")
    return f"var(--op-{name})"


def text_width(text: str) -> float:
    """About how wide a text is in pixels; wide letters, as in "␣What", take a little more."""
    return 8.4 * len(text)


def entry(value, digits: int) -> str:
    """A value as a cell shows it: whole numbers without decimals, "−∞", no "−0.00"."""
    if value is None:
        return ""
    if not isinstance(value, int | float):
        return str(value)
    if abs(value) == float("inf"):
        return "−∞" if value < 0 else "∞"
    text = f"{value:.0f}" if value == int(value) else f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def label(x: float, y: float, text: str, anchor: str = "start", *, quiet: bool = False,
          bold: bool = False) -> str:  # fmt: skip
    """A line of text that begins, has its middle or ends at x, on the base line y."""
    if not text:
        return ""
    paint = color("quiet" if quiet else "text")
    weight = ' font-weight="600"' if bold else ""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{paint}"{place}{weight}>{escape(text)}</text>'


def line(points: list[tuple[float, float]], paint: str, width: float) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<polyline points="{path}" fill="none" stroke="{color(paint)}" stroke-width="{width}"'
        ' stroke-linejoin="round"/>'
    )


def arrow(x1: float, y1: float, x2: float, y2: float, paint: str, width: float = 2.4) -> str:
    """A line with a head; no longer than its head, it is only that."""
    dx, dy = x2 - x1, y2 - y1
    length = max((dx * dx + dy * dy) ** 0.5, 1e-9)
    ux, uy = dx / length, dy / length
    head, half = 4 + 2.4 * width, 1.2 + 1.4 * width
    bx, by = x2 - head * ux, y2 - head * uy
    corners = [(x2, y2), (bx - half * uy, by + half * ux), (bx + half * uy, by - half * ux)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    shaft = line([(x1, y1), (bx, by)], paint, width) if length > head else ""
    return f'{shaft}<polygon points="{points}" fill="{color(paint)}"/>'


def rectangle(x: float, y: float, width: float, height: float, *,
              fill: tuple[str, float | str] | None = None, lit: bool = False, empty: bool = False,
              bare: bool = False, radius: float = 3) -> str:  # fmt: skip
    """A box. `fill` is a color and its opacity; `empty` is dashed; `bare` has no outline."""
    paint = f'fill="{color(fill[0])}" fill-opacity="{fill[1]}"' if fill else 'fill="none"'
    edge = color("orange" if lit else "line")
    stroke = "" if bare else f' stroke="{edge}" stroke-width="{2 if lit else 1}"'
    dashes = ' stroke-dasharray="3 3"' if empty else ""
    box = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {box} rx="{radius}" {paint}{stroke}{dashes}/>'


@dataclass(frozen=True)
class Drawing(Device):
    """A picture: an SVG, or several beside each other.

    Attributes:
        width, height: in pixels.
        body: the marks.
        alt: what is to be seen, for those who do not see it.
        title: a line above, as short as an axis' name.
        caption: one sentence below, which says what to see. A figure of the book has one; what
            shows the answer of a prediction has none.
        parts: the drawings that this one is made of, if it is.

    Raises:
        ValueError: it has a title or is shown, and no alternative text; or it is too wide for a
            phone.
    """

    width: float
    height: float
    body: str
    alt: str
    title: str = ""
    caption: str = ""
    parts: tuple["Drawing", ...] = ()

    def __post_init__(self):
        if not self.parts and self.full_width > MAX_WIDTH:
            raise ValueError(
                f"the drawing is {self.full_width:.0f} px wide; at most {MAX_WIDTH} can be read "
                "on a phone: shorten its texts, or put parts of it `beside` each other"
            )

    @classmethod
    def joined(cls, parts: list["Drawing"], alt: str, title: str, caption: str) -> "Drawing":
        """Drawings in a row, their middles on one line."""
        height, x, marks = max(part.full_height for part in parts), 0.0, []
        for part in parts:
            y = (height - part.full_height) / 2
            marks.append(f'<g transform="translate({x:.1f} {y:.1f})">{part.full_body}</g>')
            x += part.full_width + 12
        return cls(x - 12, height, "".join(marks), alt, title, caption, tuple(parts))

    @property
    def full_width(self) -> float:
        return max(self.width, 0 if self.parts else text_width(self.title))

    @property
    def full_height(self) -> float:
        return self.height + (FONT + 10 if self.title else 0)

    @cached_property
    def full_body(self) -> str:
        """The marks below the title."""
        if not self.title:
            return self.body
        moved = f'<g transform="translate(0 {FONT + 10})">{self.body}</g>'
        return label(0, FONT, self.title, bold=True) + moved

    def html(self) -> str:
        if not self.alt:
            raise ValueError("a drawing needs `alt`: a sentence that says what is to be seen")
        shown = "".join(part.svg() for part in self.parts) if self.parts else self.svg()
        title = f"<p>{escape(self.title)}</p>" if self.parts and self.title else ""
        return (
            f'<figure class="op-device op-drawing"><div role="img" aria-label="{escape(self.alt)}">'
            f'{title}<div class="op-row">{shown}</div></div>{caption_below(self.caption)}</figure>'
        )

    def svg(self, more: str = "") -> str:
        size = f'viewBox="0 0 {self.full_width:.0f} {self.full_height:.0f}"'
        size += f' width="{self.full_width:.0f}"'
        return f'<svg aria-hidden="true" {size}{more}>{self.full_body}</svg>'

    def image(self) -> str:
        """A file of its own, in colors that can be read on a light and on a dark ground.

        Each mark has its color itself: GitHub and nbviewer drop a style sheet within a picture.
        """
        space = f' xmlns="http://www.w3.org/2000/svg" height="{self.full_height:.0f}" role="img"'
        font = f' font-size="{FONT}" font-family="system-ui, sans-serif" overflow="visible"'
        picture = self.svg(space + font).replace(' aria-hidden="true"', "", 1)
        picture = UNDER_TEXT.sub(lambda share: f"{float(share[1]) * UNDER_INK:.2f}", picture)
        picture = VARIABLE.sub(lambda name: FIXED[name[1]], picture)
        return picture.replace(">", f"><title>{escape(self.alt)}</title>", 1)

    def _repr_mimebundle_(self, **kwargs) -> dict:
        return {
            "text/plain": repr(self),
            "text/html": self._repr_html_(),
            "image/svg+xml": self.image(),
        }

    def __repr__(self) -> str:
        return f"Drawing: {self.alt}"
