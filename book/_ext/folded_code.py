"""A cell's code is folded on the page, unless its tag says that it is to be read.

| tag | on the page |
|---|---|
| `show` | the code is open |
| `contract` | one quiet line, "✓ checked: …", with code and output inside |
| `exercise` | the code is open, with links to where it can be run |
| none of these | the code is folded below its output |

The line of a contract that follows a prediction does not say what it checks: that is the answer.
Folded code is a `<details>` element, which needs no script; page.js adds the switch for all.
"""

from html import escape
from itertools import pairwise

from docutils import nodes
from launch import launch_line, launch_links
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
LABEL = "Code"
UNTOUCHED = "○"  # how the output of an exercise begins that nobody has done


def fold_cells(app, doctree):
    cells = [c for c in doctree.findall(nodes.container) if c.get("nb_element") == "cell_code"]
    for before, cell in pairwise([None, *cells]):
        cell.attributes.pop("hide_mode", None)  # of the older tag `hide-input`
        tags = cell["cell_metadata"].get("tags", [])
        if "contract" in tags:
            claimed = escape(claim(cell))
            summary = "✓ checked" if predicts(before) else f"✓ checked: {claimed}"
            wrap(cell, summary, cell.children[:], "op-contract")
        elif "exercise" in tags:
            make_exercise(app, cell)
        elif "show" not in tags and (source := part(cell, "cell_code_source")):
            wrap(cell, LABEL, [source])


def part(cell: nodes.container, name: str) -> nodes.container | None:
    return next((child for child in cell.children if child.get("nb_element") == name), None)


def wrap(cell: nodes.container, summary: str, folded: list[nodes.Node], kind: str = "") -> None:
    """Fold some children of a cell, below what is left of it."""
    opening = f'<details class="op-code {kind}"><summary>{summary}</summary>'
    for child in folded:
        cell.remove(child)
    cell += nodes.raw("", opening, format="html")
    cell += folded
    cell += nodes.raw("", "</details>", format="html")


def claim(cell: nodes.container) -> str:
    """What a contract checks: the comment in its first line."""
    code = cell.astext().lstrip()
    first = code.partition("\n")[0]
    if not first.startswith("# "):
        LOGGER.warning("a contract cell begins with its claim as a comment", location=cell)
    return first.removeprefix("# ").rstrip(".")


def predicts(cell: nodes.container | None) -> bool:
    """Whether the reader is asked for a prediction by this cell."""
    return cell is not None and "Predict(" in cell.astext()


def make_exercise(app, cell: nodes.container) -> None:
    """Open code, no output while nothing was attempted, and where to do the exercise."""
    output = part(cell, "cell_code_output")
    if output and output.astext().strip().startswith(UNTOUCHED):
        cell.remove(output)
    links = launch_links(app.config.html_theme_options, app.env.docname)
    if links:
        cell += launch_line("Do it in a notebook", links)


def setup(app):
    app.connect("doctree-read", fold_cells)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
