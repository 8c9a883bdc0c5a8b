"""The judge of answers to natural prompts: strict, and fair."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oneprompt as op
from oneprompt import verdicts
from oneprompt.corpus import capitalize
from oneprompt.corpus.natural_prompts import OFF, ON, NaturalPrompt, natural_prompts
from oneprompt.corpus.replies import (
    NO_ENTRY,
    NOT_IN_GLOSSARY,
    OPENINGS,
    WELCOME,
    another_name,
    define,
    related,
)
from oneprompt.verdict_table import Judged, failures, table
from oneprompt.verdicts import (
    CONTINUED,
    GENERAL,
    GOOD,
    LOOP,
    MISNAMED,
    NAMED,
    OTHER,
    RIGHT,
    UNFINISHED,
    UNKNOWN,
    VERDICTS,
    WRONG,
    judge,
)

ENTRIES = op.load_glossary()
BY_TERM = {entry.term: entry for entry in ENTRIES}
TOKEN, SOFTMAX = BY_TERM["token"], BY_TERM["softmax"]
BOTH = f"{TOKEN.definition} {SOFTMAX.definition}"


def on(text: str, *terms: str) -> NaturalPrompt:
    return NaturalPrompt(text, "made up", terms=terms)


def off(text: str, *names: str) -> NaturalPrompt:
    return NaturalPrompt(text, "made up", names=names)


NO_A_YAK, BEGUN = NO_ENTRY.format("a Yak"), "A token is a small piece"
ABOUT_A_TOKEN = on("so tokens, hm?", "token")
ABOUT_A_YAK = off("What is a Yak good for?", "a yak")
CASES = [
    (ABOUT_A_TOKEN, TOKEN.definition, RIGHT),
    (ABOUT_A_TOKEN, f"? {TOKEN.definition} {TOKEN.why}", RIGHT),
    (ABOUT_A_TOKEN, TOKEN.why, RIGHT),
    (ABOUT_A_TOKEN, related(TOKEN, BY_TERM), RIGHT),
    (on("token vs softmax", "token", "softmax"), BOTH, RIGHT),
    (on("Is a token like a Yak?", "token"), f"{TOKEN.definition} {NO_A_YAK}", RIGHT),
    (on(BEGUN, "token"), TOKEN.definition.removeprefix(f"{BEGUN} "), CONTINUED),
    (ABOUT_A_TOKEN, BOTH, WRONG),
    (ABOUT_A_TOKEN, SOFTMAX.definition, WRONG),
    (ABOUT_A_TOKEN, f"{TOKEN.definition} {TOKEN.definition}", LOOP),
    (ABOUT_A_TOKEN, "Token token token.", LOOP),
    (ABOUT_A_TOKEN, "A token is a tokenhot of text.", UNKNOWN),
    (ABOUT_A_TOKEN, "A token is a vector.", OTHER),
    (ABOUT_A_TOKEN, f"{TOKEN.definition} A token is a vector.", OTHER),
    (ABOUT_A_TOKEN, "", OTHER),
    (ABOUT_A_TOKEN, NOT_IN_GLOSSARY, GENERAL),
    (ABOUT_A_TOKEN, NO_ENTRY.format("tokens"), MISNAMED),
    (ABOUT_A_YAK, NO_ENTRY.format("a Yak"), NAMED),
    (ABOUT_A_YAK, NO_ENTRY.format("Yak"), NAMED),
    (ABOUT_A_YAK, NO_ENTRY.format("a yak"), MISNAMED),
    (ABOUT_A_YAK, NO_ENTRY.format("a Ya"), MISNAMED),
    (ABOUT_A_YAK, NO_ENTRY.format("good"), MISNAMED),
    (ABOUT_A_YAK, NO_ENTRY.format("a volcano"), MISNAMED),
    (ABOUT_A_YAK, NOT_IN_GLOSSARY, GENERAL),
    (ABOUT_A_YAK, WELCOME, GENERAL),
    (ABOUT_A_YAK, f"{WELCOME} {TOKEN.definition}", OTHER),
    (ABOUT_A_YAK, TOKEN.definition, WRONG),
    (off("2+2?"), NO_ENTRY.format("2+2"), MISNAMED),
]  # fmt: skip


@pytest.mark.parametrize(("prompt", "answer", "verdict"), CASES)
def test_a_made_up_answer_gets_its_verdict(prompt, answer, verdict):
    assert judge(prompt, answer, finished=True) == verdict


def test_every_verdict_has_a_made_up_answer():
    unfinished = {judge(ABOUT_A_TOKEN, TOKEN.definition, finished=False)}
    assert {verdict for *_, verdict in CASES} | unfinished == set(VERDICTS)
    assert {verdict for group in GOOD.values() for verdict in group} <= set(VERDICTS)


def test_an_answer_without_end_is_never_good():
    for prompt, answer, _ in CASES:
        assert judge(prompt, answer, finished=False) in (LOOP, UNFINISHED)


@settings(deadline=None)  # the first call gathers the sentences
@given(st.sampled_from(ENTRIES), st.sampled_from(OPENINGS), st.integers(0, 3), st.data())
def test_any_answer_of_the_training_text_is_right_for_its_entry_only(entry, opening, which, data):
    answer = define(entry, opening[0], entry.definitions[which])
    detail = data.draw(st.sampled_from(("", *entry.details)))
    answer = f"{answer} {detail}".strip()
    other = data.draw(st.sampled_from([e for e in ENTRIES if e != entry]))
    assert judge(on("?", entry.term), answer, True) == RIGHT
    assert judge(on("?", other.term), answer, True) == WRONG
    assert judge(off("?"), answer, True) == WRONG
    words = answer.split()
    i = data.draw(st.integers(0, len(words) - 1))
    without = " ".join([*words[:i], *words[i + 1 :]])
    assert judge(on("?", entry.term), without, True) != RIGHT
    assert judge(on("?", entry.term), f"{answer[:-1]} snorbel.", True) == UNKNOWN


@settings(deadline=None)  # the first call gathers the sentences
@given(
    st.sampled_from(ENTRIES),
    st.integers(0, 3),
    st.integers(1, 6),
    st.sampled_from(["", "So ", "I think that "]),
)
def test_a_glossary_sentence_may_be_continued_from_anywhere(entry, which, more, before):
    words = entry.definitions[which].split()
    cut = min(len(entry.subject.split()) + more, len(words) - 1)
    begun, rest = before + " ".join(words[:cut]), " ".join(words[cut:])
    assert judge(on(begun, entry.term), rest, True) == CONTINUED
    other = TOKEN if entry == SOFTMAX else SOFTMAX
    assert judge(on(begun, other.term), rest, True) == WRONG


@settings(deadline=None)
@given(st.text(alphabet="abcdefgXYZ ", min_size=1, max_size=20).map(str.strip).filter(bool))
def test_a_refusal_names_the_thing_as_typed(name):
    name = " ".join(name.split())
    prompt = off(f"What is {name}?", name)
    assert judge(prompt, NO_ENTRY.format(name), True) == NAMED
    assert judge(prompt, NO_ENTRY.format(f"{name}q"), True) == MISNAMED
    assert judge(off("Why?"), NO_ENTRY.format(name), True) == MISNAMED


def test_no_sentence_of_the_glossary_is_taken_for_a_loop_or_has_an_unknown_word():
    sentences = [s for entry in ENTRIES for s in (*entry.definitions, *entry.details)]
    sentences += [another_name(e, alias) for e in ENTRIES for alias in e.aliases]
    assert [s for s in sentences if verdicts.loops(s) or verdicts.unknown_words("", s)] == []


def test_there_are_200_natural_prompts_and_what_answers_them_exists():
    prompts = natural_prompts()
    assert len({prompt.text for prompt in prompts}) == len(prompts) == 200
    assert sum(prompt.subject == ON for prompt in prompts) == 120
    unknown = [(p.text, term) for p in prompts for term in p.terms if term not in BY_TERM]
    unnamed = [(p.text, name) for p in prompts for name in p.names if name not in p.text]
    assert unknown == unnamed == []
    assert len({(prompt.subject, prompt.kind) for prompt in prompts}) >= 30


def test_the_table_counts_what_is_good_by_kind():
    judged = [Judged(prompt, answer, verdict) for prompt, answer, verdict in CASES]
    lines = table(judged).splitlines()
    good_on, good_off = (
        sum(v in GOOD[group] for p, _, v in CASES if p.subject == group) for group in (ON, OFF)
    )
    assert lines[0].startswith(ON)
    assert f"{good_on} of" in lines[0]
    assert any(line.startswith(OFF) and f"{good_off} of" in line for line in lines)
    assert failures(judged).count("\n    ") == len(CASES) - good_on - good_off
    assert capitalize(SOFTMAX.definition) in failures(judged)
    nothing = Judged(judged[0].prompt, "", OTHER)
    assert failures([nothing]) == f"[{OTHER}] {nothing.prompt.text}\n    (nothing)"


def test_the_counts_stand_in_one_column():
    rows = table(Judged(prompt, "", OTHER) for prompt in natural_prompts()).splitlines()
    assert len({re.search(r" +\d+ of +\d+", row).end() for row in rows}) == 1
