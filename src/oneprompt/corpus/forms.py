"""Forms of prompts, read from YAML: "(Define|Explain) {s}( please|)." has four variants."""

import random
import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files

import yaml

_GROUP = re.compile(r"\(([^()]*)\)")
SLOT = re.compile(r"\{(\w+)\}")
_ESCAPED = {r"\(": "\ue000", r"\)": "\ue001"}  # private characters stand for real parentheses


@cache
def load_forms(name: str) -> dict[str, tuple[str, ...]]:
    """The forms of a file, by kind."""
    text = (files(__package__) / f"{name}.yaml").read_text("utf-8")
    return {kind: tuple(forms) for kind, forms in yaml.safe_load(text).items()}


def expand(form: str, rng: random.Random) -> str:
    """The form with one alternative drawn for each group, the innermost groups first."""
    for escaped, character in _ESCAPED.items():
        form = form.replace(escaped, character)
    while group := _GROUP.search(form):
        choice = rng.choice(group[1].split("|"))
        form = form[: group.start()] + choice + form[group.end() :]
    return form.replace("\ue000", "(").replace("\ue001", ")")


def fill(form: str, value: Callable[[str], str | None]) -> str:
    """The form with each slot replaced by its value; what has no value stays as it is."""

    def replacement(slot: re.Match) -> str:
        found = value(slot[1])
        return slot[0] if found is None else found

    return " ".join(SLOT.sub(replacement, form).split())
