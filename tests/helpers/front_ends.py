"""A Jupyter server of a folder of notebooks, for JupyterLab and Notebook 7 in a browser."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pages import ROOT

# Front end -> the address of a notebook of its own; with a common one they would share a kernel.
PATHS = {"lab": "doc/tree/lab.ipynb?reset", "notebook": "notebooks/notebook.ipynb"}
START_SECONDS = 120


@contextmanager
def served(notebooks: Path, own: Path) -> Iterator[str]:
    """The address of a server, with a slash at its end.

    Args:
        notebooks: the folder that it serves.
        own: a folder for its files; the user's own Jupyter is neither read nor written. Settings of
            the front end are read from `own / "config" / "lab" / "user-settings"`.
    """
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
               "--port=0", "--IdentityProvider.token=", f"--ServerApp.root_dir={notebooks}",
               "--LabApp.collaborative=False", "--LabApp.extension_manager=readonly"]  # fmt: skip
    runtime = own / "runtime"
    variables = {
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests" / "helpers")]),
    }
    environment = os.environ | variables
    with open(own / "log", "wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=notebooks)
    try:
        yield _address(runtime, server, own / "log")
    finally:
        server.terminate()  # it shuts its kernels down
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:  # it waits for a kernel that was just starting
            server.kill()  # kernels end with their server


def _address(runtime: Path, server: subprocess.Popen, log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        for info in runtime.glob("jpserver-*.json"):
            return json.loads(info.read_text())["url"]
        time.sleep(0.2)
    pytest.fail(f"Jupyter did not start:\n{log.read_text()[-3000:]}")
