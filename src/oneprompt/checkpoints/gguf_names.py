"""GGUF's names of modules and metadata for each architecture, and ours."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from .families import gemma3
from .families.base import QKV

ATTENTION, FEEDFORWARD = "blocks.*.attention.", "blocks.*.feedforward."
MODULES = {  # the names of GGUF's modules -> ours
    "token_embd": "embedding",
    "output_norm": "final_norm",
    "output": "output",
    "blk.*.attn_norm": "blocks.*.norm1",
    "blk.*.attn_output": f"{ATTENTION}output",
    "blk.*.ffn_norm": "blocks.*.norm2",
    "blk.*.ffn_up": f"{FEEDFORWARD}up",
    "blk.*.ffn_down": f"{FEEDFORWARD}down",
}
GPT2 = {"position_embd": "position_embedding", "blk.*.attn_qkv": QKV}
LLAMA = {
    "blk.*.attn_q": f"{ATTENTION}query",
    "blk.*.attn_k": f"{ATTENTION}key",
    "blk.*.attn_v": f"{ATTENTION}value",
    "blk.*.ffn_gate": f"{FEEDFORWARD}gate",
}
QWEN3 = LLAMA | {
    "blk.*.attn_q_norm": f"{ATTENTION}query_norm",
    "blk.*.attn_k_norm": f"{ATTENTION}key_norm",
}
GEMMA3 = QWEN3 | {
    "blk.*.post_attention_norm": "blocks.*.post_norm1",
    "blk.*.post_ffw_norm": "blocks.*.post_norm2",
}
FIELDS = {  # the metadata's names, without the architecture's -> those of config.json
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "block_count": "num_hidden_layers",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "attention.layer_norm_epsilon": "layer_norm_epsilon",
    "rope.freq_base": "rope_theta",
    "vocab_size": "vocab_size",
}
WINDOW_FIELDS = FIELDS | {
    "attention.sliding_window": "sliding_window",
    "attention.sliding_window_pattern": "sliding_window_pattern",
    "rope.freq_base_swa": "rope_local_base_freq",
}
REQUIRED = ("context_length", "embedding_length", "block_count", "feed_forward_length",
            "attention.head_count")  # fmt: skip
RMS_EPSILON, EPSILON = "attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon"


class Architecture(NamedTuple):
    """The `model_type` of a general.architecture, its modules besides the common ones, its fields.

    turned: whether the rows of queries and keys are in the order of interleaved RoPE.
    folded: as in `Family`; llama.cpp adds Gemma's 1 to the norms itself.
    """

    model_type: str
    modules: dict[str, str | tuple[str, ...]]
    fields: dict[str, str] = FIELDS
    epsilon: str = RMS_EPSILON
    turned: bool = False
    folded: Callable[[dict, str, Tensor], Tensor] = lambda fields, name, tensor: tensor


ARCHITECTURES = {
    "llama": Architecture("llama", LLAMA, turned=True),
    "qwen2": Architecture("qwen2", LLAMA),
    "qwen3": Architecture("qwen3", QWEN3),
    "gemma3": Architecture("gemma3_text", GEMMA3, WINDOW_FIELDS, folded=gemma3.scaled),
    "gpt2": Architecture("gpt2", GPT2, FIELDS | {"feed_forward_length": "n_inner"}, EPSILON),
}
