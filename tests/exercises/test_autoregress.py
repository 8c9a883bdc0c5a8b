"""The checks of chapter 8's exercises: right, not attempted, and wrong with the cause named."""

import pytest
import torch
from exercises import assert_wrong

import oneprompt as op
from oneprompt.checks import diagnose
from oneprompt.checks.autoregress import MOST, PROMPT, small_model


def test_untouched_exercises_are_not_attempted():
    assert diagnose("autoregress.by_hand", ...).status == "not attempted"
    for exercise in ("autoregress.generate_greedy", "autoregress.text_until"):
        assert diagnose(exercise, lambda *args: ...).status == "not attempted"


# By hand


@pytest.mark.parametrize("answer", [[46, 13], (46, 13), [46.0, 13.0]])
def test_a_right_answer_by_hand_is_accepted(answer):
    assert diagnose("autoregress.by_hand", answer).status == "right"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([13, 46], "this is the number with a cache"),
        ([60, 14], "one pass too many"),
        ([50, 13], "reads the prompt alone"),
        ([40, 13], "one token longer in every pass"),
        ([6, 13], "the prompt is read in every pass"),
        ([14, 13], "read again in every later pass"),
        ([13, 13], "this is the number with a cache"),
        ([4, 4], "the number of passes"),
        ([46, 14], "newest token is not read"),
        ([46, 4], "the first pass reads the whole prompt"),
        ([46, 3], "the first pass reads the whole prompt"),
        ([46, 10], "reads one token, the newest"),
        ([46, 46], "this is the number without a cache"),
        ([46, 20], "got:      20"),
        (46, "Write 2 answers in a list"),
        ([46, 13, 13], "Write 2 answers in a list"),
    ],
)
def test_a_wrong_answer_by_hand_is_told_why(answer, words):
    assert_wrong("autoregress.by_hand", answer, words)


@pytest.mark.parametrize("answer", [[45, 13], [46, 12]])
def test_an_exercise_by_hand_does_not_reveal_the_answer(answer):
    assert "expected" not in diagnose("autoregress.by_hand", answer).message


# Rebuild


def by_cache_length(model, ids, max_new_tokens):
    """The model reads what the cache lacks: the prompt first, then one id at a time."""
    text, cache = list(ids), model.new_cache()
    while len(text) - len(ids) < max_new_tokens:
        logits = model(torch.tensor([text[cache.length :]]), cache)
        text.append(int(logits[0, -1].argmax()))
        if text[-1] == model.eos_id:
            break
    return text[len(ids) :]


def prefill_then_decode(model, ids, max_new_tokens):
    new, cache, waiting = [], model.new_cache(), torch.tensor([ids])
    for _ in range(max_new_tokens):
        waiting = model(waiting, cache)[:, -1:].argmax(dim=-1)
        new.append(waiting[0, 0])
        if new[-1] == model.eos_id:
            return new
    return new


def by_stream(model, ids, max_new_tokens):
    return torch.tensor(list(op.stream(model, ids, max_new_tokens)), dtype=torch.int64)


@pytest.mark.parametrize("solution", [by_cache_length, prefill_then_decode, by_stream])
def test_a_right_generate_greedy_is_accepted(solution):
    assert diagnose("autoregress.generate_greedy", solution).status == "right"


def loop(choose="missing", stops=True, extra=0, row=-1, keeps_stop=True, reads_last=False):
    """A loop; each argument can introduce a mistake."""

    def generate(model, ids, max_new_tokens):
        text, cache, new = list(ids), model.new_cache(), []
        while len(new) < max_new_tokens + extra:
            past = None if choose == "alone" and new else cache
            start = {"missing": cache.length, "all": 0, "alone": -1 if new else 0}[choose]
            token_id = int(model(torch.tensor([text[start:]]), past)[0, row].argmax())
            text.append(token_id)
            if stops and token_id == model.eos_id and not keeps_stop:
                return new
            new.append(token_id)
            if stops and token_id == model.eos_id:
                break
        if reads_last:
            model(torch.tensor([new[-1:]]), cache)
        return new

    return generate


def never_by_length(model, ids, max_new_tokens):
    return op.generate(model, ids, 40).ids


