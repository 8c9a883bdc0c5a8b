"""Generation: what comes out, why it ends, and that the cache changes nothing."""

from functools import partial

import pytest
import torch
from models import config_of, counting_model, random_choices, random_model, small_model

import oneprompt as op
from oneprompt import autoregress

SAMPLED = op.Sampling(temperature=0.9, top_p=0.95, repetition_penalty=1.1)


@torch.no_grad()
def next_logits(model, ids: list[int]) -> torch.Tensor:
    return model(torch.tensor([ids]))[0, -1]


@pytest.mark.parametrize("sampling", [op.GREEDY, SAMPLED], ids=["greedy", "sampled"])
@pytest.mark.parametrize("seed", range(12))
def test_the_cache_changes_nothing(seed, sampling):
    """On all variants, to the end of the context. A text could differ only at a near-tie of two
    logits, or where a uniform number falls within 1e-6 of a boundary; at these seeds none does."""
    model = random_model(config_of(random_choices(seed)), seed)
    cached, uncached = (
        op.generate(model, [1, 2, 3], 50, sampling, seed=seed, use_cache=use_cache)
        for use_cache in (True, False)
    )
    assert cached.ids == uncached.ids
    assert cached.stop_reason == uncached.stop_reason == "context"
    assert cached.logprobs == pytest.approx(uncached.logprobs, abs=1e-4)


def test_greedy_takes_the_largest_logit_each_time():
    model = small_model()
    text = [3, 1, 4]
    result = op.generate(model, text, 20, stop_ids=())
    for token in result.ids:
        assert token == next_logits(model, text).argmax()
        text = [*text, token]


