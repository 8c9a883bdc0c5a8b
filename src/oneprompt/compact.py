"""A model with its matrices in 8 bits: a quarter of the bytes that every new token reads.

Decoding waits for memory, so fewer bytes are less time. Each matrix is held as in our files, as
integers with one scale per row (`checkpoints.quantize`), and a product with few rows runs on them
directly; the model's own code does not change.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .checkpoints.quantize import dequantize, quantize
from .model import Transformer

# Up to this many rows, the product on integers costs less than a dequantized copy of the matrix.
FEW_ROWS = 64
WIDTH = 32  # the kernel reads whole vectors of numbers: past the end of a row of another length


class Int8Matrix(nn.Module):
    """A matrix (R, C) of 8-bit integers, used where torch expects one of floats.

    `F.linear(x, matrix)` and `matrix[ids]` work. As a module, it moves and is saved with its model;
    in the state dict it is an ordinary matrix of floats.

    Args:
        matrix: (R, C).

    Attributes:
        q: (R, C), int8.
        scale: (R,), in the matrix's dtype; its 4 bits are exact in each.

    Raises:
        ValueError: the matrix holds NaN or infinity, or numbers that are too large for a scale.
    """

    def __init__(self, matrix: Tensor):
        super().__init__()
        q, scale = quantize(matrix.detach().float())
        if not scale.isfinite().all():
            raise ValueError(
                "8 bits hold finite numbers up to 8 million; the matrix has "
                f"{matrix.detach().abs().amax().item()}"
            )
        self.q = nn.Parameter(q, requires_grad=False)  # a parameter, so that it is counted as such
        self.register_buffer("scale", scale.to(matrix.dtype))

    shape = property(lambda self: self.q.shape)
    dtype = property(lambda self: self.scale.dtype)
    device = property(lambda self: self.q.device)

    def __getitem__(self, ids: Tensor) -> Tensor:
        """The rows of some ids: (...) -> (..., C)."""
        return self.q[ids] * self.scale[ids][..., None]

    def linear(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """x Wᵀ + b: (..., C) -> (..., R).

        Few rows are rounded to bfloat16 (8 bits), which is what the kernel multiplies with
        integers. For many rows, the matrix is dequantized instead, which costs less and rounds
        nothing more; also on other devices and for sizes that the kernel does not take.
        """
        C, n_rows = x.shape[-1], x.numel() // x.shape[-1]
        if x.device.type != "cpu" or n_rows > FEW_ROWS or C % WIDTH:
            return F.linear(x, dequantize(self.q, self.scale).to(x.dtype), bias)
        rows, scale = x.flatten(0, -2).bfloat16(), self.scale.bfloat16()
        y = torch._weight_int8pack_mm(rows, self.q, scale).to(x.dtype)
        y = y.view(*x.shape[:-1], -1)
        return y if bias is None else y + bias

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        """What torch calls in place of a function of its own that is given such a matrix."""
        if function is not F.linear:
            raise TypeError(f"{function.__name__} cannot take an 8-bit matrix; F.linear can")
        x, matrix, *bias = args
        return matrix.linear(x, *bias, **(kwargs or {}))

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        destination[prefix.removesuffix(".")] = dequantize(self.q, self.scale).to(self.dtype)


def to_int8(model: Transformer) -> Transformer:
    """Put all matrices of a model into 8 bits, in place, and return the model.

    Norms, biases and learned positions stay as they are. Weights that were already rounded to 8
    bits, such as the reference model's, are not changed; the products are still less exact, see
    `Int8Matrix.linear`, so a greedy text may take another turn where two tokens are nearly equal.

    It pays for models that wait for memory, from about 100 million parameters. A small one, which
    waits for the number of operations, gets slower.

    Raises:
        TypeError: it is not a Transformer, or its matrices are in 8 bits already.
        ValueError: a matrix cannot be rounded; the message names it.
    """
    if not isinstance(model, Transformer):
        raise TypeError(f"to_int8 takes a Transformer, got {type(model).__name__}")
    if isinstance(model.embedding, Int8Matrix):
        raise TypeError("this model's matrices are in 8 bits already")
    places = [(model, "embedding", "embedding"), (model, "output", "output")]
    places += [
        (module, "weight", name)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
    ]
    for module, attribute, name in places:
        if not hasattr(module, attribute):  # tied embeddings have no output matrix
            continue
        try:
            matrix = Int8Matrix(getattr(module, attribute))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        delattr(module, attribute)
        setattr(module, attribute, matrix)
    return model
