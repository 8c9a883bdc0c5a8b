"""Eight families of public checkpoints: their config fields and tensors, and ours."""

from .base import Family
from .bloom import BLOOM
from .gemma3 import GEMMA3
from .gpt2 import GPT2
from .gpt_neox import GPT_NEOX
from .llama import LLAMA, MISTRAL
from .qwen import QWEN2, QWEN3

FAMILIES: dict[str, Family] = {  # by the `model_type` of config.json
    "gpt2": GPT2,
    "gpt_neox": GPT_NEOX,
    "llama": LLAMA,
    "mistral": MISTRAL,
    "qwen2": QWEN2,
    "qwen3": QWEN3,
    "gemma3_text": GEMMA3,
    "bloom": BLOOM,
}
REFUSED = {  # what people try, and why our model does not compute it
    "gemma2": "it caps attention scores and logits by tanh",
    "gemma3": "this is the model with images; the text model has model_type='gemma3_text'",
    "llama4": "it mixes experts and attends in chunks",
    "llama4_text": "it mixes experts and attends in chunks",
    "mixtral": "it mixes experts",
    "olmo2": "it has norms only after attention and feed-forward",
    "phi": "its attention and feed-forward share a norm",
    "phi3": "it stores queries, keys and values in one matrix",
    "qwen3_moe": "it mixes experts",
    "smollm3": "RoPE is left out of every fourth layer, by no_rope_layers",
}
