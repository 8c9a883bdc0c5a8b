"""Llama and its relatives: RMSNorm, RoPE, SwiGLU, grouped queries, few biases.

Llama and SmolLM (Touvron et al. 2023), and Mistral with a sliding window (Jiang et al. 2023).
"""

from .base import (
    EOS,
    FLAG,
    GATED,
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
USED = {  # by Llama and all its relatives; the sizes' defaults are Llama's
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
