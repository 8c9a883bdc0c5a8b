"""Activations against torch, and the two forms of the network against loops."""

import math

import pytest
import torch
import torch.nn.functional as F
from models import random_model

import oneprompt as op
from oneprompt.feedforward import ACTIVATIONS, gelu, gelu_tanh, relu, silu


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (relu, F.relu),
        (gelu, F.gelu),
        (gelu_tanh, lambda x: F.gelu(x, approximate="tanh")),
        (silu, F.silu),
    ],
    ids=["relu", "gelu", "gelu_tanh", "silu"],
)
def test_the_activation_equals_torchs(ours, theirs):
    x = torch.linspace(-8, 8, 1601)
    # A few float32 roundings of numbers up to 8. The two GELUs differ by up to 5e-4, and no other
    # two of the four are closer, so a mix-up is noticed.
    torch.testing.assert_close(ours(x), theirs(x), atol=2e-6, rtol=1e-6)


def test_the_functions_that_the_model_runs_equal_the_formulas():
    x = torch.linspace(-8, 8, 1601)
    formulas = {"relu": relu, "gelu": gelu, "gelu_tanh": gelu_tanh, "swiglu": silu,
                "geglu": gelu_tanh}  # fmt: skip
    assert ACTIVATIONS.keys() == formulas.keys()
    for name, formula in formulas.items():
        # As above: swapping the two GELUs would be noticed.
        torch.testing.assert_close(ACTIVATIONS[name](x), formula(x), atol=2e-6, rtol=1e-6)


def feedforward(activation: str, bias: bool):
    config = op.ModelConfig(vocab_size=5, d_model=4, d_ff=6, n_layers=1, n_heads=1,
                            activation=activation, bias=bias)  # fmt: skip
    return random_model(config).blocks[0].feedforward


def linear(x: list[float], layer) -> list[float]:
    bias = [0.0] * layer.out_features if layer.bias is None else layer.bias.tolist()
    rows = layer.weight.tolist()
    return [sum(a * w for a, w in zip(x, row, strict=True)) + b
            for row, b in zip(rows, bias, strict=True)]  # fmt: skip


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("activation", ["gelu", "swiglu"])
def test_the_network_equals_a_loop(activation, bias):
    network = feedforward(activation, bias)
    x = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(0))
    found = network(x)
    for t, vector in enumerate(x[0].tolist()):
        up = linear(vector, network.up)
        if activation == "swiglu":
            gates = (g / (1 + math.exp(-g)) for g in linear(vector, network.gate))
            hidden = [g * u for g, u in zip(gates, up, strict=True)]
        else:
            hidden = [u * (1 + math.erf(u / math.sqrt(2))) / 2 for u in up]
        expected = torch.tensor(linear(hidden, network.down))
        # Sums of six float32 products of size about 1.
        torch.testing.assert_close(found[0, t], expected, atol=1e-5, rtol=0)


def test_each_position_is_computed_on_its_own():
    network, x = feedforward("gelu", bias=True), torch.randn(1, 4, 4)
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(network(x[:, order]), network(x)[:, order])
