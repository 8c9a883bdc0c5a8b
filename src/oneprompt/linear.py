"""The linear map x Wᵀ + b, on which a pass spends nearly all of its time."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# From this many weights on, oneDNN's product is faster on a CPU: for the few rows of a decoding
# step, PyTorch's own uses a single core (benchmarks/decoding.py).
LARGE = 2**19


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x Wᵀ + b.

    Args:
        x: (..., I).
        weight: (O, I).
        bias: (O,), or None.

    Returns:
        (..., O).
    """
    if suits_onednn(x, weight):
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return F.linear(x, weight, bias)


def suits_onednn(x: Tensor, weight: Tensor) -> bool:
    """Whether oneDNN is to run this product: a large fp32 matrix on a CPU, without gradients."""
    return (
        weight.numel() >= LARGE
        and weight.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and not torch.is_grad_enabled()
        and torch.backends.mkldnn.is_available()
    )


class Linear(nn.Linear):
    """`torch.nn.Linear` that runs `linear`."""

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight, self.bias)
