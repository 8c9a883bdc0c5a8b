"""What units of the feed-forward networks do, measured: where they are active, who needs them."""

from collections.abc import Sequence

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

    hooks = [b.feedforward.down.register_forward_pre_hook(collect) for b in model.blocks]
    try:
        model(ids, last=1)
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack(found)


@torch.no_grad()
def logits_without_units(model: Transformer, ids: Tensor, layer: int, silent: Sequence[int]):
    """The logits (V,) after a text (T,) when some units of one layer write nothing anywhere."""
    down = model.blocks[layer].feedforward.down
    keep = torch.ones(down.in_features, device=ids.device)
    keep[list(silent)] = 0
    hook = down.register_forward_pre_hook(lambda _, inputs: (inputs[0] * keep,))
    try:
        return model(ids[None], last=1)[0, -1]
    finally:
        hook.remove()
