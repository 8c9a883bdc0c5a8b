"""Cached equals uncached for every variant, and the comparison notices broken caches."""

import random

import pytest
import torch
from models import config_of, random_choices, random_model

import oneprompt as op
from oneprompt.cache import KVCache
from oneprompt.position import rope_frequencies, rotate

SEEDS = range(60)  # test_model shows that these cover every variant
TIME = 24  # the whole context, past every sliding window

# Logits of about 4; reading the same text in other chunks changes only the order of float32 sums,
# which was seen to move a logit by at most 2e-5. Every broken cache below moves one by over 0.1.
TOLERANCE = 1e-4


@torch.no_grad()
def worst_difference(model, cache, seed: int) -> float:
    """How far any logit is off when ids are read in random chunks, with detours rolled back."""
    rng, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    ids = torch.randint(model.config.vocab_size, (2, TIME), generator=generator)
    chunks = []
    while cache.length < TIME:
        start, left = cache.length, TIME - cache.length
        if rng.random() < 0.4:  # something else first, as a rejected draft is
            detour = torch.randint(43, (2, rng.randint(1, left)), generator=generator)
            model(detour, cache)
            cache.rollback(start)
        chunks.append(model(ids[:, start : start + rng.choice((1, 1, 2, 3, 7))], cache))
    return (torch.cat(chunks, dim=1) - model(ids)).abs().max().item()


@pytest.mark.parametrize("seed", SEEDS)
def test_cached_equals_uncached(seed):
    model = random_model(config_of(random_choices(seed)), seed)
    assert worst_difference(model, model.new_cache(batch_size=2), seed) < TOLERANCE


class OneTooFar(KVCache):
    """Counts one position more than was written, once."""

    def advance(self, n_positions):
        super().advance(n_positions + (self.length == 0 and n_positions < TIME))


class OneTooShort(KVCache):
    """Writes a position too early, over the one before."""

    def append(self, layer, k, v):
        if self.length == 0:
            return super().append(layer, k, v)
        self.length -= 1
        found = super().append(layer, k, v)
        self.length += 1
        return found


class KeepsDetours(KVCache):
    """Never overwrites what a rollback left behind: stale entries."""

    def __init__(self, *args):
        super().__init__(*args)
        self.written = set()

    def append(self, layer, k, v):
        end = self.length + k.shape[2]
        for i, position in enumerate(range(self.length, end)):
            if (layer, position) not in self.written:
                self.written.add((layer, position))
                self.keys[layer, :, :, position] = k[:, :, i]
                self.values[layer, :, :, position] = v[:, :, i]
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]


class KeysBeforeRotation(KVCache):
    """Keeps old keys as they were before RoPE rotated them."""

    def __init__(self, config, *args):
        super().__init__(config, *args)
        self.config = config

    def append(self, layer, k, v):
        start, end = self.length, self.length + k.shape[2]
        frequencies = rope_frequencies(self.config.n_rotated, self.config.rope_theta)
        back = -torch.arange(start, end)[:, None] * frequencies
        keys, values = super().append(layer, k, v)
        joined = torch.cat((keys[:, :, :start], k), dim=2)
        keys[:, :, start:] = rotate(k, back, self.config.rope_pairing)
        return joined, values


class FirstLayerForAll(KVCache):
    """All layers share the memory of one."""

    def append(self, layer, k, v):
        return super().append(0, k, v)


class OldValuesOfOneHead(KVCache):
    """Replaces the old values of the first kv head with those of the last."""

    def append(self, layer, k, v):
        keys, values = super().append(layer, k, v)
        mixed = values.clone()
        mixed[:, 0, : self.length] = values[:, -1, : self.length]
        return keys, mixed


