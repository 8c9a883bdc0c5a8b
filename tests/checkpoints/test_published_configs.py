"""Published configs: each loads with the right sizes, or one message lists all that is missing.

`configs/README.md` says which of them are verbatim.
"""

import re
from pathlib import Path

import pytest
from checkpoints import transformers  # which then asks no hub

from oneprompt.checkpoints.config import model_config, read_config

CONFIGS = Path(__file__).parent / "configs"
SIZES = ("vocab_size", "context_length", "d_model", "n_layers", "n_heads", "n_kv_heads",
         "head_dim", "d_ff")  # fmt: skip
LOADED = {  # name -> the sizes, and whatever else tells this model from its relatives
    "gpt2": ((50257, 1024, 768, 12, 12, 12, 64, 3072), {"position": "learned"}),
    "gpt2-by-transformers-5": ((50257, 1024, 768, 12, 12, 12, 64, 3072), {}),
    "gpt2-medium": ((50257, 1024, 1024, 24, 16, 16, 64, 4096), {"activation": "gelu_tanh"}),
    "gpt2-large": ((50257, 1024, 1280, 36, 20, 20, 64, 5120), {}),
    "gpt2-xl": ((50257, 1024, 1600, 48, 25, 25, 64, 6400), {"tie_embeddings": True}),
    "distilgpt2": ((50257, 1024, 768, 6, 12, 12, 64, 3072), {}),
    "rugpt3large": ((50257, 2048, 1536, 24, 16, 16, 96, 6144), {}),
    "gpt-neox-20b": (
        (50432, 2048, 6144, 44, 64, 64, 96, 24576),
        {"rope_fraction": 0.25, "parallel_residual": True, "activation": "gelu_tanh"},
    ),
    "pythia-70m": ((50304, 2048, 512, 6, 8, 8, 64, 2048), {"n_rotated": 16}),
    "pythia-1b": ((50304, 2048, 2048, 16, 8, 8, 256, 8192), {"activation": "gelu"}),
    "RedPajama-INCITE-Base-3B-v1": (
        (50432, 2048, 2560, 32, 32, 32, 80, 10240),
        {"parallel_residual": False, "rope_fraction": 1.0},
    ),
    "llama-7b-hf": ((32000, 2048, 4096, 32, 32, 32, 128, 11008), {"norm_eps": 1e-6}),
    "Llama-2-7b-hf": ((32000, 4096, 4096, 32, 32, 32, 128, 11008), {"norm_eps": 1e-5}),
    "Meta-Llama-3-8B": ((128256, 8192, 4096, 32, 32, 8, 128, 14336), {"rope_theta": 500_000}),
    "Llama-3.1-8B-Instruct": (
        (128256, 131072, 4096, 32, 32, 8, 128, 14336),
        {
            "rope_scaling": {
                "type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                "original_context_length": 8192,
            }
        },
    ),
    "Llama-3.2-1B-Instruct": (
        (128256, 131072, 2048, 16, 32, 8, 64, 8192),
        {"tie_embeddings": True},
    ),
    "unsloth-Llama-3.2-1B-Instruct": ((128256, 131072, 2048, 16, 32, 8, 64, 8192), {}),
    "TinyLlama-1.1B-Chat-v1.0": ((32000, 2048, 2048, 22, 32, 4, 64, 5632), {}),
    "open_llama_3b": ((32000, 2048, 3200, 26, 32, 32, 100, 8640), {}),
    "SmolLM-135M": ((49152, 2048, 576, 30, 9, 3, 64, 1536), {"rope_theta": 10_000}),
    "SmolLM2-135M-Instruct": ((49152, 8192, 576, 30, 9, 3, 64, 1536), {"rope_theta": 100_000}),
    "Mistral-7B-v0.1": ((32000, 32768, 4096, 32, 32, 8, 128, 14336), {"sliding_window": 4096}),
    "Mistral-7B-v0.3": (
        (32768, 32768, 4096, 32, 32, 8, 128, 14336),
        {"sliding_window": None, "rope_theta": 1_000_000},
    ),
    "Mistral-7B-Instruct-v0.3-old-style": ((32768, 32768, 4096, 32, 32, 8, 128, 14336), {}),
    "Qwen2.5-0.5B": (
        (151936, 32768, 896, 24, 14, 2, 64, 4864),
        {"qkv_bias": True, "bias": False, "sliding_window": None, "tie_embeddings": True},
    ),
    "Qwen2.5-7B-Instruct": (
        (152064, 32768, 3584, 28, 28, 4, 128, 18944),
        {"sliding_window": None, "tie_embeddings": False},
    ),
    "DeepSeek-R1-Distill-Qwen-7B": ((152064, 131072, 3584, 28, 28, 4, 128, 18944), {}),
    "Qwen3-0.6B": (
        (151936, 40960, 1024, 28, 16, 8, 128, 3072),
        {"qk_norm": True, "qkv_bias": False, "sliding_window": None, "tie_embeddings": True},
    ),
    "Qwen3-8B": (
        (151936, 40960, 4096, 36, 32, 8, 128, 12288),
        {"qk_norm": True, "rope_theta": 1_000_000, "tie_embeddings": False},
    ),
    "gemma-3-270m": (
        (262144, 32768, 640, 18, 4, 1, 256, 2048),
        {
            "window_layers": (0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16),
            "sliding_window": 512, "rope_theta": 1_000_000, "window_rope_theta": 10_000,
            "embedding_scale": 640**0.5, "activation": "geglu", "tie_embeddings": True,
        },
    ),
    "gemma-3-1b-it": (
        (262144, 32768, 1152, 26, 4, 1, 256, 6912),
        {
            "window_layers": tuple(i for i in range(26) if i % 6 != 5), "post_norms": True,
            "qk_norm": True, "bias": False, "norm_eps": 1e-6,
        },
    ),
    "bloom-560m": (
        (250880, 2048, 1024, 24, 16, 16, 64, 4096),
        {"position": "alibi", "embedding_norm": True},
    ),
}  # fmt: skip
REFUSED = {  # name -> everything that the message must say
    "Qwen2.5-7B-Instruct-yarn": ["rope_scaling: rope_type 'yarn' is not supported"],
    "Qwen2.5-7B-Instruct-AWQ": ["quantization_config={'bits': 4, ", "is not supported"],
    "SmolLM3-3B": ["model_type='smollm3' is not supported", "no_rope_layers"],
    "Llama-4-Scout-17B-16E-Instruct": ["model_type='llama4' is not supported", "mixes experts"],
    "Llama-4-Scout-text": ["model_type='llama4_text' is not supported", "mixes experts"],
    "phi-4": ["model_type='phi3' is not supported", "queries, keys and values in one matrix"],
    "Mixtral-8x7B-v0.1": ["model_type='mixtral' is not supported", "mixes experts"],
}


