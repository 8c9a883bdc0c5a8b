"""Step 4, attention: every token gathers information from itself and the tokens before it.

    Attention(Q, K, V) = softmax(Q Kᵀ / √d + mask) V        (Vaswani et al. 2017, section 3.2.1)

`scaled_dot_product_attention` is that formula. The model runs torch's fused kernel in its place
(`attend`, one line); a test checks that the two agree. `model.trace` runs the formula.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .norm import Norm
from .position import turn


def attention_scores(q: Tensor, k: Tensor) -> Tensor:
    """How well each query matches each key: q kᵀ / √d.

    Args:
        q: (B, H, T, d).
        k: (B, H, S, d).

    Returns:
        (B, H, T, S).
    """
    return q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])


def apply_mask(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Hide keys from queries.

    Args:
        scores: (B, H, T, S).
        mask: broadcastable to the scores. Boolean: False hides a key (its score becomes -inf).
            Float: added to the scores (ALiBi, with -inf for hidden keys). None hides nothing.
    """
    if mask is None:
        return scores
    if mask.dtype == torch.bool:
        return scores.masked_fill(~mask, float("-inf"))
    return scores + mask


def scaled_dot_product_attention(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None
) -> Tensor:
    """softmax(q kᵀ / √d + mask) v, for all heads at once.

    Args:
        q: (B, H, T, d).
        k, v: (B, H, S, d).
        mask: see `apply_mask`; each query must see at least one key.

    Returns:
        (B, H, T, d): for each query a weighted mean of the values.
    """
    weights = apply_mask(attention_scores(q, k), mask).softmax(dim=-1)  # (B, H, T, S)
    return weights @ v


attend = F.scaled_dot_product_attention  # what the model runs: the same numbers, fused and faster


def causal_mask(n_queries: int, n_keys: int | None = None, window: int | None = None) -> Tensor:
    """Which keys each query may see: its own position and those before it.

    Args:
        n_queries: the number of queries; they are the last ones of the sequence.
        n_keys: the number of keys (default: as many as queries). More keys than queries means
            that the first ones come from the cache.
        window: None, or how many positions a query sees, its own included (sliding window,
            Beltagy et al. 2020).

    Returns:
        (T, S), boolean, True where the key is visible; T queries, S keys.

    >>> causal_mask(3, window=2).int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [0, 1, 1]], dtype=torch.int32)
    """
    n_keys = n_queries if n_keys is None else n_keys
    query = torch.arange(n_keys - n_queries, n_keys)[:, None]
    key = torch.arange(n_keys)[None, :]
    visible = key <= query
    return visible if window is None else visible & (key > query - window)


def split_heads(x: Tensor, n_heads: int) -> Tensor:
    """(B, T, H · d) -> (B, H, T, d)"""
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, H, T, d) -> (B, T, H · d)"""
    return x.transpose(1, 2).flatten(-2)


def repeat_kv(x: Tensor, n_heads: int) -> Tensor:
    """Let groups of query heads share a key/value head (GQA, Ainslie et al. 2023).

    (B, G, T, d) -> (B, H, T, d). One shared head gives multi-query attention (Shazeer 2019); as
    many as there are query heads, multi-head attention.
    """
    return x.repeat_interleave(n_heads // x.shape[1], dim=1)


class Attention(nn.Module):
    """Multi-head, grouped-query or multi-query causal self-attention.

    Projects x to queries, keys and values, norms queries and keys where the config says so, turns
    them where the model uses RoPE, attends in every head and projects the joined heads back to
    d_model.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config
        width, kv_width = config.n_heads * config.head_dim, config.n_kv_heads * config.head_dim
        self.query = nn.Linear(config.d_model, width, bias=config.qkv_bias)
        self.key = nn.Linear(config.d_model, kv_width, bias=config.qkv_bias)
        self.value = nn.Linear(config.d_model, kv_width, bias=config.qkv_bias)
        self.output = nn.Linear(width, config.d_model, bias=config.bias)
        if config.qk_norm:  # keeps scores from growing (Henry et al. 2020; Dehghani et al. 2023)
            self.query_norm, self.key_norm = (Norm(config, config.head_dim) for _ in "qk")

    def project(self, x: Tensor, turns=None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (B, H, T, d), keys and values (B, G, T, d) of x (B, T, D).

        Args:
            turns: RoPE's cosines and sines, `model.turns(positions)`; None turns nothing.
        """
        c = self.config
        q = split_heads(self.query(x), c.n_heads)
        k = split_heads(self.key(x), c.n_kv_heads)
        v = split_heads(self.value(x), c.n_kv_heads)
        if c.qk_norm:
            q, k = self.query_norm(q), self.key_norm(k)
        if turns is not None:
            q, k = turn(q, turns, c.rope_pairing), turn(k, turns, c.rope_pairing)
        return q, k, v

    def forward(self, x: Tensor, turns, mask: Tensor | None, cache=None, layer=0) -> Tensor:
        """x (B, T, D) -> (B, T, D); `turns` as in `project`, `mask` as in `apply_mask`."""
        q, k, v = self.project(x, turns)
        if cache is not None:
            k, v = cache.append(layer, k, v)  # (B, G, S, d): all keys and values so far
        heads = attend(q, k, v, mask, enable_gqa=True)  # groups of heads share, as in `repeat_kv`
        return self.output(merge_heads(heads))
