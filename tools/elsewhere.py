"""Run notebooks in another environment, as Colab and Binder do: from a folder of their own, twice.

    python tools/elsewhere.py /path/to/python book/*.ipynb

The second time is a restarted session. Prints how long a notebook took and the most memory that its
kernel held; exits with 1 if a cell fails. The interpreter needs ipykernel and the package.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

PEAK = "import resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"


def kernel_of(python: str, folder: Path) -> str:
    """Declare a kernel that runs this interpreter; returns its name."""
    spec = folder / "kernels" / "elsewhere"
    spec.mkdir(parents=True)
    quiet = ["-Xfrozen_modules=off", "-m", "ipykernel_launcher", "--IPKernelApp.log_level=ERROR"]
    argv = [python, *quiet, "-f", "{connection_file}"]
    kernel = {"argv": argv, "display_name": "Elsewhere", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(kernel))
    os.environ["JUPYTER_PATH"] = str(folder)
    return spec.name


def run(notebook: Path, kernel: str, folder: Path) -> int:
    """Run a notebook in a fresh kernel, in a folder of its own; returns the peak memory in MiB.

    Raises:
        CellExecutionError: a cell failed.
    """
    cells = nbformat.read(notebook, as_version=4)
    cells.cells.append(nbformat.v4.new_code_cell(PEAK))
    resources = {"metadata": {"path": folder}}
    NotebookClient(cells, kernel_name=kernel, timeout=600, resources=resources).execute()
    return int(cells.cells[-1].outputs[0].text)


def main(python: str, notebooks: list[str]) -> int:
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kernel = kernel_of(shutil.which(python) or python, folder / "jupyter")
        (folder / "work").mkdir()
        for path in map(Path, notebooks):
            for session in ("first run", "after a restart"):
                start = time.perf_counter()
                try:
                    said = f"{run(path, kernel, folder / 'work')} MiB"
                except CellExecutionError as error:
                    failed, said = 1, f"FAILED\n{error}"
                seconds = time.perf_counter() - start
                print(f"{path.stem:20} {session:16} {seconds:6.1f} s {said}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
