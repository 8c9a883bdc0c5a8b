"""The package has all of its files when it is installed."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

from setuptools import find_namespace_packages

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]


def test_every_file_is_installed():
    """Besides Python files, setuptools installs only what matches a pattern in pyproject.toml."""
    (source,) = SETTINGS["packages"]["find"]["where"]
    packages = find_namespace_packages(ROOT / source)
    patterns = ["*.py", *SETTINGS["package-data"]["*"]]
    files = [path for path in (ROOT / source / "oneprompt").rglob("*") if path.is_file()]
    left_out = [
        path.relative_to(ROOT)
        for path in files
        if path.parent.name != "__pycache__"
        and (
            ".".join(path.relative_to(ROOT / source).parent.parts) not in packages
            or not any(fnmatch(path.name, pattern) for pattern in patterns)
        )
    ]
    assert len(files) > 100
    assert left_out == []
