"""Metadata and tensors from a GGUF file, none of whose numbers is trusted before it is checked.

The layout (ggml's docs/gguf.md): magic, version, two counts; the metadata, each a name, a type and
a value; for each tensor its name, shape, type and offset; then the tensors' bytes. The types and
the arithmetic of quantized blocks are the `gguf` package's. Its reader is not used: it trusts every
count, so that a file of 100 bytes can keep it busy until memory is full, and it takes seconds for a
vocabulary.
"""

import math
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .safe_file import check_range, unique_keys

try:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize
except ImportError:  # an optional dependency: `open_gguf` says so
    dequantize = None

MAGIC, VERSIONS = b"GGUF", (2, 3)
TYPES = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K")
NUMBERS = {  # the code of a metadata type -> NumPy's name; 8 is a text, 9 an array
    0: "u1", 1: "i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", 6: "<f4", 7: "?", 10: "<u8",
    11: "<i8", 12: "<f8",
}  # fmt: skip
TEXT, ARRAY = 8, 9
MAX_DIMS = 4
BLOCKS = 2**15  # how many to turn into numbers at a time


class Cursor:
    """Reads one item after another, never past the end of the file."""

    def __init__(self, data: np.ndarray):
        self.data, self.at, self.end = memoryview(data), 0, len(data)

    def take(self, n_bytes: int) -> memoryview:
        start, self.at = self.at, self.at + n_bytes
        if self.at > self.end:
            left = self.end - start
            raise ValueError(f"at byte {start:,} it promises {n_bytes:,} bytes, and has {left:,}")
        return self.data[start : self.at]

    def numbers(self, kind: int, n: int) -> np.ndarray:
        dtype = np.dtype(NUMBERS[kind])
        return np.frombuffer(self.take(n * dtype.itemsize), dtype)

    def number(self, kind: int):
        return self.numbers(kind, 1).item()

    def count(self, smallest: int) -> int:
        """A number of items, each at least `smallest` bytes long; the file must have room for them.

        Raises:
            ValueError: it has not.
        """
        n = self.number(10)
        if n * smallest > self.end - self.at:
            raise ValueError(f"at byte {self.at - 8:,} it promises {n:,} items: too many")
        return n

    def text(self) -> str:
        content = self.take(int.from_bytes(self.take(8), "little"))
        try:
            return str(content, "utf-8")
        except UnicodeDecodeError:
            raise ValueError(f"before byte {self.at:,} it has a text that is not UTF-8") from None

    def value(self, kind: int):
        if kind == TEXT:
            return self.text()
        if kind in NUMBERS:
            value = self.number(kind)
            # A float in 32 bits as it was written: 1e-05 and not 9.999999747378752e-06.
            return float(str(np.float32(value))) if NUMBERS[kind] == "<f4" else value
        if kind != ARRAY:
            raise ValueError(f"at byte {self.at} it has metadata of the unknown type {kind}")
        inner = self.number(4)
        if inner == TEXT:
            return [self.text() for _ in range(self.count(8))]
        if inner not in NUMBERS:
            raise ValueError(f"at byte {self.at} it has an array of the type {inner}")
        return self.numbers(inner, self.count(np.dtype(NUMBERS[inner]).itemsize))


class Stored(NamedTuple):
    """Where a tensor is, how it is stored, and its shape."""

    kind: str
    shape: tuple[int, ...]
    start: int
    n_bytes: int


