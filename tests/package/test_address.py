"""The repository's and the site's address can be changed in one step, everywhere."""

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

import address
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
OLD, OLD_SITE = CONFIG["repository"]["url"], CONFIG["html"]["baseurl"]
OWNER, PROJECT = "Some-One", "a.book"  # apart: this file, too, is rewritten in the copy
NEW = f"https://github.com/{OWNER}/{PROJECT}"


def tracked(root: Path) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)
    return [root / name for name in listed.stdout.decode().split("\0") if name]


def texts(root: Path) -> dict[str, str]:
    """File -> its text with all percent-encoding undone; what is no text is left out."""
    found = {}
    for path in tracked(root):
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            found[str(path.relative_to(root))] = unquote(content.decode("utf-8", "replace"))
    return found


@pytest.fixture(scope="module")
def moved(tmp_path_factory) -> Path:
    """A copy of the repository under another address."""
    root = tmp_path_factory.mktemp("moved")
    for path in tracked(ROOT):
        target = root / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            shutil.copyfile(path, target)
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    address.rewrite(root, address.replacements(root, NEW + ".git", None))
    return root


def test_nothing_names_the_old_address_afterwards(moved):
    name = OLD.removeprefix("https://github.com/")
    host = OLD_SITE.removeprefix("https://").partition("/")[0]
    old = re.compile(rf"(?<![\w.-])(?:{re.escape(name)}|{re.escape(host)})(?![\w-])", re.IGNORECASE)
    assert len([file for file, text in texts(ROOT).items() if old.search(text)]) > 30
    assert [file for file, text in texts(moved).items() if old.search(text)] == []


def test_the_new_address_is_everywhere_where_the_old_one_was(moved):
    config = yaml.safe_load((moved / "_config.yml").read_text("utf-8"))
    assert config["repository"]["url"] == NEW
    assert config["html"]["baseurl"] == f"https://{OWNER.lower()}.github.io/{PROJECT}/"
    before, after = texts(ROOT), texts(moved)
    counts = {file: (text.count(OLD), after[file].count(NEW)) for file, text in before.items()}
    assert {file: n for file, n in counts.items() if n[0] != n[1]} == {}


def test_going_back_restores_every_byte(moved):
    address.rewrite(moved, address.replacements(moved, OLD, OLD_SITE))
    different = [
        path.name
        for path in tracked(ROOT)
        if path.is_file() and path.read_bytes() != (moved / path.relative_to(ROOT)).read_bytes()
    ]
    assert different == []


def test_a_longer_name_is_another_repository():
    found = address.pattern("one/book").sub(b"X", b"one/book-2 one/books lone/book at/one/book.git")
    assert found == b"one/book-2 one/books lone/book at/X.git"


@pytest.mark.parametrize(
    ("repository", "site"),
    [
        ("https://github.com/Ada/Notes", "https://ada.github.io/Notes/"),
        ("https://github.com/ada/ada.github.io/", "https://ada.github.io/"),
    ],
)
def test_the_site_is_that_of_github_pages_by_default(repository, site):
    assert address.pages_of(address.name_of(repository)) == site


@pytest.mark.parametrize(
    "wrong", ["", "github.com/a/b", "https://github.com/a", "https://example.org/a/b", "git@x:a/b"]
)
def test_what_is_no_address_is_refused(wrong):
    with pytest.raises(SystemExit, match="owner/name"):
        address.name_of(wrong)
