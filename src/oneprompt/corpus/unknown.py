"""Things that the glossary has no entry for, from lists and out of syllables."""

import random
import string

from . import load_glossary, pluralize
from .things import (
    NOT_COVERED,
    Named,
    alike,
    known_names,
    load_things,
    with_article,
    without_article,
)

# The first and the last character of scripts that the glossary does not use.
SCRIPTS = ("ая", "αω", "את", "اي", "कह", "กฮ", "აჰ", "ぁん", "ァン", "가힣", "一鿿")


class Unknown:
    """Draws them; every kind has a method of its name."""

    KINDS = (("noun", 30), ("invented", 14), ("invented_name", 9), ("name", 15), ("foreign", 3),
             ("phrase", 8), ("not_covered", 5), ("decoy", 8), ("compound", 6), ("near_miss", 6),
             ("described", 4), ("two_names", 4), ("acronym", 4), ("number", 1))  # fmt: skip

    def __init__(self, rng: random.Random):
        self.rng = rng
        self.lists = load_things()
        self.terms = [entry.term for entry in load_glossary()]
        self.long_terms = [term.split() for term in self.terms if " " in term]

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
        n_syllables = self.rng.choice((1, 2, 2, 2, 3, 3, 4))
        parts = ("syllable starts", "vowels", "syllable ends") * n_syllables
        return "".join(self.draw(part) for part in parts)

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

    def near_miss(self) -> Named:
        """A term of several words, with its first or last one replaced: "a learning teapot"."""
        first, *middle, last = self.rng.choice(self.long_terms)
        if self.rng.random() < 0.5:
            draws = (lambda: self.draw("nouns"), lambda: self.draw("adjectives"), self.word)
            first = self.rng.choice(draws)()
        else:
            last = self.draw("nouns")
        return self.countable(" ".join((first, *middle, last)))

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

    def script(self) -> str:
        """Words in another script, drawn letter by letter: nearly all of them mean nothing."""
        rng = self.rng
        first, last = map(ord, rng.choice(SCRIPTS))
        sizes = [rng.randint(1, 7) for _ in range(rng.randint(1, 5))]
        words = ("".join(chr(rng.randint(first, last)) for _ in range(n)) for n in sizes)
        space = "" if first >= ord("ぁ") and rng.random() < 0.8 else " "
        return space.join(words) + rng.choice(("", "?", ".", "!", "？", "。"))
