"""BLOOM (BigScience 2022): ALiBi, a LayerNorm after the embedding, GELU, everything with a bias."""

from .base import EOS, FLAG, NUMBER, QKV, SIZE, Family, Field


def settings(fields: dict) -> dict:
    return {"position": "alibi", "embedding_norm": True}


HARMLESS = {
    "hidden_dropout", "pretraining_tp", "attention_softmax_in_fp32", "bias_dropout_fusion",
    "masked_softmax_fusion", "offset_alibi", "skip_bias_add",
}  # fmt: skip

BLOOM = Family(
    prefix="transformer.",
    used={
        "vocab_size": Field(SIZE, 250880, "vocab_size"),
        "hidden_size": Field(SIZE, 64, "d_model"),
        "n_layer": Field(SIZE, 2, "n_layers"),
        "n_head": Field(SIZE, 8, "n_heads"),
        # ALiBi has no last position; the text that BLOOM was trained on was this long.
        "seq_length": Field(SIZE, 2048, "context_length"),
        "layer_norm_epsilon": Field(NUMBER, 1e-5, "norm_eps"),
        "tie_word_embeddings": Field(FLAG, True, "tie_embeddings"),
        "eos_token_id": Field(EOS, 2),
    },
    settings=settings,
    modules={
        "word_embeddings": "embedding",
        "word_embeddings_layernorm": "embedding_norm",
        "h.*.input_layernorm": "blocks.*.norm1",
        "h.*.self_attention.query_key_value": QKV,
        "h.*.self_attention.dense": "blocks.*.attention.output",
        "h.*.post_attention_layernorm": "blocks.*.norm2",
        "h.*.mlp.dense_h_to_4h": "blocks.*.feedforward.up",
        "h.*.mlp.dense_4h_to_h": "blocks.*.feedforward.down",
        "ln_f": "final_norm",
        "lm_head": "output",
    },
    per_head=True,
    fixed={
        "apply_residual_connection_post_layernorm": False,
        "slow_but_exact": False,
        "n_inner": None,  # the width is always 4 · hidden_size
        "skip_bias_add_qkv": False,
    },
    harmless=HARMLESS,
    aliases={
        "n_embed": "hidden_size",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    },
)
