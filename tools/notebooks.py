"""Execute notebooks and store what is committed of them: their text outputs.

    python tools/notebooks.py book/*.ipynb

Pictures, HTML and widgets are made when the book is built. A cell that shows one gets no stored
output and the tag `nbval-ignore-output`; every other cell's output is compared by nbval.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from tqdm import tqdm

IGNORE = "nbval-ignore-output"


def has_rich_output(cell) -> bool:
    return any(set(output.get("data", {})) - {"text/plain"} for output in cell.outputs)


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
        tags = cell.metadata.get("tags", [])
        if has_rich_output(cell) and IGNORE not in tags:
            cell.metadata["tags"] = tags = [*tags, IGNORE]
        if IGNORE in tags:
            cell.outputs = []


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
