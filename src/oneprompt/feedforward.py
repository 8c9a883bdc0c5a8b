"""Step 5, feed-forward: every position thinks on its own.

    FFN(x) = GELU(x W₁ + b₁) W₂ + b₂

Two linear layers with a nonlinear function between them, the same for every position. Models of
the Llama family gate the wide layer instead: SwiGLU(x) = (SiLU(x W_gate) ⊙ x W₁) W₂.
"""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def relu(x: Tensor) -> Tensor:
    """max(0, x)"""
    return x.clamp(min=0)


def gelu(x: Tensor) -> Tensor:
    """x Φ(x), with Φ the normal distribution function (Hendrycks and Gimpel 2016, section 2)."""
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


def gelu_tanh(x: Tensor) -> Tensor:
    """The tanh approximation of GELU that GPT-2 uses (same paper, section 2)."""
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def silu(x: Tensor) -> Tensor:
    """x σ(x), the gate of SwiGLU (Elfwing et al. 2018)."""
    return x * torch.sigmoid(x)


# What the model runs: torch's fused versions of the same functions; a test checks that they agree.
ACTIVATIONS = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "swiglu": F.silu,
    "geglu": partial(F.gelu, approximate="tanh"),
}
GATED = ("swiglu", "geglu")


class FeedForward(nn.Module):
    """FFN(x) = f(x W₁ + b₁) W₂ + b₂, or (f(x W_gate) ⊙ (x W₁)) W₂ with a gate.

    W₁ (`up`) widens d_model to d_ff, W₂ (`down`) brings it back (Vaswani et al. 2017, section 3.3;
    Shazeer 2020 for the gated form: "swiglu" with SiLU as f, "geglu" with GELU).
    """

    def __init__(self, config):
        super().__init__()
        self.activation = ACTIVATIONS[config.activation]
        self.up = nn.Linear(config.d_model, config.d_ff, bias=config.bias)
        self.down = nn.Linear(config.d_ff, config.d_model, bias=config.bias)
        self.gate = None
        if config.activation in GATED:
            self.gate = nn.Linear(config.d_model, config.d_ff, bias=config.bias)

    def hidden(self, x: Tensor) -> Tensor:
        """The wide layer after the nonlinear function: (B, T, D) -> (B, T, F)."""
        if self.gate is not None:
            return self.activation(self.gate(x)) * self.up(x)
        return self.activation(self.up(x))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, T, D)"""
        return self.down(self.hidden(x))
