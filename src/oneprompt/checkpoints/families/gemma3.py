"""Gemma 3's text model (Gemma Team 2025): norms before and after, local and global layers, GeGLU.

Queries and keys are normed, token vectors are multiplied by √D, and their table is also the output
matrix. Most layers have a sliding window and their own RoPE.

Two settings are not in our config but go into the weights that we load. Its norms multiply by
1 + weight. Its scores are divided by √query_pre_attn_scalar and not by √d, and since every query
has just been multiplied by a norm's weight, that weight absorbs the ratio of the two.
"""

import math
from types import NoneType

from torch import Tensor

from .base import (
    ACTIVATIONS,
    EOS,
    FLAG,
    LIST_OR_NULL,
    NUMBER,
    ROPE_FIELDS,
    SIZE,
    TEXT,
    Family,
    Field,
    layers_with_window,
    rope,
)
from .base import activation as activation_of
from .llama import ATTENTION, MODULES

GEGLU = {name: "geglu" for name, ours in ACTIVATIONS.items() if ours == "gelu_tanh"}
KINDS = ("full_attention", "sliding_attention")


def settings(fields: dict) -> dict:
    if fields["use_bidirectional_attention"]:
        raise ValueError("use_bidirectional_attention=True is not supported")
    everywhere, local = ropes(fields)
    windows = layers_with_window(
        kinds(fields), fields["num_hidden_layers"], fields["sliding_window"]
    )
    return everywhere | windows | {
        "norm": "rmsnorm",
        "activation": activation_of(fields, "hidden_activation", GEGLU),
        "bias": False, "qk_norm": True, "post_norms": True,
        "embedding_scale": fields["hidden_size"] ** 0.5,
        "window_rope_theta": local["rope_theta"],
    }  # fmt: skip


def ropes(fields: dict) -> tuple[dict, dict]:
    """RoPE's settings for the layers without a window, and for those with one."""
    nested = fields["rope_parameters"] or {}
    if nested.keys() - set(KINDS) or not all(
        isinstance(v, (dict, NoneType)) for v in nested.values()
    ):
        raise ValueError(
            f"rope_parameters must have a dictionary for each of {KINDS}, got {nested!r}"
        )
    if nested and fields["rope_scaling"]:
        raise ValueError("rope_scaling beside rope_parameters: only one of them can apply")
    full, window = ({"rope_parameters": nested.get(kind)} for kind in KINDS)
    everywhere = rope(fields | full, theta="rope_theta")
    local = rope(fields | window | {"rope_scaling": None}, theta="rope_local_base_freq")
    if local["rope_scaling"] is not None:
        raise ValueError("rope_parameters: a scaling for sliding_attention is not supported")
    return everywhere, local


def kinds(fields: dict) -> list:
    """The kind of each layer's attention: as listed, or else every sixth layer sees everything."""
    if fields["layer_types"] is not None:
        return fields["layer_types"]
    every = fields["sliding_window_pattern"]
    if fields["_sliding_window_pattern"] not in (None, every):
        raise ValueError(
            "_sliding_window_pattern needs layer_types: `transformers` reads only those"
        )
    return [KINDS[(i + 1) % every != 0] for i in range(fields["num_hidden_layers"])]


def folded(fields: dict, name: str, tensor: Tensor) -> Tensor:
    """The weight of a norm as we use it; any other tensor as it is."""
    return scaled(fields, name, 1 + tensor.float()) if "norm" in name else tensor


def scaled(fields: dict, name: str, tensor: Tensor) -> Tensor:
    """The weight of the queries' norm, with the scale of the scores folded in."""
    if not name.endswith("query_norm.weight"):
        return tensor
    return tensor * math.sqrt(fields["head_dim"] / fields["query_pre_attn_scalar"])


GEMMA3 = Family(
    prefix="model.",
    used={
        "vocab_size": Field(SIZE, 262208, "vocab_size"),
        "max_position_embeddings": Field(SIZE, 131072, "context_length"),
        "hidden_size": Field(SIZE, 2304, "d_model"),
        "num_hidden_layers": Field(SIZE, 26, "n_layers"),
        "num_attention_heads": Field(SIZE, 8, "n_heads"),
        "num_key_value_heads": Field(SIZE, 4, "n_kv_heads"),
        "head_dim": Field(SIZE, 256, "head_dim"),
        "intermediate_size": Field(SIZE, 9216, "d_ff"),
        "hidden_activation": Field(TEXT, "gelu_pytorch_tanh"),
        "rms_norm_eps": Field(NUMBER, 1e-6, "norm_eps"),
        "tie_word_embeddings": Field(FLAG, True, "tie_embeddings"),
        "query_pre_attn_scalar": Field(NUMBER, 256),
        "sliding_window": Field((int, NoneType), 4096),
        "sliding_window_pattern": Field(SIZE, 6),
        "_sliding_window_pattern": Field((int, NoneType), None),
        "layer_types": Field(LIST_OR_NULL, None),
        "rope_theta": Field(NUMBER, 1_000_000.0),
        "rope_local_base_freq": Field(NUMBER, 10_000.0),
        "use_bidirectional_attention": Field((bool, NoneType), False),
        "eos_token_id": Field(EOS, 1),
        **ROPE_FIELDS,
    },
    settings=settings,
    modules=MODULES | {
        f"{ATTENTION}q_norm": "blocks.*.attention.query_norm",
        f"{ATTENTION}k_norm": "blocks.*.attention.key_norm",
        "layers.*.post_attention_layernorm": "blocks.*.post_norm1",
        "layers.*.pre_feedforward_layernorm": "blocks.*.norm2",
        "layers.*.post_feedforward_layernorm": "blocks.*.post_norm2",
    },
    fixed={
        "attention_bias": False,
        "attn_logit_softcapping": None,
        "final_logit_softcapping": None,
    },
    folded=folded,
)  # fmt: skip
