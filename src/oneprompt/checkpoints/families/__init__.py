"""Six families of public checkpoints: their config fields and tensors, and ours."""

from .base import Family
from .bloom import BLOOM
from .gpt2 import GPT2
from .gpt_neox import GPT_NEOX
from .llama import LLAMA, MISTRAL, QWEN2

FAMILIES: dict[str, Family] = {  # by the `model_type` of config.json
    "gpt2": GPT2,
    "gpt_neox": GPT_NEOX,
    "llama": LLAMA,
    "mistral": MISTRAL,
    "qwen2": QWEN2,
    "bloom": BLOOM,
}
