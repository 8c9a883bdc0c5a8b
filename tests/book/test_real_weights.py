"""The page on real weights where the model's file is missing: it runs, and says what it shows.

With the file, nbval compares the page with its committed outputs.
"""

import nbformat
import pytest
from nbclient import NotebookClient
from pages import ROOT

PAGE = ROOT / "book" / "real_weights.ipynb"
LOADS = "real-18"  # the cell that says which weights are shown
HIDE = (  # as where the package with the file was never installed
    "from oneprompt.checkpoints.hub import BUNDLED\n"
    'BUNDLED["smollm2"] = "no-such-package-of-this-name"'
)


@pytest.mark.slow
def test_without_the_file_a_stand_in_is_shown_and_named():
    notebook = nbformat.read(PAGE, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(HIDE))
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": PAGE.parent}}).execute()
    said = next(c for c in notebook.cells if c.id == LOADS).outputs[0].text
    assert said.startswith("STAND-IN with RANDOM weights")
    assert "make real" in said


def test_the_committed_page_shows_the_real_model():
    notebook = nbformat.read(PAGE, as_version=4)
    said = next(c for c in notebook.cells if c.id == LOADS).outputs[0].text
    assert said.startswith("REAL: SmolLM2-135M-Instruct")
