"""Public checkpoints as our `Transformer`: a folder in the usual form, or one from the hub.

The logits are those of `transformers`; `families` holds the names and settings of each family.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from ..model import Transformer
from ..tokenize import Tokenizer
from .chat import read_chat_template
from .config import model_config, read_config, read_eos
from .families import Family
from .gguf import read_gguf
from .gguf_tokenizer import tokenizer_of
from .hub import locate
from .safe_file import FLOATS
from .skeleton import fill, skeleton
from .tensors import Found, layers_in, read_weights, to_ours


def load_pretrained(
    name: str | Path,
    *,
    revision: str | None = None,
    context_length: int | None = None,
    dtype: torch.dtype = torch.float32,
    ignore: str | Iterable[str] = (),
) -> tuple[Transformer, Tokenizer | None]:
    """A public checkpoint: GPT-2, GPT-NeoX, Llama, Mistral, Qwen2, Qwen3, Gemma 3 or BLOOM.

    Args:
        name: a folder with config.json, model.safetensors (or several, with an index) and
            tokenizer.json; a GGUF file; "smollm2", the real model that `make real` installs; or
            the name of a folder on the hub, such as "gpt2" or "EleutherAI/pythia-70m", which is
            downloaded once (needs huggingface_hub).
        revision: a branch, tag or commit on the hub.
        context_length: less than the checkpoint's, to save memory for the KV cache.
        dtype: of the weights, and of what the model computes. A GGUF file is read as it piece by
            piece, so that 16 bits never take the memory of 32.
        ignore: fields of config.json, or of a GGUF file's metadata, to pass over although this
            package does not know them.

    Returns:
        the model, in eval mode, and its tokenizer, or None if there is none. The
        tokenizer's `chat_template` is for `chat_ids`. Its `encode` adds nothing to a text: where
        the model expects a token in front, as Llama's, the prompt is `start_ids` + `encode(text)`.

    Raises:
        FileNotFoundError: there is no such folder, hub name or file.
        ValueError: a file is damaged, or asks for what our model does not compute; or the dtype is
            none of floats.
        ImportError: the gguf package, which reads GGUF files, is missing.
    """
    if dtype not in FLOATS:
        raise ValueError(f"dtype must be one of {', '.join(map(str, FLOATS))}, got {dtype!r}")
    ignore = {ignore} if isinstance(ignore, str) else set(ignore)
    path = locate(name, revision, check=lambda folder: read_config(folder, ignore))
    source = read_file(path, ignore, dtype) if path.is_file() else read_folder(path, ignore)
    config = model_config(source.config, source.family, source.fields)
    if layers_in(source.found) != config.n_layers:
        wanted = f"{config.n_layers} layers in the config, {layers_in(source.found)} in the weights"
        raise ValueError(f"{path}: the model is cut or mixed up: {wanted}")
    model = skeleton(path, config, len(source.found))
    tensors = to_ours(path, source.family, source.fields, model, source.found)
    model = fill(model, tensors, source.eos_id, dtype, copy=path.is_dir())  # read_file has its own
    if context_length is not None:
        shorten(model, context_length)
    return model, source.tokenizer


class Source(NamedTuple):
    """What was read from a checkpoint: the file of the config, and everything but the model."""

    config: Path
    family: Family
    fields: dict
    found: dict[str, Found]
    eos_id: int | list[int] | None
    tokenizer: Tokenizer | None


def read_folder(folder: Path, ignore: set[str]) -> Source:
    """Read a folder in the hub's form."""
    family, fields = read_config(folder, ignore)
    eos_id, tokenizer, path = read_eos(folder, fields), None, folder / "tokenizer.json"
    if path.is_file():
        first_eos = eos_id[0] if isinstance(eos_id, list) else eos_id
        tokenizer = Tokenizer.load(path, first_eos, fields["vocab_size"])
        tokenizer.chat_template = read_chat_template(folder)
    found = read_weights(folder, family, fields)
    return Source(folder / "config.json", family, fields, found, eos_id, tokenizer)


def read_file(path: Path, ignore: set[str], dtype: torch.dtype) -> Source:
    """Read a GGUF file."""
    file, family, fields, found = read_gguf(path, ignore, dtype)
    eos = fields["eos_token_id"] or []
    tokenizer = tokenizer_of(file, fields["vocab_size"])
    return Source(path, family, fields, found, eos[0] if len(eos) == 1 else eos or None, tokenizer)


def shorten(model: Transformer, context_length: int) -> None:
    """Drop the positions from context_length on.

    Raises:
        ValueError: the model has fewer positions than that.
    """
    longest = model.config.context_length
    if not 1 <= context_length <= longest:
        raise ValueError(f"context_length must be from 1 to {longest}, got {context_length}")
    model.config = replace(model.config, context_length=context_length)
    if model.config.position == "learned":
        model.position_embedding = nn.Parameter(model.position_embedding[:context_length].clone())
