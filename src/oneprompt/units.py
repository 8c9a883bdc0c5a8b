"""What units of the feed-forward networks do, measured: where they are active, who needs them."""

from collections.abc import Sequence
from contextlib import ExitStack

import torch
from torch import Tensor

from .model import Transformer


@torch.no_grad()
def strongest_places(model: Transformer, ids: Tensor, n: int) -> Tensor:
    """Where every unit is most active in some texts.

    Args:
        ids: (B, T).
        n: how many places per unit.

    Returns:
        (L, F, n): places b T + t, the strongest first.
    """
    found = []

    def collect(_, inputs):
        found.append(inputs[0].flatten(0, 1).topk(n, dim=0).indices.T)  # (B T, F) -> (F, n)

    with ExitStack() as hooks:
        for block in model.blocks:
            hooks.enter_context(block.feedforward.down.register_forward_pre_hook(collect))
        model(ids, last=1)
    return torch.stack(found)


@torch.no_grad()
def logits_without_units(model: Transformer, ids: Tensor, layer: int, silent: Sequence[int]):
    """The logits (V,) after a text (T,) when some units of one layer write nothing anywhere."""
    down = model.blocks[layer].feedforward.down
    keep = torch.ones(down.in_features, device=ids.device)
    keep[list(silent)] = 0
    with down.register_forward_pre_hook(lambda _, inputs: (inputs[0] * keep,)):
        return model(ids[None], last=1)[0, -1]
