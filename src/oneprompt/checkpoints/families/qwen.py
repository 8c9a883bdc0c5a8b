"""Qwen2 and Qwen3: Llama with biases on queries, keys and values, or norms on queries and keys.

Qwen2 (Yang et al. 2024) has the biases, Qwen3 (Yang et al. 2025) an RMSNorm on the queries and keys
of each head in their place. Both may have a sliding window from some layer on.
"""

from .base import EOS, FLAG, LIST_OR_NULL, SIZE, SIZE_OR_NULL, Family, Field, layers_with_window
from .llama import ATTENTION, MODULES, USED, llama_settings, llama_unbiased, settings

WINDOW = {
    "use_sliding_window": Field(FLAG, False),
    "sliding_window": Field(SIZE_OR_NULL, 4096),
    "max_window_layers": Field(SIZE, 28),
    "layer_types": Field(LIST_OR_NULL, None),
}


def window(fields: dict) -> dict:
    """The window applies if `use_sliding_window` is set, in the layers that `layer_types` names."""
    n_layers, size = fields["num_hidden_layers"], fields["sliding_window"]
    size = size if fields["use_sliding_window"] else None
    kinds = fields["layer_types"]
    if kinds is None:
        first = fields["max_window_layers"] if size is not None else n_layers
        kinds = ["full_attention"] * min(first, n_layers)
        kinds += ["sliding_attention"] * (n_layers - len(kinds))
    return layers_with_window(kinds, n_layers, size)


def qwen2_settings(fields: dict) -> dict:
    return settings(fields) | {"qkv_bias": True} | window(fields)


def qwen3_settings(fields: dict) -> dict:
    no_bias_there = fields | {"mlp_bias": False}
    return llama_settings(no_bias_there) | {"qk_norm": True} | window(fields)


QWEN2 = Family(
    prefix="model.",
    used=USED | WINDOW | {
        "vocab_size": Field(SIZE, 151936, "vocab_size"),
        "intermediate_size": Field(SIZE, 22016, "d_ff"),
        "num_key_value_heads": Field(SIZE_OR_NULL, 32, "n_kv_heads"),
        "max_position_embeddings": Field(SIZE, 32768, "context_length"),
        "eos_token_id": Field(EOS, None),
    },
    settings=qwen2_settings,
    modules=MODULES,
    fixed={"use_mrope": False},
)  # fmt: skip
QWEN3 = Family(
    prefix="model.",
    used=QWEN2.used | {
        "head_dim": Field(SIZE, 128, "head_dim"),
        "attention_bias": Field(FLAG, False),
    },
    settings=qwen3_settings,
    modules=MODULES | {
        f"{ATTENTION}q_norm": "blocks.*.attention.query_norm",
        f"{ATTENTION}k_norm": "blocks.*.attention.key_norm",
    },
    unbiased=lambda fields: llama_unbiased(fields | {"mlp_bias": False}),
)  # fmt: skip