def in_place(model, ids, max_new_tokens):
    new = op.generate(model, ids, max_new_tokens).ids
    ids.extend(new)
    return new


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (loop(stops=False), "does not end the loop"),
        (loop(keeps_stop=False), "keep it, then stop"),
        (loop(choose="all"), "the whole text went into a cache"),
        (loop(choose="alone"), "read without a cache"),
        (loop(row=0), "first row of logits"),
        (loop(extra=1), "one id too many"),
        (loop(extra=-1), "one id too few"),
        (never_by_length, "max_new_tokens does not end the loop"),
        (lambda *args: args[1] + loop()(*args), "the prompt is in front"),
        (lambda *args: loop()(*args)[1:], "first new id is missing"),
        (in_place, "changed the list"),
        (lambda *args: op.generate(*args, use_cache=False).ids, "the cache is not used"),
        (loop(reads_last=True), "the last id is read as well"),
        (lambda *args: op.generate(*args), "got:      Generation"),
        (lambda model, ids, n: model(ids), "raised TypeError"),
        (lambda *args: [0], "the shape is (1,) and should be (7,)"),
    ],
)
def test_a_wrong_generate_greedy_is_told_why(answer, words):
    assert_wrong("autoregress.generate_greedy", answer, words)


def test_the_small_model_leaves_no_doubt():
    """It stops before the limit, at an id that occurs once, and no two logits nearly tie."""
    model = small_model()
    new = op.generate(model, PROMPT, MOST).ids
    assert len(new) == len(set(new)) == 7
    assert new[-1] == model.eos_id not in PROMPT
    best = model(torch.tensor([PROMPT + new]))[0, len(PROMPT) - 1 : -1].topk(2).values
    assert (best[:, 0] - best[:, 1]).min() > 0.1


# Extend


def decode_all_each_time(tokenizer, ids, stop):
    seen, text = [], ""
    for token_id in ids:
        seen.append(token_id)
        text = tokenizer.decode(seen)
        if stop in text:
            return text[: text.index(stop)]
    return text


def by_pieces(tokenizer, ids, stop):
    text = ""
    for piece in op.stream_text(tokenizer, ids):
        text += piece
        before, found, _ = text.partition(stop)
        if found:
            return before
    return text


@pytest.mark.parametrize("solution", [decode_all_each_time, by_pieces])
def test_a_right_text_until_is_accepted(solution):
    assert diagnose("autoregress.text_until", solution).status == "right"


def each_token_alone(tokenizer, ids, stop):
    text = ""
    for token_id in ids:
        token = tokenizer.decode([token_id])
        if stop in token:
            return text + token[: token.index(stop)]
        text += token
    return text


def whole_tokens_only(tokenizer, ids, stop):
    text = ""
    for token_id in ids:
        if stop in text + tokenizer.decode([token_id]):
            return text
        text += tokenizer.decode([token_id])
    return text


def id_by_id(tokenizer, ids, stop):
    text = ""
    for token_id in ids:
        text += tokenizer.decode([token_id])
        if stop in text:
            return text[: text.index(stop)]
    return text


def to_the_end(tokenizer, ids, stop):
    return tokenizer.decode(list(ids)).split(stop)[0]


def with_stop(tokenizer, ids, stop):
    text = decode_all_each_time(tokenizer, ids, stop)
    return text + stop if text != "What is machine learning?" else text


def after_stop(tokenizer, ids, stop):
    text = ""
    for token_id in ids:
        text += tokenizer.decode([token_id])
        if stop in text:
            return text[text.index(stop) :]
    return text


def nothing_if_not_found(tokenizer, ids, stop):
    for piece in [decode_all_each_time(tokenizer, ids, stop)]:
        if piece != "What is machine learning?":
            return piece


def empty_if_not_found(tokenizer, ids, stop):
    return nothing_if_not_found(tokenizer, ids, stop) or ""


def found_at_minus_one(tokenizer, ids, stop):
    text = ""
    for piece in op.stream_text(tokenizer, ids):
        text += piece
        if stop in text:
            break
    return text[: text.find(stop)]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (each_token_alone, "lies across two tokens"),
        (with_stop, "does not belong to the text"),
        (whole_tokens_only, "inside a token too"),
        (after_stop, "from the stop string on"),
        (to_the_end, "every id that you ask for is a pass"),
        (nothing_if_not_found, "read all ids and returned nothing"),
        (empty_if_not_found, "the stop string never came"),
        (found_at_minus_one, "str.find gives -1"),
        (id_by_id, "a part of a character"),
        (lambda tokenizer, ids, stop: tokenizer.decode(ids[:3]), "raised TypeError"),
        (lambda tokenizer, ids, stop: "no", "got:      'no'"),
    ],
)
def test_a_wrong_text_until_is_told_why(answer, words):
    assert_wrong("autoregress.text_until", answer, words)
