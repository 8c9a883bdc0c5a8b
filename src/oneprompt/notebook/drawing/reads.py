"""Who reads whom: the tokens twice, and between them a line per attention weight."""

from collections.abc import Sequence

from .marks import FONT, Drawing, color, label, text_width

ROW = 26  # px from one token to the next
ACROSS = 96  # px from those that ask to those that are read
LEAST = 0.03  # a weight below this draws no line


def reads(tokens: Sequence[str], weights: Sequence[Sequence[float]], *, alt: str = "",
          caption: str = "", title: str = "", lit: int | None = None) -> Drawing:  # fmt: skip
    """The tokens that ask, on the left, and lines to those they read, the thicker the more.

    Args:
        tokens: T texts.
        weights: (T, T), a row per token that asks.
        lit: the row in orange; without one all rows are alike.
    """
    left = max(map(text_width, tokens)) + 14
    top = FONT + 12
    rows = weights.tolist() if hasattr(weights, "tolist") else weights
    marks = [label(left - 6, FONT - 2, "asks", "end", quiet=True),
             label(left + ACROSS + 6, FONT - 2, "is read", quiet=True)]  # fmt: skip
    for t, row in enumerate(rows):
        faint = lit is not None and t != lit
        marks += [_line(left, top + t * ROW, left + ACROSS, top + s * ROW, weight, t == lit, faint)
                  for s, weight in enumerate(row) if weight >= LEAST]  # fmt: skip
    for t, token in enumerate(tokens):
        y = top + t * ROW + 5
        marks.append(label(left - 6, y, token, "end", bold=t == lit))
        marks.append(label(left + ACROSS + 6, y, token))
    height = top + ROW * len(tokens) - 8
    return Drawing(2 * left + ACROSS, height, "".join(marks), alt, title, caption)


def _line(x1: float, y1: float, x2: float, y2: float, weight: float, lit: bool, faint: bool) -> str:
    paint = color("orange" if lit else "blue")
    return (
        f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" stroke="{paint}"'
        f' stroke-width="{1 + 5 * weight:.1f}" stroke-opacity="{0.2 if faint else 0.85}"/>'
    )
