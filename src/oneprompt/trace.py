"""Every intermediate tensor of one pass, for the chapters and explorers to look at."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .attention import apply_mask, attention_scores, merge_heads, repeat_kv
from .logits import to_logits


@dataclass(frozen=True)
class LayerTrace:
    """One block. B batch, T positions, D d_model, H heads, G kv heads, d head_dim, F d_ff."""

    norm1: Tensor  # (B, T, D)      input of attention
    q: Tensor  # (B, H, T, d)       queries, turned where the model uses RoPE
    k: Tensor  # (B, G, T, d)       keys, turned in the same way
    v: Tensor  # (B, G, T, d)       values
    scores: Tensor  # (B, H, T, T)  q kᵀ / √d
    masked: Tensor  # (B, H, T, T)  scores with the mask (and ALiBi's shift) applied
    weights: Tensor  # (B, H, T, T) softmax of masked: each row sums to 1
    heads: Tensor  # (B, H, T, d)   weights v
    attention: Tensor  # (B, T, D)  joined heads after the output projection (and a norm)
    middle: Tensor  # (B, T, D)     input of the block + attention
    norm2: Tensor  # (B, T, D)      input of the feed-forward network
    hidden: Tensor  # (B, T, F)     its wide layer, after the activation
    feedforward: Tensor  # (B, T, D)
    output: Tensor  # (B, T, D)     middle + feedforward


@dataclass(frozen=True)
class Trace:
    """One pass over the ids."""

    tokens: Tensor  # (B, T)         the ids
    embedding: Tensor  # (B, T, D)   token vectors (and added positions): input of the first block
    layers: tuple[LayerTrace, ...]
    final_norm: Tensor  # (B, T, D)
    logits: Tensor  # (B, T, V)


@torch.no_grad()
def trace(model, ids: Tensor) -> Trace:
    """Run `model` on ids (B, T) with the hand-written attention, and keep everything.

    The logits equal `model(ids)` up to floating-point rounding; a test checks this.
    """
    positions = model.positions(ids, 0)
    embedding = x = model.embed(ids, positions)
    layers = []
    for block, view in zip(model.blocks, model.views(positions, ids.shape[1]), strict=True):
        layers.append(_trace_block(block, x, *view))
        x = layers[-1].output
    final_norm = model.final_norm(x)
    logits = to_logits(final_norm, model.output_table)
    return Trace(ids, embedding, tuple(layers), final_norm, logits)


def _trace_block(block, x: Tensor, turns, mask: Tensor | None) -> LayerTrace:
    n_heads = block.attention.config.n_heads
    norm1 = block.norm1(x)
    q, k, v = block.attention.project(norm1, turns)
    scores = attention_scores(q, repeat_kv(k, n_heads))
    masked = apply_mask(scores, mask)
    weights = masked.softmax(dim=-1)
    heads = weights @ repeat_kv(v, n_heads)
    attention = block.post_norm1(block.attention.output(merge_heads(heads)))
    middle = x + attention
    norm2 = block.norm2(x if block.parallel_residual else middle)
    hidden = block.feedforward.hidden(norm2)
    feedforward = block.post_norm2(block.feedforward.down(hidden))
    return LayerTrace(
        norm1, q, k, v, scores, masked, weights, heads, attention,
        middle, norm2, hidden, feedforward, middle + feedforward,
    )  # fmt: skip
