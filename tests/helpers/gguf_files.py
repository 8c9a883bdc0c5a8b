"""Small GGUF files: models of `transformers` as llama.cpp writes them, and bytes by hand.

Written with the `gguf` package's writer. What llama.cpp's converter does to names and rows is
repeated here: https://github.com/ggml-org/llama.cpp/blob/master/convert_hf_to_gguf.py.
"""

import re
import struct
from pathlib import Path

import gguf
import numpy as np

NAMES = {  # of `transformers` -> of GGUF
    r"model\.embed_tokens|transformer\.wte": "token_embd",
    r"transformer\.wpe": "position_embd",
    r"model\.norm|transformer\.ln_f": "output_norm",
    r"lm_head": "output",
    r"(?:model\.layers|transformer\.h)\.(\d+)\.(?:input_layernorm|ln_1)": r"blk.\1.attn_norm",
    r"model\.layers\.(\d+)\.self_attn\.([qkv])_proj": r"blk.\1.attn_\2",
    r"model\.layers\.(\d+)\.self_attn\.o_proj": r"blk.\1.attn_output",
    r"model\.layers\.(\d+)\.self_attn\.([qk])_norm": r"blk.\1.attn_\2_norm",
    r"model\.layers\.(\d+)\.mlp\.(gate|up|down)_proj": r"blk.\1.ffn_\2",
    r"(?:model\.layers|transformer\.h)\.(\d+)\.(?:post_attention_layernorm|ln_2)": (
        r"blk.\1.ffn_norm"
    ),
    r"transformer\.h\.(\d+)\.attn\.c_attn": r"blk.\1.attn_qkv",
    r"transformer\.h\.(\d+)\.attn\.c_proj": r"blk.\1.attn_output",
    r"transformer\.h\.(\d+)\.mlp\.c_fc": r"blk.\1.ffn_up",
    r"transformer\.h\.(\d+)\.mlp\.c_proj": r"blk.\1.ffn_down",
}

GEMMA3 = {
    r"model\.layers\.(\d+)\.post_attention_layernorm": r"blk.\1.post_attention_norm",
    r"model\.layers\.(\d+)\.pre_feedforward_layernorm": r"blk.\1.ffn_norm",
    r"model\.layers\.(\d+)\.post_feedforward_layernorm": r"blk.\1.post_ffw_norm",
}


def renamed(name: str, architecture: str) -> str:
    module, _, kind = name.rpartition(".")
    for theirs, ours in (GEMMA3 | NAMES if architecture == "gemma3" else NAMES).items():
        if match := re.fullmatch(theirs, module):
            return f"{match.expand(ours)}.{kind}"
    raise KeyError(name)


def interleaved(rows: np.ndarray, n_heads: int) -> np.ndarray:
    """The order of rows that llama.cpp's RoPE expects: pairs next to each other."""
    heads = rows.reshape(n_heads, 2, -1, *rows.shape[1:])
    return heads.swapaxes(1, 2).reshape(rows.shape)


def metadata_of(config, architecture: str) -> dict:
    """What the converter writes for a config of `transformers`."""
    rms = architecture != "gpt2"
    epsilon = "attention.layer_norm_rms_epsilon" if rms else "attention.layer_norm_epsilon"
    found = {
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "block_count": config.num_hidden_layers,
        "feed_forward_length": (
            config.intermediate_size if rms else config.n_inner or 4 * config.n_embd
        ),
        "attention.head_count": config.num_attention_heads,
        epsilon: config.rms_norm_eps if rms else config.layer_norm_epsilon,
    }
    if rms:
        head_dim = getattr(config, "head_dim", None) or (
            config.hidden_size // config.num_attention_heads
        )
        found |= {
            "attention.head_count_kv": config.num_key_value_heads,
            "attention.key_length": head_dim,
            "attention.value_length": head_dim,
        }
    if architecture == "gemma3":
        rope = config.rope_parameters["full_attention"]
        found |= {
            "attention.sliding_window": config.sliding_window,
            "rope.freq_base": rope["rope_theta"],
        }
        if "factor" in rope:
            found |= {"rope.scaling.type": rope["rope_type"], "rope.scaling.factor": rope["factor"]}
    elif rms:
        found["rope.freq_base"] = config.rope_parameters["rope_theta"]
    return found


def tensors_of(model, architecture: str) -> dict[str, np.ndarray]:
    """The tensors as the converter names and orders them."""
    config, found = model.config, {}
    for name, tensor in model.state_dict().items():
        values, new = tensor.float().numpy(), renamed(name, architecture)
        if architecture == "gemma3" and "norm" in new:
            values = values + 1
        if architecture == "gpt2" and values.ndim == 2 and new.startswith("blk"):
            values = values.T
        if architecture == "llama" and ".attn_q." in new:
            values = interleaved(values, config.num_attention_heads)
        if architecture == "llama" and ".attn_k." in new:
            values = interleaved(values, config.num_key_value_heads)
        found[new] = np.ascontiguousarray(values)
    if config.tie_word_embeddings:
        del found["output.weight"]
    return found


def write(path: Path, architecture: str, metadata: dict, tensors: dict, kind: str = "F32") -> Path:
    """A file; matrices are stored as `kind`, vectors as fp32, as llama.cpp does."""
    writer = gguf.GGUFWriter(path, architecture)
    for name, value in metadata.items():
        put(writer, name if "." in name and not is_part(name) else f"{architecture}.{name}", value)
    for name, values in tensors.items():
        stored = gguf.GGMLQuantizationType[kind if values.ndim > 1 else "F32"]
        writer.add_tensor(name, gguf.quantize(values, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def is_part(name: str) -> bool:
    """Whether a metadata name lacks the architecture as its prefix."""
    return name.split(".")[0] in ("attention", "rope")


def put(writer: gguf.GGUFWriter, name: str, value) -> None:
    add = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32,
           str: writer.add_string, list: writer.add_array}  # fmt: skip
    add[type(value)](name, value)


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def by_hand(fields=(), infos=(), data=b"", version=3, magic=b"GGUF", counts=None) -> bytes:
    """A file as bytes: fields are (name, type, bytes), infos (name, sizes, type, offset)."""
    n_infos, n_fields = counts or (len(infos), len(fields))
    content = magic + struct.pack("<IQQ", version, n_infos, n_fields)
    for name, kind, value in fields:
        content += text(name) + struct.pack("<I", kind) + value
    for name, sizes, kind, offset in infos:
        content += text(name) + struct.pack("<I", len(sizes))
        content += struct.pack(f"<{len(sizes)}QIQ", *sizes, kind, offset)
    return content + bytes(-len(content) % 32) + data
