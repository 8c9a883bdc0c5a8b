"""The directive `{chapter-cards}`: a card per chapter, with what its notebook asks and takes.

The question is the chapter's opening up to its first question mark, and the minutes are those that
tools/minutes.py has written below its headings.
"""

import json
import re
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from oneprompt.notebook.passage import passage
from oneprompt.notebook.pipeline import STEPS, chapter, pictures

MINUTES = re.compile(r"^\*(\d+) minutes?\*$", re.MULTILINE)
HEADING_OR_MINUTES = re.compile(r"^(#.*|\*\d+ minutes?\*)$\n*", re.MULTILINE)


def question(opening: str) -> str:
    """The first question of a chapter's first cell, with the sentences before it.

    Raises:
        ValueError: the cell asks nothing.
    """
    text = " ".join(HEADING_OR_MINUTES.sub("", opening).split())
    asked, mark, _ = text.partition("?")
    if not mark:
        raise ValueError(f"a chapter opens with a question, and this one with {text[:60]!r}")
    return asked + mark


def minutes(texts: list[str]) -> int:
    """Those below the title, which speak of the whole chapter; else the sum of its parts'."""
    whole = MINUTES.findall(texts[0])
    return int(whole[0]) if whole else sum(map(int, MINUTES.findall("\n\n".join(texts))))


def card(number: int, step: str, picture: str, notebook: Path) -> str:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    return (
        f'<li><a href="{notebook.stem}.html"><span class="op-card-picture">{picture}</span>'
        f"<b>{number} · {step.capitalize()}</b><span>{escape(question(texts[0]))}</span>"
        f"<small>{minutes(texts)} minutes</small></a></li>"
    )


class ChapterCardsDirective(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        shown, cards = pictures(passage()), []
        for number, step in enumerate(STEPS, start=1):
            notebook = Path(self.env.srcdir) / "book" / chapter(step)
            self.env.note_dependency(str(notebook))
            cards.append(card(number, step, shown[step][1], notebook))
        html = f'<ol class="op-device op-cards">{"".join(cards)}</ol>'
        return [nodes.raw("", html, format="html")]


def setup(app):
    app.add_directive("chapter-cards", ChapterCardsDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
