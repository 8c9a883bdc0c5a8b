"""What the devices of a chapter share as HTML: one style sheet, and texts made safe.

In a notebook each output brings the style sheet along. On the page it is part of the book's own
(book/_ext/lean_style.py), and the build takes the copies out of the outputs.
"""

import json
from functools import cache
from html import escape
from importlib.resources import files

from .style import shades, variables


def sheet(name: str) -> str:
    """One of this package's style sheets."""
    return files(__package__).joinpath(name).read_text("utf-8")


@cache
def stylesheet() -> str:
    """The colors of the book and the looks of all devices."""
    colors = f"{variables('.op-device')}\n{shades('.op-device')}"
    return f"{colors}\n{sheet('notebook.css')}{sheet('caption.css')}"


def style_element() -> str:
    return f'<style class="op-style">\n{stylesheet()}</style>'


def caption_below(caption: str) -> str:
    """The caption of a figure, if it has one; on a page, book/_ext/figures.py numbers it."""
    return f'<figcaption class="op-caption">{escape(caption)}</figcaption>' if caption else ""


def script_json(state) -> str:
    """JSON for a script element: no text in the state can end the element."""
    text = json.dumps(state, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


class Device:
    """What shows itself as HTML in a notebook and on the page: a subclass writes `html`."""

    def html(self) -> str:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return style_element() + self.html()
