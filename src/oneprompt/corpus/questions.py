"""The book's forms of a question, and which questions the training text never contains."""

import random
import re
from functools import cache

from . import Entry, load_glossary

SEED = 2026

QUESTIONS = {
    "what": ("What is {subject}?", "Explain {subject}.", "What does {term} mean?",
             "Can you explain {subject}?", "Define {term}.", "Tell me what {subject} is.",
             "Describe {subject}.", "What do you know about {subject}?",
             "How would you describe {subject}?", "Tell me about {subject}.",
             "What exactly is {subject}?", "Give me an idea of {subject}.",
             "Could you define {term}?", "What is meant by {subject}?",
             "Help me understand {subject}.", "I want to know what {subject} is.",
             "So what is {subject}?"),
    "how": ("How does {subject} work?", "Explain how {subject} works.",
            "Can you explain how {subject} works?"),
    "why": ("Why does {subject} matter?", "Why is {subject} important?",
            "What makes {subject} important?"),
    "example": ("Give an example of {subject}.", "What is an example of {subject}?",
                "Can you give an example of {subject}?"),
    "related": ("Which terms are related to {subject}?", "What should I read after {subject}?"),
}  # fmt: skip
CANONICAL = QUESTIONS["what"][0]
UNSEEN_FORMS = ("Give me a definition of {term}.", "In one sentence, what is {subject}?",
                "I would like to understand {subject}.")  # fmt: skip
CONTRASTS = ("What is the difference between {a} and {b}?", "How does {a} differ from {b}?",
             "Compare {a} with {b}.")  # fmt: skip
FORMS_HELD_OUT_PER_TERM = 2


def ask(form: str, entry: Entry) -> str:
    """The question form filled in for one entry."""
    return form.format(subject=entry.subject, term=entry.term)


def answered(entry: Entry) -> tuple[str, ...]:
    """The kinds of question that the entry has an answer to."""
    return tuple(k for k in QUESTIONS if k in ("what", "related") or getattr(entry, k))


@cache
def held_out_questions() -> frozenset[tuple[str, str]]:
    """The (form, term) pairs that the training text never contains, chosen before training."""
    rng = random.Random(SEED)
    pairs = set()
    for entry in load_glossary():
        others = [form for form in QUESTIONS["what"] if form != CANONICAL]
        pairs |= {(form, entry.term) for form in rng.sample(others, FORMS_HELD_OUT_PER_TERM)}
    return frozenset(pairs)


@cache
def contrast_pairs() -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Pairs of related terms: those in the training text, and every tenth, which is held out."""
    pairs = sorted({tuple(sorted((e.term, o))) for e in load_glossary() for o in e.see_also})
    random.Random(SEED).shuffle(pairs)
    return tuple(p for i, p in enumerate(pairs) if i % 10), tuple(pairs[::10])


@cache
def _held_out_of(entry: Entry) -> tuple[tuple[str, str], ...]:
    """The entry's held-out questions in lower case: as they are, and without their last sign."""
    held = sorted(form for form, term in held_out_questions() if term == entry.term)
    return tuple((question, question[:-1]) for question in (ask(f, entry).lower() for f in held))


def asks_what_is_held_out(prompt: str, entry: Entry) -> bool:
    """Whether a held-out question about the entry is a part of the prompt, in any case."""
    prompt = prompt.lower()
    parts = {part.strip() for part in re.split(r"[.?!:,;]", prompt)}
    ended = prompt if prompt[-1:] in ".?!" else None
    return any(
        question in (ended or prompt + question[-1]) or bare in parts
        for question, bare in _held_out_of(entry)
    )
