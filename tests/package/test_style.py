"""The code is as CONTRIBUTING.md asks: nothing for ruff to say, and no machine's paths."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_has_nothing_to_say(command):
    ruff = [sys.executable, "-m", "ruff", *command, "--quiet", "--no-cache", "."]
    result = subprocess.run(ruff, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_notebooks_install_from_the_address_in_the_config():
    """The first cell's address on Colab is the repository's, which _config.yml holds."""
    config = (ROOT / "_config.yml").read_text("utf-8")
    address = next(
        line.split()[-1] for line in config.splitlines() if "url: https://github" in line
    )
    for notebook in sorted((ROOT / "book").glob("*.ipynb")):
        assert f"git+{address}" in notebook.read_text("utf-8"), notebook.name
