"""Things to ask about: entries by any of their names, and things that have no entry."""

import random
import string
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml

from . import Entry, load_glossary, pluralize

NOT_COVERED = tuple(yaml.safe_load((files(__package__) / "not_covered.yaml").read_text("utf-8")))
_STARTS = [
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "z",
    "bl",
    "br",
    "ch",
    "cl",
    "cr",
    "dr",
    "fl",
    "fr",
    "gl",
    "gr",
    "kr",
    "pl",
    "pr",
    "qu",
    "sc",
    "sh",
    "sk",
    "sl",
    "sm",
    "sn",
    "sp",
    "st",
    "str",
    "sw",
    "th",
    "tr",
    "tw",
    "wh",
]
_VOWELS = ["a", "e", "i", "o", "u", "a", "e", "i", "o", "ee", "oo", "ai", "ou", "y"]
_ENDS = ("",) * 12 + (
    "n",
    "r",
    "s",
    "l",
    "t",
    "m",
    "k",
    "x",
    "ck",
    "ng",
    "nd",
    "st",
    "rt",
    "p",
    "zz",
)
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


class Unknown:
    """Draws things that the glossary has no entry for, from lists and out of syllables."""

    KINDS = (("noun", 30), ("invented", 14), ("invented_name", 9), ("name", 15), ("foreign", 3),
             ("phrase", 8), ("not_covered", 5), ("decoy", 8), ("compound", 4), ("described", 4),
             ("two_names", 4), ("acronym", 4), ("number", 1))  # fmt: skip

    def __init__(self, rng: random.Random):
        self.rng = rng
        self.lists = load_things()
        self.terms = [entry.term for entry in load_glossary()]

    def thing(self) -> Named:
        kinds, weights = zip(*self.KINDS, strict=True)
        while True:
            found = getattr(self, self.rng.choices(kinds, weights)[0])()
            if not {name.lower() for name in found} & known_names():
                return found

    def draw(self, kind: str) -> str:
        return self.rng.choice(self.lists[kind])

    def word(self) -> str:
        """A word of one to four syllables that may not exist."""
        rng = self.rng
        n_syllables = rng.choice((1, 2, 2, 2, 3, 3, 4))
        return "".join(
            rng.choice(_STARTS) + rng.choice(_VOWELS) + rng.choice(_ENDS)
            for _ in range(n_syllables)
        )

    def countable(self, noun: str) -> Named:
        shapes = (with_article(noun), with_article(noun), f"the {noun}", noun)
        return Named(self.rng.choice(shapes), noun, pluralize(noun))

    def noun(self) -> Named:
        return self.countable(self.draw("nouns"))

    def invented(self) -> Named:
        return self.countable(self.word())

    def invented_name(self) -> Named:
        return alike(self.word().capitalize())

    def name(self) -> Named:
        return alike(self.draw("names"))

    def foreign(self) -> Named:
        return alike(self.draw("foreign"))

    def phrase(self) -> Named:
        phrase = self.draw("phrases")
        return Named(phrase, without_article(phrase), phrase)

    def not_covered(self) -> Named:
        subject = self.rng.choice(NOT_COVERED)
        return Named(subject, without_article(subject), subject)

    def decoy(self) -> Named:
        decoy = self.draw("decoys")
        return alike(decoy) if decoy[0].isupper() else self.countable(decoy)

    def compound(self) -> Named:
        """A term and a noun that together are no term: "a token teapot"."""
        term, noun = self.rng.choice(self.terms), self.draw("nouns")
        return self.countable(f"{term} {noun}")

    def described(self) -> Named:
        noun, adjective = self.draw("nouns"), self.draw("adjectives")
        made = (f"my {noun}", f"the {adjective} {noun}", with_article(f"{adjective} {noun}"),
                f"the {noun} of {self.draw('names')}")  # fmt: skip
        return alike(self.rng.choice(made))

    def two_names(self) -> Named:
        first = self.rng.choice((self.draw("names"), self.word().capitalize()))
        second = self.rng.choice((self.draw("names"), self.word().capitalize(), "AI", "Pro"))
        return alike(f"{first} {second}")

    def acronym(self) -> Named:
        rng = self.rng
        letters = "".join(rng.choices(string.ascii_uppercase, k=rng.randint(2, 5)))
        name = self.word().capitalize()
        made = (letters, f"{name}{letters[:3]}", f"{name}-{rng.randint(1, 9)}",
                f"{letters[:3]}-{rng.randint(1, 99)}", f"{name}{name.lower()}")  # fmt: skip
        return alike(rng.choice(made))

    def number(self) -> Named:
        return alike(str(self.rng.randint(0, self.rng.choice((12, 100, 3000)))))
