"""Tensors from a safetensors file, never from a pickle. A damaged file gets a clear error."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def open_file(path: Path):
    """An open safetensors file, its header checked.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"there are no weights at {path}; `make train` makes the reference pair, "
            "or give load_model the path of a file that save_model wrote"
        )
    try:
        opened = safe_open(str(path), framework="pt")
        with path.open("rb") as file:  # the library lets the last of two equal names win
            header = file.read(int.from_bytes(file.read(8), "little"))
        json.loads(header, object_pairs_hook=unique_keys)
        return opened
    except (SafetensorError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged or no safetensors file ({error}); fetch it again"
        ) from None


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file by their names, not yet checked."""
    with open_file(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no dict)


def check_tensor(path: Path, name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    """Refuse a tensor of another shape or kind, or with a value that is not a finite number.

    Raises:
        ValueError: how it differs.
    """
    if tuple(tensor.shape) != shape:
        raise ValueError(
            f"{path}: tensor {name!r} should have the shape {shape}, found {tuple(tensor.shape)}"
        )
    if tensor.dtype not in FLOATS:
        known = ", ".join(str(dtype).removeprefix("torch.") for dtype in FLOATS)
        raise ValueError(
            f"{path}: tensor {name!r} should hold one of {known}; it holds {tensor.dtype}, as "
            "quantized or damaged files do"
        )
    if not is_finite(tensor):
        raise ValueError(f"{path}: tensor {name!r} contains NaN or infinite values")


def is_finite(tensor: Tensor) -> bool:
    """Whether no number is NaN or infinite.

    Both ends pass NaN on, and finding them takes no memory, as `isfinite` of all numbers would.
    """
    return all(end.isfinite() for end in tensor.aminmax())


def check_range(name: str, tensor: Tensor, converted: Tensor) -> None:
    """Refuse a tensor with finite numbers that another dtype cannot hold.

    Raises:
        ValueError: it has some.
    """
    limit = torch.finfo(converted.dtype).max
    if limit >= torch.finfo(tensor.dtype).max:
        return
    if is_finite(tensor) and not is_finite(converted):
        kind = converted.dtype
        raise ValueError(f"{name} has numbers beyond {limit:,.0f}, {kind}'s; take bfloat16")


def refuse_extra(path: Path, names: Iterable[str]) -> None:
    """Refuse tensors that would be left over.

    Raises:
        ValueError: there are any.
    """
    if extra := sorted(names):
        raise ValueError(f"{path} has tensors that this model has no place for: {extra[:3]}")


def unique_keys(pairs: list[tuple[str, object]]) -> dict:
    """A dictionary of keys that differ; without it, `json.loads` keeps the last of equal ones."""
    seen = dict(pairs)
    if len(seen) < len(pairs):
        twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
        raise ValueError(f"it has {twice!r} twice")
    return seen