class GGUFFile:
    """An open file.

    Attributes:
        metadata: names -> values; arrays of numbers are NumPy's.
        tensors: names -> `Stored`.
    """

    def __init__(self, path: Path, data: np.ndarray):
        self.path = path
        cursor = Cursor(data)
        if bytes(cursor.take(4)) != MAGIC:
            raise ValueError("it does not begin with the letters GGUF")
        if (version := cursor.number(4)) not in VERSIONS:
            raise ValueError(f"it is of version {version}; supported are {VERSIONS}")
        n_tensors, n_fields = cursor.count(24), cursor.count(13)
        self.metadata = unique_keys(
            [(cursor.text(), cursor.value(cursor.number(4))) for _ in range(n_fields)]
        )
        infos = [read_info(cursor) for _ in range(n_tensors)]
        alignment = self.metadata.get("general.alignment", 32)
        if type(alignment) is not int or alignment not in [2**n for n in range(3, 17)]:
            raise ValueError(f"general.alignment must be 8, 16, ..., 65536, got {alignment!r}")
        base = cursor.at + -cursor.at % alignment
        self.tensors = unique_keys([place(info, base, alignment, len(data)) for info in infos])
        refuse_overlaps(self.tensors)

    def read(self, name: str, dtype: torch.dtype = torch.float32) -> Tensor:
        """A tensor of floats, copied out of the file."""
        stored = self.tensors[name]
        kind = GGMLQuantizationType[stored.kind]
        per_block, block_bytes = GGML_QUANT_SIZES[kind]
        values = torch.empty(math.prod(stored.shape), dtype=dtype)
        with self.path.open("rb") as file:  # mapped, it would count as memory until all are read
            file.seek(stored.start)
            for part in values.split(BLOCKS * per_block):  # so that pieces stay small
                packed = np.fromfile(file, "u1", len(part) // per_block * block_bytes)
                numbers = torch.from_numpy(dequantize(packed[None], kind).ravel())
                check_range(name, numbers, part.copy_(numbers))
        return values.view(stored.shape)


def open_gguf(path: Path) -> GGUFFile:
    """Read and check everything but the tensors' bytes.

    Raises:
        ValueError: the file is damaged or of a kind that is not supported.
        ImportError: the `gguf` package is missing.
    """
    if dequantize is None:
        raise ImportError(f"to read {path}, pip install gguf")
    try:
        is_empty = path.stat().st_size == 0  # NumPy cannot map it
        return GGUFFile(path, np.empty(0, "u1") if is_empty else np.memmap(path, mode="r"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged or not a GGUF file: {error}") from None


def read_info(cursor: Cursor) -> tuple[str, list[int], int, int]:
    """A tensor's name, sizes (the fastest first), type and offset."""
    name, n_dims = cursor.text(), cursor.number(4)
    if not 1 <= n_dims <= MAX_DIMS:
        raise ValueError(f"tensor {name!r} has {n_dims} dimensions; 1 to {MAX_DIMS} are possible")
    sizes = cursor.numbers(10, n_dims).tolist()
    return name, sizes, cursor.number(4), cursor.number(10)


def place(info, base: int, alignment: int, end: int) -> tuple[str, Stored]:
    """Where the tensor is; it must be whole and inside the file."""
    name, sizes, code, offset = info
    kinds = {kind.value: kind.name for kind in GGMLQuantizationType}
    if kinds.get(code) not in TYPES:
        found = kinds.get(code, code)
        raise ValueError(f"tensor {name!r} is stored as {found}; supported are {', '.join(TYPES)}")
    per_block, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType(code)]
    if 0 in sizes or sizes[0] % per_block:
        raise ValueError(f"tensor {name!r} of {sizes} numbers is not a multiple of {per_block}")
    n_bytes = math.prod(sizes) // per_block * block_bytes
    start = base + offset
    if offset % alignment or start + n_bytes > end:
        raise ValueError(
            f"tensor {name!r} should lie at bytes {start:,} to {start + n_bytes:,}, aligned to "
            f"{alignment}, of {end:,}: the file is cut off, or its offsets are wrong"
        )
    return name, Stored(kinds[code], tuple(reversed(sizes)), start, n_bytes)


def refuse_overlaps(tensors: dict[str, Stored]) -> None:
    """No bytes may belong to two tensors, or a small file could ask for any amount of memory."""
    placed = sorted((stored.start, stored.n_bytes, name) for name, stored in tensors.items())
    for (start, n_bytes, name), (following, _, other) in pairwise(placed):
        if start + n_bytes > following:
            raise ValueError(f"the tensors {name!r} and {other!r} overlap")
