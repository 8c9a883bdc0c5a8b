"""From glossary entries to training text: a small seeded grammar of prompts and answers.

A document is a prompt with its answer, a short dialogue, a contrast of two terms, a piece of prose,
a sentence copied word for word, a greeting, or an honest "not in my glossary". The sentences of the
answers are the entries' own; the grammar only chooses, opens and connects them, so that all of it
is true. What a user would type is marked, for the model learns to answer it and not to write it.
"""

import hashlib

from .about_terms import AboutTerms
from .as_typed import marked
from .document import Document
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
from .replies import NO_ENTRY, NOT_IN_GLOSSARY, WELCOME, definition_sentences
from .things import NOT_COVERED

__all__ = [
    "CANONICAL", "CONTRASTS", "FORMS_HELD_OUT_PER_TERM", "NOT_COVERED", "N_DOCUMENTS", "QUESTIONS",
    "SEED", "UNSEEN_FORMS", "Document", "Writer", "answered", "ask", "contrast_pairs",
    "definition_sentences", "held_out_questions", "text_hash", "training_documents",
]  # fmt: skip

N_DOCUMENTS = 200_000


class Writer(AboutTerms):
    """Writes documents; every kind has a method of its name."""

    KINDS = (("answer", 46), ("natural", 18), ("plural", 7), ("bare", 6), ("respelled", 20),
             ("around", 11), ("among", 7), ("begun", 5), ("continued", 6), ("two_questions", 4),
             ("dialogue", 3), ("contrast", 8), ("pair", 13), ("prose", 2), ("alias", 3),
             ("unknown", 21), ("other", 7), ("jumbled", 3), ("welcome", 4), ("off_subject", 6),
             ("quote", 2), ("copy_words", 3))  # fmt: skip
    OFF_SUBJECT = (("numbers", 25), ("languages", 25), ("script", 12), ("code", 13),
                   ("nonsense", 25))  # fmt: skip

    def document(self) -> Document:
        return getattr(self, self.pick(self.KINDS))()

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
        """Arithmetic, other languages and scripts, code, and what means nothing."""
        kind = self.pick(self.OFF_SUBJECT)
        return self.refused(
            self.unknown_things.script if kind == "script" else lambda: self.talk(kind)
        )

    def jumbled(self) -> Document:
        """Words in an order that means nothing, and no term among them."""
        return self.refused(self.jumble)

    def refused(self, draw) -> Document:
        return Document.of(self.asked(draw), NOT_IN_GLOSSARY)

    def welcome(self) -> Document:
        """What people type first, or last."""
        return Document.of(self.asked(lambda: self.talk("welcome")), WELCOME)

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
    digest = hashlib.sha256()
    for i, document in enumerate(documents):  # line by line: all at once are 100 MB
        digest.update(("\n" * (i > 0) + repr(document.parts)).encode())
    return digest.hexdigest()
