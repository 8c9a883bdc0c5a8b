"""The sizes and choices that define a model."""

from dataclasses import asdict, dataclass

from .feedforward import ACTIVATIONS
from .position import PAIRINGS, rope_frequencies

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

    Raises:
        TypeError, ValueError: a field does not fit; the message names it.
    """

    vocab_size: int = 2048
    context_length: int = 256
    d_model: int = 192
    n_layers: int = 6
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
    window_layers: tuple[int, ...] | None = None  # which layers have the window; None: all
    window_rope_theta: float | None = None  # their RoPE base, unscaled; None: as in other layers
    bias: bool = True
    qkv_bias: bool | None = None
    parallel_residual: bool = False  # attention and feed-forward read the same x (GPT-NeoX)
    embedding_norm: bool = False  # a norm right after the embedding (BLOOM)
    embedding_scale: float = 1.0  # token vectors are multiplied by this (Gemma)
    qk_norm: bool = False  # a norm of each query and key, before RoPE (Qwen3)
    post_norms: bool = False  # norms after attention and feed-forward too (Gemma 3)
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
            rope_frequencies(self.n_rotated, self.rope_theta, self.rope_scaling)  # raises if unfit
        self._check_window()

    def _check_window(self) -> None:
        if self.sliding_window is not None and self.sliding_window < 1:
            raise ValueError(
                f"sliding_window must be None or at least 1, got {self.sliding_window}"
            )
        if self.window_layers is None:
            return
        layers = tuple(self.window_layers)  # a list, if read from a file
        object.__setattr__(self, "window_layers", layers)
        if self.sliding_window is None or not set(layers) <= set(range(self.n_layers)):
            raise ValueError(
                f"window_layers={layers} must be some of the {self.n_layers} layers, 0 to "
                f"{self.n_layers - 1}, of a model with a sliding_window"
            )

    @property
    def n_rotated(self) -> int:
        """How many coordinates of each head RoPE turns."""
        return int(self.head_dim * self.rope_fraction)

    def has_window(self, layer: int) -> bool:
        """Whether the queries of a layer see no more than the sliding window."""
        chosen = self.window_layers is None or layer in self.window_layers
        return self.sliding_window is not None and chosen

    def as_dict(self) -> dict:
        """The fields as plain values, for JSON."""
        return asdict(self)
