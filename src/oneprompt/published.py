"""Published figures: the sizes of known models, and what known GPUs can do.

Models: their configurations on the Hugging Face hub. Llama 3.1 and 3 have the same sizes; 3.1 reads
131,072 positions (Grattafiori et al. 2024). SmolLM2: Allal et al. 2025.

GPUs: NVIDIA's and AMD's data sheets. Where these print a peak "with sparsity", it is halved.

    https://www.nvidia.com/en-us/data-center/l4/
    https://www.nvidia.com/en-us/data-center/a100/     (80 GB, SXM)
    https://www.nvidia.com/en-us/data-center/h100/     (SXM)
    https://www.nvidia.com/en-us/data-center/h200/     (SXM)
    https://www.amd.com/en/products/accelerators/instinct/mi300/mi300x.html
"""

from .config import ModelConfig
from .costs import GPU

_LLAMA = {"norm": "rmsnorm", "activation": "swiglu", "bias": False}
_LLAMA_3 = _LLAMA | {"vocab_size": 128_256, "context_length": 131_072, "n_kv_heads": 8,
                     "rope_theta": 500_000.0, "tie_embeddings": False}  # fmt: skip

MODELS = {
    "this model": ModelConfig(),
    "SmolLM2 135M": ModelConfig(
        vocab_size=49_152, context_length=8192, d_model=576, n_layers=30, n_heads=9, n_kv_heads=3,
        d_ff=1536, **_LLAMA,
    ),
    "Llama 3.1 8B": ModelConfig(
        d_model=4096, n_layers=32, n_heads=32, d_ff=14_336, **_LLAMA_3
    ),
    "Llama 3.1 70B": ModelConfig(
        d_model=8192, n_layers=80, n_heads=64, d_ff=28_672, **_LLAMA_3
    ),
}  # fmt: skip

GPUS = {
    "L4": GPU(bandwidth=0.3e12, peak=121e12, memory=24e9),
    "A100": GPU(bandwidth=2.039e12, peak=312e12, memory=80e9),
    "H100": GPU(bandwidth=3.35e12, peak=989e12, memory=80e9),
    "H200": GPU(bandwidth=4.8e12, peak=989e12, memory=141e9),
    "MI300X": GPU(bandwidth=5.3e12, peak=1307e12, memory=192e9),
}


def several(gpu: GPU, n: int) -> GPU:
    """n GPUs that share every matrix as if talking to each other took no time."""
    return GPU(*(n * most for most in gpu))


GPUS["8 × H100"] = several(GPUS["H100"], 8)
