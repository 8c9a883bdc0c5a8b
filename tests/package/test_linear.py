"""The linear map: the same numbers from every kernel."""

import pytest
import torch
import torch.nn.functional as F

from oneprompt.linear import LARGE, Linear, linear, suits_onednn


def randn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("rows", [1, 2, 7, 300])
@pytest.mark.parametrize("has_bias", [True, False])
@pytest.mark.parametrize("by_column", [True, False])
def test_large_products_equal_torchs(rows, has_bias, by_column):
    weight, x = randn(1024, 1024), randn(2, rows, 1024)
    bias = randn(1024) if has_bias else None
    if by_column:
        weight = weight.T.contiguous().T
    with torch.no_grad():
        assert suits_onednn(x, weight)
        found = linear(x, weight, bias)
    # A sum of 1,024 such products is near 32, and fp32 rounds each addition by up to 2e-6.
    assert torch.allclose(found, F.linear(x, weight, bias), rtol=1e-4, atol=1e-3)


def test_small_products_half_precision_and_training_run_torchs():
    large, small = torch.zeros(LARGE // 512, 512), torch.zeros(LARGE // 512 - 1, 512)
    x = torch.zeros(1, 512)
    with torch.no_grad():
        assert suits_onednn(x, large)
        assert not suits_onednn(x, small)
        assert not suits_onednn(x.half(), large.half())
        assert not suits_onednn(x.to("meta"), large.to("meta"))
    assert not suits_onednn(x, large)


def test_gradients_reach_a_large_matrix():
    layer = Linear(1024, 512)
    layer(randn(3, 1024)).sum().backward()
    assert layer.weight.grad.abs().sum() > 0
