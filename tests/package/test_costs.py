"""What a pass costs, against PyTorch's own count of its operations."""

import pytest
import torch
from models import config_of, random_choices, random_model, small_model
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from oneprompt.costs import (
    GPU,
    Times,
    costs_of,
    counts,
    largest_batch,
    memory_needed,
    multiply_adds,
    n_parameters,
    pass_times,
    verification_cost,
)
from oneprompt.published import GPUS, MODELS
from oneprompt.speculate import expected_tokens_per_pass

LLAMA_8B, LLAMA_70B = (counts(MODELS[f"Llama 3.1 {size}"]) for size in ("8B", "70B"))
H100 = GPUS["H100"]


@pytest.mark.parametrize("seed", range(8))
def test_multiply_adds_are_as_many_as_pytorch_counts(seed):
    """On all variants: prefill, then one and three positions after a cache."""
    model = random_model(config_of(random_choices(seed)), seed)
    cache = model.new_cache()
    for T in (5, 1, 3):
        # The plain formula of attention: the counter cannot look into a fused kernel.
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            model(torch.ones(1, T, dtype=torch.int64), cache)
        assert counter.get_total_flops() == 2 * multiply_adds(model.config, T, cache.length)


def test_the_costs_of_a_model_worked_by_hand():
    model = small_model()  # 2 layers, 2 heads of 8 numbers, 31 tokens
    costs = costs_of(model)
    assert costs["weights"] == 4 * sum(p.numel() for p in model.parameters())  # float32
    assert costs["kept"] == 4 * 2 * 2 * 16  # bytes, of a key and a value, per layer
    for T, S in ((1, 5), (3, 7)):
        expected = T * (costs["position"] + S * costs["pair"]) + costs["logits"]
        assert multiply_adds(model.config, T, S, n_logits=1) == expected


@pytest.mark.parametrize("seed", range(8))
def test_counts_are_those_of_the_model_itself(seed):
    model = random_model(config_of(random_choices(seed)), seed)
    found, costs = counts(model.config), costs_of(model)
    assert {name: found[name] for name in ("position", "pair", "logits")} == {
        name: costs[name] for name in ("position", "pair", "logits")
    }
    assert found["held"] == model.n_parameters == n_parameters(model.config)
    assert 4 * found["kept"] == costs["kept"]
    table = 0 if model.config.tie_embeddings else model.embedding.numel()
    assert found["read"] == found["held"] - table


def test_published_sizes_give_the_published_numbers_of_parameters():
    """Of the models' cards and files."""
    held = {name: counts(config)["held"] for name, config in MODELS.items()}
    assert held["Llama 3.1 8B"] == 8_030_261_248
    assert held["Llama 3.1 70B"] == 70_553_706_496
    assert held["SmolLM2 135M"] == 134_515_008


TOY = {"position": 60, "pair": 2, "logits": 40, "held": 120, "read": 100, "kept": 5}
SLOW = GPU(bandwidth=10, peak=50, memory=300)  # in bytes and operations per second


def test_the_times_of_a_pass_worked_by_hand():
    """Two texts, 3 positions each, weights of 8 bits: 100 bytes, 60 bytes, 424 operations."""
    times = pass_times(TOY, SLOW, bits=8, batch=2, S=3)
    assert times == pytest.approx((10, 6, 8.48))
    assert times.seconds == 16
    assert memory_needed(TOY, bits=8, batch=2, S=3) == 180
    assert largest_batch(TOY, SLOW, bits=8, S=3) == 6
    assert largest_batch(TOY, SLOW, bits=32, S=3) == 0
    # Three positions per text triple the arithmetic and nothing else: 25.44 / 16
    assert verification_cost(TOY, SLOW, 2, bits=8, batch=2, S=3) == pytest.approx(1.59)


def test_the_longest_part_of_a_pass_is_its_limit():
    limits = {(3, 1, 2): "weights", (1, 3, 2): "caches", (1, 1, 3): "arithmetic"}
    assert {times: Times(*times).limit for times in limits} == limits
    assert Times(1, 1, 2).limit == "weights"  # a tie: reading is named first


@pytest.mark.parametrize(("bits", "small", "large"), [(16, 223, 24), (8, 446, 48), (4, 893, 96)])
def test_bounds_of_llama_on_an_h100(bits, small, large):
    """Tokens per second of one short text, per card."""
    for sizes, bound in ((LLAMA_8B, small), (LLAMA_70B, large)):
        times = pass_times(sizes, H100, bits=bits)
        assert times.limit == "weights"
        assert round(1 / times.seconds) == bound


VERIFYING = {  # (positions, texts) -> v of six positions per text, Llama 3 8B on an H100
    (100, 64): 1.24, (100, 256): 4.27, (100, 4878): 6.00, (1000, 64): 1.00, (1000, 256): 1.66,
    (1000, 487): 1.95, (8000, 32): 1.00, (8000, 60): 1.00,
}  # fmt: skip


def test_long_texts_keep_the_gain_of_speculation():
    for (S, batch), v in VERIFYING.items():
        found = verification_cost(LLAMA_8B, H100, gamma=5, batch=batch, S=S)
        assert found == pytest.approx(v, abs=0.005), (S, batch)
        assert batch <= largest_batch(LLAMA_8B, H100, S=S)
    assert pass_times(LLAMA_8B, H100, batch=60, S=8000).limit == "caches"
    assert expected_tokens_per_pass(0.8, 5) / 1.66 == pytest.approx(2.2, abs=0.05)
