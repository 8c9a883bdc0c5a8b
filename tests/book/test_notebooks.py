"""The committed notebooks: what they install, read, and leave out of the comparison by nbval."""

import ast
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from notebooks import IGNORE, VARYING, has_rich_output
from pages import ROOT

BOOK = ROOT / "book"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))


def cells(path: Path) -> list[dict]:
    """The code cells of a notebook, with their code as one text."""
    every = json.loads(path.read_text("utf-8"))["cells"]
    return [c | {"source": "".join(c["source"])} for c in every if c["cell_type"] == "code"]


def test_notebooks_install_from_the_address_in_the_settings():
    """On Colab the first cell installs the package from the repository that _config.yml names."""
    config = (ROOT / "_config.yml").read_text("utf-8")
    address = next(
        line.split()[-1] for line in config.splitlines() if "url: https://github" in line
    )
    assert [f.name for f in NOTEBOOKS if f"git+{address}" not in f.read_text("utf-8")] == []


def test_a_notebook_leads_to_its_page():
    """No explorer is stored in a notebook: who runs nothing is told where to find them. The page
    itself does not say so."""
    site = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["html"]["baseurl"]
    told = {}
    for notebook in NOTEBOOKS:
        second = json.loads(notebook.read_text("utf-8"))["cells"][1]
        (address,) = re.findall(r"\[The page\]\((.*?)\)", "".join(second["source"])) or [None]
        told[notebook] = address, second["metadata"].get("tags")
    expected = {n: (f"{site}book/{n.stem}.html", ["remove-cell"]) for n in NOTEBOOKS}
    assert told == expected


# The build executes a notebook again when a file that it depends on has changed.


@pytest.fixture(scope="module")
def execution_cache():
    path = BOOK / "_ext" / "execution_cache.py"
    spec = importlib.util.spec_from_file_location("execution_cache", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_cache_name_changes_with_every_input(execution_cache, tmp_path):
    weights = tmp_path / "src" / "oneprompt" / "assets" / "reference.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"old")
    (tmp_path / "requirements.txt").write_text("torch==1\n")
    first = execution_cache.inputs_hash(tmp_path)

    bytecode = tmp_path / "src" / "oneprompt" / "__pycache__" / "sample.cpython-311.pyc"
    bytecode.parent.mkdir()
    bytecode.write_bytes(b"anything")
    assert execution_cache.inputs_hash(tmp_path) == first
    weights.write_bytes(b"new")
    second = execution_cache.inputs_hash(tmp_path)
    (tmp_path / "requirements.txt").write_text("torch==2\n")
    assert len({first, second, execution_cache.inputs_hash(tmp_path)}) == 3


def named_paths(code: str) -> Iterator[Path]:
    """The files and folders of the repository that a cell names, as seen from `book/`."""
    without_magic = re.sub(r"^( *)%.*", r"\1pass", code, flags=re.MULTILINE)
    for node in ast.walk(ast.parse(without_magic)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_name = ".." in node.value or any(c.isalnum() for c in node.value)
            if is_name and "\0" not in node.value and len(node.value) < 200:
                path = (BOOK / node.value).resolve()
                if path.exists() and path.is_relative_to(ROOT):
                    yield path


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('json.loads(Path("../benchmarks/web.py").read_text())', "benchmarks/web.py"),
        ('open("notation.md")', "book/notation.md"),
        ('Path("..") / name', "."),
        ('print("embed", ".", "/", "no such file")', None),
    ],
)
def test_a_path_that_a_cell_names_is_found(code, found):
    assert list(named_paths(code)) == ([(ROOT / found).resolve()] if found else [])


def test_the_build_knows_every_file_that_a_notebook_names(execution_cache):
    """The package's own files are all inputs, so a notebook that reads others must name them."""
    inputs = execution_cache.input_files(ROOT)
    assert ROOT / "src" / "oneprompt" / "assets" / "position_experiment.json" in inputs
    unknown = [
        f"{notebook.name}, cell {cell['id']}: {path.relative_to(ROOT)}"
        for notebook in NOTEBOOKS
        for cell in cells(notebook)
        for path in named_paths(cell["source"])
        if path not in inputs
    ]
    assert unknown == []


# nbval compares all text outputs except those of a short list.


def ignored_cells() -> set[str]:
    """The ids of the cells that nbval runs without comparing their outputs."""
    every = (cell for notebook in NOTEBOOKS for cell in cells(notebook))
    return {cell["id"] for cell in every if IGNORE in cell["metadata"].get("tags", [])}


def test_the_cells_listed_as_varying_exist_and_are_not_compared():
    assert VARYING.keys() <= ignored_cells()


def test_cells_that_are_not_compared_show_pictures_or_are_listed(built_book):
    """What a cell shows is looked up in the notebooks that the build has executed."""
    executed = built_book.parent.glob(".jupyter_cache/*/executed/*/base.ipynb")
    is_text = {
        cell["id"]: not has_rich_output(cell) for notebook in executed for cell in cells(notebook)
    }
    assert {name for name in ignored_cells() if is_text[name]} == VARYING.keys()
