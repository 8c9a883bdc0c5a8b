"""A matrix in 8 or 16 bits, used where torch expects one of floats.

In 8 bits it is held as in our files, as integers with one scale per row (`checkpoints.quantize`),
and a product with few rows runs on them directly. In 16 bits it is held as floats that are widened
for each product.
"""

import threading

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .checkpoints.quantize import dequantize, quantize
from .checkpoints.safe_file import is_finite

# Up to this many rows, the product on integers costs less than a dequantized copy of the matrix.
FEW_ROWS = 64
WIDTH = 32  # the kernel reads whole vectors of numbers: past the end of a row of another length
SCRATCH = 2**20  # numbers that are widened at a time
_scratch = threading.local()


class CompactMatrix(nn.Module):
    """A matrix (R, C) in few bits, used where torch expects one of floats.

    `F.linear(x, matrix)` and `matrix[ids]` work. As a module, it moves and is saved with its model;
    in the state dict it is an ordinary matrix of floats. A subclass says how it is held.

    Attributes:
        stored: (R, C), as it is held.
        dtype: what the model computes in.
    """

    stored: nn.Parameter  # a parameter, so that it is counted as such
    shape = property(lambda self: self.stored.shape)
    device = property(lambda self: self.stored.device)

    def widened(self) -> Tensor:
        """The matrix (R, C) as floats."""
        raise NotImplementedError

    def linear(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """x Wᵀ + b: (..., C) -> (..., R)."""
        return F.linear(x, self.widened().to(x.dtype), bias)

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        """What torch calls in place of a function of its own that is given such a matrix."""
        if function is not F.linear:
            raise TypeError(f"{function.__name__} cannot take a matrix in few bits; F.linear can")
        x, matrix, *bias = args
        return matrix.linear(x, *bias, **(kwargs or {}))

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        destination[prefix.removesuffix(".")] = self.widened()


class HalfMatrix(CompactMatrix):
    """A matrix of float16 numbers (11 bits of precision) in a model that computes in another dtype.

    They are held as integers of the same bits, which a change of the model's dtype leaves alone.

    Args:
        matrix: (R, C).

    Raises:
        ValueError: the matrix holds NaN or infinity, or numbers beyond 65,504.
    """

    dtype = property(lambda self: self.like.dtype)

    def __init__(self, matrix: Tensor):
        super().__init__()
        halves = matrix.detach().half()
        if not is_finite(halves):
            raise ValueError(refusal("16 bits hold finite numbers up to 65,504", matrix))
        self.stored = nn.Parameter(halves.view(torch.int16), requires_grad=False)
        self.register_buffer("like", matrix.new_empty(0), persistent=False)  # follows the model's

    def __getitem__(self, ids: Tensor) -> Tensor:
        """The rows of some ids: (...) -> (..., C)."""
        return self.stored[ids].view(torch.float16).to(self.dtype)

    def widened(self) -> Tensor:
        return self[:]

    def linear(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """x Wᵀ + b: (..., C) -> (..., R), with so many rows at a time that their copy is small."""
        n_rows = SCRATCH // self.shape[1]
        if x.device.type != "cpu" or x.requires_grad or not n_rows:
            return super().linear(x, bias)
        pieces = self.stored.view(torch.float16).split(n_rows)
        biases = [None] * len(pieces) if bias is None else bias.split(n_rows)
        y = [
            F.linear(x, in_scratch(rows, x.dtype), added)
            for rows, added in zip(pieces, biases, strict=True)
        ]
        return y[0] if len(y) == 1 else torch.cat(y, dim=-1)


def in_scratch(rows: Tensor, dtype: torch.dtype) -> Tensor:
    """Rows in another dtype, in memory that the next call of this thread overwrites.

    With memory of its own for each product the process would grow: what is computed between two
    products fills the gaps that the first one left.
    """
    numbers = getattr(_scratch, "numbers", None)
    if numbers is None or numbers.dtype != dtype:
        with torch.inference_mode(False):  # a tensor made in that mode could not be reused outside
            numbers = _scratch.numbers = torch.empty(SCRATCH, dtype=dtype)
    return numbers[: rows.numel()].view(rows.shape).copy_(rows)


class Int8Matrix(CompactMatrix):
    """A matrix of 8-bit integers, each row with a scale.

    Args:
        matrix: (R, C).

    Attributes:
        scale: (R,), in the matrix's dtype; its 4 bits are exact in each.

    Raises:
        ValueError: the matrix holds NaN or infinity, or numbers that are too large for a scale.
    """

    dtype = property(lambda self: self.scale.dtype)

    def __init__(self, matrix: Tensor):
        super().__init__()
        q, scale = quantize(matrix.detach().float())
        if not scale.isfinite().all():
            raise ValueError(refusal("8 bits hold finite numbers up to 8 million", matrix))
        self.stored = nn.Parameter(q, requires_grad=False)
        self.register_buffer("scale", scale.to(matrix.dtype))

    def __getitem__(self, ids: Tensor) -> Tensor:
        """The rows of some ids: (...) -> (..., C)."""
        return self.stored[ids] * self.scale[ids][..., None]

    def widened(self) -> Tensor:
        return dequantize(self.stored, self.scale).to(self.dtype)

    def linear(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """x Wᵀ + b: (..., C) -> (..., R).

        Few rows are rounded to bfloat16 (8 bits), which is what the kernel multiplies with
        integers. For many rows, the matrix is dequantized instead, which costs less and rounds
        nothing more; also on other devices and for sizes that the kernel does not take.
        """
        C, n_rows = x.shape[-1], x.numel() // x.shape[-1]
        if x.device.type != "cpu" or n_rows > FEW_ROWS or C % WIDTH:
            return super().linear(x, bias)
        rows, scale = x.flatten(0, -2).bfloat16(), self.scale.bfloat16()
        y = torch._weight_int8pack_mm(rows, self.stored, scale).to(x.dtype)
        y = y.view(*x.shape[:-1], -1)
        return y if bias is None else y + bias


def refusal(limit: str, matrix: Tensor) -> str:
    return f"{limit}; the matrix has {matrix.detach().abs().amax().item()}"
