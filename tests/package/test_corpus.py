"""The glossary follows its rules, and the training text contains nothing that was held out."""

import dataclasses
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oneprompt as op
from oneprompt.checkpoints.own import ASSETS, read_metadata
from oneprompt.corpus import as_typed, capitalize, pluralize
from oneprompt.corpus.as_typed import mark, marked, with_slip
from oneprompt.corpus.documents import (
    CANONICAL,
    CONTRASTS,
    FORMS_HELD_OUT_PER_TERM,
    NOT_COVERED,
    QUESTIONS,
    UNSEEN_FORMS,
    Document,
    Writer,
    ask,
    contrast_pairs,
    definition_sentences,
    held_out_questions,
    text_hash,
    training_documents,
)
from oneprompt.corpus.forms import expand, load_forms
from oneprompt.corpus.natural_prompts import natural_prompts
from oneprompt.corpus.prompts import NOISY, words_of
from oneprompt.corpus.replies import NO_ENTRY, goes_on, predicate
from oneprompt.corpus.things import alike, known_names, load_things, without_article

ENTRIES = {entry.term: entry for entry in op.load_glossary()}
FIRST = next(iter(ENTRIES.values()))


def sentences(entry) -> list[str]:
    return [*entry.definitions, *entry.details]


def beginning(entry, sentence: str) -> tuple[str, ...]:
    """The three words after the subject."""
    return tuple(sentence.removeprefix(capitalize(entry.subject)).split()[:3])


def test_there_are_at_least_200_terms_and_no_duplicates():
    slugs = [entry.slug for entry in op.load_glossary()]
    assert len(slugs) == len(set(slugs)) >= 200


def test_every_entry_has_a_reason_and_an_example():
    assert [e.term for e in op.load_glossary() if not (e.why and e.example)] == []
    assert sum(len(entry.details) == 3 for entry in op.load_glossary()) >= 120


def test_the_note_on_latency_tells_its_two_times_apart():
    """It stands on the glossary's page alone; what the model learns has one use of the word."""
    entry = ENTRIES["latency"]
    assert "time to first token" in entry.note
    assert "end-to-end latency" in entry.note
    assert entry.note not in sentences(entry)


def test_every_entry_is_reached_from_machine_learning():
    """By following the see-alsos, as a reader does."""
    reached, waiting = set(), ["machine learning"]
    while waiting:
        term = waiting.pop()
        if term not in reached:
            reached.add(term)
            waiting += ENTRIES[term].see_also
    assert ENTRIES.keys() - reached == set()


def broken_rules(rules: dict, cases, name) -> list[str]:
    """A line for each rule that a case breaks; a rule is its description and a function."""
    return [
        f"{name(case)} breaks: {rule}"
        for case in cases
        for rule, holds in rules.items()
        if not holds(case)
    ]


def outside_quotes(sentence: str) -> str:
    return re.sub(r'"[^"]*"', "", sentence)


