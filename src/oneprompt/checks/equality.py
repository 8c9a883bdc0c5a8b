"""Whether a reader's result equals another, whatever types both have."""

import math

import torch

EXACT = 1e-5  # what float32 work loses


def are_equal(got, other, tolerance: float) -> bool:
    """Whether a reader's result equals another; what its class says about equality is not asked."""
    if isinstance(other, str | bool | bytes | None) or isinstance(got, str | bool | bytes | None):
        return type(got) is type(other) and got == other
    try:
        a, b = _numbers(got), _numbers(other)
    except (TypeError, ValueError, RuntimeError):
        return _same_parts(got, other, tolerance)
    return a.shape == b.shape and torch.allclose(a, b, atol=tolerance, equal_nan=True)


def rounding(wrong, tolerance: float) -> float:
    """The tolerance for a wrong result, of whose largest number float32 work loses its share."""
    try:
        largest = _numbers(wrong).abs().max().item()
    except (TypeError, ValueError, RuntimeError):
        return tolerance
    return max(tolerance, EXACT * largest) if math.isfinite(largest) else tolerance


def _same_parts(got, other, tolerance: float) -> bool:
    """Equality of what is not all numbers: lists of strings, tuples of tensors, dictionaries."""
    if type(got) is not type(other):
        return False
    if isinstance(other, dict):
        got, other = list(got.items()), list(other.items())
    if isinstance(other, list | tuple):
        return len(got) == len(other) and all(
            are_equal(a, b, tolerance) for a, b in zip(got, other, strict=True)
        )
    return got == other


def _numbers(x) -> torch.Tensor:
    return bare(torch.as_tensor(bare(x), dtype=torch.float64))


def bare(x):
    """A tensor without the class that a reader may have given it; anything else as it is."""
    if not isinstance(x, torch.Tensor):
        return x
    with torch._C.DisableTorchFunctionSubclass():
        return x.detach().as_subclass(torch.Tensor)


def shape_of(x) -> tuple[int, ...] | None:
    """The shape of a result, () for a number; None for what cannot be a tensor."""
    try:
        return tuple(torch.as_tensor(bare(x)).shape)
    except (TypeError, ValueError, RuntimeError):
        return None
