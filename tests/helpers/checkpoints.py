"""Small random checkpoints of every family, as `transformers` writes them.

    python tests/helpers/checkpoints.py

prints the table of families and shapes with the largest difference between its logits and ours.
"""

import copy
import json
import os
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # nothing here may use the network
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    Gemma3TextConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
)

import oneprompt as op

transformers.utils.logging.disable_progress_bar()

TOLERANCE = 1e-4
CONTEXT = 96
GPT2 = {"vocab_size": 61, "n_positions": CONTEXT, "n_embd": 24, "n_layer": 2, "n_head": 4}
BLOOM = {"vocab_size": 61, "hidden_size": 24, "n_layer": 2, "n_head": 4, "seq_length": CONTEXT}
OTHERS = {
    "vocab_size": 61, "max_position_embeddings": CONTEXT, "hidden_size": 32,
    "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 44,
}  # fmt: skip
GROUPED = OTHERS | {"num_key_value_heads": 2}
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500_000.0, "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 32,
}  # fmt: skip
GEMMA = GROUPED | {"head_dim": 8, "query_pre_attn_scalar": 8}
LINEAR = {"rope_type": "linear", "rope_theta": 1000.0, "factor": 4.0}


def neox_rope(fraction: float, **more) -> dict:
    return {
        "rope_type": "default",
        "rope_theta": 10_000.0,
        "partial_rotary_factor": fraction,
    } | more


