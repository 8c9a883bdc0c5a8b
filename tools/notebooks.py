"""Execute notebooks and store the part that is committed: their text outputs.

    python tools/notebooks.py book/*.ipynb

nbval compares the outputs of every cell with the stored ones, except where the cell has the tag
`nbval-ignore-output`: it shows a picture, HTML or a widget, which are made when the book is built,
or its text is never the same twice. This script sets the tags and stores no output of such cells
but drawings, which are small, and which GitHub shows.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from tqdm import tqdm

IGNORE = "nbval-ignore-output"
VARYING = {  # the cells whose text differs from run to run, or from machine to machine
    "autoregress-29": "seconds",
    "speculate-38": "seconds",
    "real-41": "rounding errors",
}


def has_rich_output(cell) -> bool:
    """Whether a cell shows more than text: a picture, HTML or a widget."""
    return any(set(output.get("data", {})) - {"text/plain"} for output in cell["outputs"])


def drawings(cell) -> list:
    """The outputs that are drawings, as plain pictures: they show where nothing is executed."""
    kept = [output for output in cell["outputs"] if "image/svg+xml" in output.get("data", {})]
    for output in kept:
        output["data"].pop("text/html", None)
        if "execution_count" in output:
            output["execution_count"] = None
    return kept


def normalize(notebook) -> None:
    """Drop everything that differs between machines or is made at build time."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.metadata.pop("execution", None)
        tags = [tag for tag in cell.metadata.get("tags", []) if tag != IGNORE]
        if has_rich_output(cell) or cell.id in VARYING:
            tags, cell.outputs = [*tags, IGNORE], drawings(cell)
        if tags:
            cell.metadata["tags"] = tags
        else:
            cell.metadata.pop("tags", None)


def main(paths: list[str]) -> None:
    for path in tqdm(paths, desc="notebooks"):
        notebook = nbformat.read(path, as_version=4)
        folder = {"metadata": {"path": Path(path).parent}}
        client = NotebookClient(notebook, timeout=600, resources=folder, coalesce_streams=True)
        client.execute()
        normalize(notebook)
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main(sys.argv[1:])
