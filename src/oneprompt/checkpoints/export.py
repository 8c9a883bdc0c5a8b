"""Our models as a folder that common tools load: `transformers`, and engines such as vLLM.

The format is GPT-NeoX's, with the model's kind of residual: for the reference pair a sequential
one, in which each sublayer reads what the one before it added.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..model import ModelConfig, Transformer
from ..tokenize import Tokenizer
from .families import FAMILIES
from .tensors import WEIGHTS, join, layout

FAMILY = FAMILIES["gpt_neox"]
NEEDED = {  # the format cannot express other values
    "position": "rope",
    "rope_pairing": "halves",
    "norm": "layernorm",
    "sliding_window": None,
    "bias": True,
    "qkv_bias": True,
    "embedding_norm": False,
    "embedding_scale": 1.0,
    "qk_norm": False,
    "post_norms": False,
}
ACTIVATIONS = {"gelu": "gelu", "gelu_tanh": "gelu_new", "relu": "relu"}


def export_hf(model: Transformer, tokenizer: Tokenizer, folder: str | Path) -> None:
    """Write the model and its tokenizer as a GPT-NeoX checkpoint.

    The weights are written in 16 bits if these hold every one of them exactly, as they do for the
    reference pair: half the bytes, and no dtype to set in an engine.

    `AutoModelForCausalLM.from_pretrained(folder)` then gives the same logits, and
    `AutoTokenizer.from_pretrained(folder)` the same ids, with one difference: there a typed
    "<|endoftext|>" becomes the token.

    Raises:
        ValueError: the model has something that GPT-NeoX lacks; the message names it.
    """
    state = model.state_dict()
    dtype = exact_dtype(state)
    config = config_json(model) | {"torch_dtype": str(dtype).removeprefix("torch.")}
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {}
    for theirs, ours, _ in layout(FAMILY, model):
        parts = [state[name].to("cpu", dtype) for name in ours]
        name = theirs if theirs.startswith("embed_out") else FAMILY.prefix + theirs
        tensors[name] = (join(parts, model, FAMILY) if len(parts) > 1 else parts[0]).contiguous()
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    tokenizer.save(folder / "tokenizer.json")
    end = None if tokenizer.eos_id is None else tokenizer.backend.id_to_token(tokenizer.eos_id)
    write_json(folder / "config.json", config)
    write_json(folder / "generation_config.json", {
        "do_sample": False, "eos_token_id": model.eos_id, "pad_token_id": tokenizer.eos_id,
    })  # fmt: skip
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": end, "pad_token": end,
        "model_max_length": model.config.context_length, "clean_up_tokenization_spaces": False,
    })  # fmt: skip


def config_json(model: Transformer) -> dict:
    """The fields of config.json for a model.

    Raises:
        ValueError: GPT-NeoX cannot express the model.
    """
    c = model.config
    for name, needed in NEEDED.items():
        if getattr(c, name) != needed:
            raise ValueError(
                f"GPT-NeoX needs {name}={needed!r}; this model has {getattr(c, name)!r}"
            )
    if c.activation not in ACTIVATIONS:
        raise ValueError(f"GPT-NeoX has no activation {c.activation!r}; it has {list(ACTIVATIONS)}")
    if c.n_kv_heads != c.n_heads or c.n_heads * c.head_dim != c.d_model:
        raise ValueError(
            "GPT-NeoX needs n_kv_heads = n_heads and head_dim = d_model / n_heads; this model has "
            f"n_kv_heads={c.n_kv_heads}, n_heads={c.n_heads}, head_dim={c.head_dim}"
        )
    sizes = {name: getattr(c, f.ours) for name, f in FAMILY.used.items() if f.ours}
    return sizes | {
        "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "is_decoder": True,
        "hidden_act": ACTIVATIONS[c.activation], "attention_bias": True,
        "hidden_dropout": 0.0, "attention_dropout": 0.0,
        "bos_token_id": None, "eos_token_id": model.eos_id, "use_cache": True,
        "rotary_emb_base": c.rope_theta, "rotary_pct": c.rope_fraction,  # read by older versions
        "rope_parameters": rope_parameters(c),
    }  # fmt: skip


def rope_parameters(config: ModelConfig) -> dict:
    """RoPE's settings under their names in `transformers`."""
    scaling = dict(config.rope_scaling or {"type": "default"})
    given = {"rope_type": scaling.pop("type"), "rope_theta": config.rope_theta}
    if "original_context_length" in scaling:
        given["original_max_position_embeddings"] = scaling.pop("original_context_length")
    return given | scaling | {"partial_rotary_factor": config.rope_fraction}


def exact_dtype(state: dict[str, Tensor]) -> torch.dtype:
    """A 16-bit dtype that holds every weight exactly, or else the weights' own."""
    for dtype in (torch.float16, torch.bfloat16):
        if all(torch.equal(tensor.to(dtype).to(tensor.dtype), tensor) for tensor in state.values()):
            return dtype
    return next(iter(state.values())).dtype


def write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