SHAPES = {  # (family, shape) -> the config class and its fields
    ("gpt2", "small"): (GPT2Config, GPT2),
    ("gpt2", "5 heads of 6, n_inner 50, exact GELU"): (
        GPT2Config,
        GPT2 | {"n_embd": 30, "n_head": 5, "n_inner": 50, "activation_function": "gelu"},
    ),
    ("gpt2", "1 head, 3 layers, ReLU"): (
        GPT2Config,
        GPT2 | {"n_embd": 14, "n_head": 1, "n_layer": 3, "activation_function": "relu"},
    ),
    ("gpt2", "untied"): (GPT2Config, GPT2 | {"tie_word_embeddings": False}),
    ("gpt_neox", "parallel, a quarter turned"): (GPTNeoXConfig, OTHERS),
    ("gpt_neox", "sequential, all turned, tied, tanh GELU"): (
        GPTNeoXConfig,
        OTHERS
        | {
            "use_parallel_residual": False, "rope_parameters": neox_rope(1.0),
            "tie_word_embeddings": True, "hidden_act": "gelu_new",
        },
    ),
    ("gpt_neox", "3 heads of 12, half turned, base 500"): (
        GPTNeoXConfig,
        OTHERS
        | {
            "hidden_size": 36, "num_attention_heads": 3,
            "rope_parameters": neox_rope(0.5, rope_theta=500.0),
        },
    ),
    ("gpt_neox", "no biases in attention"): (GPTNeoXConfig, OTHERS | {"attention_bias": False}),
    ("gpt_neox", "linear RoPE scaling, half turned"): (
        GPTNeoXConfig,
        OTHERS | {"rope_parameters": neox_rope(0.5, rope_type="linear", factor=2.0)},
    ),
    ("llama", "multi-head"): (LlamaConfig, OTHERS),
    ("llama", "grouped, tied, base 500,000"): (
        LlamaConfig,
        GROUPED
        | {
            "tie_word_embeddings": True,
            "rope_parameters": {"rope_type": "default", "rope_theta": 500_000.0},
        },
    ),
    ("llama", "multi-query, 3 layers, eps 1e-3"): (
        LlamaConfig,
        OTHERS | {"num_key_value_heads": 1, "num_hidden_layers": 3, "rms_norm_eps": 1e-3},
    ),
    ("llama", "heads of 20 on 32 dimensions"): (LlamaConfig, GROUPED | {"head_dim": 20}),
    ("llama", "Llama 3 RoPE scaling, heads of 32"): (
        LlamaConfig,
        GROUPED | {"rope_parameters": LLAMA3, "head_dim": 32},
    ),
    ("llama", "linear RoPE scaling"): (LlamaConfig, GROUPED | {"rope_parameters": LINEAR}),
    ("llama", "biases in attention"): (LlamaConfig, GROUPED | {"attention_bias": True}),
    ("llama", "biases in the feed-forward"): (LlamaConfig, GROUPED | {"mlp_bias": True}),
    ("llama", "biases everywhere"): (
        LlamaConfig,
        GROUPED | {"attention_bias": True, "mlp_bias": True},
    ),
    ("mistral", "window 5"): (MistralConfig, GROUPED | {"sliding_window": 5}),
    ("mistral", "window 2, multi-query"): (
        MistralConfig,
        OTHERS | {"num_key_value_heads": 1, "sliding_window": 2},
    ),
    ("mistral", "4 heads of 8 on 22 dimensions, window 16"): (
        MistralConfig,
        GROUPED | {"hidden_size": 22, "head_dim": 8, "sliding_window": 16},
    ),
    ("mistral", "no window, tied"): (
        MistralConfig,
        GROUPED | {"sliding_window": None, "tie_word_embeddings": True},
    ),
    ("qwen2", "grouped, base 1,000,000"): (
        Qwen2Config,
        GROUPED | {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}},
    ),
    ("qwen2", "14 heads, 2 for keys, tied"): (
        Qwen2Config,
        OTHERS
        | {
            "hidden_size": 56, "num_attention_heads": 14, "num_key_value_heads": 2,
            "tie_word_embeddings": True,
        },
    ),
    ("qwen2", "window 6 in all layers"): (
        Qwen2Config,
        GROUPED | {"use_sliding_window": True, "sliding_window": 6, "max_window_layers": 0},
    ),
    ("qwen2", "window that begins past the last layer, heads of 12"): (
        Qwen2Config,
        GROUPED
        | {
            "use_sliding_window": True, "sliding_window": 6, "max_window_layers": 2, "head_dim": 12,
        },
    ),
    ("qwen2", "window 6 in the last layer"): (
        Qwen2Config,
        GROUPED | {"use_sliding_window": True, "sliding_window": 6, "max_window_layers": 1},
    ),
    ("qwen3", "window 6 in all layers"): (
        Qwen3Config,
        GROUPED
        | {
            "head_dim": 8, "use_sliding_window": True, "sliding_window": 6, "max_window_layers": 0,
        },
    ),
    ("qwen3", "grouped, heads of 16"): (Qwen3Config, GROUPED | {"head_dim": 16}),
    ("qwen3", "multi-head, tied, base 1,000,000"): (
        Qwen3Config,
        OTHERS
        | {
            "head_dim": 8, "tie_word_embeddings": True, "num_key_value_heads": 4,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
        },
    ),
    ("qwen3", "biases, multi-query"): (
        Qwen3Config,
        OTHERS | {"head_dim": 12, "num_key_value_heads": 1, "attention_bias": True},
    ),
    ("qwen3", "window 5 in the first and last of 3 layers"): (
        Qwen3Config,
        GROUPED
        | {
            "head_dim": 8, "num_hidden_layers": 3, "use_sliding_window": True, "sliding_window": 5,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        },
    ),
    ("gemma3_text", "window 5 in 5 of 6 layers"): (
        Gemma3TextConfig,
        GEMMA | {"num_hidden_layers": 6, "sliding_window": 5},
    ),
    ("gemma3_text", "window 7 in every other layer, other scale of scores"): (
        Gemma3TextConfig,
        GEMMA | {"sliding_window": 7, "sliding_window_pattern": 2, "query_pre_attn_scalar": 21},
    ),
    ("gemma3_text", "linear scaling of the global RoPE, 1 key/value head of 20"): (
        Gemma3TextConfig,
        GEMMA
        | {
            "head_dim": 20, "num_key_value_heads": 1, "sliding_window": 4, "rms_norm_eps": 1e-3,
            "num_hidden_layers": 3,
            "layer_types": ["full_attention", "sliding_attention", "full_attention"],
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "rope_theta": 3000.0, "factor": 8.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 50.0},
            },
        },
    ),
    ("gemma3_text", "untied, no window at all"): (
        Gemma3TextConfig,
        GEMMA | {"tie_word_embeddings": False, "layer_types": ["full_attention"] * 2},
    ),
    ("bloom", "4 heads"): (BloomConfig, BLOOM),
    ("bloom", "1 head"): (BloomConfig, BLOOM | {"hidden_size": 10, "n_head": 1}),
    ("bloom", "3 heads, 3 layers"): (BloomConfig, BLOOM | {"n_head": 3, "n_layer": 3}),
    ("bloom", "7 heads, untied"): (
        BloomConfig,
        BLOOM | {"hidden_size": 42, "n_head": 7, "tie_word_embeddings": False},
    ),
    ("bloom", "12 heads"): (BloomConfig, BLOOM | {"hidden_size": 48, "n_head": 12}),
}  # fmt: skip
FAMILIES = list(dict.fromkeys(family for family, _ in SHAPES))


