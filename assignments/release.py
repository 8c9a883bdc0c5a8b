"""Make what students get, assignments/release/, from assignments/source/.

    python assignments/release.py

nbgrader's own steps take out solutions and hidden tests, lock cells and write checksums. They run
without a gradebook, so the result depends on the source alone and is the same every time.
"""

import sys
from pathlib import Path

import nbformat
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import IncludeHeaderFooter, InstantiateTests, SaveCells
from tqdm import tqdm
from traitlets.config import Config

FOLDER = Path(__file__).resolve().parent
SOURCE, RELEASE = FOLDER / "source", FOLDER / "release"
# In the order of the pipeline, and the project at the end.
STEMS = ("tokenize", "embed", "position", "attention", "feedforward", "logits", "sample",
         "autoregress", "speculate", "generator")  # fmt: skip
LEFT_OUT = (IncludeHeaderFooter, InstantiateTests, SaveCells)  # no header; no database


def config() -> Config:
    """nbgrader's settings. What a student has not written is `...`: not attempted, and no error."""
    settings = Config()
    settings.ClearSolutions.code_stub = {"python": "...  # your code here"}
    settings.ClearSolutions.text_stub = "*Your answer here.*"
    return settings


def released(source: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook without its solutions and hidden tests, locked and with checksums."""
    notebook, settings = nbformat.from_dict(source), config()
    for step in GenerateAssignment(parent=None).preprocessors:
        if step not in LEFT_OUT:
            notebook, _ = step(config=settings).preprocess(notebook, {})
    return notebook


def source_path(stem: str) -> Path:
    """The one file of an assignment that is edited by hand."""
    return SOURCE / stem / f"{stem}.ipynb"


def release_path(stem: str) -> Path:
    """What students get of it."""
    return RELEASE / stem / f"{stem}.ipynb"


def release_text(stem: str) -> str:
    """The released notebook as it is written to its file."""
    return nbformat.writes(released(nbformat.read(source_path(stem), as_version=4))) + "\n"


def main(stems: list[str]) -> None:
    for stem in tqdm(stems or [s for s in STEMS if source_path(s).exists()], desc="assignments"):
        release_path(stem).parent.mkdir(parents=True, exist_ok=True)
        release_path(stem).write_text(release_text(stem), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
