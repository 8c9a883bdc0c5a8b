"""Figures with a caption are numbered on their page, "Figure 4.3.", and can be linked to.

The captions stand in the notebooks. What shows the answer of a prediction has none, and no number.
"""

import re
from pathlib import Path
from string import ascii_uppercase

from site_files import names_in_order

CHAPTER = re.compile(r"(\d\d)_")
FIGURE = re.compile(
    r"<figure ((?:(?!<figure ).)*?<figcaption[^>]*>)",  # the innermost that a caption belongs to
    re.DOTALL,
)


def numbers(names: list[str]) -> dict[str, str]:
    """Page -> how its figures' numbers begin: the chapter's number, or a letter for the others.

    >>> numbers(["prerequisites", "00_overview", "04_attention", "at_scale"])
    {'prerequisites': 'A', '00_overview': '0', '04_attention': '4', 'at_scale': 'B'}
    """
    letters = iter(ascii_uppercase)
    chapters = {name: CHAPTER.match(Path(name).name) for name in names}
    return {name: str(int(c[1])) if c else next(letters) for name, c in chapters.items()}


def number(body: str, chapter: str) -> str:
    """The body of a page with the numbers of its figures."""
    count = 0

    def numbered(match) -> str:
        nonlocal count
        count += 1
        name = f"Figure {chapter}.{count}."
        return f'<figure id="figure-{chapter}-{count}" {match[1]}<b>{name}</b> '

    return FIGURE.sub(numbered, body)


def number_page(app, pagename, templatename, context, doctree):
    notebooks = [n for n in names_in_order(app) if app.env.doc2path(n).endswith(".ipynb")]
    if pagename in notebooks:
        context["body"] = number(context["body"], numbers(notebooks)[pagename])


def setup(app):
    app.connect("html-page-context", number_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