SENTENCE_RULES = {
    "it is ASCII": str.isascii,
    "it has 8 to 26 words": lambda s: 8 <= len(s.split()) <= 26,
    "it ends with a full stop": lambda s: s.endswith("."),
    "it is one sentence without asides": lambda s: (
        not re.search(r"[.?!:;()/]|--| - ", outside_quotes(s)[:-1])
    ),
    "it has no filler and no praise": lambda s: (
        not re.search(r"\b(simply|obviously|just|powerful|crucial)\b", s)
    ),
    "its quotation marks come in pairs": lambda s: s.count('"') % 2 == 0,
    "words are one space apart": lambda s: s == " ".join(s.split()),
}
DEFINITION_RULES = {
    "the article is a, an, the or none": lambda e: e.article in ("", "a", "an", "the"),
    "the definition begins with the subject, then is or are": lambda e: e.definition.startswith(
        (f"{capitalize(e.subject)} is ", f"{capitalize(e.subject)} are ")
    ),
    "there are three paraphrases": lambda e: len(e.paraphrases) == 3,
    "each paraphrase begins with the subject": lambda e: all(
        p.startswith(f"{capitalize(e.subject)} ") for p in e.paraphrases
    ),
    "the four definitions go on differently after the subject": lambda e: (
        len({beginning(e, d) for d in e.definitions}) == 4
    ),
    "at most one paraphrase goes on with is": lambda e: (
        sum(beginning(e, p)[0] == "is" for p in e.paraphrases) <= 1
    ),
}
OTHER_RULES = {
    "no sentence comes twice": lambda e: len(set(sentences(e))) == len(sentences(e)),
    "each of the other sentences names the term": lambda e: all(
        e.term.lower() in sentence.lower() for sentence in e.details
    ),
    "not all other sentences begin with the subject": lambda e: (
        not all(s.startswith(capitalize(e.subject)) for s in e.details)
    ),
}
SEE_ALSO_RULES = {
    "see_also has 2 to 5 terms": lambda e: 2 <= len(e.see_also) <= 5,
    "see_also names no term twice": lambda e: len(set(e.see_also)) == len(e.see_also),
    "see_also names other entries only": lambda e: set(e.see_also) <= ENTRIES.keys() - {e.term},
}


def test_sentences_follow_the_rules():
    all_sentences = [sentence for entry in ENTRIES.values() for sentence in sentences(entry)]
    assert broken_rules(SENTENCE_RULES, all_sentences, repr) == []


@pytest.mark.parametrize(
    "rules",
    [DEFINITION_RULES, OTHER_RULES, SEE_ALSO_RULES],
    ids=["definitions", "other sentences", "see_also"],
)
def test_entries_follow_the_rules(rules):
    assert broken_rules(rules, ENTRIES.values(), lambda entry: entry.slug) == []


def test_a_broken_rule_is_named_with_its_entry():
    entry = dataclasses.replace(FIRST, see_also=(FIRST.term,) * 2)
    found = broken_rules(SEE_ALSO_RULES, [FIRST, entry], lambda entry: entry.slug)
    assert found == [
        f"{FIRST.slug} breaks: see_also names no term twice",
        f"{FIRST.slug} breaks: see_also names other entries only",
    ]


def test_no_alias_names_two_things():
    names = [name.lower() for entry in ENTRIES.values() for name in (entry.term, *entry.aliases)]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_machine_learning_is_defined_as_in_the_source():
    assert ENTRIES["machine learning"].definition == (
        "Machine learning is a subfield of artificial intelligence that gives computers the "
        "ability to learn from data without being explicitly programmed."
    )


def test_subjects_that_are_not_covered_have_no_entry():
    names = {name.lower() for e in ENTRIES.values() for name in (e.term, e.subject, *e.aliases)}
    assert len(set(NOT_COVERED)) == len(NOT_COVERED) >= 50
    assert not names & {subject.lower() for subject in NOT_COVERED}


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return training_documents()


@pytest.fixture(scope="module")
def text(documents) -> str:
    """All distinct documents in lower case, one per line."""
    return "\n".join(dict.fromkeys(document.text for document in documents)).lower()


def asked_and_answered(question: str, answers, text: str) -> bool:
    """Whether the text has the question, or has it without "?" but followed by an answer.

    Without its "?" a question can be the beginning or the end of a longer one ("explain a token",
    "can you explain a token ID?"), so a sentence must end before it and an answer follow it.
    """
    question = question.lower()
    answers = tuple(answer.lower() for answer in answers)
    bare, place = f"{question[:-1]} ", -1
    while (place := text.find(bare, place + 1)) >= 0:
        before = text[max(place - 2, 0) : place].strip(" ")  # empty at the very beginning
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
    assert sum(found) > 0.9 * len(found)
    for entry in ENTRIES.values():
        assert ask(CANONICAL, entry).lower() in text


