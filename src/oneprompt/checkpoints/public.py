"""Public checkpoints as our `Transformer`: a folder as the field writes it, or one from the hub.

The logits are those of `transformers`; `families` holds the names and settings of each family.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from torch import nn

from ..model import Transformer
from ..tokenize import Tokenizer
from .chat import read_chat_template
from .config import model_config, read_config, read_eos
from .hub import locate
from .skeleton import fill, skeleton
from .tensors import layers_in, read_weights, to_ours


def load_pretrained(
    name: str | Path,
    *,
    revision: str | None = None,
    context_length: int | None = None,
    ignore: str | Iterable[str] = (),
) -> tuple[Transformer, Tokenizer | None]:
    """A public checkpoint of the GPT-2, GPT-NeoX, Llama, Mistral, Qwen2 or BLOOM family.

    Args:
        name: a folder with config.json, model.safetensors (or several, with an index) and
            tokenizer.json, or the name of one on the hub, such as "gpt2" or
            "EleutherAI/pythia-70m", which is downloaded once (needs huggingface_hub).
        revision: a branch, tag or commit on the hub.
        context_length: less than the checkpoint's, to save memory for the KV cache.
        ignore: fields of config.json to pass over although this package does not know them.

    Returns:
        the model, in eval mode and fp32, and its tokenizer: None where there is no tokenizer.json.

    Raises:
        FileNotFoundError: there is no such folder, hub name or file.
        ValueError: a file is damaged, or asks for what our model does not compute.
    """
    ignore = {ignore} if isinstance(ignore, str) else set(ignore)
    folder = locate(name, revision, check=lambda folder: read_config(folder, ignore))
    family, fields = read_config(folder, ignore)
    eos_id = read_eos(folder, fields)
    found = read_weights(folder, family, fields)
    config = model_config(folder / "config.json", family, fields)
    if layers_in(found) != config.n_layers:
        wanted = f"{config.n_layers} layers in the config, {layers_in(found)} in the weights"
        raise ValueError(f"{folder}: the model is cut or mixed up: {wanted}")
    model = skeleton(folder, config, len(found))
    model = fill(model, to_ours(folder, family, fields, model, found), eos_id)
    if context_length is not None:
        shorten(model, context_length)
    if not (folder / "tokenizer.json").is_file():
        return model, None
    first_eos = eos_id[0] if isinstance(eos_id, list) else eos_id
    tokenizer = Tokenizer.load(folder / "tokenizer.json", first_eos, config.vocab_size)
    tokenizer.chat_template = read_chat_template(folder)
    return model, tokenizer


def shorten(model: Transformer, context_length: int) -> None:
    """Give up the positions from context_length on."""
    longest = model.config.context_length
    if not 1 <= context_length <= longest:
        raise ValueError(f"context_length must be from 1 to {longest}, got {context_length}")
    model.config = replace(model.config, context_length=context_length)
    if model.config.position == "learned":
        model.position_embedding = nn.Parameter(model.position_embedding[:context_length].clone())
