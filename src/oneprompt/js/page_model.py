"""The model in the page: the reference pair and its tokenizer in plain JavaScript.

`page_model()` is one classic script that a page loads on demand, from a server or from a folder. It
defines `onePrompt`, see page.js.
"""

import base64
import json
from pathlib import Path

import torch
from torch import nn

from ..checkpoints.own import load_model
from ..checkpoints.quantize import to_stored
from ..model import Transformer
from ..tokenize import Tokenizer, load_tokenizer
from ..tuned_lens import glossary_lens
from .bundle import bundle, function_body

PAGE = Path(__file__).with_name("page.js")
# What model.js computes. A model that differs here would be read wrongly, so it is refused.
ARCHITECTURE = {"position": "rope", "rope_pairing": "halves", "rope_fraction": 1.0,
                "rope_scaling": None, "norm": "layernorm", "activation": "gelu_tanh",
                "sliding_window": None, "bias": True, "qkv_bias": True,
                "parallel_residual": False, "embedding_norm": False, "embedding_scale": 1.0,
                "qk_norm": False, "post_norms": False, "tie_embeddings": True}  # fmt: skip


def page_tokenizer(tokenizer: Tokenizer) -> dict:
    """The vocabulary by id and the merges, in the printable stand-ins of a tokenizer.json."""
    merges = json.loads(tokenizer.backend.to_str())["model"]["merges"]
    tokens = [tokenizer.backend.id_to_token(i) for i in range(tokenizer.vocab_size)]
    return {"tokens": tokens, "merges": [f"{a} {b}" for a, b in merges], "eosId": tokenizer.eos_id}


def page_weights(model: Transformer) -> dict:
    """The configuration and the weights of a model, see `packed`.

    Raises:
        ValueError: the architecture is not the one that model.js computes.
    """
    config = model.config
    needed = ARCHITECTURE | {"n_kv_heads": config.n_heads}
    wrong = [f"{n}={getattr(config, n)!r}" for n in needed if getattr(config, n) != needed[n]]
    if wrong:
        raise ValueError(f"js/model.js does not compute {', '.join(wrong)}")
    return {"config": config.as_dict(), "eosId": model.eos_id, **packed(model)}


def packed(module: nn.Module) -> dict:
    """The weights in base64, rounded as in their file, with the place of each tensor.

    Matrices are 8-bit integers in "bytes"; their scales, norms and biases are fp16 in "halves".
    """
    tensors, chunks, sizes = {}, {"bytes": [], "halves": []}, {"bytes": 0, "halves": 0}
    for name, tensor in to_stored(module.state_dict()).items():
        kind = "bytes" if tensor.dtype == torch.int8 else "halves"
        tensors[name] = [sizes[kind], tensor.numel()]
        chunks[kind].append(tensor.numpy().astype("<f2" if kind == "halves" else "i1").tobytes())
        sizes[kind] += tensor.numel()
    encoded = {kind: base64.b64encode(b"".join(parts)).decode() for kind, parts in chunks.items()}
    return {"tensors": tensors, **encoded}


def page_model() -> str:
    """The script of the reference pair: code and data."""
    return page_script(load_tokenizer(), {n: load_model(n) for n in ("reference", "draft")})


def page_lens() -> str:
    """The script of the reference model's tuned lens, which only its explorer loads."""
    maps = glossary_lens(load_model("reference"), load_tokenizer())
    return f"globalThis.onePromptLens = {json.dumps(packed(maps))};\n"


def page_data(tokenizer: Tokenizer, models: dict[str, Transformer]) -> dict:
    """What page.js builds the language model from, for any models of this architecture."""
    return {
        "models": {name: page_weights(model) for name, model in models.items()},
        "tokenizer": page_tokenizer(tokenizer),
    }


def page_script(tokenizer: Tokenizer, models: dict[str, Transformer]) -> str:
    """The script of any models of this architecture."""
    data = json.dumps(page_data(tokenizer, models))
    body = function_body(bundle(PAGE))
    return f"globalThis.onePrompt = (() => {{\n{body}\n}})()({data});\n"
