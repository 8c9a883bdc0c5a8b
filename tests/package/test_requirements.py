"""The pins and the bounds: what is installed where."""

import os
import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def pins(name: str) -> dict[str, str]:
    """Package -> version, of one file without those that it includes."""
    lines = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text("utf-8"), re.MULTILINE)
    return {package.lower(): version for package, version in lines}


FILES = ["binder/requirements.txt", "requirements.txt", "requirements-test.txt"]


def test_each_package_is_pinned_once():
    names = [package for file in FILES for package in pins(file)]
    assert len(names) > 40
    assert sorted(names) == sorted(set(names))


def test_every_line_of_the_files_is_a_pin_or_includes_another_file():
    odd = [
        line
        for file in FILES
        for line in (ROOT / file).read_text("utf-8").splitlines()
        if not re.fullmatch(r"(|#.*|-r \S+|[\w.-]+==[\w.]+(  # .*)?)", line)
    ]
    assert odd == []


def test_what_the_package_needs_is_on_binder():
    """Only torch comes in another way, as its CPU build."""
    needed = {Requirement(line).name.lower() for line in PROJECT["dependencies"]}
    assert needed - pins("binder/requirements.txt").keys() == {"torch"}
    assert (ROOT / "binder" / "runtime.txt").read_text().strip() == "python-3.11"


def test_binder_takes_the_cpu_build_of_the_pinned_torch():
    script = ROOT / "binder" / "postBuild"
    assert os.access(script, os.X_OK)
    finds = re.findall(r"\^([\w :=]+)", script.read_text("utf-8"))
    makefile, pinned = ((ROOT / n).read_text("utf-8") for n in ("Makefile", "requirements.txt"))
    assert finds == ["TORCH_CPU_INDEX := ", "torch=="]
    assert re.search(rf"^{finds[0]}https://\S+$", makefile, re.MULTILINE)
    assert re.search(rf"^{finds[1]}[\d.]+$", pinned, re.MULTILINE)


def test_the_package_replaces_nothing_on_colab():
    bounds = {r.name: r.specifier for r in map(Requirement, PROJECT["dependencies"])}
    colab = pins("tools/colab.txt")
    assert {"ipython", "ipywidgets", "traitlets", "torch"} <= colab.keys() & bounds.keys()
    refused = {p: v for p, v in colab.items() if p in bounds and v not in bounds[p]}
    assert refused == {}


def test_the_pins_are_within_the_bounds():
    bounds = {r.name: r.specifier for r in map(Requirement, PROJECT["dependencies"])}
    pinned = {package: version for file in FILES for package, version in pins(file).items()}
    assert [name for name, bound in bounds.items() if pinned[name] not in bound] == []
