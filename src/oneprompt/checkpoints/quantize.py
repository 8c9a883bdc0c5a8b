"""Matrices as 8-bit integers with one scale per row, as our files and the page hold them.

    W ≈ q · scale,   scale = the least number of 4 bits that is not below max |W| / 127 in the row

That is half the bytes of fp16. An integer of 7 bits times a scale of 4 is a number of 11 bits, so
fp16 holds every weight exactly. Weights that were rounded once are not changed by a second time.
"""

import torch
from torch import Tensor, nn

LARGEST = 127
SCALE = ".scale"  # follows a matrix's name in the name of its scales


def quantize(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """The 8-bit integers (R, C) and the fp16 scales (R,) of a matrix (R, C)."""
    while True:
        mantissa, exponent = torch.frexp(matrix.abs().amax(dim=1) / LARGEST)
        scale = torch.ldexp((mantissa * 16).ceil() / 16, exponent).half()
        q = (matrix / scale.float().clamp(min=2**-24)[:, None]).round()
        found = dequantize(q, scale)
        # Rounding may make the largest number of a row fit a finer scale: then once more with that.
        if torch.equal(found, matrix) or not found.isfinite().all():
            return q.to(torch.int8), scale
        matrix = found


def dequantize(q: Tensor, scale: Tensor) -> Tensor:
    """The matrix (R, C), fp32, of integers (R, C) and scales (R,)."""
    return q.float() * scale.float()[:, None]


def to_blocks(matrix: Tensor, bits: int = 4, size: int = 32) -> tuple[Tensor, Tensor, Tensor]:
    """A matrix in blocks of `size` weights of a row, each with a scale and a minimum of its own.

        W ≈ q · scale + least,   scale = (largest - least) / (2^bits - 1)

    With 4 bits and 32 weights this is what llama.cpp calls Q4_1.

    Args:
        matrix: (R, C), with C a multiple of `size`.

    Returns:
        Integers (R, C / size, size), and the fp16 scales and minima (R, C / size).

    Raises:
        ValueError: the rows do not divide into blocks, or the bits are not from 1 to 8.
    """
    if matrix.shape[1] % size or not 1 <= bits <= 8:
        raise ValueError(
            f"blocks of {size} weights of 1 to 8 bits need rows of a multiple of {size}; "
            f"got rows of {matrix.shape[1]} and {bits} bits"
        )
    blocks = matrix.float().unflatten(1, (-1, size))
    least, largest = blocks.aminmax(dim=2)
    scale = (largest - least) / (2**bits - 1)
    steps = (blocks - least[..., None]) / scale.clamp(min=2**-60)[..., None]
    return (steps + 0.5).floor().clamp(max=2**bits - 1).byte(), scale.half(), least.half()


def from_blocks(q: Tensor, scale: Tensor, least: Tensor) -> Tensor:
    """The matrix (R, C), fp32, of integers, scales and minima of its blocks."""
    return (q.float() * scale.float()[..., None] + least.float()[..., None]).flatten(1)


def to_stored(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a file: matrices as integers and scales, all others as fp16."""
    stored = {}
    for name, tensor in tensors.items():
        if tensor.ndim == 2:
            stored[name], stored[name + SCALE] = quantize(tensor.float())
        else:
            stored[name] = tensor.half().contiguous()
    return stored


def from_stored(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `to_stored`; whatever does not fit together stays as it is."""
    tensors = {}
    for name, tensor in stored.items():
        scale = stored.get(name + SCALE)
        if tensor.dtype == torch.int8 and is_scale_of(tensor, scale):
            tensors[name] = dequantize(tensor, scale)
        elif not is_scale_of(stored.get(name.removesuffix(SCALE)), tensor):
            tensors[name] = tensor
    return tensors


def is_scale_of(matrix: Tensor | None, scale: Tensor | None) -> bool:
    """Whether both are there and fit together."""
    if matrix is None or scale is None or matrix.dtype != torch.int8 or matrix.ndim != 2:
        return False
    return scale.is_floating_point() and scale.shape == matrix.shape[:1]


def stored_bytes(model: nn.Module) -> int:
    """The bytes of the tensors in a model's file."""
    return sum(tensor.nbytes for tensor in to_stored(model.state_dict()).values())


@torch.no_grad()
def rounded(model: nn.Module) -> nn.Module:
    """The model with the weights that its file will hold: no result may rest on finer ones."""
    model.load_state_dict(from_stored(to_stored(model.state_dict())))
    return model
