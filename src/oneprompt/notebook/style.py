"""The colors and the matplotlib style of the book, defined once.

    from oneprompt.notebook import style
    style.use()

`PALETTE` is the color-blind-safe palette of Okabe and Ito (2008). Blue, green and vermillion are
theirs; orange, sky, yellow and purple are darkened so that a line, bar or marker in any of the
colors has a contrast of at least 3:1 both on the white and on the dark page (WCAG 2.2, 1.4.11).
The explorers and the drawings use the same palette, as the CSS variables of `variables`.

Figures have a transparent background and neutral text, so one picture serves both themes.
"""

import matplotlib as mpl
from cycler import cycler

PALETTE = {
    "blue": "#0072b2",
    "orange": "#c77f00",
    "green": "#009e73",
    "vermillion": "#d55e00",
    "purple": "#c26d9c",
    "sky": "#4a9cc9",
    "yellow": "#9a8a00",
    "gray": "#767b84",
}

INK = PALETTE["gray"]  # text and axes: 4.2:1 on white and on the dark page


def variables(selector: str) -> str:
    """A CSS rule that gives the palette to what the selector matches: --op-blue, --op-orange, …"""
    colors = "".join(f"  --op-{name}: {color};\n" for name, color in PALETTE.items())
    return f"{selector} {{\n{colors}}}"


RC_PARAMS = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.facecolor": "none",
    "figure.figsize": (6.4, 3.2),
    "figure.dpi": 144,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=list(PALETTE.values())),
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.frameon": False,
    "image.cmap": "cividis",  # even steps of lightness, the same to every kind of color vision
}


def use() -> None:
    """Draw every following matplotlib figure in the book's style."""
    mpl.rcParams.update(RC_PARAMS)
