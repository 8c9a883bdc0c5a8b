"""The transformer: the steps put together.

x = embedding(ids)
x = x + attention(norm₁(x));  x = x + feedforward(norm₂(x))        in every block
logits = norm(x) tableᵀ
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from .attention import Attention, causal_mask
from .cache import KVCache
from .embed import embed
from .feedforward import ACTIVATIONS, FeedForward
from .logits import to_logits
from .norm import Norm
from .position import PAIRINGS, alibi_bias, rope_frequencies, sinusoidal, turns_of
from .trace import Trace, trace

CHOICES = {
    "position": ("learned", "sinusoidal", "rope", "alibi", "none"),
    "rope_pairing": PAIRINGS,
    "norm": ("layernorm", "rmsnorm"),
    "activation": tuple(ACTIVATIONS),
}
SIZES = ("vocab_size", "context_length", "d_model", "n_layers", "n_heads", "n_kv_heads",
         "head_dim", "d_ff")  # fmt: skip


@dataclass(frozen=True)
class ModelConfig:
    """The sizes and choices that define a model; the defaults are the reference model's.

    Fields left at None are derived: n_kv_heads = n_heads, head_dim = d_model / n_heads,
    d_ff = 4 d_model, qkv_bias = bias.
    """

    vocab_size: int = 2048
    context_length: int = 256
    d_model: int = 192
    n_layers: int = 4
    n_heads: int = 6
    n_kv_heads: int | None = None
    head_dim: int | None = None
    d_ff: int | None = None
    position: str = "rope"
    rope_theta: float = 100_000.0
    rope_fraction: float = 1.0  # the part of each head that RoPE turns
    rope_pairing: str = "halves"
    rope_scaling: dict | None = None  # see position.rope_frequencies
    norm: str = "layernorm"
    norm_eps: float = 1e-5
    activation: str = "gelu_tanh"
    sliding_window: int | None = None
    bias: bool = True
    qkv_bias: bool | None = None
    parallel_residual: bool = False  # attention and feed-forward read the same x (GPT-NeoX)
    embedding_norm: bool = False  # a norm right after the embedding (BLOOM)
    tie_embeddings: bool = True

    def __post_init__(self):
        for name in SIZES:
            size = getattr(self, name)
            if size is not None and not isinstance(size, int):
                raise TypeError(f"{name} must be an integer, got {size!r}")
            if size is not None and size < 1:
                raise ValueError(f"{name} must be at least 1, got {size}")
        if self.head_dim is None and self.d_model % self.n_heads:
            raise ValueError(
                f"d_model={self.d_model} does not divide into n_heads={self.n_heads} heads; "
                "choose a multiple, or give head_dim"
            )
        derived = {
            "n_kv_heads": self.n_heads,
            "head_dim": self.d_model // self.n_heads,
            "d_ff": 4 * self.d_model,
            "qkv_bias": self.bias,
        }
        for name, value in derived.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                found = getattr(self, name)
                raise ValueError(f"{name}={found!r} is unknown; choose from {allowed}")
        if self.n_heads % self.n_kv_heads:
            raise ValueError(
                f"n_heads={self.n_heads} must be a multiple of n_kv_heads={self.n_kv_heads}"
            )
        if not 0 < self.rope_fraction <= 1:
            raise ValueError(f"rope_fraction must be in (0, 1], got {self.rope_fraction}")
        if self.position == "rope":
            rope_frequencies(self.n_rotated, self.rope_theta, self.rope_scaling)  # or says why not
        if self.sliding_window is not None and self.sliding_window < 1:
            raise ValueError(
                f"sliding_window must be None or at least 1, got {self.sliding_window}"
            )

    @property
    def n_rotated(self) -> int:
        """How many coordinates of each head RoPE turns."""
        return int(self.head_dim * self.rope_fraction)

    def as_dict(self) -> dict:
        """The fields as plain values, for JSON."""
        return asdict(self)


class Block(nn.Module):
    """One transformer block: attention and feed-forward, each normed first and added back."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.norm1, self.attention = Norm(config), Attention(config)
        self.norm2, self.feedforward = Norm(config), FeedForward(config)
        self.parallel_residual = config.parallel_residual

    def forward(self, x: Tensor, turns, mask: Tensor | None, cache=None, layer=0) -> Tensor:
        """(B, T, D) -> (B, T, D)"""
        middle = x + self.attention(self.norm1(x), turns, mask, cache, layer)
        return middle + self.feedforward(self.norm2(x if self.parallel_residual else middle))


