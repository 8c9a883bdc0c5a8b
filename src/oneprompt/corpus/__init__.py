"""The glossary: hand-written entries, one YAML file per theme.

The book renders them as its glossary, and `documents.py` makes the reference model's training text
out of them. That model never read anything else.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

# The order of the book: from the field, through a model's parts, to what it generates and costs.
THEMES = (
    "machine_learning", "neural_networks", "training", "language_models",
    "tokens_and_embeddings", "position_and_attention", "blocks_and_logits", "generation",
    "speed_and_hardware", "evaluation_and_limits",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One glossary entry. The definition and each paraphrase begin with the subject.

    `how` and `example` are empty in entries that have only the shorter form.
    """

    term: str
    article: str  # "", "a", "an" or "the", as in "What is a token?"
    aliases: tuple[str, ...]
    category: str
    definition: str
    paraphrases: tuple[str, ...]
    why: str
    see_also: tuple[str, ...]
    how: str = ""
    example: str = ""
    plural: str = ""  # "matrices", where adding an s is not enough
    note: str = ""  # for the reader of the glossary's page only: the model does not learn it

    @property
    def subject(self) -> str:
        """The term as a sentence names it: "a token"."""
        return f"{self.article} {self.term}".strip()

    @property
    def in_plural(self) -> str:
        """The term as people ask for several: "tokens"; "" for what cannot be counted."""
        countable = self.article in ("a", "an")
        return self.plural or (pluralize(self.term) if countable else "")

    @property
    def slug(self) -> str:
        """The entry's anchor on the glossary page: "byte-pair-encoding"."""
        return slug(self.term)

    @property
    def definitions(self) -> tuple[str, ...]:
        """The definition, then its paraphrases."""
        return (self.definition, *self.paraphrases)

    @property
    def details(self) -> tuple[str, ...]:
        """What it says beyond the definition: how it works, why it matters, an example."""
        return tuple(text for text in (self.how, self.why, self.example) if text)


def slug(name: str) -> str:
    """A term or alias as an anchor: "byte-pair-encoding"."""
    return name.lower().replace(" ", "-")


def capitalize(text: str) -> str:
    """Capitalize only the first letter, so that "KV cache" keeps its capitals."""
    return text[0].upper() + text[1:]


def pluralize(noun: str) -> str:
    """The regular plural of an English noun: "queries" of "query"."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "z", "ch", "sh")) else "s")


@cache
def load_glossary() -> tuple[Entry, ...]:
    """All entries, in the order of the book."""
    entries = []
    for theme in THEMES:
        page = yaml.safe_load((files(__package__) / f"{theme}.yaml").read_text("utf-8"))
        for fields in page["entries"]:
            for name in ("aliases", "paraphrases", "see_also"):
                fields[name] = tuple(fields[name])
            entries.append(Entry(category=page["category"], **fields))
    return tuple(entries)
