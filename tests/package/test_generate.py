"""`generate` takes what its users have: forms of ids, caches, stop strings, another device."""

import math

import pytest
import torch
from models import TableModel, counting_model, small_model

import oneprompt as op
from oneprompt.attention import causal_mask
from oneprompt.processors import Allow, LogitBias
from oneprompt.stopping import StopStrings

PROMPT = [3, 1, 4]


@pytest.mark.parametrize(
    "ids", [PROMPT, tuple(PROMPT), torch.tensor(PROMPT), torch.tensor([PROMPT])], ids=repr
)
def test_every_form_of_a_prompt_gives_the_same_text(ids):
    model = small_model()
    expected = op.generate(model, PROMPT, 8).ids
    assert op.generate(model, ids, 8).ids == expected
    assert list(op.stream(model, ids, 8)) == expected
    decoder = op.SpeculativeDecoder(model, model)
    assert decoder.generate(ids, 8).ids == expected


def test_a_list_of_one_prompt_is_a_batch_too():
    [found] = op.generate(small_model(), [PROMPT], 8)
    assert found.ids == op.generate(small_model(), PROMPT, 8).ids


# With a cache: several turns, and a prefix that several prompts share.


class Reads:
    """Counts the positions that a model reads."""

    def __init__(self, model):
        self.n, forward = 0, model.forward

        def counted(ids, *args, **kwargs):
            self.n += ids.numel()
            return forward(ids, *args, **kwargs)

        model.forward = counted


def test_a_second_turn_reads_only_what_is_new():
    model, plain = small_model(), small_model()
    cache, reads = model.new_cache(), Reads(model)
    first = op.generate(model, PROMPT, 5, stop_ids=(), cache=cache)
    assert reads.n == len(PROMPT) + 4  # the last new id is not read
    longer = [*PROMPT, *first.ids, 8, 9]
    second = op.generate(model, longer, 5, stop_ids=(), cache=cache)
    assert reads.n == len(longer) + 4
    assert second.ids == op.generate(plain, longer, 5, stop_ids=()).ids


def test_a_shared_prefix_is_read_once():
    model, plain = small_model(), small_model()
    cache, reads, prefix = model.new_cache(), Reads(model), [7, 2, 5, 5, 6, 1, 8]
    for n, end in enumerate(([3], [4, 4], [3, 9])):
        found = op.generate(model, [*prefix, *end], 1, cache=cache)
        assert found.ids == op.generate(plain, [*prefix, *end], 1).ids
        expected = (len(prefix) + 1, 2, 1 + 1)[n]  # what follows the shared part
        assert reads.n == expected, n
        reads.n = 0


def test_where_the_cache_holds_the_whole_prompt_its_last_id_is_read_again():
    model = small_model()
    cache, reads = model.new_cache(), Reads(model)
    first = op.generate(model, PROMPT, 3, cache=cache)
    reads.n = 0
    assert op.generate(model, PROMPT, 1, cache=cache).ids == first.ids[:1]
    assert reads.n == 1


def test_cached_positions_that_were_filled_by_hand_are_not_trusted():
    model, cache = small_model(), small_model().new_cache()
    model(torch.tensor([[9, 9, 9]]), cache)
    found = op.generate(model, PROMPT, 5, cache=cache)
    assert found.ids == op.generate(model, PROMPT, 5).ids


def test_memory_is_allocated_for_the_text_and_not_for_the_context():
    model, made = small_model(context_length=4000), []
    new_cache = model.new_cache
    model.new_cache = lambda *args, **kwargs: made.append(new_cache(*args, **kwargs)) or made[-1]
    op.generate(model, PROMPT, 5)
    assert made[0].capacity == len(PROMPT) + 5
    op.generate(model, PROMPT, 10**9, stops=[lambda new: True])
    assert made[1].capacity == 4000  # more can never be filled


def test_another_models_cache_is_refused():
    other = small_model(n_layers=3)
    with pytest.raises(ValueError, match=r"another model's cache: .* \(3, 2, 8\) in it and \(2"):
        op.generate(small_model(), PROMPT, 5, cache=other.new_cache())


# What ends a text, what changes its logits, what is reported about it.


def test_a_stop_string_may_span_several_tokens():
    tokenizer, model = op.load_tokenizer(), op.load_model()
    stop = StopStrings(tokenizer, "subfield of art")
    ids = tokenizer.encode(op.PROMPT)
    found = op.generate(model, ids, 60, stops=[stop])
    text = tokenizer.decode(found.ids)
    assert found.stop_reason == "stop"
    assert stop.cut(text).strip() == "Machine learning is a"
    assert list(op.stream(model, ids, 60, stops=[stop])) == found.ids


def test_a_constraint_lets_only_valid_answers_through():
    """A machine with three states: 5, then 6 or 7, then the end."""
    follows = {0: [5], 1: [6, 7], 2: [0]}
    found = op.generate(
        small_model(), PROMPT, 10, processors=[Allow(lambda new: follows[len(new)])]
    )
    assert found.ids in ([5, 6, 0], [5, 7, 0])
    assert found.stop_reason == "stop"


