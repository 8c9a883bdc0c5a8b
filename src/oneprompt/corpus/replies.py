"""What the training text answers: the entries' own sentences, and honest refusals."""

import re

from . import Entry, capitalize
from .as_typed import CLOSE, OPEN

# How an answer to "What is ...?" begins, and how often. {s} is the subject, {p} what is said of it.
OPENINGS = (("{S} {p}", 40), ("It {p}", 8), ("In short, {s} {p}", 11), ("Put simply, {s} {p}", 11),
            ("The glossary says that {s} {p}", 10), ("Good question: {s} {p}", 10),
            ("Here is a short answer: {s} {p}", 10))  # fmt: skip
DEFINITION_WEIGHTS = (40, 20, 20, 20)  # the definition, then its paraphrases

WELCOME = (
    "I am a small language model that has read only the glossary of this book. "
    'Ask me about one of its terms, for example "What is a token?"'
)
NO_ENTRY = "My glossary has no entry for {}."
NOT_IN_GLOSSARY = (
    'That is not in my glossary. Ask me about one of its terms, for example "What is a token?"'
)
# What may stand before a sentence's subject, which after "The purpose of" is another noun.
_BEFORE_SUBJECT = re.compile(r"(^|[.,:!?]|\b(the|our|this|each|every|my|one|that))\s*$")


def predicate(entry: Entry, sentence: str) -> str:
    """What a definition says of its subject: "A token is a word." -> "is a word."."""
    return sentence.removeprefix(capitalize(entry.subject)).lstrip()


def goes_on(prompt: str, entry: Entry) -> bool:
    """Whether a definition of the entry goes on as the prompt does after its subject."""
    before, _, after = prompt.lower().partition(OPEN)
    rest = after.partition(CLOSE)[2].strip(" .,?!")
    return bool(rest and _BEFORE_SUBJECT.search(before)) and any(
        predicate(entry, sentence).lower().startswith(rest) for sentence in entry.definitions
    )


def define(entry: Entry, opening: str, sentence: str) -> str:
    """One of the definitions, with one of the openings."""
    said = predicate(entry, sentence)
    return opening.format(S=capitalize(entry.subject), s=entry.subject, p=said)


def definition_sentences(entry: Entry, must_name: bool = True) -> set[str]:
    """Every first sentence that answers "What is ...?", with or without those that say "It"."""
    openings = [o for o, _ in OPENINGS if "{s}" in o.lower() or not must_name]
    return {define(entry, opening, d) for opening in openings for d in entry.definitions}


def another_name(entry: Entry, alias: str) -> str:
    """The sentence that tells what an alias stands for."""
    return f'"{capitalize(alias)}" is another name for {entry.subject}.'


def related(entry: Entry, by_term: dict[str, Entry]) -> str:
    """The sentence that names the entries to read next."""
    *first, last = (by_term[term].subject for term in entry.see_also)
    return f"{capitalize(entry.subject)} is related to {', '.join(first)} and {last}."
