"""What an answer to a natural prompt is worth: a judge that is code.

The training text has few sentences, so that every honest answer can be recognized word for word.
"""

import re
from functools import cache

from .corpus import load_glossary
from .corpus.natural_prompts import OFF, ON, NaturalPrompt
from .corpus.replies import (
    NO_ENTRY,
    NOT_IN_GLOSSARY,
    WELCOME,
    another_name,
    definition_sentences,
    predicate,
    related,
)
from .corpus.things import known_names, without_article

RIGHT, CONTINUED = "right entry", "continuation"
NAMED, GENERAL = "names the thing", "general refusal"
MISNAMED, WRONG, UNKNOWN = "names another thing", "wrong entry", "unknown word"
LOOP, UNFINISHED, OTHER = "loop", "unfinished", "other sentence"
VERDICTS = (RIGHT, CONTINUED, NAMED, GENERAL, MISNAMED, WRONG, UNKNOWN, LOOP, UNFINISHED, OTHER)
GOOD = {ON: (RIGHT, CONTINUED), OFF: (NAMED, GENERAL)}
TIMES_IN_A_LOOP = 3
_REFUSAL = re.compile(re.escape(NO_ENTRY).replace(r"\{\}", "(.+)"))
_ENDS = re.compile(r"(?<=\.) ")  # no glossary sentence has a full stop inside
_WORD = re.compile(r"\w+")
_LOOP = re.compile(rf"\b(\w.{{0,80}}?)(?:\W+\1\b){{{TIMES_IN_A_LOOP - 1},}}", re.IGNORECASE)


def judge(prompt: NaturalPrompt, answer: str, finished: bool) -> str:
    """One of VERDICTS for an answer.

    Args:
        prompt: what was asked, and what answers it.
        answer: the text after the prompt, without EOS.
        finished: whether the model ended it with EOS.
    """
    answer = answer.lstrip(" .?!")  # a prompt without its last mark may first be completed
    if not finished:
        return LOOP if loops(answer) else UNFINISHED
    if answer in (NOT_IN_GLOSSARY, WELCOME):
        return GENERAL
    sentences = _ENDS.split(answer)
    if refusals := [match[1] for s in sentences if (match := _REFUSAL.fullmatch(s))]:
        if not all(_may_name(prompt, name) for name in refusals):
            return MISNAMED
        sentences = [s for s in sentences if not _REFUSAL.fullmatch(s)]
        if not sentences:
            return NAMED
    if unknown_words(prompt.text, answer):
        return UNKNOWN
    if loops(answer):
        return LOOP
    return _about(prompt, sentences)


def loops(text: str) -> bool:
    """Whether some words come three times in a row, or a sentence comes twice."""
    sentences = _ENDS.split(text)
    return bool(_LOOP.search(text)) or len(set(sentences)) < len(sentences)


def unknown_words(prompt: str, answer: str) -> list[str]:
    """The words of the answer that neither the glossary nor the prompt has."""
    known = _glossary_words() | {word.lower() for word in _WORD.findall(prompt)}
    return [word for word in _WORD.findall(answer) if word.lower() not in known]


def _may_name(prompt: NaturalPrompt, name: str) -> bool:
    """Whether a refusal may say that it has no entry for the name, written as in the prompt.

    Off the subject it has to be the thing asked about, with its article or without. In a prompt
    about a term it can be whatever else is compared with the term.
    """
    as_typed = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", prompt.text)
    if not as_typed or prompt.subject == ON:
        return bool(as_typed) and without_article(name.lower()) not in known_names()
    return without_article(name.lower()) in {without_article(n.lower()) for n in prompt.names}


def _about(prompt: NaturalPrompt, sentences: list[str]) -> str:
    """The verdict on finished sentences of known words."""
    first, *rest = sentences
    entries, verdict = _sentences().get(first, frozenset()), RIGHT
    if not entries:
        entries, verdict = _continued(prompt.text, first), CONTINUED
    allowed = entries & {*prompt.terms}
    if not entries or any(sentence not in _sentences() for sentence in rest):
        return OTHER
    rest_fits = all(_sentences()[s] & ({*prompt.terms} | allowed) for s in rest)
    return verdict if allowed and rest_fits else WRONG


def _continued(prompt: str, rest: str) -> frozenset[str]:
    """The terms of the glossary sentences that the prompt and the rest make together."""
    whole = " ".join(f"{_ENDS.split(prompt)[-1]} {rest}".lower().split())
    return frozenset(term for tail, term in _tails() if _ends_with(whole, tail))


def _ends_with(whole: str, tail: str) -> bool:
    return whole.endswith(tail) and not whole[: -len(tail)][-1:].isalnum()


@cache
def _sentences() -> dict[str, frozenset[str]]:
    """Every sentence of an answer about an entry, with the terms that it is about."""
    entries = load_glossary()
    by_term = {entry.term: entry for entry in entries}
    found: dict[str, set[str]] = {}
    for entry in entries:
        said = {*definition_sentences(entry, must_name=False), *entry.details}
        said |= {another_name(entry, alias) for alias in entry.aliases}
        for sentence in said | {related(entry, by_term)}:
            found.setdefault(sentence, set()).add(entry.term)
    return {sentence: frozenset(terms) for sentence, terms in found.items()}


@cache
def _tails() -> tuple[tuple[str, str], ...]:
    """Ways to end a sentence with a definition, in lower case, and their terms."""
    return tuple(
        (f"{subject} {predicate(entry, sentence)}".lower(), entry.term)
        for entry in load_glossary()
        for sentence in entry.definitions
        for subject in {entry.subject, entry.term}
    )


@cache
def _glossary_words() -> frozenset[str]:
    said = [*_sentences(), WELCOME, NOT_IN_GLOSSARY, NO_ENTRY]
    return frozenset(word.lower() for sentence in said for word in _WORD.findall(sentence))
