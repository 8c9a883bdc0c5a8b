"""The norms around attention and feed-forward: bring every hidden vector to the same scale."""

import torch
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
    """LayerNorm or RMSNorm over the last axis, as the config says."""

    def __init__(self, config):
        super().__init__()
        self.eps = config.norm_eps
        self.weight = nn.Parameter(torch.ones(config.d_model))
        has_bias = config.norm == "layernorm"
        self.bias = nn.Parameter(torch.zeros(config.d_model)) if has_bias else None
        self.rms = config.norm == "rmsnorm"

    def forward(self, x: Tensor) -> Tensor:
        if self.rms:
            return rms_norm(x, self.weight, self.eps)
        return layer_norm(x, self.weight, self.bias, self.eps)
