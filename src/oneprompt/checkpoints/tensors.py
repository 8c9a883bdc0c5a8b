"""The tensors of a public checkpoint: read from its files, and renamed, split and turned into ours.

`layout` is the table for both directions: their name, our names, the shape in the file.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ..model import Transformer
from .families import Family
from .safe_file import check_tensor, read_tensors, refuse_extra, unique_keys

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
TABLES = ("embedding", "position_embedding", "output")  # ours that are tensors, not modules
# What older versions stored beside the weights: masks, and RoPE's frequencies.
BUFFER = re.compile(r"\.(attn|attention)\.(bias|masked_bias)$|\.rotary_emb\.inv_freq$")


class Found(NamedTuple):
    """A tensor, the file it was read from and its name there."""

    path: Path
    name: str
    tensor: Tensor


class Place(NamedTuple):
    """Where a tensor of theirs belongs: its name without the prefix, our names, its shape."""

    theirs: str
    ours: tuple[str, ...]
    shape: tuple[int, ...]


def read_weights(folder: Path, family: Family, fields: dict) -> dict[str, Found]:
    """All tensors by their names without the family's prefix.

    If the config ties the output matrix to the embedding, the file may hold the shared matrix under
    either name. If it holds two different ones, the file takes precedence over the config, as in
    `transformers`, and `fields` is changed.

    Raises:
        FileNotFoundError: there are no weights.
        ValueError: a file is damaged, or a tensor occurs twice.
    """
    found = {}
    for path in weight_files(folder):
        for name, tensor in read_tensors(path).items():
            short = name.removeprefix(family.prefix)
            short = family.aliases.get(short, short)
            if short in found:
                raise ValueError(f"{path}: tensor {name!r} is also in {found[short].path}")
            if not BUFFER.search(short):
                found[short] = Found(path, name, tensor)
    table, head = (weight_of(family, ours) for ours in ("embedding", "output"))
    if fields["tie_word_embeddings"] and head in found:
        shared = found.setdefault(table, found[head])
        if torch.equal(shared.tensor.float(), found[head].tensor.float()):
            del found[head]
        else:
            fields["tie_word_embeddings"] = False
    return found


def weight_of(family: Family, ours: str) -> str:
    """Their name for the weight of one of our modules."""
    return next(theirs for theirs, name in family.modules.items() if name == ours) + ".weight"


def layers_in(found: dict[str, Found]) -> int:
    """How many layers the tensors belong to."""
    numbers = (re.match(r"\w+\.(\d+)\.", name) for name in found)
    return 1 + max((int(number[1]) for number in numbers if number), default=-1)


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a folder: one, or those that its index names.

    Raises:
        FileNotFoundError: there are none.
        ValueError: there are only pickles, or the index is not usable.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    index = folder / INDEX
    if index.is_file():
        return [folder / name for name in files_of(index)]
    pickles = [p.name for p in folder.iterdir() if p.suffix in (".bin", ".pt", ".pth", ".ckpt")]
    if pickles:
        raise ValueError(
            f"{folder} has its weights only as pickle ({sorted(pickles)[0]}), and opening a pickle "
            "can run any code in it; use a revision with safetensors, or convert the file where "
            "you trust it: model.save_pretrained(folder) in transformers writes safetensors"
        )
    raise FileNotFoundError(f"there is no {WEIGHTS} and no {INDEX} in {folder}")


def files_of(index: Path) -> list[str]:
    """The files that an index names; only files beside it are read."""
    try:
        content = json.loads(index.read_bytes(), object_pairs_hook=unique_keys)
        names = sorted(set(content["weight_map"].values()))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{index} is not usable: {error!r}") from None
    for name in names:
        if not isinstance(name, str) or not re.fullmatch(r"[\w-][\w.-]*\.safetensors", name):
            raise ValueError(f"{index} names {name!r}, which is not a safetensors file beside it")
        if not (index.parent / name).is_file():
            raise FileNotFoundError(f"{index} names {name}, which is not in {index.parent}")
    return names


def layout(family: Family, model: Transformer) -> Iterator[Place]:
    """Every tensor that a checkpoint of this model has."""
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    for theirs, ours in family.modules.items():
        targets = (ours,) if isinstance(ours, str) else ours
        for layer in range(model.config.n_layers if "*" in theirs else 1):
            for kind in ("weight",) if ours in TABLES else ("weight", "bias"):
                end = "" if ours in TABLES else f".{kind}"
                names = tuple(target.replace("*", str(layer)) + end for target in targets)
                if names[0] in shapes:
                    rows, *columns = shapes[names[0]]
                    shape = (len(names) * rows, *columns)
                    is_turned = family.transposed and columns and ours not in TABLES
                    shape = shape[::-1] if is_turned else shape
                    yield Place(f"{theirs.replace('*', str(layer))}.{kind}", names, shape)


def to_ours(
    folder: Path, family: Family, fields: dict, model: Transformer, found: dict[str, Found]
) -> dict[str, Tensor]:
    """Our tensors, made from `found`, which is emptied on the way.

    Raises:
        ValueError: a tensor is missing, left over or wrong.
    """
    tensors = {}
    unbiased = tuple(module.partition("*")[2] + ".bias" for module in family.unbiased(fields))
    for theirs, ours, shape in layout(family, model):
        if unbiased and theirs.endswith(unbiased):
            tensors[ours[0]] = torch.zeros(shape)  # no bias is a bias of 0
            continue
        if theirs not in found:
            raise ValueError(f"{folder} lacks the tensor {theirs!r} of shape {shape}")
        path, name, tensor = found.pop(theirs)
        check_tensor(path, name, tensor, shape)
        if family.transposed and tensor.ndim == 2 and ours[0] not in TABLES:
            tensor = tensor.T
        parts = split(tensor, model, family) if len(ours) > 1 else [tensor]
        for our_name, part in zip(ours, parts, strict=True):
            tensors[our_name] = family.folded(fields, our_name, part)
    for path, name, _ in found.values():
        refuse_extra(path, [name])
    return tensors


def split(fused: Tensor, model: Transformer, family: Family) -> list[Tensor]:
    """Queries, keys and values from one tensor with the rows of all three."""
    groups = model.config.n_heads if family.per_head else 1
    parts = fused.unflatten(0, (groups, 3, -1))  # (H, 3, d, ...) or (1, 3, D, ...)
    return [parts[:, i].flatten(0, 1) for i in range(3)]


def join(parts: list[Tensor], model: Transformer, family: Family) -> Tensor:
    """The inverse of `split`."""
    groups = model.config.n_heads if family.per_head else 1
    return torch.stack([part.unflatten(0, (groups, -1)) for part in parts], dim=1).flatten(0, 2)
