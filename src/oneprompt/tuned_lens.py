"""The tuned lens: a linear map per depth that brings a hidden vector to where the lens reads.

The final norm and the output matrix were trained on the last block's output, so the plain logit
lens reads earlier depths badly. Belrose et al. (2023) train one map for each depth; here each is
the least-squares map to the last block's output, which needs no training loop.
"""

from collections.abc import Iterable, Sequence
from functools import cache

import torch
from torch import Tensor, nn

from .checkpoints.quantize import rounded
from .corpus import load_glossary
from .logits import lens
from .model import Transformer
from .tokenize import Tokenizer

RIDGE = 1.0  # keeps a map's entries small where the texts say little


class TunedLens(nn.Module):
    """One map of width D for each depth but the last, which needs none."""

    def __init__(self, n_layers: int, d_model: int):
        super().__init__()
        self.maps = nn.ModuleList(nn.Linear(d_model, d_model) for _ in range(n_layers))

    def forward(self, model: Transformer, x: Tensor) -> Tensor:
        """The logits that are read at every depth, (1 + L, T, D) -> (1 + L, T, V)."""
        brought = [read(depth) for read, depth in zip(self.maps, x[:-1], strict=True)]
        return lens(model, torch.stack([*brought, x[-1]]))


def streams(model: Transformer, ids: Sequence[int]) -> Tensor:
    """The hidden vectors of a text before the first block and after each, (1 + L, T, D)."""
    trace = model.trace(torch.tensor([ids]))
    return torch.cat([trace.embedding, *(layer.output for layer in trace.layers)])


@torch.no_grad()
def fit(model: Transformer, texts: Iterable[Sequence[int]]) -> TunedLens:
    """The maps that come closest to the last block's output, by least squares over the texts.

    Args:
        texts: their ids; what is longer than the context is cut there.
    """
    T = model.config.context_length
    x = torch.cat([streams(model, ids[:T]) for ids in texts], dim=1).double()  # (1 + L, n, D)
    tuned = TunedLens(model.config.n_layers, model.config.d_model).requires_grad_(False)
    for layer, depth in zip(tuned.maps, x[:-1], strict=True):
        A = nn.functional.pad(depth, (0, 1), value=1)  # the 1 gives the map a bias
        found = torch.linalg.solve(A.T @ A + RIDGE * torch.eye(A.shape[1]), A.T @ x[-1])
        layer.weight.copy_(found[:-1].T)
        layer.bias.copy_(found[-1])
    return tuned


@cache
def glossary_lens(model: Transformer, tokenizer: Tokenizer) -> TunedLens:
    """The maps of a model, fitted on every second glossary entry; the others can test them.

    They are rounded as the page holds them.
    """
    entries = load_glossary()[::2]
    texts = (f"{entry.definition} {entry.why}" for entry in entries)
    return rounded(fit(model, map(tokenizer.encode, texts)))
