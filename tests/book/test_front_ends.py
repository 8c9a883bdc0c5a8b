"""The notebooks' texts in JupyterLab and Notebook 7: closed solutions, and no raw markup."""

import json
import re

import front_ends
import nbformat
import pytest
from pages import NOTEBOOKS, ROOT

# Every cell is on the page at once; by default, those far from the window are not drawn.
SETTINGS = {"windowingMode": "none"}
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}  # or it would be asked for
FOLD = re.compile(r"<details><summary>(.*?)</summary>(.*?)</details>", re.DOTALL)
FENCED = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
WORDS = re.compile(r"(?:[A-Za-z]+\s){2,}[A-Za-z]+")
# Directives, roles and fences of MyST, and what broken Markdown leaves: tags, links, formulas.
RAW = re.compile(r":::|`{3}|\{[a-z:-]+\}\w|</?(?:details|summary)|\]\([\w#./]|\$")
BROKEN = [":::{dropdown} Solution\nIt is 5.\n:::", "{term}`mask`", "{footcite:p}`su2021`",
          "The [mask] (glossary) and [the mask](#the mask)", "&lt;details>"]  # fmt: skip
CELLS = ".jp-MarkdownCell .jp-RenderedMarkdown"
RENDERED = """([cells, count]) => {
  const texts = [...document.querySelectorAll(cells)].map((cell) => cell.innerText);
  return texts.length === count && texts.every((text) => text && !text.includes("$"));
}"""


def texts() -> list[str]:
    """The cells of Markdown of all notebooks."""
    notebooks = [nbformat.read(ROOT / f"{name}.ipynb", as_version=4) for name in NOTEBOOKS]
    return [cell.source for nb in notebooks for cell in nb.cells if cell.cell_type == "markdown"]


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    """The address of a Jupyter server, with every text of the book and the broken ones."""
    own = tmp_path_factory.mktemp("jupyter")
    settings = own / "config" / "lab" / "user-settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text(json.dumps(SETTINGS))
    cells = [nbformat.v4.new_markdown_cell(text) for text in [*texts(), *BROKEN]]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=KERNEL)
    served = own / "notebooks"
    served.mkdir()
    for name in front_ends.PATHS:
        nbformat.write(notebook, served / f"{name}.ipynb")
    with front_ends.served(served, own) as address:
        yield address


@pytest.fixture(scope="module", params=front_ends.PATHS)
def cells(request, browser, jupyter):
    """The rendered cells in one of the front ends."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{jupyter}{front_ends.PATHS[request.param]}")
    page.wait_for_function(RENDERED, arg=[CELLS, len(texts()) + len(BROKEN)])
    yield page.locator(CELLS)
    context.close()


def test_markup_shows_in_the_broken_texts_only(cells):
    shown = [text for text in cells.all_inner_texts() if RAW.search(text)]
    assert shown == cells.all_inner_texts()[-len(BROKEN) :]


def shown_as_written(body: str) -> list[str]:
    """The pieces of a Markdown text that have no markup: runs of words, lines of code."""
    code = [line for block in FENCED.findall(body) for line in block.splitlines()]
    pieces = [*WORDS.findall(FENCED.sub("", body)), *code]
    return [" ".join(piece.split()) for piece in pieces]


def test_solutions_are_closed_until_a_click(cells):
    written = [fold for text in texts() for fold in FOLD.findall(text)]
    folds = cells.locator("details")
    assert folds.all_inner_texts() == [summary for summary, _ in written]
    assert sum(summary == "Solution" for summary, _ in written) > 25
    folds.first.get_by_text(written[0][0], exact=True).click()
    assert folds.first.inner_text() != written[0][0]
    folds.evaluate_all(
        "(folds) => folds.slice(1).forEach((fold) => fold.firstElementChild.click())"
    )
    for shown, (_, body) in zip(folds.all_inner_texts(), written, strict=True):
        expected = shown_as_written(body)
        assert expected, body
        assert [piece for piece in expected if piece not in " ".join(shown.split())] == []
