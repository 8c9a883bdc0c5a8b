"""Prompts of every kind: forms filled with things, in the middle of other words, as typed."""

import random
import re
import string
from collections.abc import Callable
from functools import cache

from . import Entry, capitalize, load_glossary, pluralize
from .as_typed import mark, typed, unmark
from .forms import SLOT, expand, fill, load_forms
from .natural_prompts import natural_prompts
from .questions import (
    CANONICAL,
    QUESTIONS,
    ask,
    asks_what_is_held_out,
    contrast_pairs,
    held_out_questions,
)
from .things import Named, known_names, name_of, with_article
from .unknown import Unknown

NAMES = ("Ada", "Alan", "Grace", "Claude", "Emmy", "Kurt", "Mary", "Noor", "Ravi", "Lin", "Sofia",
         "Tomas", "Yuki", "Omar", "Ines", "Pavel")  # fmt: skip
IN_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
            "eleven", "twelve", "twenty", "ninety")  # fmt: skip
WORD = re.compile(r"[A-Za-z][A-Za-z']*")
NOISY = 0.4  # of the prompts go through `typed`, which changes most of those
MORE_OFTEN = 10  # the running example is asked about so many times as often as any other term


def words_of(text: str) -> tuple[str, ...]:
    """The words in lower case, without marks: what two prompts have to differ in."""
    return tuple("".join(c if c.isalnum() else " " for c in text.lower()).split())


@cache
def kept_back() -> tuple[frozenset[str], tuple[str, ...]]:
    """The natural prompts' words, which no prompt of the training text is, and the longer ones.

    What has five words or more is not in the company of other words either.
    """
    all_words = [f" {' '.join(words_of(prompt.text))} " for prompt in natural_prompts()]
    return frozenset(all_words), tuple(words for words in all_words if words.count(" ") > 5)


def is_kept_back(text: str) -> bool:
    words = f" {' '.join(words_of(text))} "
    whole, longer = kept_back()
    return words in whole or any(kept in words for kept in longer)


@cache
def loose_words() -> tuple[str, ...]:
    """The words of all forms, each once, but for those that occur in the name of a term."""
    forms = [form for name in ("forms", "small_talk") for kind in load_forms(name).values()
             for form in kind]  # fmt: skip
    words = {word for form in forms for word in WORD.findall(SLOT.sub(" ", form))}
    named = {word for name in known_names() for word in words_of(name)}
    return tuple(sorted(word for word in words if word.lower() not in named))


