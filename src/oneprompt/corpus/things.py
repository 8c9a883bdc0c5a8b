"""Things to ask about, and the names that an entry goes by."""

import random
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml

from . import Entry, load_glossary, pluralize

NOT_COVERED = tuple(yaml.safe_load((files(__package__) / "not_covered.yaml").read_text("utf-8")))
_LIKE_A_TERM = ("method", "technique", "concept", "idea", "algorithm", "process", "approach")
_SPOKEN_WITH_A_VOWEL = "AEFHILMNORSX"  # "an LLM"


class Named(NamedTuple):
    """One thing in the three shapes that forms ask for: "a token", "token", "tokens"."""

    subject: str
    term: str
    plural: str


def alike(name: str) -> Named:
    """A name that is the same in every shape."""
    return Named(name, name, name)


@cache
def load_things() -> dict[str, tuple[str, ...]]:
    """The word lists, by kind."""
    text = (files(__package__) / "things.yaml").read_text("utf-8")
    return {kind: tuple(words) for kind, words in yaml.safe_load(text).items()}


@cache
def _nicknames() -> dict[str, list[str]]:
    return yaml.safe_load((files(__package__) / "nicknames.yaml").read_text("utf-8"))


@cache
def known_names() -> frozenset[str]:
    """Every name of an entry, in lower case."""
    names = set()
    for entry in load_glossary():
        for name in (entry.term, entry.in_plural, *entry.aliases, *other_names(entry)):
            names |= {name.lower(), pluralize(name.lower()) if name else ""}
    return frozenset(names - {""})


def other_names(entry: Entry) -> tuple[str, ...]:
    """What the entry's term is also called."""
    return (*entry.aliases, *_nicknames().get(entry.term, ()))


def with_article(noun: str) -> str:
    acronym = noun[:2].isupper()
    vowel = noun[0] in (_SPOKEN_WITH_A_VOWEL if acronym else "aeioAEIO")
    return f"{'an' if vowel else 'a'} {noun}"


def without_article(subject: str) -> str:
    for article in ("a ", "an ", "the "):
        subject = subject.removeprefix(article)
    return subject


def name_of(entry: Entry, rng: random.Random) -> Named:
    """The entry by its term, or now and then by another name."""
    name, chance = entry.term, rng.random()
    others = other_names(entry)
    if others and chance < 0.22:
        name = rng.choice(others)
    elif chance > 0.97:
        name = f"{name} {rng.choice(_LIKE_A_TERM)}"
    plural = entry.in_plural
    if name == entry.term:
        return Named(entry.subject, name, plural)
    article = entry.article and rng.random() < 0.7
    return Named(with_article(name) if article else name, name, plural and pluralize(name))
