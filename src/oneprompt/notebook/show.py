"""Show the package's own source in a chapter, so that no chapter carries a copy."""

import inspect
from html import escape

from IPython.display import Code


class Source(Code):
    """Highlighted code behind a line that names what it defines."""

    def __init__(self, names: str, code: str):
        super().__init__(code, language="python")
        self.names = names

    def _repr_html_(self) -> str:
        summary = f"<summary>Source of <code>{escape(self.names)}</code></summary>"
        return f"<details>{summary}{super()._repr_html_()}</details>"


def show(*objects) -> Source:
    """The source of functions or classes, highlighted and folded.

    >>> show(op.probabilities)
    """
    source = "\n\n".join(inspect.getsource(o).rstrip() for o in objects)
    return Source(", ".join(o.__qualname__ for o in objects), source)
