"""The shipped models, as the assignments' tests use them: loaded once, never trained."""

from collections.abc import Callable, Iterable
from functools import cache

import torch
from torch import Tensor

from oneprompt.attention import causal_mask
from oneprompt.checkpoints.own import load_model
from oneprompt.model import Transformer
from oneprompt.position import turn
from oneprompt.tokenize import Tokenizer, load_tokenizer
from oneprompt.trace import Trace


@cache
def reference(name: str = "reference") -> Transformer:
    """The reference model, or "draft"."""
    return load_model(name).requires_grad_(False)


@cache
def tokenizer() -> Tokenizer:
    """Their tokenizer."""
    return load_tokenizer()


def reference_trace(prompt: str) -> tuple[Transformer, Trace]:
    """The reference model, and its trace of a prompt."""
    model = reference()
    return model, model.trace(torch.tensor([tokenizer().encode(prompt)]))


def block_weights(model: Transformer, layer: int) -> dict[str, tuple[Tensor, Tensor]]:
    """The four maps of a block's attention: name -> W (out, in) and b (out,)."""
    attention = model.blocks[layer].attention
    maps = {name: getattr(attention, name) for name in ("query", "key", "value", "output")}
    return {name: (linear.weight, linear.bias) for name, linear in maps.items()}


def turn_at(model: Transformer, positions: Iterable[int]) -> Callable[[Tensor], Tensor]:
    """The function that turns queries or keys (H, T, d) at these positions, as RoPE does."""
    turns = model.turns(torch.tensor(list(positions)))
    return lambda x: turn(x[None], turns, model.config.rope_pairing)[0]


def row_weights(model: Transformer, layer: int) -> dict[str, tuple[Tensor, Tensor]]:
    """What a block does to each row alone: its two norms and two maps, name -> weight, bias."""
    block = model.blocks[layer]
    parts = {"norm1": block.norm1, "norm2": block.norm2,
             "up": block.feedforward.up, "down": block.feedforward.down}  # fmt: skip
    return {name: (part.weight, part.bias) for name, part in parts.items()}


def attention_at(model: Transformer, layer: int, n_positions: int) -> Callable[[Tensor], Tensor]:
    """The attention of a block, (T, D) -> (T, D), for T = n_positions."""
    turns, mask = model.turns(torch.arange(n_positions)), causal_mask(n_positions)
    return lambda x: model.blocks[layer].attention(x[None], turns, mask)[0]


def turn_from(model: Transformer) -> Callable[[Tensor, int], Tensor]:
    """The function that turns queries or keys (H, T, d) at the positions from `start` on."""
    return lambda x, start: turn_at(model, range(start, start + x.shape[1]))(x)
