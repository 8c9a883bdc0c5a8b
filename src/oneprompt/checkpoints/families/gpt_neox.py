"""GPT-NeoX and Pythia (Black et al. 2022, Biderman et al. 2023): partial RoPE, parallel residual.

With a sequential residual it is also the reference model's family, and the format of `export_hf`.
"""

from .base import ACTIVATIONS, EOS, FLAG, NUMBER, QKV, ROPE_FIELDS, SIZE, TEXT, Family, Field, rope
from .base import activation as activation_of


def settings(fields: dict) -> dict:
    turned = rope(fields, theta="rotary_emb_base", fraction="rotary_pct")
    # Some versions write these two beside the fields in use; `transformers` ignores them.
    for name, ours in (("rope_theta", "rope_theta"), ("partial_rotary_factor", "rope_fraction")):
        if fields[name] not in (None, turned[ours]):
            raise ValueError(f"{name}={fields[name]!r} contradicts the {turned[ours]} in use")
    head_dim = fields["hidden_size"] // fields["num_attention_heads"]
    if (n_turned := int(head_dim * turned["rope_fraction"])) < 2 or n_turned % 2:
        raise ValueError(
            "rotary_pct, or partial_rotary_factor in rope_parameters, must turn whole pairs, not "
            f"{n_turned} of the hidden_size / num_attention_heads = {head_dim} numbers of a head"
        )
    return turned | {
        "activation": activation_of(fields, "hidden_act", ACTIVATIONS),
        "qkv_bias": fields["attention_bias"],
    }


HARMLESS = {"hidden_dropout", "classifier_dropout", "attention_probs_dropout_prob",
            "hidden_dropout_prob"}  # fmt: skip

GPT_NEOX = Family(
    prefix="gpt_neox.",
    used={
        "vocab_size": Field(SIZE, 50432, "vocab_size"),
        "max_position_embeddings": Field(SIZE, 2048, "context_length"),
        "hidden_size": Field(SIZE, 6144, "d_model"),
        "num_hidden_layers": Field(SIZE, 44, "n_layers"),
        "num_attention_heads": Field(SIZE, 64, "n_heads"),
        "intermediate_size": Field(SIZE, 24576, "d_ff"),
        "hidden_act": Field(TEXT, "gelu"),
        "layer_norm_eps": Field(NUMBER, 1e-5, "norm_eps"),
        "use_parallel_residual": Field(FLAG, True, "parallel_residual"),
        "attention_bias": Field(FLAG, True),
        "tie_word_embeddings": Field(FLAG, False, "tie_embeddings"),
        "rotary_emb_base": Field(NUMBER, 10_000.0),
        "rotary_pct": Field(NUMBER, 0.25),
        "rope_theta": Field((*NUMBER, type(None)), None),
        "partial_rotary_factor": Field((*NUMBER, type(None)), None),
        "eos_token_id": Field(EOS, 2),
        **ROPE_FIELDS,
    },
    settings=settings,
    modules={
        "embed_in": "embedding",
        "layers.*.input_layernorm": "blocks.*.norm1",
        "layers.*.attention.query_key_value": QKV,
        "layers.*.attention.dense": "blocks.*.attention.output",
        "layers.*.post_attention_layernorm": "blocks.*.norm2",
        "layers.*.mlp.dense_h_to_4h": "blocks.*.feedforward.up",
        "layers.*.mlp.dense_4h_to_h": "blocks.*.feedforward.down",
        "final_layer_norm": "final_norm",
        "embed_out": "output",
    },
    per_head=True,
    unbiased=lambda fields: () if fields["attention_bias"] else ("layers.*.attention.dense",),
    harmless=HARMLESS,
    aliases={"lm_head.weight": "embed_out.weight"},
)
