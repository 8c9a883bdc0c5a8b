"""Models for the tests: small random ones of every variant, and tables that act as models."""

import random

import torch

import oneprompt as op

VARIANTS = {
    "position": ["learned", "sinusoidal", "rope", "alibi", "none"],
    "rope_fraction": [1.0, 0.5, 0.25],
    "rope_pairing": ["halves", "interleaved"],
    "rope_scaling": [
        None,
        {"type": "linear", "factor": 4.0},
        {
            "type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_context_length": 64,
        },
    ],
    "heads": [(4, 4), (4, 2), (4, 1), (3, 3), (6, 3), (6, 1)],  # n_heads, n_kv_heads
    "sliding_window": [None, 1, 3, 7],
    "window_layers": [None, (0,), (1,), (0, 1), ()],
    "window_rope_theta": [None, 100.0],
    "norm": ["layernorm", "rmsnorm"],
    "activation": ["gelu", "gelu_tanh", "relu", "swiglu", "geglu"],
    "bias": [True, False],
    "qkv_bias": [None, True, False],
    "parallel_residual": [False, True],
    "embedding_norm": [False, True],
    "embedding_scale": [1.0, 0.5],
    "qk_norm": [False, True],
    "post_norms": [False, True],
    "tie_embeddings": [True, False],
}


def random_choices(seed: int) -> dict:
    """One value of every variant, drawn by seed."""
    rng = random.Random(seed)
    return {name: rng.choice(values) for name, values in VARIANTS.items()}


def config_of(choices: dict) -> op.ModelConfig:
    """A small config with the given choices. All sizes differ, so mixed-up axes are noticed."""
    fields = {name: value for name, value in choices.items() if name != "heads"}
    if fields["sliding_window"] is None:
        fields["window_layers"] = None
    n_heads, n_kv_heads = choices["heads"]
    return op.ModelConfig(
        vocab_size=43, context_length=24, d_model=20, n_layers=2, n_heads=n_heads,
        n_kv_heads=n_kv_heads, head_dim=8, d_ff=28, **fields,
    )  # fmt: skip


def random_model(config: op.ModelConfig, seed: int = 0) -> op.Transformer:
    """A model with random weights at a scale that keeps hidden vectors near 1 and logits near 4.

    At the usual initial scale of 0.02 all logits are nearly equal, and a comparison of them would
    pass whatever attention does.
    """
    generator = torch.Generator().manual_seed(seed)
    model = op.Transformer(config).eval()
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        if p.ndim == 1:
            p.data = 0.3 * noise + ("norm" in name and name.endswith("weight"))
        else:
            is_table = name in ("embedding", "position_embedding", "output")
            p.data = noise if is_table else noise * p.shape[1] ** -0.5
    return model


def small_model(seed: int = 0, **fields) -> op.Transformer:
    """A random model of the reference's kind, with sizes that generate thousands of ids a second.

    Its end-of-sequence token is id 0, as in the reference's tokenizer.
    """
    sizes = {"vocab_size": 31, "context_length": 40, "d_model": 16, "n_layers": 2, "n_heads": 2}
    model = random_model(op.ModelConfig(**sizes | fields), seed)
    model.eos_id = 0
    return model


def noisy_copy(model: op.Transformer, noise: float, seed: int = 0) -> op.Transformer:
    """A draft that agrees with the model often, but not always."""
    generator = torch.Generator().manual_seed(seed)
    copy = op.Transformer(model.config).eval()
    copy.load_state_dict(model.state_dict())
    for p in copy.parameters():
        p.data += noise * p.std() * torch.randn(p.shape, generator=generator)
    return copy


class TableModel:
    """Logits read from a table by position and newest id: a model that costs microseconds.

    It has what generation needs from a Transformer, and a real KV cache, whose length it uses.

    Args:
        table: (n_positions, vocab_size, vocab_size); table[position % n_positions, id] are the
            logits after that id.
    """

    def __init__(self, table: torch.Tensor, context_length: int = 16, eos_id: int | None = None):
        self.table, self.eos_id = table, eos_id
        self.config = op.ModelConfig(
            vocab_size=table.shape[-1], context_length=context_length, d_model=2, n_layers=1,
            n_heads=1,
        )  # fmt: skip

    @classmethod
    def random(cls, vocab_size: int, seed: int, scale: float = 1.0, **kwargs) -> "TableModel":
        generator = torch.Generator().manual_seed(seed)
        return cls(scale * torch.randn(5, vocab_size, vocab_size, generator=generator), **kwargs)

    check_length = op.Transformer.check_length

    @property
    def embedding(self) -> torch.Tensor:
        return self.table  # generation reads the device from it

    def new_cache(self, batch_size: int = 1, capacity: int | None = None) -> op.KVCache:
        return op.KVCache(self.config, batch_size, capacity=capacity)

    def __call__(self, ids: torch.Tensor, cache=None, *, last=None, padding=None) -> torch.Tensor:
        start = 0 if cache is None else cache.length
        if cache is not None:
            cache.advance(ids.shape[1])
        positions = torch.arange(start, start + ids.shape[1]).expand_as(ids)
        if padding is not None:
            positions = positions - padding[:, None]
        logits = self.table[positions % len(self.table), ids]
        return logits if last is None else logits[:, -last:]


def counting_model(vocab_size: int = 10, **kwargs) -> TableModel:
    """After id n comes n + 1, almost surely: greedy texts are known in advance."""
    following = (torch.arange(vocab_size) + 1) % vocab_size
    table = 9.0 * torch.nn.functional.one_hot(following, vocab_size)
    return TableModel(table[None], **kwargs)