BROKEN = [
    OneTooFar, OneTooShort, KeepsDetours, KeysBeforeRotation, FirstLayerForAll, OldValuesOfOneHead,
]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN, ids=lambda c: c.__name__)
@pytest.mark.parametrize("seed", range(4))
def test_a_broken_cache_is_caught(broken, seed):
    """By the same comparison, on a plain RoPE model with several kv heads."""
    plain = {"position": "rope", "rope_scaling": None, "heads": (4, 2), "sliding_window": None}
    model = random_model(config_of(random_choices(0) | plain), seed)
    assert worst_difference(model, KVCache(model.config, 2), seed) < TOLERANCE
    try:
        difference = worst_difference(model, broken(model.config, 2), seed)
    except (ValueError, RuntimeError):
        return  # shapes or lengths that no longer fit are noticed as well
    assert difference > 1000 * TOLERANCE


def test_memory_is_allocated_in_advance_and_kept():
    config = config_of(random_choices(0) | {"heads": (4, 2)})
    model = random_model(config)
    cache = model.new_cache(batch_size=3)
    assert cache.keys.shape == cache.values.shape == (2, 3, 2, 24, 8)
    assert (cache.length, cache.capacity) == (0, 24)
    place = cache.keys.data_ptr()
    model(torch.zeros(3, 5, dtype=torch.int64), cache)
    assert (cache.length, cache.keys.data_ptr()) == (5, place)


def test_a_full_cache_grows_and_keeps_what_it_holds():
    model = random_model(config_of(random_choices(0)))
    roomy, growing = model.new_cache(capacity=24), model.new_cache(capacity=1)
    ids = torch.randint(43, (1, 20), generator=torch.Generator().manual_seed(0))
    capacities = set()
    for chunk in ids.split(3, dim=1):
        assert torch.equal(model(chunk, growing), model(chunk, roomy))
        capacities.add(growing.capacity)
    assert sorted(capacities) == [3, 6, 12, 24]
    assert torch.equal(growing.keys[:, :, :, :20], roomy.keys[:, :, :, :20])


def test_memory_grows_with_the_text_and_not_with_the_context():
    config = op.ModelConfig(vocab_size=8, context_length=131_072, d_model=8, n_layers=1, n_heads=1)
    cache = op.Transformer(config).new_cache()
    assert cache.keys.nbytes < 10_000  # 4 MB for the whole context


@torch.no_grad()
def test_the_rows_that_are_kept_move_up_within_their_memory():
    model = random_model(config_of(random_choices(1)), seed=1)
    cache, ids = model.new_cache(batch_size=4), torch.arange(24).view(4, 6)
    model(ids[:, :5], cache)
    memory, kept = (cache.keys.data_ptr(), cache.values.data_ptr()), [0, 2, 3]
    cache.keep_rows(kept)
    assert (cache.keys.data_ptr(), cache.values.data_ptr()) == memory
    assert (model(ids[kept, 5:], cache) - model(ids[kept])[:, 5:]).abs().max() < TOLERANCE


def test_another_models_cache_is_refused():
    first, second = (
        random_model(config_of(random_choices(0) | {"heads": h})) for h in ((4, 4), (4, 2))
    )
    with pytest.raises(ValueError, match="another model's cache"):
        first(torch.zeros(1, 3, dtype=torch.int64), second.new_cache())


def test_the_cache_has_the_dtype_of_the_model():
    model = random_model(config_of(random_choices(0))).double()
    assert model.new_cache().keys.dtype == torch.float64


@pytest.mark.parametrize("length", [-1, 6])
def test_rollback_goes_only_backwards(length):
    model = random_model(config_of(random_choices(0)))
    cache = model.new_cache()
    model(torch.zeros(1, 5, dtype=torch.int64), cache)
    with pytest.raises(ValueError, match=f"cache of length 5 back to {length}"):
        cache.rollback(length)


def test_a_batch_of_another_size_is_refused():
    model = random_model(config_of(random_choices(0)))
    with pytest.raises(ValueError, match="made for a batch of 1, got 2; make one with"):
        model(torch.zeros(2, 3, dtype=torch.int64), op.KVCache(model.config))


@pytest.mark.parametrize("sizes", [{"batch_size": 0}, {"capacity": -1}])
def test_a_cache_without_room_is_refused(sizes):
    with pytest.raises(ValueError, match="a cache holds at least one text and 0 or more positions"):
        random_model(config_of(random_choices(0))).new_cache(**sizes)
