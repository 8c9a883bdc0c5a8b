"""The linters find nothing, and the notebooks install from the address in the settings."""

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTERS = [
    ["ruff", "check", "--quiet", "--no-cache", "."],
    ["ruff", "format", "--check", "--quiet", "--no-cache", "."],
    ["oxlint", "--quiet", "src"],
]


@pytest.mark.parametrize("command", LINTERS, ids=" ".join)
def test_the_linter_finds_nothing(command):
    linter = shutil.which(command[0], path=sysconfig.get_path("scripts"))
    assert linter, f"{command[0]} is missing: run `make setup`"
    result = subprocess.run([linter, *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_notebooks_install_from_the_address_in_the_settings():
    """On Colab the first cell installs the package from the repository that _config.yml names."""
    config = (ROOT / "_config.yml").read_text("utf-8")
    address = next(
        line.split()[-1] for line in config.splitlines() if "url: https://github" in line
    )
    notebooks = sorted((ROOT / "book").glob("*.ipynb"))
    assert [f.name for f in notebooks if f"git+{address}" not in f.read_text("utf-8")] == []