class Transformer(nn.Module):
    """A causal language model: token ids in, logits for the next token out.

    `eos_id` is the id that ends a text, a tuple where several do, or None where none does.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config, self.eos_id = config, None
        self.embedding = nn.Parameter(torch.randn(config.vocab_size, config.d_model) * 0.02)
        if config.position == "learned":
            size = (config.context_length, config.d_model)
            self.position_embedding = nn.Parameter(torch.randn(size) * 0.02)
        self.embedding_norm = Norm(config) if config.embedding_norm else nn.Identity()
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.final_norm = Norm(config)
        if not config.tie_embeddings:
            self.output = nn.Parameter(torch.randn(config.vocab_size, config.d_model) * 0.02)

    @property
    def output_table(self) -> Tensor:
        """(V, D), the matrix that makes logits: the embedding table itself when tied."""
        return self.embedding if self.config.tie_embeddings else self.output

    @property
    def n_parameters(self) -> int:
        return sum(p.numel() for p in self.parameters())

    def new_cache(self, batch_size: int = 1, capacity: int | None = None) -> KVCache:
        """An empty KV cache of this model's shape, dtype and device; see `KVCache`."""
        kind = self.embedding.dtype, self.embedding.device
        return KVCache(self.config, batch_size, *kind, capacity)

    def embed(self, ids: Tensor, positions: Tensor) -> Tensor:
        """Token vectors, plus position vectors where the scheme adds them: (B, T) -> (B, T, D)."""
        x = embed(ids, self.embedding)
        if self.config.position == "learned":
            x = x + self.position_embedding[positions]
        if self.config.position == "sinusoidal":
            x = x + sinusoidal(positions, self.config.d_model).to(x.dtype)
        return self.embedding_norm(x)

    def turns(self, positions: Tensor) -> tuple[Tensor, Tensor] | None:
        """RoPE's cosines and sines at `positions` (T,), see `turns_of`; None without RoPE."""
        c = self.config
        if c.position != "rope":
            return None
        frequencies = rope_frequencies(c.n_rotated, c.rope_theta, c.rope_scaling)
        angles = positions[:, None] * frequencies.to(positions.device)  # (T, n_rotated / 2)
        cos, sin = turns_of(angles, c.rope_pairing)
        return cos.to(self.embedding.dtype), sin.to(self.embedding.dtype)

    def mask(self, positions: Tensor) -> Tensor | None:
        """What the queries at `positions` (T,) see of all keys so far: (T, S), or (H, T, S).

        None where a single query sees everything: nothing is hidden then.
        """
        c, n_keys = self.config, int(positions[-1]) + 1
        if len(positions) == 1 and c.sliding_window is None and c.position != "alibi":
            return None
        mask = causal_mask(len(positions), n_keys, c.sliding_window).to(positions.device)
        if c.position != "alibi":
            return mask
        keys = torch.arange(n_keys, device=positions.device)
        bias = alibi_bias(c.n_heads, positions, keys).to(self.embedding.dtype)
        return bias.masked_fill(~mask, float("-inf"))

    def positions(self, ids: Tensor, start: int) -> Tensor:
        """The positions of ids (B, T) that follow `start` cached ones: (T,)."""
        if not isinstance(ids, Tensor):
            raise TypeError(f"ids must be a tensor, torch.tensor([ids]), got {type(ids).__name__}")
        if ids.ndim != 2:
            raise ValueError(
                f"ids must have the shape (B, T), a row per text, got {tuple(ids.shape)}"
            )
        end = start + ids.shape[1]
        if end > self.config.context_length:
            raise ValueError(
                f"{end} tokens do not fit into this model's context of "
                f"{self.config.context_length}; shorten the prompt"
            )
        return torch.arange(start, end, device=ids.device)

    def forward(self, ids: Tensor, cache: KVCache | None = None, last: int | None = None) -> Tensor:
        """Logits of the token after each position.

        Args:
            ids: (B, T), int64.
            cache: None, or the KVCache of the positions before these; it is extended.
            last: None, or of how many positions, from the end, logits are needed.

        Returns:
            (B, T, V), or (B, last, V).

        Raises:
            TypeError: ids that are not integers.
            ValueError: ids that are empty, outside the vocabulary, or more than the context holds.
        """
        positions = self.positions(ids, 0 if cache is None else cache.length)
        if cache is not None:
            cache.check_fits(self.config, len(ids))
        x = self.embed(ids, positions)  # (B, T, D)
        turns, mask = self.turns(positions), self.mask(positions)
        for layer, block in enumerate(self.blocks):
            x = block(x, turns, mask, cache, layer)
        if cache is not None:
            cache.advance(ids.shape[1])
        x = x if last is None else x[:, -last:]
        return to_logits(self.final_norm(x), self.output_table)  # (B, T, V)

    def trace(self, ids: Tensor) -> Trace:
        """Every intermediate tensor of one pass over ids (B, T)."""
        return trace(self, ids)
