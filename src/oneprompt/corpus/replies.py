"""What the training text answers: the entries' own sentences, and honest refusals."""

from . import Entry, capitalize

# How an answer to "What is ...?" begins, and how often. {s} is the subject, {p} what is said of it.
OPENINGS = (("{S} {p}", 48), ("It {p}", 7), ("In short, {s} {p}", 10), ("Put simply, {s} {p}", 9),
            ("The glossary says that {s} {p}", 9), ("Good question: {s} {p}", 9),
            ("Here is a short answer: {s} {p}", 8))  # fmt: skip
DEFINITION_WEIGHTS = (46, 18, 18, 18)  # the definition, then its paraphrases

WELCOME = (
    "I am a small language model that has read only the glossary of this book. "
    'Ask me about one of its terms, for example "What is a token?"'
)
NO_ENTRY = "My glossary has no entry for {}."
NOT_IN_GLOSSARY = (
    'That is not in my glossary. Ask me about one of its terms, for example "What is a token?"'
)


def predicate(entry: Entry, sentence: str) -> str:
    """What a definition says of its subject: "A token is a word." -> "is a word."."""
    return sentence.removeprefix(capitalize(entry.subject)).lstrip()


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
