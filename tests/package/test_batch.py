"""A batch of prompts gives what each prompt alone gives."""

import random

import pytest
import torch
from models import config_of, random_choices, random_model, small_model

import oneprompt as op
from oneprompt import batch
from oneprompt.processors import RepetitionCost

SEEDS = range(40)  # of random configs: test_model shows that 60 cover every variant
SAMPLED = op.Sampling(temperature=1.2, top_p=0.9, repetition_penalty=1.4)
PROMPTS = [[3, 1, 4, 1, 5], [9], [2, 6, 5, 3, 5, 8, 9, 7], [3, 1, 4, 1, 5]]


@pytest.mark.parametrize("seed", SEEDS)
@torch.no_grad()
def test_padding_on_the_left_changes_no_logit(seed):
    """Every position scheme, window and head count; read in two parts, with a cache."""
    model, rng = random_model(config_of(random_choices(seed)), seed), random.Random(seed)
    texts = [[rng.randrange(43) for _ in range(rng.randint(1, 14))] for _ in range(3)]
    more = [[rng.randrange(43) for _ in range(4)] for _ in texts]
    longest = max(map(len, texts))
    padding = torch.tensor([longest - len(text) for text in texts])
    ids = torch.tensor([[0] * (longest - len(text)) + text for text in texts])
    cache = model.new_cache(3)
    found = [model(ids, cache, padding=padding)]
    found += [model(column[:, None], cache, padding=padding) for column in torch.tensor(more).T]
    found = torch.cat(found, dim=1)
    for row, (text, end) in enumerate(zip(texts, more, strict=True)):
        alone = model(torch.tensor([[*text, *end]]))[0]
        # Logits of about 4, summed in another order: see TOLERANCE in test_cache.
        torch.testing.assert_close(found[row, -len(alone) :], alone, atol=1e-4, rtol=0)


@pytest.mark.parametrize("at_once", [3, batch.AT_ONCE])
@pytest.mark.parametrize("sampling", [op.GREEDY, SAMPLED])
def test_a_batch_gives_what_each_prompt_alone_gives(sampling, at_once, monkeypatch):
    monkeypatch.setattr(batch, "AT_ONCE", at_once)
    model = small_model()
    together = op.generate(model, PROMPTS, 20, sampling, seed=5)
    for row, (ids, found) in enumerate(zip(PROMPTS, together, strict=True)):
        alone = op.generate(model, ids, 20, sampling, seed=5 + row)
        assert (found.ids, found.stop_reason) == (alone.ids, alone.stop_reason)
        assert found.logprobs == pytest.approx(alone.logprobs, abs=1e-4)
    assert len({len(found.ids) for found in together}) > 1 or sampling is op.GREEDY


def test_rows_stop_on_their_own_for_each_reason():
    """A full context ends one row, a stop condition another, the length the rest."""
    model = small_model()
    texts = [[1] * 38, [2, 3], [4]]
    found = op.generate(model, texts, 10, stop_ids=(), stops=[lambda new: len(new) == 7])
    assert [row.stop_reason for row in found] == ["context", "stop", "stop"]
    assert [len(row.ids) for row in found] == [3, 7, 7]
    assert [row.stop_reason for row in op.generate(model, texts[1:], 3, stop_ids=())] == [
        "length",
        "length",
    ]


def test_penalties_count_each_rows_own_history():
    model = small_model()
    settings = {"processors": [RepetitionCost(frequency=3.0, counts="text")], "stop_ids": ()}
    together = op.generate(model, PROMPTS, 12, **settings)
    alone = [op.generate(model, ids, 12, **settings) for ids in PROMPTS]
    assert [row.ids for row in together] == [row.ids for row in alone]


def test_a_padded_tensor_with_its_mask_is_the_same_batch():
    model, longest = small_model(), max(map(len, PROMPTS))
    ids = torch.tensor([[7] * (longest - len(ids)) + ids for ids in PROMPTS])
    mask = torch.tensor([[0] * (longest - len(ids)) + [1] * len(ids) for ids in PROMPTS])
    found = op.generate(model, ids, 9, attention_mask=mask)
    assert [row.ids for row in found] == [row.ids for row in op.generate(model, PROMPTS, 9)]


def test_seeds_can_be_given_one_by_one():
    model = small_model()
    first, second = op.generate(model, [[5], [5]], 9, SAMPLED, seed=[4, 4], stop_ids=())
    assert first.ids == second.ids
    with pytest.raises(ValueError, match="2 prompts need 2 seeds or one for the first, got 3"):
        op.generate(model, [[5], [5]], 9, SAMPLED, seed=[1, 2, 3])


def test_no_tokens_come_where_none_are_wanted():
    assert [row.ids for row in op.generate(small_model(), [[1], [2]], 0)] == [[], []]


@pytest.mark.parametrize(
    ("ids", "settings", "error", "words"),
    [
        ([[1], []], {}, ValueError, "prompt is empty"),
        ([[1], [31]], {}, ValueError, "id 31 is outside the vocabulary"),
        ([[1], [2] * 41], {}, ValueError, "41 tokens do not fit"),
        ([[1], "What"], {}, TypeError, "prompt is text"),
        (torch.zeros(0, 3, dtype=torch.int64), {}, ValueError, "the batch is empty"),
        ([[1], [2]], {"cache": small_model().new_cache(2)}, ValueError, "has a cache of its own"),
        ([[1], [2]], {"use_cache": False}, ValueError, "has a cache of its own"),
        ([[1], [2]], {"stops": "."}, TypeError, "stops must be a list of functions"),
        (torch.zeros(2, 3, dtype=torch.int64), {"attention_mask": torch.ones(2, 4)}, ValueError,
         r"should have the shape \(2, 3\) of the ids, found \(2, 4\)"),
    ],
)  # fmt: skip
def test_bad_batches_are_refused(ids, settings, error, words):
    with pytest.raises(error, match=words):
        op.generate(small_model(), ids, 5, **settings)