def test_a_question_without_its_question_mark_is_found():
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


def test_the_running_example_is_asked_word_for_word(documents):
    prompt = "What is machine learning?"
    assert sum(document.text.startswith(prompt) for document in documents) > 100


def test_every_kind_of_document_is_written(documents):
    assert len({kind for kind, _ in Writer.KINDS}) == len(Writer.KINDS)
    for kind, _ in Writer.KINDS:
        assert len(getattr(Writer(seed=1), kind)().text) > 20
    texts = [document.text for document in documents]
    assert [text for text in texts if "  " in text or text != text.strip()] == []
    slots = re.compile(r"\{[a-zA-Z]\}|[\ue000-\ue011]")
    assert [text for text in texts if slots.search(text)] == []


def test_parts_encoded_one_by_one_are_the_whole(documents):
    """So the tokens of a prompt are known, and the loss can leave them out."""
    tokenizer = op.Tokenizer.train([d.text for d in documents[:3000]], vocab_size=1000)
    broken = [
        document.text
        for document in documents[:3000]
        if tokenizer.encode(document.text)
        != [token for part, _ in document.parts for token in tokenizer.encode(part)]
    ]
    assert broken == []


def test_what_a_user_types_does_not_count_and_every_answer_does(documents):
    dialogues = [d for d in documents if len(d.parts) > 1]
    assert len(dialogues) > 0.8 * len(documents)
    for document in dialogues:
        assert [counts for _, counts in document.parts] == [
            bool(i % 2) for i in range(len(document.parts))
        ]
    assert all(counts for d in documents if len(d.parts) == 1 for _, counts in d.parts)


def test_no_natural_prompt_is_in_the_text(documents):
    """Not even in other words' company, without its capitals or its marks."""
    typed = {words_of(text) for d in documents for text, counts in d.parts if not counts}
    asked = "\n".join(f" {' '.join(words)} " for words in typed)
    assert [p.text for p in natural_prompts() if words_of(p.text) in typed] == []
    long = {p.text: " ".join(words_of(p.text)) for p in natural_prompts()}
    found = [text for text, words in long.items() if words.count(" ") > 3 and f" {words} " in asked]
    assert found == []


def test_no_natural_prompt_is_about_a_listed_thing():
    listed = {thing.lower() for things in load_things().values() for thing in things}
    listed |= {pluralize(thing) for thing in listed} | {thing.lower() for thing in NOT_COVERED}
    names = {without_article(name.lower()) for p in natural_prompts() for name in p.names}
    assert names & {without_article(thing) for thing in listed} == set()


def test_a_refusal_names_what_was_typed_and_no_term(documents):
    opening = NO_ENTRY.split("{", maxsplit=1)[0]
    refusals = [
        (d.parts[0][0], d.text.rsplit(opening, 1)[1][:-1])
        for d in documents
        if len(d.parts) == 2 and opening in d.parts[1][0]
    ]
    assert len(refusals) > 5000
    assert [case for case in refusals if case[1] not in case[0]] == []
    assert [case for case in refusals if case[1].lower() in known_names()] == []


def test_about_a_third_of_the_prompts_are_not_typed_cleanly():
    rng = random.Random(1)
    prompt = f"What is {mark('a neural network')}?"
    changed = [as_typed.typed(prompt, rng) != prompt for _ in range(4000)]
    assert 0.2 < sum(changed) / len(changed) * NOISY < 0.4


def test_an_oddly_spelled_term_is_hard_to_recognize():
    rng, prompt = random.Random(1), f"what is {mark('Dropout')}"
    terms = [marked(as_typed.oddly_spelled(prompt, rng))[0] for _ in range(400)]
    for same, low, high in ((str.isupper, 0.3, 0.6), (str.islower, 0.1, 0.4)):
        assert low < sum(map(same, terms)) / len(terms) < high
    slips = sum(term.lower() != "dropout" for term in terms)
    assert 0.4 < slips / len(terms) < 0.6


