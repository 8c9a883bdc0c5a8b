"""The linters find nothing."""

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