class Prompter:
    """Writes prompts, drawing every choice from one seeded random generator."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        self.entries = load_glossary()
        self.by_term = {entry.term: entry for entry in self.entries}
        self.countable = [entry for entry in self.entries if entry.in_plural]
        self.unknown_things = Unknown(self.rng)
        self.forms, self.small_talk = load_forms("forms"), load_forms("small_talk")
        self.entry_weights = [
            MORE_OFTEN if e.term == "machine learning" else 1 for e in self.entries
        ]
        self.queue: list[tuple[str, Entry]] = []

    def pick(self, weighted: tuple[tuple[str, int], ...]) -> str:
        choices, weights = zip(*weighted, strict=True)
        return self.rng.choices(choices, weights)[0]

    def entry(self) -> Entry:
        return self.rng.choices(self.entries, self.entry_weights)[0]

    def two_entries(self) -> tuple[Entry, Entry]:
        """Two different entries, related ones or any, but never a pair that is held out."""
        while True:
            if self.rng.random() < 0.5:
                pair = [self.by_term[term] for term in self.rng.choice(contrast_pairs()[0])]
                self.rng.shuffle(pair)
            else:
                pair = self.rng.sample(self.entries, 2)
            if tuple(sorted(entry.term for entry in pair)) not in contrast_pairs()[1]:
                return tuple(pair)

    def next_question(self) -> tuple[str, Entry]:
        """One of the book's forms of "what", each with each entry in turn, in a random order."""
        if not self.queue:
            # fmt: off
            self.queue = [(f, e) for f in QUESTIONS["what"] for e in self.entries
                          if f != CANONICAL and (f, e.term) not in held_out_questions()]
            # fmt: on
            self.rng.shuffle(self.queue)
        return self.queue.pop()

    def question(self, kind: str, entry: Entry) -> str:
        """One of the book's questions about the entry, two times in three the canonical one."""
        forms = [f for f in QUESTIONS[kind] if (f, entry.term) not in held_out_questions()]
        weights = [2 * len(forms) if form == CANONICAL else 1 for form in forms]
        return self.asked(lambda: ask(self.rng.choices(forms, weights)[0], entry), entry)

    def about(self, kind: str, entry: Entry, spelled: Callable[[str], str] = str) -> str:
        """A prompt of the kind about the entry, in one of the many forms, spelled in a way."""
        forms = self.forms[kind]
        if not entry.in_plural:
            forms = [form for form in forms if "{p}" not in form and "{P}" not in form]
        return self.asked(
            lambda: spelled(self.filled(self.rng.choice(forms), name_of(entry, self.rng))), entry
        )

    def asked(self, draw, *entries: Entry) -> str:
        """What `draw` writes, as somebody may type it, and nothing that is kept back."""
        while True:
            text = self.surrounded(draw())
            if any(asks_what_is_held_out(unmark(text), entry) for entry in entries):
                continue
            text = typed(text, self.rng) if self.rng.random() < NOISY else text
            if not is_kept_back(unmark(text)):
                return text

    def filled(self, form: str, thing: Named, other: Named | None = None) -> str:
        """The form about a thing, marked, and another one where the form has two."""
        second = other or self.unknown_things.thing()
        values = {"s": thing.subject, "t": thing.term, "p": thing.plural,
                  "a": thing.subject, "b": second.subject}  # fmt: skip

        def value(slot: str) -> str | None:
            if slot in values and not (slot == "a" and other is None):
                return mark(values[slot])
            if slot.lower() in values and slot.isupper():
                return mark(capitalize(values[slot.lower()]))
            return self.filler(slot)

        return fill(expand(form, self.rng), value)

    def filler(self, slot: str) -> str | None:
        """A value for a slot beside what the prompt is about; None if there is no such slot."""
        rng, unknown = self.rng, self.unknown_things
        noun = unknown.draw("nouns")
        digits = rng.choice((12, 12, 100, 100, 1000, 5000))
        values = {
            "n": lambda: rng.choice((with_article(noun), f"the {noun}")),
            "o": lambda: rng.choice((with_article(noun), noun, pluralize(noun))),
            "m": lambda: pluralize(noun),
            "v": lambda: noun,
            "V": lambda: noun.capitalize(),
            "y": lambda: (unknown.draw("names"), unknown.word().capitalize())[rng.random() < 0.2],
            "w": unknown.word,
            "W": lambda: unknown.word().capitalize(),
            "x": lambda: unknown.draw("actions"),
            "a": lambda: unknown.draw("adjectives"),
            "i": lambda: str(rng.randint(0, digits)),
            "d": lambda: str(rng.randint(1, 9)),
            "N": lambda: rng.choice(IN_WORDS),
            "k": lambda: str(rng.randint(1000, 2030)),
            "k2": lambda: unknown.word()[:3],
            "g": lambda: "".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 9))),
            "l": lambda: rng.choice(string.ascii_letters) * rng.randint(2, 12),
            "c": lambda: self.talk("context"),
        }  # fmt: skip
        return values[slot]() if slot in values else None

    def jumble(self, thing: Named | None = None) -> str:
        """Words in an order that means nothing, with the thing, marked, somewhere among them."""
        rng, unknown = self.rng, self.unknown_things
        draws = (lambda: rng.choice(loose_words()), lambda: unknown.draw("nouns"), unknown.word)
        n_words = rng.randint(1, rng.choice((6, 12, 32)))
        words = [draw() for draw in rng.choices(draws, (80, 12, 8), k=n_words)]
        if thing is not None:
            name = rng.choice([name for name in thing if name])
            words.insert(rng.randint(0, len(words)), mark(name))
        return " ".join(words) + rng.choice((".", "?", "?", "!", ""))

    def talk(self, kind: str) -> str:
        """A prompt without a thing to name, or words to put around one."""
        return fill(expand(self.rng.choice(self.small_talk[kind]), self.rng), self.filler)

    def surrounded(self, text: str) -> str:
        """The prompt, now and then with words around it that do not matter."""
        chance = self.rng.random()
        if chance < 0.04:
            return f"{self.talk('before')} {text}"
        if chance < 0.06:
            return f"{text} {self.talk('after')}"
        if chance < 0.10:
            return f"{self.talk('context')} {text}"
        if chance < 0.115:
            return f"{self.talk('context')} {self.talk('context')} {text}"
        return f"{text} {self.talk('context')}" if chance < 0.12 else text
