"""Llama and its relatives: RMSNorm, RoPE, SwiGLU, grouped queries, hardly a bias.

Llama and SmolLM (Touvron et al. 2023), Mistral with a sliding window (Jiang et al. 2023), Qwen2
with biases on queries, keys and values (Yang et al. 2024).
"""

from .base import (
    EOS,
    FLAG,
    GATED,
    LIST_OR_NULL,
    NUMBER,
    ROPE_FIELDS,
    SIZE,
    SIZE_OR_NULL,
    TEXT,
    Family,
    Field,
    rope,
)
from .base import activation as activation_of

ATTENTION, FEEDFORWARD = "layers.*.self_attn.", "layers.*.mlp."
MODULES = {
    "embed_tokens": "embedding",
    "layers.*.input_layernorm": "blocks.*.norm1",
    f"{ATTENTION}q_proj": "blocks.*.attention.query",
    f"{ATTENTION}k_proj": "blocks.*.attention.key",
    f"{ATTENTION}v_proj": "blocks.*.attention.value",
    f"{ATTENTION}o_proj": "blocks.*.attention.output",
    "layers.*.post_attention_layernorm": "blocks.*.norm2",
    f"{FEEDFORWARD}gate_proj": "blocks.*.feedforward.gate",
    f"{FEEDFORWARD}up_proj": "blocks.*.feedforward.up",
    f"{FEEDFORWARD}down_proj": "blocks.*.feedforward.down",
    "norm": "final_norm",
    "lm_head": "output",
}
USED = {  # by all three; the sizes' defaults are Llama's
    "vocab_size": Field(SIZE, 32000, "vocab_size"),
    "max_position_embeddings": Field(SIZE, 2048, "context_length"),
    "hidden_size": Field(SIZE, 4096, "d_model"),
    "num_hidden_layers": Field(SIZE, 32, "n_layers"),
    "num_attention_heads": Field(SIZE, 32, "n_heads"),
    "num_key_value_heads": Field(SIZE_OR_NULL, None, "n_kv_heads"),
    "head_dim": Field(SIZE_OR_NULL, None, "head_dim"),
    "intermediate_size": Field(SIZE, 11008, "d_ff"),
    "hidden_act": Field(TEXT, "silu"),
    "rms_norm_eps": Field(NUMBER, 1e-6, "norm_eps"),
    "tie_word_embeddings": Field(FLAG, False, "tie_embeddings"),
    "rope_theta": Field(NUMBER, 10_000.0),
    "eos_token_id": Field(EOS, 2),
    **ROPE_FIELDS,
}


def settings(fields: dict) -> dict:
    return rope(fields, theta="rope_theta") | {
        "norm": "rmsnorm",
        "activation": activation_of(fields, "hidden_act", GATED),
        "bias": False,
    }


def llama_settings(fields: dict) -> dict:
    biased = fields["attention_bias"] or fields["mlp_bias"]
    return settings(fields) | {"bias": biased, "qkv_bias": fields["attention_bias"]}


def llama_unbiased(fields: dict) -> tuple[str, ...]:
    attention = () if fields["attention_bias"] else (f"{ATTENTION}o_proj",)
    names = [f"{FEEDFORWARD}{name}_proj" for name in ("gate", "up", "down")]
    return attention + (() if fields["mlp_bias"] else tuple(names))


def qwen2_settings(fields: dict) -> dict:
    """The window counts if `use_sliding_window` says so, and must be in all layers or in none."""
    n_layers, window = fields["num_hidden_layers"], fields["sliding_window"]
    slides = fields["use_sliding_window"] and window is not None
    first = fields["max_window_layers"] if slides else n_layers  # the layers before it see all
    kinds = fields["layer_types"]
    if kinds is None:
        kinds = ["full_attention"] * min(first, n_layers)
        kinds += ["sliding_attention"] * (n_layers - len(kinds))
    if len(kinds) != n_layers or kinds.count(kinds[0]) != n_layers:
        raise ValueError(
            f"layer_types and max_window_layers={fields['max_window_layers']} must give all "
            f"{n_layers} layers the same attention, got {kinds[:8]}"
        )
    if kinds[0] != "full_attention" and (kinds[0] != "sliding_attention" or not slides):
        raise ValueError(f"layer_types: {kinds[0]!r} does not go with sliding_window={window}")
    window = window if kinds[0] == "sliding_attention" else None
    return settings(fields) | {"qkv_bias": True, "sliding_window": window}


LLAMA = Family(
    prefix="model.",
    used=USED | {"attention_bias": Field(FLAG, False), "mlp_bias": Field(FLAG, False)},
    settings=llama_settings,
    modules=MODULES,
    unbiased=llama_unbiased,
    fixed={"rope_interleaved": False},
    harmless={"is_llama_config", "pretraining_tp", "max_sequence_length"},
)
MISTRAL = Family(
    prefix="model.",
    used=USED | {
        "intermediate_size": Field(SIZE, 14336, "d_ff"),
        "num_key_value_heads": Field(SIZE_OR_NULL, 8, "n_kv_heads"),
        "max_position_embeddings": Field(SIZE, 4096 * 32, "context_length"),
        "sliding_window": Field(SIZE_OR_NULL, 4096, "sliding_window"),
    },
    settings=settings,
    modules=MODULES,
)  # fmt: skip
QWEN2 = Family(
    prefix="model.",
    used=USED | {
        "vocab_size": Field(SIZE, 151936, "vocab_size"),
        "intermediate_size": Field(SIZE, 22016, "d_ff"),
        "num_key_value_heads": Field(SIZE_OR_NULL, 32, "n_kv_heads"),
        "max_position_embeddings": Field(SIZE, 32768, "context_length"),
        "use_sliding_window": Field(FLAG, False),
        "sliding_window": Field(SIZE_OR_NULL, 4096),
        "max_window_layers": Field(SIZE, 28),
        "layer_types": Field(LIST_OR_NULL, None),
        "eos_token_id": Field(EOS, None),
    },
    settings=qwen2_settings,
    modules=MODULES,
    fixed={"use_mrope": False},
)  # fmt: skip