def in_folder(name: str, tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_bytes((CONFIGS / f"{name}.json").read_bytes())
    return tmp_path


def test_every_config_has_an_expected_result():
    names = {path.stem for path in CONFIGS.glob("*.json")}
    assert names == LOADED.keys() | REFUSED.keys()
    assert len(names) >= 20


@pytest.mark.parametrize("name", LOADED)
def test_a_published_config_gives_the_right_sizes(name, tmp_path):
    sizes, more = LOADED[name]
    folder = in_folder(name, tmp_path)
    config = model_config(folder / "config.json", *read_config(folder, set()))
    assert tuple(getattr(config, size) for size in SIZES) == sizes
    assert {key: getattr(config, key) for key in more} == more
    theirs = transformers.AutoConfig.from_pretrained(folder)
    for name, value in (
        ("vocab_size", config.vocab_size),
        ("hidden_size", config.d_model),
        ("num_hidden_layers", config.n_layers),
        ("num_attention_heads", config.n_heads),
        ("tie_word_embeddings", config.tie_embeddings),
    ):
        assert getattr(theirs, name) == value


@pytest.mark.parametrize("name", REFUSED)
def test_a_published_config_is_refused_with_one_message(name, tmp_path):
    with pytest.raises(ValueError, match=r"config\.json: ") as caught:
        read_config(in_folder(name, tmp_path), set())
    for words in REFUSED[name]:
        assert re.search(re.escape(words), str(caught.value))
