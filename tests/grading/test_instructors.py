"""The instructor's page is followed to the letter: each of its bash blocks runs, in order."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from release import STEMS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "book" / "instructors.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)```\n+([^\n]*)", PAGE, re.DOTALL)
NOT_RUN = "Not run by the tests: "
LEFT_OUT = (".git", ".venv", "_build", ".*_cache", "__pycache__", ".hypothesis", "grades")


@pytest.fixture(scope="module")
def clone(isolation, tmp_path_factory) -> Path:
    """The repository as an instructor has it, set up already."""
    folder = tmp_path_factory.mktemp("instructor") / "one-prompt"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (folder / ".venv").symlink_to(sys.prefix)
    for path in ("requirements.txt", "binder/requirements.txt", "pyproject.toml"):
        os.utime(folder / path, (0, 0))  # older than the set-up, which is then not done again
    return folder


@pytest.mark.slow
def test_every_block_runs_in_order_and_says_what_the_page_says(clone):
    outputs = []
    for block, after in BLOCKS:
        if after.startswith(NOT_RUN):
            continue
        result = subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=clone,
                                capture_output=True, text=True, timeout=900)  # fmt: skip
        assert result.returncode == 0, f"{block}\n{result.stdout}\n{result.stderr}"
        outputs.append(result.stdout)
    text = "\n".join(outputs)
    assert re.search(r"^ada +graded +16 +20 ", text, re.MULTILINE)  # all but the written answer
    assert re.search(r"^bob +graded +0 +20 .*nothing was attempted$", text, re.MULTILINE)
    assert re.search(r"^grace +missing ", text, re.MULTILINE)
    assert re.search(r"^ada +graded +19 +20 ", text, re.MULTILINE)  # with 3 points by hand
    assert '"Lovelace, Ada",101,s1,ada,ML 1,19' in text
    assert "Ada,Lovelace,ada,ada@example.org,19," in text
    merged = (clone / "merged" / "attention" / "grades.txt").read_text()
    assert [line.split()[0] for line in merged.splitlines()] == ["student", "ada", "bob"]


def test_blocks_that_are_not_run_say_why():
    reasons = [after.removeprefix(NOT_RUN) for _, after in BLOCKS if after.startswith(NOT_RUN)]
    assert len(BLOCKS) > 10
    assert 0 < len(reasons) < 4
    assert all(len(reason.split()) > 4 for reason in reasons)


def test_the_page_names_the_repository_of_the_configuration():
    url = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    addresses = re.findall(r"https(?:://|%3A%2F%2F)github\.com(?:/|%2F)[\w%-]+(?:/[\w-]+)?", PAGE)
    assert {address.replace("%3A", ":").replace("%2F", "/") for address in addresses} == {url}


def test_the_syllabus_names_only_assignments_that_exist():
    table = PAGE.partition("## Learning goals")[2]
    assert set(re.findall(r"`(\w+)`", table)) == set(STEMS)
