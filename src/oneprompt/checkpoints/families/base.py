"""What a family of checkpoints says about itself, and what several families share.

A family names every field that its config.json may have. A field is *used*, or *fixed* at the one
value that our model computes, or *harmless*: it cannot change the logits. Any other is refused.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from types import NoneType
from typing import NamedTuple

from torch import Tensor

QKV = tuple(f"blocks.*.attention.{name}" for name in ("query", "key", "value"))
ACTIVATIONS = {
    "gelu": "gelu", "gelu_python": "gelu", "relu": "relu", "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh", "gelu_python_tanh": "gelu_tanh", "gelu_fast": "gelu_tanh",
}  # fmt: skip
GATED = {"silu": "swiglu", "swish": "swiglu"}
ROPE_SCALING = {  # the kind -> what it needs: their name of a number, and ours
    "default": {},
    "linear": {"factor": "factor"},
    "llama3": {
        "factor": "factor",
        "low_freq_factor": "low_freq_factor",
        "high_freq_factor": "high_freq_factor",
        "original_max_position_embeddings": "original_context_length",
    },
}

# Fields of any config.json that say how to store, train, label or sample, not what to compute.
HARMLESS = {
    "_attn_implementation", "_attn_implementation_autoset", "_attn_implementation_internal",
    "_commit_hash", "_flash_attn_2_enabled", "_name_or_path", "_num_labels", "architectures",
    "attention_dropout", "attn_implementation", "bad_words_ids", "begin_suppress_tokens",
    "bos_token_id", "cache_implementation", "chunk_size_feed_forward",
    "cross_attention_hidden_size", "custom_pipelines", "decoder_start_token_id",
    "diversity_penalty", "do_sample", "dtype", "early_stopping", "encoder_no_repeat_ngram_size",
    "exponential_decay_length_penalty", "finetuning_task", "forced_bos_token_id",
    "forced_eos_token_id", "gradient_checkpointing", "id2label", "initializer_range", "is_decoder",
    "label2id", "length_penalty", "max_length", "min_length", "model_max_length", "model_type",
    "neftune_noise_alpha", "no_repeat_ngram_size",
    "num_beam_groups", "num_beams", "num_labels", "num_return_sequences", "output_attentions",
    "output_hidden_states", "output_scores", "pad_token_id", "prefix", "problem_type",
    "remove_invalid_values", "repetition_penalty", "return_dict", "return_dict_in_generate",
    "sep_token_id", "suppress_tokens", "task_specific_params", "temperature", "tf_legacy_loss",
    "tie_encoder_decoder", "tokenizer_class", "top_k", "top_p", "torch_dtype", "torchscript",
    "transformers.js_config", "transformers_version", "typical_p", "unk_token_id", "unsloth_fixed",
    "unsloth_version", "use_bfloat16", "use_cache",
}  # fmt: skip
FIXED = {
    "add_cross_attention": False, "is_encoder_decoder": False, "pruned_heads": {},
    "quantization_config": None,
}  # fmt: skip


class Field(NamedTuple):
    """A used field: its JSON types, its value where config.json lacks it, its ModelConfig name."""

    types: tuple[type, ...]
    default: object
    ours: str | None = None


SIZE, SIZE_OR_NULL, NUMBER, FLAG, TEXT = (int,), (int, NoneType), (int, float), (bool,), (str,)
DICT_OR_NULL, LIST_OR_NULL, EOS = (dict, NoneType), (list, NoneType), (int, list, NoneType)
ROPE_FIELDS = {name: Field(DICT_OR_NULL, None) for name in ("rope_parameters", "rope_scaling")}


@dataclass(frozen=True)
class Family:
    """How the checkpoints of one family are read.

    Attributes:
        prefix: what the tensors' names begin with, or may leave out.
        used, fixed, harmless: the config fields, as above.
        settings: the used fields -> further fields of ModelConfig.
        modules: their modules -> ours, "*" for the layer; three of ours where one of theirs holds
            queries, keys and values.
        aliases: other names of used fields and of tensors -> the names above.
        unbiased: the used fields -> modules of theirs without a bias where ours have one (it is 0).
        per_head: the fused rows are q, k, v of head 0, then of head 1, …; else all q, all k, all v.
        transposed: the matrices are stored as (inputs, outputs), as GPT-2's Conv1D does.
        folded: the used fields, our name of a tensor, the tensor -> our tensor, with settings that
            our config lacks folded into the weights.
    """

    prefix: str
    used: dict[str, Field]
    settings: Callable[[dict], dict]
    modules: dict[str, str | tuple[str, ...]]
    fixed: dict[str, object] = field(default_factory=dict)
    harmless: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    unbiased: Callable[[dict], tuple[str, ...]] = lambda fields: ()
    per_head: bool = False
    transposed: bool = False
    folded: Callable[[dict, str, Tensor], Tensor] = lambda fields, name, tensor: tensor


def activation(fields: dict, name: str, known: dict[str, str]) -> str:
    """Our name for an activation.

    Raises:
        ValueError: it is not supported.
    """
    if fields[name] not in known:
        raise ValueError(f"{name}={fields[name]!r} is not supported; supported are {sorted(known)}")
    return known[fields[name]]


def rope(fields: dict, theta: str, fraction: str | None = None) -> dict:
    """RoPE's settings from `rope_parameters`, or from the older fields `rope_scaling` and `theta`.

    Args:
        fields: the used fields; `rope_scaling` takes precedence over `rope_parameters`.
        theta, fraction: the fields of the base and of the part that is turned, used if the
            dictionary does not say. None: the family turns the whole head.

    Raises:
        ValueError: a setting is missing, unknown or out of range.
    """
    source = "rope_scaling" if fields["rope_scaling"] else "rope_parameters"
    given = dict(fields[source] or {})
    kind = given.pop("type", "default")
    kind = given.pop("rope_type", kind)
    if not isinstance(kind, str) or kind not in ROPE_SCALING:
        known = sorted(ROPE_SCALING)
        raise ValueError(f"{source}: rope_type {kind!r} is not supported; {known} are")
    base = given.pop("rope_theta", fields[theta])
    part = given.pop("partial_rotary_factor", fields[fraction] if fraction else 1.0)
    if fraction is None and part != 1:
        raise ValueError(f"{source}: partial_rotary_factor={part!r} is not supported here")
    if kind == "llama3":
        given.setdefault("original_max_position_embeddings", fields["max_position_embeddings"])
    names = ROPE_SCALING[kind]
    if given.keys() != names.keys():
        raise ValueError(f"{source}: {kind!r} needs {sorted(names)}, got {sorted(given)}")
    for name, value in {"rope_theta": base, "partial_rotary_factor": part, **given}.items():
        if not is_positive(value):
            raise ValueError(f"{source}: {name} must be a positive number, got {value!r}")
    if kind == "llama3" and given["high_freq_factor"] <= given["low_freq_factor"]:
        raise ValueError(f"{source}: high_freq_factor must be above low_freq_factor")
    scaling = {"type": kind} | {names[name]: value for name, value in given.items()}
    return {
        "rope_theta": float(base), "rope_fraction": float(part),
        "rope_scaling": None if kind == "default" else scaling,
    }  # fmt: skip


def layers_with_window(kinds: list, n_layers: int, size: int | None) -> dict:
    """The settings of a sliding window, given the kind of each layer's attention.

    Raises:
        ValueError: the kinds do not fit the layers, or the window has no size.
    """
    known = ("full_attention", "sliding_attention")
    if len(kinds) != n_layers or any(kind not in known for kind in kinds):
        raise ValueError(
            f"layer_types must name one of {known} for each of the {n_layers} layers, got "
            f"{len(kinds)}: {kinds[:8]}"
        )
    layers = tuple(i for i, kind in enumerate(kinds) if kind == "sliding_attention")
    if layers and size is None:
        raise ValueError("layer_types: 'sliding_attention' needs a sliding_window")
    return {
        "sliding_window": size if layers else None,
        "window_layers": layers if 0 < len(layers) < n_layers else None,
    }


def is_positive(value: object) -> bool:
    """Whether it is a positive, finite number."""
    return type(value) in NUMBER and math.isfinite(value) and value > 0