def first_shape(family: str):
    """The config class and fields of a family's first shape."""
    return next(shape for (name, _), shape in SHAPES.items() if name == family)


def random_model(config, seed: int = 0):
    """A `transformers` model whose random weights keep hidden vectors near 1, logits near 5.

    At the usual initial scale of 0.02 all logits are nearly equal, all biases are 0 and all norm
    weights 1, and a comparison would pass whatever the layers do.
    """
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    for name, p in model.named_parameters():
        noise = torch.randn_like(p)
        if p.ndim == 1:
            is_scale = name.endswith("weight")
            p.data = 0.3 * noise + is_scale
        else:
            is_table = any(part in name for part in ("emb", "wte", "wpe", "head"))
            p.data = noise if is_table else noise * p.shape[1] ** -0.5
    return model


def saved_model(folder: Path, config_class, fields: dict, **options):
    """A random model, saved in the folder."""
    # A copy, since a config writes into the dictionaries it is given.
    model = random_model(config_class(**copy.deepcopy(fields)))
    model.save_pretrained(folder, **options)
    return model


def change_config(folder: Path, drop=(), **fields) -> None:
    """Rewrite some fields of config.json."""
    path = Path(folder) / "config.json"
    config = {k: v for k, v in json.loads(path.read_text()).items() if k not in drop}
    path.write_text(json.dumps(config | fields))


def change_tensors(folder: Path, change) -> None:
    """Rewrite model.safetensors with the dictionary of tensors that `change` returns."""
    path = Path(folder) / "model.safetensors"
    save_file(change(load_file(path)), path, metadata={"format": "pt"})


def both(folder: Path):
    """What `transformers` loads from a folder, as fp32, and what we load from it."""
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    return theirs, op.load_pretrained(folder)[0]


def assert_same_logits(theirs, ours: op.Transformer) -> None:
    ids = random_ids(2, 40, ours.config.vocab_size)
    with torch.no_grad():
        expected = theirs(ids, return_dict=True).logits
        torch.testing.assert_close(ours(ids), expected, atol=TOLERANCE, rtol=0)


def random_ids(batch: int, length: int, vocab_size: int = 61) -> torch.Tensor:
    return torch.randint(vocab_size, (batch, length), generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def cached_logits(call, ids: torch.Tensor, pieces=(9, 1, 1, 5, 1, 20)) -> torch.Tensor:
    """Logits of `call(ids)` over the text in pieces, each after the cached ones before it."""
    pieces = (*pieces, ids.shape[1] - sum(pieces))
    return torch.cat([call(part) for part in ids.split(pieces, dim=1)], dim=1)


@torch.no_grad()
def differences(theirs, ours: op.Transformer, length: int = 48) -> dict[str, float]:
    """The largest difference between the logits: one text and three, without and with a cache."""
    found = {}
    for batch in (1, 3):
        ids = random_ids(batch, length, ours.config.vocab_size)
        expected = theirs(ids).logits
        cache = ours.new_cache(batch)
        cached = cached_logits(lambda part, cache=cache: ours(part, cache), ids)
        past = transformers.DynamicCache(config=theirs.config)
        their_cached = cached_logits(
            lambda part, past=past: theirs(part, past_key_values=past, use_cache=True).logits, ids
        )
        for name, a, b in (
            ("full", ours(ids), expected),
            ("cached", cached, expected),
            ("both cached", cached, their_cached),
        ):
            found[f"{name}, batch {batch}"] = (a - b).abs().max().item()
    return found


def main() -> None:
    print(f"{'family':13}{'shape':60}{'logits differ by at most':>26}")
    for (family, shape), (config_class, fields) in SHAPES.items():
        with tempfile.TemporaryDirectory() as folder:
            theirs = saved_model(folder, config_class, fields)
            ours, _ = op.load_pretrained(folder)
            print(f"{family:13}{shape:60}{max(differences(theirs, ours).values()):26.1e}")


if __name__ == "__main__":
    main()


def assert_rounded(path: Path, dtype: torch.dtype) -> None:
    """What is loaded in a dtype are the numbers that are loaded in fp32, rounded."""
    expected, found = (op.load_pretrained(path, dtype=d)[0] for d in (torch.float32, dtype))
    for name, tensor in found.state_dict().items():
        assert tensor.dtype == dtype
        assert torch.equal(tensor, expected.state_dict()[name].to(dtype)), name
