"""The glossary keeps its rules, and the training text contains nothing that was held out."""

import re

import pytest

import oneprompt as op
from oneprompt.checkpoints.own import ASSETS, read_metadata
from oneprompt.corpus import capitalize
from oneprompt.corpus.documents import (
    CANONICAL,
    CONTRASTS,
    FORMS_HELD_OUT_PER_TERM,
    NOT_COVERED,
    QUESTIONS,
    UNSEEN_FORMS,
    Writer,
    ask,
    contrast_pairs,
    definition_sentences,
    held_out_questions,
    text_hash,
    training_documents,
)

ENTRIES = {entry.term: entry for entry in op.load_glossary()}
each_entry = pytest.mark.parametrize("entry", ENTRIES.values(), ids=lambda entry: entry.slug)


def sentences(entry) -> list[str]:
    return [*entry.definitions, *entry.details]


def beginning(entry, sentence: str) -> tuple[str, ...]:
    """The three words after the subject."""
    return tuple(sentence.removeprefix(capitalize(entry.subject)).split()[:3])


def test_terms_are_at_least_150_and_unique():
    slugs = [entry.slug for entry in op.load_glossary()]
    assert len(slugs) == len(set(slugs)) >= 150


def test_at_least_80_entries_have_every_field():
    assert sum(len(entry.details) == 3 for entry in op.load_glossary()) >= 80
    assert all(entry.why for entry in op.load_glossary())


@each_entry
def test_sentences_keep_the_rules(entry):
    for sentence in sentences(entry):
        assert sentence.isascii(), sentence
        assert 8 <= len(sentence.split()) <= 26, sentence
        outside_quotes = re.sub(r'"[^"]*"', "", sentence)
        assert sentence.endswith("."), sentence
        assert not re.search(r"[.?!:;()/]|--| - ", outside_quotes[:-1]), sentence
        assert not re.search(r"\b(simply|obviously|just|powerful|crucial)\b", sentence), sentence
        assert sentence.count('"') % 2 == 0, sentence
        assert sentence == " ".join(sentence.split()), sentence
    assert len(set(sentences(entry))) == len(sentences(entry))


@each_entry
def test_definitions_begin_with_the_subject(entry):
    assert entry.article in ("", "a", "an", "the")
    subject = capitalize(entry.subject)
    assert entry.definition.startswith((f"{subject} is ", f"{subject} are "))
    assert len(entry.paraphrases) == 3
    assert all(p.startswith(f"{subject} ") for p in entry.paraphrases)
    assert len({beginning(entry, d) for d in entry.definitions}) == 4
    assert sum(beginning(entry, p)[0] == "is" for p in entry.paraphrases) <= 1


@each_entry
def test_other_sentences_name_the_term_and_vary(entry):
    for sentence in entry.details:
        assert entry.term.lower() in sentence.lower(), sentence
    assert not all(s.startswith(capitalize(entry.subject)) for s in entry.details)


@each_entry
def test_see_also_leads_to_other_entries(entry):
    assert 2 <= len(entry.see_also) <= 4
    assert len(set(entry.see_also)) == len(entry.see_also)
    assert set(entry.see_also) <= ENTRIES.keys() - {entry.term}


def test_no_alias_names_two_things():
    names = [name.lower() for entry in ENTRIES.values() for name in (entry.term, *entry.aliases)]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_source_s_sentence_defines_machine_learning():
    assert ENTRIES["machine learning"].definition == (
        "Machine learning is a subfield of artificial intelligence that gives computers the "
        "ability to learn from data without being explicitly programmed."
    )


def test_what_is_not_covered_is_no_entry():
    names = {name.lower() for e in ENTRIES.values() for name in (e.term, e.subject, *e.aliases)}
    assert len(set(NOT_COVERED)) == len(NOT_COVERED) >= 50
    assert not names & {subject.lower() for subject in NOT_COVERED}


@pytest.fixture(scope="module")
def documents() -> list[str]:
    return training_documents()


