"""The files for those who carry on: they agree with each other and with the package."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

import oneprompt

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_one_version_is_named_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    newest = re.search(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)[1]
    assert {PROJECT["version"], oneprompt.__version__, citation["version"], newest} == {"1.0.0"}


def test_the_citation_names_what_the_settings_do():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    assert citation["repository-code"] == config["repository"]["url"] == PROJECT["urls"]["Source"]
    assert citation["url"] == config["html"]["baseurl"] == PROJECT["urls"]["Book"]
    assert citation["authors"] == [{"name": config["author"]}]


def test_both_licenses_are_there():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["license"] == [PROJECT["license"], "CC-BY-4.0"]
    assert (ROOT / "LICENSE").read_text("utf-8").startswith("MIT License")
    text = (ROOT / "LICENSE-CC-BY-4.0.txt").read_text("utf-8")
    assert text.startswith("Creative Commons Attribution 4.0 International")
    assert "Section 8 – Interpretation" in text


def test_actions_are_pinned_by_commit_and_say_their_version():
    used = [line for file in WORKFLOWS for line in file.read_text().splitlines() if "uses:" in line]
    assert len(used) > 8
    pin = re.compile(r"\s*-? *uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [line for line in used if not pin.fullmatch(line)] == []
    versions = {}
    for line in used:
        action, _, pinned = line.partition("uses: ")[2].partition("@")
        versions.setdefault(action, set()).add(pinned)
    assert {action for action, pins in versions.items() if len(pins) > 1} == set()


def test_the_versions_of_python_that_are_promised_are_tested():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))["jobs"]
    tested = {row["python"] for row in jobs["check"]["strategy"]["matrix"]["include"]}
    language = "Programming Language :: Python :: "
    promised = {c.removeprefix(language) for c in PROJECT["classifiers"] if language in c}
    assert tested == promised == {"3.11", "3.12", "3.13", "3.14"}
    assert all(version in SpecifierSet(PROJECT["requires-python"]) for version in promised)
    accepted = re.search(r"\((3, \d+)\) <= \S+ <= \((3, \d+)\)", (ROOT / "Makefile").read_text())
    assert [bound.replace(", ", ".") for bound in accepted.groups()] == ["3.11", "3.14"]


def test_make_knows_every_target_that_the_documents_name():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    files = ["README.md", "CONTRIBUTING.md", "book/index.md", *map(str, WORKFLOWS)]
    texts = "\n".join((ROOT / file).read_text("utf-8") for file in files)
    named = set(re.findall(r"(?:^|`|run: )make ([\w-]+)", texts, re.MULTILINE))
    assert len(named) > 12
    assert named - targets == set()


@pytest.mark.parametrize(
    "form", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=str
)
def test_issue_forms_ask_for_what_is_needed(form):
    content = yaml.safe_load(form.read_text("utf-8"))
    assert content.keys() >= {"name", "description", "body"}
    asked = [field for field in content["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in asked if "id" in field}) >= 2
    assert any(field.get("validations", {}).get("required") for field in asked)
    assert all(field["attributes"]["label"] for field in asked)


def test_the_hooks_before_a_commit_are_the_linters_of_the_tests():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    hooks = [hook["entry"] for repo in config["repos"] for hook in repo["hooks"]]
    ours = ("ruff check", "ruff format", "oxlint")  # as in test_style.py
    assert len(hooks) == len(ours)
    assert all(f"/{command} " in f"{hook} " for command, hook in zip(ours, hooks, strict=True))


def test_the_dev_container_uses_the_environment_that_make_sets_up():
    settings = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    interpreter = settings["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    venv = re.search(r"^VENV := (\S+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)[1]
    assert interpreter == f"${{containerWorkspaceFolder}}/{venv}/bin/python"
    assert settings["postCreateCommand"] == "make setup"
    assert settings["image"].endswith("python:3.11")