@pytest.mark.parametrize("sampling", [op.GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_logprobs_are_those_of_the_model_itself(sampling):
    """At temperature 1 and unfiltered, whatever the sampling."""
    model = small_model()
    prompt = [3, 1, 4]
    result = op.generate(model, prompt, 20, sampling, stop_ids=(), seed=0)
    text = torch.tensor([prompt + result.ids])
    with torch.no_grad():
        expected = model(text).log_softmax(-1)[0, 2:-1].gather(-1, text[0, 3:, None])[:, 0]
    assert result.logprobs == pytest.approx(expected.tolist(), abs=1e-4)  # float32 logits


def test_generation_stops_at_a_stop_id_and_includes_it():
    model = counting_model(eos_id=7)
    result = op.generate(model, [3], 12)
    assert (result.ids, result.stop_reason, result.target_passes) == ([4, 5, 6, 7], "stop", 4)


@pytest.mark.parametrize(
    ("stop_ids", "expected", "reason"),
    [
        (None, [4, 5, 6, 7], "stop"),
        ((), [4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5], "length"),
        ((9, 5), [4, 5], "stop"),
        ({9}, [4, 5, 6, 7, 8, 9], "stop"),
        (iter([6]), [4, 5, 6], "stop"),
    ],
    ids=["model's", "none", "two", "set", "iterator"],
)
def test_the_text_ends_at_any_stop_id(stop_ids, expected, reason):
    result = op.generate(counting_model(eos_id=7), [3], 12, stop_ids=stop_ids)
    assert (result.ids, result.stop_reason) == (expected, reason)


def test_a_model_without_an_end_of_sequence_runs_to_the_length():
    assert op.generate(counting_model(eos_id=None), [3], 12).stop_reason == "length"


def test_a_stop_id_in_the_prompt_does_not_stop():
    assert op.generate(counting_model(eos_id=7), [7, 7], 2).ids == [8, 9]


@pytest.mark.parametrize(
    ("prompt_length", "max_new_tokens", "n_ids", "reason"),
    [
        (3, 0, 0, "length"),
        (3, 5, 5, "length"),
        (3, 14, 14, "length"),  # exactly as many as fit: the last one is never read
        (3, 15, 14, "context"),
        (16, 1, 1, "length"),
        (16, 2, 1, "context"),
    ],
)
@pytest.mark.parametrize("use_cache", [True, False])
def test_a_full_context_ends_the_text_and_is_given_as_the_reason(
    prompt_length, max_new_tokens, n_ids, reason, use_cache
):
    model = counting_model(context_length=16)
    result = op.generate(model, [0] * prompt_length, max_new_tokens, use_cache=use_cache)
    assert (len(result.ids), result.stop_reason) == (n_ids, reason)
    assert result.target_passes == n_ids


def test_the_same_seed_gives_the_same_text():
    model = small_model()
    texts = [op.generate(model, [1], 20, op.Sampling(), seed=s, stop_ids=()).ids for s in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    # Two of these texts are equal once in 300 times.
    free = {tuple(op.generate(model, [1], 20, op.Sampling(), stop_ids=()).ids) for _ in range(5)}
    assert len(free) > 1
    assert op.generate(model, [1], 20, seed=1).ids == op.generate(model, [1], 20, seed=2).ids


def test_the_prompt_stays_as_it_was():
    ids = [1, 2, 3]
    op.generate(small_model(), ids, 5)
    op.generate(small_model(), tuple(ids), 5)
    assert ids == [1, 2, 3]


def test_stream_gives_the_ids_of_generate_one_by_one():
    model = small_model()
    settings = {"stop_ids": (), "seed": 4}
    expected = op.generate(model, [1, 2], 20, SAMPLED, **settings).ids
    ids = op.stream(model, [1, 2], 20, SAMPLED, **settings)
    assert [next(ids) for _ in range(3)] == expected[:3]
    assert list(ids) == expected[3:]


def test_steps_are_what_the_model_said():
    """One record per pass, and the reason to stop in the last one alone."""
    model, text = small_model(), [3, 1, 4]
    expected = op.generate(model, text, 20, SAMPLED, seed=4, stop_ids=())
    records = list(autoregress.steps(model, text, 20, SAMPLED, seed=4, stop_ids=()))
    assert [step.token_id for step in records] == expected.ids
    assert [step.stop for step in records] == [""] * 19 + ["length"]
    for step in records:
        torch.testing.assert_close(step.logits, next_logits(model, text), atol=1e-4, rtol=0)
        text = [*text, step.token_id]


def test_nothing_is_computed_before_the_first_step_is_asked_for():
    model = small_model()
    read = []
    model.blocks[0].register_forward_pre_hook(lambda _, x: read.append(x[0].shape[1]))
    ids = op.stream(model, [1, 2], 20)
    assert read == []
    next(ids)
    assert read == [2]


def test_text_stream_holds_back_unfinished_characters():
    tokenizer = op.load_tokenizer()
    text = "a 🙂 and 中文."
    ids = tokenizer.encode(text)
    assert len(tokenizer.encode("🙂")) > 1
    pieces = list(op.stream_text(tokenizer, ids))
    assert "".join(pieces) == text
    assert not any("\ufffd" in piece for piece in pieces)
    assert len(pieces) > 3


def test_text_stream_gives_what_is_left_at_the_end():
    """Half a character at the end is shown as a replacement character, not lost or held back."""
    tokenizer = op.load_tokenizer()
    half = tokenizer.encode("ok 🙂")[:-1]
    assert "".join(op.stream_text(tokenizer, half)) == tokenizer.decode(half)
    assert tokenizer.decode(half).startswith("ok ")


def test_text_stream_waits_for_no_more_ids_than_it_needs():
    tokenizer = op.load_tokenizer()
    taken = []

    def ids():
        for token in tokenizer.encode("What is it?"):
            taken.append(token)
            yield token

    pieces = op.stream_text(tokenizer, ids())
    assert (next(pieces), len(taken)) == ("What", 1)


@pytest.mark.parametrize(
    ("ids", "max_new_tokens", "error", "words"),
    [
        ([], 5, ValueError, "prompt is empty; give the model at least one token"),
        ("What is", 5, TypeError, r"prompt is text; give its ids, tokenizer.encode\(text\)"),
        ([1] * 41, 5, ValueError, "41 tokens do not fit into this model's context of 40; shorten"),
        ([31], 5, ValueError, r"id 31 is outside the vocabulary \(0 to 30\)"),
        ([1, -1], 5, ValueError, "id -1 is outside the vocabulary"),
        ([0.5], 5, TypeError, "token ids must be integers"),
        ([1], -1, ValueError, "max_new_tokens must be 0 or more, got -1"),
    ],
)
def test_bad_requests_are_refused(ids, max_new_tokens, error, words):
    """As soon as the function is called, even where the ids come one by one."""
    model = small_model()
    decoder = op.SpeculativeDecoder(model, model)
    alone = [partial(run, model) for run in (op.generate, op.stream, autoregress.steps)]
    for run in (*alone, decoder.generate, decoder.stream, decoder.passes):
        with pytest.raises(error, match=words):
            run(ids, max_new_tokens)
