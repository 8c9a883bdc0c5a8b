"""GPT-2 (Radford et al. 2019): learned positions, LayerNorm, GELU, everything with a bias."""

from .base import ACTIVATIONS, EOS, FLAG, NUMBER, QKV, SIZE, SIZE_OR_NULL, TEXT, Family, Field
from .base import activation as activation_of


def settings(fields: dict) -> dict:
    return {
        "position": "learned",
        "activation": activation_of(fields, "activation_function", ACTIVATIONS),
    }


HARMLESS = {  # the last one asks for fp32 where a model runs in less; ours runs in fp32
    "n_ctx", "resid_pdrop", "embd_pdrop", "attn_pdrop", "summary_type", "summary_use_proj",
    "summary_activation", "summary_proj_to_labels", "summary_first_dropout",
    "reorder_and_upcast_attn", "n_special", "predict_special_tokens", "output_past",
}  # fmt: skip

GPT2 = Family(
    prefix="transformer.",
    used={
        "vocab_size": Field(SIZE, 50257, "vocab_size"),
        "n_positions": Field(SIZE, 1024, "context_length"),
        "n_embd": Field(SIZE, 768, "d_model"),
        "n_layer": Field(SIZE, 12, "n_layers"),
        "n_head": Field(SIZE, 12, "n_heads"),
        "n_inner": Field(SIZE_OR_NULL, None, "d_ff"),
        "activation_function": Field(TEXT, "gelu_new"),
        "layer_norm_epsilon": Field(NUMBER, 1e-5, "norm_eps"),
        "tie_word_embeddings": Field(FLAG, True, "tie_embeddings"),
        "eos_token_id": Field(EOS, 50256),
    },
    settings=settings,
    modules={
        "wte": "embedding",
        "wpe": "position_embedding",
        "h.*.ln_1": "blocks.*.norm1",
        "h.*.attn.c_attn": QKV,
        "h.*.attn.c_proj": "blocks.*.attention.output",
        "h.*.ln_2": "blocks.*.norm2",
        "h.*.mlp.c_fc": "blocks.*.feedforward.up",
        "h.*.mlp.c_proj": "blocks.*.feedforward.down",
        "ln_f": "final_norm",
        "lm_head": "output",
    },
    transposed=True,
    fixed={"scale_attn_weights": True, "scale_attn_by_inverse_layer_idx": False},
    harmless=HARMLESS,
    aliases={
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    },
)
