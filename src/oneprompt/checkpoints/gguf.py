"""GGUF files, the one-file checkpoints of llama.cpp, read as a family's config and tensors.

A file's metadata becomes a config with the field names of config.json, which is then checked as
strictly as one. Its tensors keep their names; `replace` gives the family these names.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..position import interleaved_to_halves, rope_frequencies
from .config import check_config
from .families import Family
from .families.base import is_positive
from .gguf_file import GGUFFile, open_gguf
from .gguf_names import ARCHITECTURES, MODULES, REQUIRED, Architecture
from .tensors import Found

FACTORS = "rope_freqs.weight"  # of RoPE, in files of Llama 3.1 and later
MANY = 1000  # arrays that describe a model, say with a number per layer, are never longer


def read_gguf(
    path: Path, ignore: set[str], dtype: torch.dtype = torch.float32
) -> tuple[GGUFFile, Family, dict, dict[str, Found]]:
    """The open file, and the family, fields and tensors of its model, as `tensors` takes them.

    Raises:
        ValueError: the file is damaged, or its model is not supported.
        ImportError: the `gguf` package is missing.
    """
    file = open_gguf(path)
    name = file.metadata.get("general.architecture")
    if not isinstance(name, str) or name not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise ValueError(f"{path}: general.architecture={name!r} is not supported; {known} are")
    architecture = ARCHITECTURES[name]
    try:
        config = config_of(file, name, architecture)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    family, fields = check_config(path, config, ignore)
    names = [n for n in file.tensors if n != FACTORS]
    found = {n: Found(path, n, file.read(n, dtype)) for n in names}
    if architecture.turned:
        straighten(found, fields)
    modules = MODULES | architecture.modules
    changes = {"prefix": "", "modules": modules, "aliases": {}, "transposed": False}
    return file, replace(family, folded=architecture.folded, **changes), fields, found


def config_of(file: GGUFFile, name: str, architecture: Architecture) -> dict:
    """The metadata as the fields of config.json; what has no name there keeps its own."""
    start = f"{name}."
    given = {
        k.removeprefix(start): as_json(k, v)
        for k, v in file.metadata.items()
        if k.startswith(start)
    }
    if missing := [f for f in (*REQUIRED, architecture.epsilon) if f not in given]:
        raise ValueError(f"it lacks the metadata {', '.join(start + f for f in missing)}")
    for field in REQUIRED:
        if type(given[field]) is not int or given[field] < 1:
            raise ValueError(f"{start}{field} must be a positive integer, got {given[field]!r}")
    head_dim = given["embedding_length"] // given["attention.head_count"]
    head_dim = given.get("attention.key_length", head_dim)
    for same in ("attention.value_length", "rope.dimension_count"):
        if given.get(same) == head_dim:
            del given[same]  # otherwise it stays, and is refused as an unknown field
    scaling = rope_scaling(file, given, head_dim)
    fields = {architecture.fields.get(f, start + f): value for f, value in given.items()}
    if name == "gemma3":  # only the largest (27B) differs; llama.cpp tells it in the same way
        is_largest = given["block_count"] == 62
        width = given["embedding_length"] // given["attention.head_count"]
        fields["query_pre_attn_scalar"] = width if is_largest else head_dim
    table = file.tensors.get("token_embd.weight")
    return ({"vocab_size": table.shape[0]} if table else {}) | fields | scaling | {
        "model_type": architecture.model_type,
        "tie_word_embeddings": "output.weight" not in file.tensors,
        "eos_token_id": end_ids(file.metadata) or None,
    }  # fmt: skip


def as_json(name: str, value):
    """A value of the metadata without NumPy."""
    if not isinstance(value, (np.ndarray, list)):
        return value
    if len(value) > MANY:
        raise ValueError(f"{name} is an array of {len(value):,} values; at most {MANY} are allowed")
    return list(value) if isinstance(value, list) else value.tolist()


def end_ids(metadata: dict) -> list[int]:
    """The ids that end a text, or a turn of a conversation."""
    names = [f"tokenizer.ggml.{name}_token_id" for name in ("eos", "eot", "eom")]
    given = {name: metadata[name] for name in names if name in metadata}
    for name, value in given.items():
        if type(value) is not int or value < 0:
            raise ValueError(f"{name} must be an id, got {value!r}")
    return list(dict.fromkeys(given.values()))


def rope_scaling(file: GGUFFile, given: dict, head_dim: int) -> dict:
    """The field `rope_scaling`, from the metadata or from Llama 3.1's factors, a tensor."""
    kind = given.pop("rope.scaling.type", "none")
    if kind == "linear":
        factor = given.pop("rope.scaling.factor", None)
        return {"rope_scaling": {"type": kind, "factor": factor}}
    if kind != "none":
        return {"rope_scaling": {"type": kind}}
    if FACTORS not in file.tensors:
        return {}
    theta = given.get("rope.freq_base", 10_000.0)
    if not is_positive(theta):
        raise ValueError(f"rope.freq_base must be a positive number, got {theta!r}")
    return {"rope_scaling": llama3_scaling(file.read(FACTORS), head_dim, float(theta))}


def llama3_scaling(factors: Tensor, head_dim: int, theta: float) -> dict:
    """Llama 3.1's settings, from the factors that its frequencies are divided by.

    Raises:
        ValueError: the settings do not give these factors.
    """
    factor = round(float(factors.max()), 3)  # 8 or 32
    settings = {"factor": factor, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    ours = settings | {"type": "llama3", "original_context_length": 8192}
    plain, scaled = rope_frequencies(head_dim, theta), rope_frequencies(head_dim, theta, ours)
    if factors.shape != plain.shape or not torch.allclose(plain / scaled, factors):
        raise ValueError(f"{FACTORS} does not scale RoPE as Llama 3.1 does")
    return settings | {"rope_type": "llama3", "original_max_position_embeddings": 8192}


def straighten(found: dict[str, Found], fields: dict) -> None:
    """Order the rows of queries and keys by halves: llama.cpp stores them for interleaved RoPE."""
    for name, (path, _, tensor) in found.items():
        kind = name.split(".")[2] if name.startswith("blk.") else ""
        if kind in ("attn_q", "attn_k"):
            found[name] = Found(path, name, by_halves(tensor, fields))


def by_halves(rows: Tensor, fields: dict) -> Tensor:
    """The rows (H · d, D) of all heads, with each head reordered."""
    head_dim = fields["head_dim"] or fields["hidden_size"] // fields["num_attention_heads"]
    if rows.shape[0] % head_dim or head_dim % 2:
        return rows  # a shape that is refused later
    heads = rows.unflatten(0, (-1, head_dim))
    return heads[:, interleaved_to_halves(head_dim)].flatten(0, 1)
