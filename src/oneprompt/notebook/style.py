"""The colors and the matplotlib style of the book, defined once.

    from oneprompt.notebook import style
    style.use()

`PALETTE` is the color-blind-safe palette of Okabe and Ito (2008). Blue, green and vermillion are
theirs; orange, sky, yellow and purple are darkened so that a line, bar or marker in any of the
colors has a contrast of at least 3:1 both on the white and on the dark page (WCAG 2.2, 1.4.11).
The explorers and the drawings use the same palette, as the CSS variables of `variables`.

A heatmap goes from the page's ground at zero to `ABOVE` for what is positive and `BELOW` for what
is negative, the deeper the larger: in drawings, explorers and the picture of the model alike.

Figures have a transparent background and neutral text, so one picture serves both themes.
"""

import matplotlib as mpl
from cycler import cycler
from matplotlib.colors import LinearSegmentedColormap, to_rgba

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

ABOVE, BELOW = "blue", "vermillion"
# How much of the color a cell has at most that holds text, which keeps a contrast of 4.5:1 so: on
# the pages in both themes, and in a picture of one's own, whose text is INK, as far as it can.
UNDER_TEXT, UNDER_INK = 0.6, 0.25


def shade(share: float, *, under_text: bool = False) -> tuple[str, str]:
    """The color of a heatmap's cell, a name of the palette, and its opacity in CSS.

    Args:
        share: from -1 to 1, of the largest value.
        under_text: whether the cell holds text.
    """
    opacity = f"{min(1.0, abs(share)):.2f}"
    if under_text:
        opacity = f"calc({opacity} * var(--op-under-text))"
    return ABOVE if share > 0 else BELOW, opacity


def variables(selector: str) -> str:
    """A CSS rule that gives the palette to what the selector matches: --op-blue, --op-orange, …"""
    return _rule(selector, PALETTE)


def shades(selector: str) -> str:
    """A CSS rule with the colors of heatmaps: --op-above, --op-below, --op-under-text."""
    colors = {"above": f"var(--op-{ABOVE})", "below": f"var(--op-{BELOW})"}
    return _rule(selector, colors | {"under-text": str(UNDER_TEXT)})


def _rule(selector: str, values: dict[str, str]) -> str:
    lines = "".join(f"  --op-{name}: {value};\n" for name, value in values.items())
    return f"{selector} {{\n{lines}}}"


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
    "image.cmap": "oneprompt",
}
# By its name: matplotlib draws some things only with a map that it can look up.
_SHADES = [to_rgba(PALETTE[ABOVE], 0), PALETTE[ABOVE]]
mpl.colormaps.register(
    LinearSegmentedColormap.from_list(RC_PARAMS["image.cmap"], _SHADES), force=True
)


def use() -> None:
    """Draw every following matplotlib figure in the book's style."""
    mpl.rcParams.update(RC_PARAMS)
