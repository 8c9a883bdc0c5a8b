"""Both norms against torch."""

import pytest
import torch
import torch.nn.functional as F

import oneprompt as op
from oneprompt.norm import Norm, layer_norm, rms_norm

# Vectors with a mean far from zero tell the norms apart; the smallest one shows where eps goes.
X = torch.randn(4, 6, 16, generator=torch.Generator().manual_seed(0)) * 3 + 2
X[0, 0] *= 1e-3
WEIGHT = torch.linspace(0.5, 2, 16)
BIAS = torch.linspace(-1, 1, 16)


@pytest.mark.parametrize("eps", [1e-5, 1e-2])
@pytest.mark.parametrize("bias", [BIAS, None])
def test_layer_norm_equals_torch(eps, bias):
    expected = F.layer_norm(X, (16,), WEIGHT, bias, eps)
    torch.testing.assert_close(layer_norm(X, WEIGHT, bias, eps), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("eps", [1e-5, 1e-2])
def test_rms_norm_equals_torch(eps):
    expected = F.rms_norm(X, (16,), WEIGHT, eps)
    torch.testing.assert_close(rms_norm(X, WEIGHT, eps), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["layernorm", "rmsnorm"])
def test_the_module_uses_the_config(kind):
    norm = Norm(op.ModelConfig(vocab_size=5, d_model=16, n_heads=2, norm=kind, norm_eps=0.1))
    norm.weight.data = WEIGHT
    if kind == "layernorm":
        norm.bias.data = BIAS
        expected = F.layer_norm(X, (16,), WEIGHT, BIAS, 0.1)
    else:
        assert norm.bias is None
        expected = F.rms_norm(X, (16,), WEIGHT, 0.1)
    torch.testing.assert_close(norm(X), expected, atol=1e-5, rtol=1e-5)
