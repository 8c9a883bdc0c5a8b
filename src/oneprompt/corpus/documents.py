"""From glossary entries to training text: a small seeded grammar of prompts and answers.

A document is a prompt with its answer, a short dialogue, a contrast of two terms, a piece of prose,
a sentence copied word for word, a greeting, or an honest "not in my glossary". The sentences of the
answers are the entries' own; the grammar only chooses, opens and connects them, so that all of it
is true. What a user would type is marked, for the model learns to answer it and not to write it.
"""

import hashlib
from typing import NamedTuple

from . import Entry, capitalize
from .as_typed import marked, unmark
from .prompts import NAMES, Prompter
from .questions import (
    CANONICAL,
    CONTRASTS,
    FORMS_HELD_OUT_PER_TERM,
    QUESTIONS,
    SEED,
    UNSEEN_FORMS,
    answered,
    ask,
    contrast_pairs,
    held_out_questions,
)
from .replies import (
    DEFINITION_WEIGHTS,
    NO_ENTRY,
    NOT_IN_GLOSSARY,
    OPENINGS,
    WELCOME,
    another_name,
    define,
    definition_sentences,
    predicate,
    related,
)
from .things import NOT_COVERED, Named, name_of

__all__ = [
    "CANONICAL", "CONTRASTS", "FORMS_HELD_OUT_PER_TERM", "NOT_COVERED", "N_DOCUMENTS", "QUESTIONS",
    "SEED", "UNSEEN_FORMS", "Document", "Writer", "answered", "ask", "contrast_pairs",
    "definition_sentences", "held_out_questions", "text_hash", "training_documents",
]  # fmt: skip

N_DOCUMENTS = 60_000


class Document(NamedTuple):
    """A piece of training text, in parts: (text, whether the loss counts its tokens).

    Every part but the first begins with a space, so that parts encoded one by one give the tokens
    of the whole.
    """

    parts: tuple[tuple[str, bool], ...]

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.parts)

    @classmethod
    def of(cls, *turns: str) -> "Document":
        """Prompts and answers in turn, the answers counting in the loss."""
        return cls(
            tuple((unmark(" " * (i > 0) + turn), bool(i % 2)) for i, turn in enumerate(turns))
        )

    @classmethod
    def whole(cls, text: str) -> "Document":
        """A text of which every token counts."""
        return cls(((text, True),))