def test_a_near_miss_shares_a_word_with_a_term():
    unknown, words = Writer(3).unknown_things, {w for term in ENTRIES for w in term.split()}
    for _ in range(200):
        shared = words & set(unknown.near_miss().term.split())
        assert len(shared) >= 1


def test_a_thing_that_is_a_term_by_chance_is_drawn_again(monkeypatch):
    unknown = Writer(3).unknown_things
    drawn = iter([alike("Learning Rate"), alike("tokens"), alike("teapot")])
    monkeypatch.setattr(unknown, "KINDS", (("near_miss", 1),))
    monkeypatch.setattr(unknown, "near_miss", lambda: next(drawn))
    assert unknown.thing().term == "teapot"


def test_words_in_other_letters_are_no_ascii():
    unknown = Writer(3).unknown_things
    drawn = [unknown.script() for _ in range(200)]
    assert all(any(c.isalpha() for c in text) for text in drawn)
    assert not any(c.isascii() and c.isalpha() for text in drawn for c in text)


def test_a_beginning_that_the_glossary_goes_on_from_is_not_answered_by_beginning_anew():
    """Such a sentence is to be continued, so the other rule may not claim it."""
    writer = Writer(seed=1)
    begun = {" ".join(words_of(writer.begun().parts[0][0])) for _ in range(3000)}
    goes_on = {
        " ".join(words_of(f"{name} {predicate(entry, sentence)}"))
        for entry in ENTRIES.values()
        for name in (entry.subject, f"the {entry.term}")
        for sentence in entry.definitions
    }
    assert [b for b in begun if any(text.startswith(f"{b} ") for text in goes_on)] == []


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("{} gives", True),
        ("We know that {} is", True),
        ("The {} is a function", True),
        ("{} eats", False),
        ("{}", False),
        ("The purpose of {} is", False),
    ],
)
def test_a_definition_goes_on_from_its_own_beginning(prompt, expected):
    assert goes_on(prompt.format(mark("softmax")), ENTRIES["softmax"]) is expected


LETTERS = st.characters(codec="ascii", categories=("Lu", "Ll", "Zs"))


@settings(deadline=None)
@given(st.text(LETTERS, min_size=4), st.integers())
def test_a_slip_changes_one_word_and_keeps_the_marks(text, seed):
    before, after = f"Why {mark(text)}?", with_slip(f"Why {mark(text)}?", random.Random(seed))
    assert len(marked(after)) == 1
    assert abs(len(after) - len(before)) <= 1
    assert sum(a != b for a, b in zip(before.split(" "), after.split(" "), strict=True)) <= 1


def test_forms_have_every_alternative_and_no_other():
    rng = random.Random(0)
    drawn = {expand(r"(Define|Explain( to me|)) {s}(.|\(x\))", rng) for _ in range(300)}
    first = ("Define", "Explain", "Explain to me")
    assert drawn == {f"{f} {{s}}{end}" for f in first for end in (".", "(x)")}
    kinds = [*load_forms("forms").values(), *load_forms("small_talk").values()]
    assert [form for forms in kinds for form in forms if "|" in expand(form, rng)] == []


def test_the_text_is_the_same_every_time(documents):
    assert text_hash(training_documents(n=3000)) == text_hash(documents[:3000])
    assert text_hash(training_documents(n=100, seed=1)) != text_hash(documents[:100])
    counted = [Document(tuple((text, True) for text, _ in d.parts)) for d in documents[:100]]
    assert text_hash(counted) != text_hash(documents[:100])


@pytest.mark.parametrize("name", ["reference", "draft"])
def test_the_shipped_weights_come_from_this_text(name, documents):
    """A change of glossary or grammar needs `make train`."""
    metadata = read_metadata(ASSETS / f"{name}.safetensors")
    assert metadata["training_text"] == text_hash(documents)
