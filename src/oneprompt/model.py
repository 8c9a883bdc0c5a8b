"""The transformer: the steps put together.

x = embedding(ids)
x = x + attention(norm₁(x));  x = x + feedforward(norm₂(x))        in every block
logits = norm(x) tableᵀ
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from .attention import causal_mask
from .block import Block
from .cache import KVCache
from .config import ModelConfig
from .embed import embed
from .logits import to_logits
from .norm import Norm
from .position import alibi_bias, rope_frequencies, sinusoidal, turns_of
from .trace import Trace, trace


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
        if self.config.embedding_scale != 1:  # rounded to the weights' type, as in Gemma
            x = x * x.new_tensor(self.config.embedding_scale)
        if self.config.position == "learned":
            x = x + self.position_embedding[positions]
        if self.config.position == "sinusoidal":
            x = x + sinusoidal(positions, self.config.d_model).to(x.dtype)
        return self.embedding_norm(x)

    def turns(self, positions: Tensor, layer: int = 0) -> tuple[Tensor, Tensor] | None:
        """RoPE's cosines and sines at positions (T,) or (B, T), see `turns_of`; None without RoPE.

        Returns:
            (T, n_rotated) each, or (B, 1, T, n_rotated) for every head of a text.
        """
        c = self.config
        if c.position != "rope":
            return None
        frequencies = rope_frequencies(c.n_rotated, c.rope_theta, c.rope_scaling)
        if c.window_rope_theta is not None and c.has_window(layer):
            frequencies = rope_frequencies(c.n_rotated, c.window_rope_theta)
        angles = positions[..., None] * frequencies.to(positions.device)  # (..., T, n_rotated / 2)
        if angles.ndim == 3:
            angles = angles[:, None]
        cos, sin = turns_of(angles, c.rope_pairing)
        return cos.to(self.embedding.dtype), sin.to(self.embedding.dtype)

    def mask(self, T: int, S: int, padding: Tensor | None = None, layer: int = 0) -> Tensor | None:
        """Which of S places the last T see: (T, S), or broadcastable to (B, H, T, S).

        None if there is only one query and it sees everything.

        Args:
            padding: None, or (B,), how many places at the start of each text are empty.
        """
        c, device = self.config, self.embedding.device
        window = c.sliding_window if c.has_window(layer) else None
        if T == 1 and window is None and c.position != "alibi" and padding is None:
            return None
        mask = causal_mask(T, S, window).to(device)
        if padding is not None:
            places = torch.arange(S, device=device)
            is_text = places >= padding[:, None, None, None]  # (B, 1, 1, S)
            # An empty place sees what it would without padding: it must see something.
            mask = mask & (is_text | ~is_text[..., -T:].mT)
        if c.position != "alibi":
            return mask
        places = torch.arange(S, device=device)
        bias = alibi_bias(c.n_heads, places[-T:], places).to(self.embedding.dtype)
        return torch.where(mask, bias, float("-inf"))

    def views(self, positions: Tensor, S: int, padding: Tensor | None = None) -> Iterator[tuple]:
        """The turns and the mask of each layer at the last positions of S places.

        All layers with a sliding window share theirs, and so do all layers without.
        """
        made = {}
        for layer in range(self.config.n_layers):
            kind = self.config.has_window(layer)
            if kind not in made:
                mask = self.mask(positions.shape[-1], S, padding, layer)
                made[kind] = self.turns(positions, layer), mask
            yield made[kind]

    def check_length(self, length: int) -> None:
        """Refuse a text that is longer than the context.

        Raises:
            ValueError: how long it is, and how long it may be.
        """
        if length > self.config.context_length:
            raise ValueError(
                f"{length} tokens do not fit into this model's context of "
                f"{self.config.context_length}; shorten the prompt"
            )

    def positions(self, ids: Tensor, start: int, padding: Tensor | None = None) -> Tensor:
        """The positions of ids (B, T) that follow `start` cached places: (T,), or (B, T).

        Raises:
            TypeError: the ids are not a tensor.
            ValueError: the ids have another shape, or are longer than the context.
        """
        if not isinstance(ids, Tensor):
            raise TypeError(f"ids must be a tensor, torch.tensor([ids]), got {type(ids).__name__}")
        if ids.ndim != 2:
            raise ValueError(
                f"ids must have the shape (B, T), a row per text, got {tuple(ids.shape)}"
            )
        end = start + ids.shape[1]
        places = torch.arange(start, end, device=ids.device)
        if padding is None:
            self.check_length(end)
            return places
        self.check_length(end - int(padding.min()))
        return (places - padding[:, None]).clamp(min=0)

    def forward(
        self,
        ids: Tensor,
        cache: KVCache | None = None,
        *,
        last: int | None = None,
        padding: Tensor | None = None,
    ) -> Tensor:
        """Logits of the token after each position.

        Args:
            ids: (B, T), int64.
            cache: None, or the KVCache of the positions before these; it is extended.
            last: None, or how many positions, counted from the end, need logits.
            padding: None, or (B,), how many places at the start of each text are empty, if texts
                of unequal length are padded to end together.

        Returns:
            (B, T, V), or (B, last, V).

        Raises:
            TypeError: the ids are not a tensor of integers.
            ValueError: the ids are empty, outside the vocabulary or longer than the context, or
                the cache does not fit the model.
        """
        start = 0 if cache is None else cache.length
        positions = self.positions(ids, start, padding)
        if cache is not None:
            cache.check_fits(self.config, len(ids))
        x = self.embed(ids, positions)  # (B, T, D)
        T = ids.shape[1]
        for layer, (turns, mask) in enumerate(self.views(positions, start + T, padding)):
            x = self.blocks[layer](x, turns, mask, cache, layer)
        if cache is not None:
            cache.advance(T)
        x = x if last is None else x[:, -last:]
        return to_logits(self.final_norm(x), self.output_table)  # (B, T, V)

    def trace(self, ids: Tensor) -> Trace:
        """Every intermediate tensor of one pass over ids (B, T)."""
        return trace(self, ids)
