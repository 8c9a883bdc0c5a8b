"""The norms around attention and feed-forward: bring every hidden vector to the same scale."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor | None, eps: float = 1e-5) -> Tensor:
    """(x - mean) / √(variance + eps) · weight + bias, over the last axis (Ba et al. 2016)."""
    mean = x.mean(dim=-1, keepdim=True)
    variance = (x - mean).square().mean(dim=-1, keepdim=True)
    normed = (x - mean) / (variance + eps).sqrt() * weight
    return normed if bias is None else normed + bias


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-5) -> Tensor:
    """x / √(mean of x² + eps) · weight, over the last axis (Zhang and Sennrich 2019)."""
    return x / (x.square().mean(dim=-1, keepdim=True) + eps).sqrt() * weight


class Norm(nn.Module):
    """LayerNorm or RMSNorm, as the config says, over a last axis of d_model (or `size`) numbers.

    It runs torch's own versions, each in one pass over x; a test checks them against the formulas.
    """

    def __init__(self, config, size: int | None = None):
        super().__init__()
        self.eps, size = config.norm_eps, size or config.d_model
        self.weight = nn.Parameter(torch.ones(size))
        has_bias = config.norm == "layernorm"
        self.bias = nn.Parameter(torch.zeros(size)) if has_bias else None
        self.rms = config.norm == "rmsnorm"

    def forward(self, x: Tensor) -> Tensor:
        shape = self.weight.shape
        if self.rms:
            return F.rms_norm(x, shape, self.weight, self.eps)
        return F.layer_norm(x, shape, self.weight, self.bias, self.eps)