class Writer(Prompter):
    """Writes documents; every kind has a method of its name."""

    KINDS = (("answer", 36), ("natural", 17), ("plural", 5), ("bare", 5), ("around", 10),
             ("begun", 3), ("continued", 4), ("two_questions", 3), ("dialogue", 4),
             ("contrast", 3), ("pair", 6), ("prose", 2), ("alias", 4), ("unknown", 16),
             ("other", 7), ("welcome", 3), ("off_subject", 5), ("quote", 3),
             ("copy_words", 5))  # fmt: skip
    OFF_SUBJECT = (("numbers", 25), ("languages", 30), ("code", 15), ("nonsense", 30))

    def document(self) -> Document:
        return getattr(self, self.pick(self.KINDS))()

    def definition(self, entry: Entry) -> str:
        sentence = self.rng.choices(entry.definitions, DEFINITION_WEIGHTS)[0]
        return define(entry, self.pick(OPENINGS), sentence)

    def reply(self, kind: str, entry: Entry, more: float = 0.0) -> str:
        """The answer of the kind; a definition may be followed by one more sentence."""
        if kind in ("how", "why", "example") and getattr(entry, kind):
            return getattr(entry, kind)
        if kind == "related":
            return related(entry, self.by_term)
        further = f" {self.rng.choice(entry.details)}" if self.rng.random() < more else ""
        return self.definition(entry) + further

    def answer(self) -> Document:
        """One of the book's questions and its answer."""
        kind = self.pick((("what", 68), ("how", 10), ("why", 10), ("example", 8), ("related", 4)))
        entry = self.entry()
        if kind == "what" and self.rng.random() < 0.35:
            form, entry = self.next_question()
            question = self.asked(lambda: ask(form, entry), entry)
        else:
            kind = kind if kind in answered(entry) else "what"
            question = self.question(kind, entry)
        return Document.of(question, self.reply(kind, entry, more=0.4))

    def natural(self) -> Document:
        """A question in one of the many forms."""
        kind = self.pick((("what", 58), ("how", 14), ("why", 20), ("example", 8)))
        entry = self.entry()
        return Document.of(self.about(kind, entry), self.reply(kind, entry, more=0.25))

    def plural(self) -> Document:
        entry = self.rng.choice(self.countable)
        return Document.of(self.about("plural", entry), self.reply("what", entry, more=0.2))

    def bare(self) -> Document:
        entry = self.entry()
        return Document.of(self.about("bare", entry), self.reply("what", entry, more=0.2))

    def around(self) -> Document:
        """Whatever is said of a term, the entry is all that the glossary can say."""
        entry = self.entry()
        return Document.of(self.about("around", entry), self.reply("what", entry, more=0.25))

    def begun(self) -> Document:
        """The beginning of a sentence that the glossary does not have, and one that it has."""
        entry = self.entry()
        sentence = self.rng.choices(entry.definitions, DEFINITION_WEIGHTS)[0]
        return Document.of(self.about("beginning", entry), sentence)

    def continued(self) -> Document:
        """A sentence of the glossary, which a prompt may break off anywhere."""
        entry = self.entry()
        said = predicate(entry, self.rng.choices(entry.definitions, DEFINITION_WEIGHTS)[0])
        form = self.pick((("{S} {p}", 40), ("{s} {p}", 12), ("The {t} {p}", 10), ("{T} {p}", 14),
                          ("I think that {s} {p}", 4), ("We know that {s} {p}", 4),
                          ("In this book, {s} {p}", 4), ("In machine learning, {s} {p}", 4),
                          ("People say that {s} {p}", 4),
                          ("Remember that {s} {p}", 4)))  # fmt: skip
        if not entry.article:
            form = form.replace("The {t}", "{T}")
        text = form.format(S=capitalize(entry.subject), s=entry.subject, t=entry.term,
                           T=capitalize(entry.term), p=said)  # fmt: skip
        more = f" {self.rng.choice(entry.details)}" if self.rng.random() < 0.4 else ""
        return Document.whole(text + more)

    def two_questions(self) -> Document:
        """Two questions at once about a term; the second one hardly changes the answer."""
        entry = self.entry()
        kind = self.pick((("what", 60), ("plural", 15), ("around", 25)))
        first = self.about(kind if kind != "plural" or entry.in_plural else "what", entry)
        return Document.of(f"{first} {self.talk_about_it()}", self.reply("what", entry, more=0.5))

    def talk_about_it(self) -> str:
        return self.filled(self.rng.choice(self.forms["follow up"]), Named("it", "it", "them"))

    def dialogue(self) -> Document:
        """Two or three questions in a row, the later ones about the same or a related term."""
        entry, turns = self.entry(), []
        kinds = [kind for kind in answered(entry) if kind != "related"]
        for kind in self.rng.sample(kinds, min(len(kinds), self.rng.randint(2, 3))):
            if kind not in answered(entry):
                continue
            turns += [self.question(kind, entry), self.reply(kind, entry)]
            if self.rng.random() < 0.4:
                entry = self.by_term[self.rng.choice(entry.see_also)]
        return Document.of(*turns)

    def contrast(self) -> Document:
        a, b = self.two_entries()
        form = self.rng.choice(CONTRASTS)
        question = self.asked(lambda: form.format(a=a.subject, b=b.subject), a, b)
        return Document.of(question, f"{a.definition} {b.definition}")

    def pair(self) -> Document:
        """Two things in a prompt: two terms, a term and something else, or two other things."""
        a, b = self.two_entries()
        form = self.rng.choice((*self.forms["pair"] * 3, *CONTRASTS))
        chance = self.rng.random()
        if chance < 0.65:
            things = name_of(a, self.rng), name_of(b, self.rng)
            return Document.of(self.two(form, *things, a, b), f"{a.definition} {b.definition}")
        term, other = name_of(a, self.rng), self.unknown_things.thing()
        if chance > 0.88:
            prompt = self.two(form, other, self.unknown_things.thing())
            return Document.of(prompt, NO_ENTRY.format(marked(prompt)[0]))
        first = self.rng.random() < 0.6
        prompt = self.two(form, *((term, other) if first else (other, term)), a)
        refusal = NO_ENTRY.format(marked(prompt)[1 if first else 0])
        return Document.of(prompt, f"{a.definition} {refusal}")

    def two(self, form: str, a: Named, b: Named, *entries: Entry) -> str:
        """The form with two things, with or without their articles."""
        if self.rng.random() < 0.4:
            a, b = (Named(thing.term, *thing[1:]) for thing in (a, b))
        return self.asked(lambda: self.filled(form, a, b), *entries)

    def prose(self) -> Document:
        """An entry told as a paragraph."""
        entry = self.entry()
        rest = list(entry.details)
        self.rng.shuffle(rest)
        told = [self.rng.choice(entry.definitions), *rest[: self.rng.randint(1, 3)]]
        return Document.whole(" ".join(told))

    def alias(self) -> Document:
        entry = self.rng.choice([e for e in self.entries if e.aliases])
        alias = self.rng.choice(entry.aliases)
        form = self.rng.choice(("What is {}?", "What is {}?", 'What does "{}" mean?', "{}?",
                                "What does {} mean?", "Explain {}.", "What's {}?",
                                "Define {}."))  # fmt: skip
        question = self.asked(lambda: form.format(alias), entry)
        return Document.of(question, f"{another_name(entry, alias)} {entry.definition}")

    def unknown(self) -> Document:
        """A question about something else; the answer repeats its name as it was typed."""
        kind = self.pick((("what", 60), ("plural", 14), ("bare", 6), ("how", 7), ("why", 8),
                          ("example", 5)))  # fmt: skip
        form, thing = self.rng.choice(self.forms[kind]), self.unknown_things.thing()
        if self.rng.random() < 0.25:
            form = CANONICAL.replace("{subject}", "{s}")
        prompt = self.asked(lambda: self.filled(form, thing))
        refusal = NO_ENTRY.format(marked(prompt)[0])
        further = f" {self.talk_about_it()}" if self.rng.random() < 0.06 else ""
        return Document.of(prompt + further, refusal)

    def other(self) -> Document:
        """Neither a term nor anything that a refusal could name."""
        if self.rng.random() < 0.3:
            form = self.rng.choice((*self.forms["around"], *self.forms["beginning"]))
            return self.refused(lambda: self.filled(form, self.unknown_things.thing()))
        return self.refused(lambda: self.talk("other"))

    def off_subject(self) -> Document:
        """Arithmetic, other languages, code, and what means nothing."""
        kind = self.pick(self.OFF_SUBJECT)
        return self.refused(lambda: self.talk(kind))

    def refused(self, draw) -> Document:
        return Document.of(self.asked(draw), NOT_IN_GLOSSARY)

    def welcome(self) -> Document:
        """What people type first, or last."""
        return Document.of(self.asked(lambda: self.talk("welcome")), WELCOME)

    def quote(self) -> Document:
        """A conversation in which a sentence is said twice, word for word."""
        a, b = self.rng.sample(NAMES, 2)
        entry = self.entry()
        kind = self.rng.choice([k for k in answered(entry) if k != "related"])
        question, said = unmark(self.question(kind, entry)), self.reply(kind, entry)
        return Document.whole(self.rng.choice((
            f'{a} asked {b}: "{question}" {b} answered: "{said}" {a} wrote down: "{said}"',
            f'{a} said: "{said}" {b} did not hear it. {a} said again: "{said}"',
            f"{question} {said} Please say that again. {said}",
        )))  # fmt: skip

    def copy_words(self) -> Document:
        """Words in an order that means nothing, some of which do not exist: only copying helps."""
        unknown = self.unknown_things
        draws = (unknown.word, lambda: unknown.draw("nouns"), lambda: unknown.draw("names"))
        words = " ".join(self.rng.choice(draws)() for _ in range(self.rng.randint(2, 14)))
        first = self.rng.choice(
            (f"Repeat: {words}.", f"Say {words}.", f"Copy these words: {words}.")
        )
        return Document.of(first, f"{words}.")


def training_documents(n: int = N_DOCUMENTS, seed: int = SEED) -> list[Document]:
    """The documents that the reference pair and its tokenizer are trained on."""
    writer = Writer(seed)
    return [writer.document() for _ in range(n)]


def text_hash(documents: list[Document]) -> str:
    """Identifies a training text; the shipped weights carry the hash of theirs.

    It covers the text and which of it counts in the loss.
    """
    lines = (repr(document.parts) for document in documents)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