def test_the_reported_likeliest_tokens_are_the_models_own():
    model = counting_model()
    found = op.generate(
        model, [1], 3, op.Sampling(top_k=1), top_n=2, processors=[LogitBias({2: -math.inf})]
    )
    assert found.ids[0] != 2
    assert found.top[0][0][0] == 2  # what the model would have said
    assert [len(row) for row in found.top] == [2, 2, 2]
    assert op.generate(model, [1], 3).top == []


# Another device.


def test_ids_are_created_on_the_models_device():
    class Elsewhere(TableModel):
        """A model that says that it is on another device, and refuses ids from this one."""

        @property
        def embedding(self):
            return self.table.to("meta")

        def __call__(self, ids, cache=None, **kwargs):
            assert ids.device.type == "meta"
            return super().__call__(torch.ones(ids.shape, dtype=torch.int64), cache, **kwargs)

    model = Elsewhere.random(6, seed=0)
    draft = op.draft.ModelDraft(Elsewhere.random(6, seed=1))
    assert len(op.generate(model, [1, 2], 4).ids) == 4
    assert len(op.generate(model, [1, 2], 4, use_cache=False).ids) == 4
    assert len(op.SpeculativeDecoder(model, draft).generate([1, 2], 4).ids) == 4


@pytest.mark.parametrize("position", ["learned", "sinusoidal", "rope", "alibi", "none"])
def test_a_pass_stays_on_one_device(position, monkeypatch):
    """Every tensor of a pass is where the weights are; "meta" takes the place of a GPU."""
    # Tensors of this device have a shape and no values that could be checked.
    monkeypatch.setattr("oneprompt.model.embed", lambda ids, table: table[ids])
    model = small_model(position=position, sliding_window=5).to("meta")
    cache = model.new_cache(2)
    for n in (5, 1):
        logits = model(torch.zeros(2, n, dtype=torch.int64, device="meta"), cache)
        assert (logits.device.type, tuple(logits.shape)) == ("meta", (2, n, 31))
    monkeypatch.setattr("oneprompt.model.causal_mask", causal_mask_here)
    with pytest.raises(RuntimeError, match=r"same device|expected device"):
        model(torch.zeros(2, 3, dtype=torch.int64, device="meta"))


def causal_mask_here(*args):
    """A mask that no `.to(device)` can move: what a forgotten device would do."""

    class Stuck(torch.Tensor):
        def to(self, *args, **kwargs):
            return self.as_subclass(torch.Tensor)

    return causal_mask(*args).as_subclass(Stuck)


# What is refused as soon as it is called.


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"max_new_tokens": 5.5}, TypeError, "max_new_tokens must be an int, got 5.5"),
        ({"max_new_tokens": None}, TypeError, "max_new_tokens must be an int, got None"),
        ({"max_new_tokens": True}, TypeError, "max_new_tokens must be an int, got True"),
        ({"sampling": 0.7}, TypeError, "sampling must be a Sampling, such as op.Sampling"),
        ({"stop_ids": "."}, TypeError, r"stop_ids holds '.' .* give stops=\[StopStrings"),
        ({"stop_ids": [10**9]}, ValueError, "stop id 1000000000 is outside the vocabulary"),
        ({"seed": 1.5}, TypeError, "seed must be None or an int, got 1.5"),
        (
            {"cache": "on"},
            TypeError,
            r"cache must be a KVCache, from model.new_cache\(\), got 'on'",
        ),
        (
            {"cache": small_model(n_heads=1).new_cache()},
            ValueError,
            "this is another model's cache",
        ),
        ({"cache": small_model().new_cache(2)}, ValueError, "made for a batch of 2, got 1"),
        ({"cache": small_model().double().new_cache()}, ValueError, "float64 on cpu and torch.flo"),
        ({"stops": "."}, TypeError, "stops must be a list of functions, got '.'"),
        ({"processors": LogitBias({1: 2.0})}, TypeError, "processors must be a list of functions"),
        ({"ids": torch.zeros(2, 3, 4).long()}, ValueError, r"got a row of shape \(3, 4\)"),
    ],
)
def test_bad_settings_are_refused_at_the_call(settings, error, words):
    model = small_model()
    arguments = {"ids": PROMPT, "max_new_tokens": 5} | settings
    decoder = op.SpeculativeDecoder(model, model)
    for run in (
        lambda: op.generate(model, **arguments),
        lambda: op.stream(model, **arguments),
        lambda: decoder.generate(**arguments),
        lambda: decoder.stream(**arguments),
    ):
        with pytest.raises(error, match=words):
            run()


@pytest.mark.parametrize(("top_n", "error"), [(-1, ValueError), (1.5, TypeError)])
def test_the_number_of_likeliest_tokens_is_a_count(top_n, error):
    model = small_model()
    for run in (
        lambda: op.generate(model, PROMPT, 1, top_n=top_n),
        lambda: op.generate(model, [PROMPT, PROMPT], 1, top_n=top_n),
        lambda: op.SpeculativeDecoder(model, model).generate(PROMPT, 1, top_n=top_n),
        lambda: op.score(model, PROMPT, top_n=top_n),
    ):
        with pytest.raises(error, match="top_n must be"):
            run()


@pytest.mark.parametrize("gamma", [2.5, None, True])
def test_gamma_must_be_an_int(gamma):
    model = small_model()
    with pytest.raises(TypeError, match="gamma must be an int"):
        op.SpeculativeDecoder(model, model).stream(PROMPT, 5, gamma=gamma)