@pytest.fixture(scope="module")
def text(documents) -> str:
    """All different documents in lower case, one a line."""
    return "\n".join(dict.fromkeys(documents)).lower()


def asked_and_answered(question: str, answers, text: str) -> bool:
    """Whether text has the question, or has it without its mark and with one of the answers.

    Without its mark a question can be the beginning or the end of a longer one ("explain a token",
    "can you explain a token ID?"), so an answer must follow and a sentence end before it.
    """
    question = question.lower()
    answers = tuple(answer.lower() for answer in answers)
    bare, place = f"{question[:-1]} ", -1
    while (place := text.find(bare, place + 1)) >= 0:
        before = text[max(place - 2, 0) : place].strip(" ")  # nothing at the very beginning
        begins = not before or before[-1] in '\n".?!'
        if begins and text.startswith(answers, place + len(bare)):
            return True
    return question in text


def definitions(entry) -> set[str]:
    return definition_sentences(entry, must_name=False)


def test_held_out_questions_are_not_in_the_text(text):
    pairs = held_out_questions()
    assert len(pairs) == FORMS_HELD_OUT_PER_TERM * len(ENTRIES)
    assert {term for _, term in pairs} == ENTRIES.keys()
    found = [
        ask(form, ENTRIES[term])
        for form, term in sorted(pairs)
        if asked_and_answered(ask(form, ENTRIES[term]), definitions(ENTRIES[term]), text)
    ]
    assert found == []


def test_other_questions_are_in_the_text(text):
    """The search above would find what is there: nearly every question that was not held out.

    Every fourth is enough to see that.
    """
    asked = [
        (form, entry)
        for form in QUESTIONS["what"]
        for entry in ENTRIES.values()
        if (form, entry.term) not in held_out_questions()
    ]
    found = [asked_and_answered(ask(form, e), definitions(e), text) for form, e in asked[::4]]
    assert sum(found) > 0.99 * len(found)
    for entry in ENTRIES.values():
        assert ask(CANONICAL, entry).lower() in text


def test_question_without_its_mark_is_found():
    """As the grammar types some of them."""
    entry = ENTRIES["token"]
    text = f"well.\nexplain a token {entry.definition.lower()}"
    assert asked_and_answered("Explain a token.", definitions(entry), text)
    assert not asked_and_answered("Explain a token.", definitions(entry), "can you " + text[6:])


def test_unseen_forms_are_not_in_the_text(text):
    for form in UNSEEN_FORMS:
        beginning = form.split("{")[0].strip(" ,").lower()
        assert beginning not in text


def test_held_out_contrasts_are_not_in_the_text(text):
    seen, held_out = contrast_pairs()
    assert len(held_out) >= 10
    assert not set(seen) & set(held_out)
    orders = [(a, b) for pair in held_out for a, b in (pair, pair[::-1])]
    for a, b in ((ENTRIES[a], ENTRIES[b]) for a, b in orders):
        for form in CONTRASTS:
            question = form.format(a=a.subject, b=b.subject)
            assert not asked_and_answered(question, [a.definition, b.definition], text), question
        assert f"{a.definition} {b.definition}".lower() not in text


def test_running_example_is_asked_exactly(documents):
    prompt = "What is machine learning?"
    assert sum(document.startswith(prompt) for document in documents) > 100


def test_every_kind_of_document_is_written(documents):
    assert len({kind for kind, _ in Writer.KINDS}) == len(Writer.KINDS)
    for kind, _ in Writer.KINDS:
        assert len(getattr(Writer(seed=1), kind)()) > 20
    assert all("{" not in document and "  " not in document for document in documents)


def test_text_is_the_same_every_time(documents):
    assert text_hash(training_documents()) == text_hash(documents)
    assert text_hash(training_documents(n=100, seed=1)) != text_hash(documents[:100])


@pytest.mark.parametrize("name", ["reference", "draft"])
def test_shipped_weights_come_from_this_text(name, documents):
    """A change of glossary or grammar needs `make train`."""
    metadata = read_metadata(ASSETS / f"{name}.safetensors")
    assert metadata["training_text"] == text_hash(documents)
