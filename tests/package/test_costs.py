"""What a pass costs, against PyTorch's own count of its operations."""

import pytest
import torch
from models import config_of, random_choices, random_model, small_model
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from oneprompt.costs import costs_of, multiply_adds


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
