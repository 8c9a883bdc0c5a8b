"""The KV cache: keys and values of all positions seen so far, kept for the next pass."""

import torch
from torch import Tensor


class KVCache:
    """Preallocated room for the keys and values of every layer.

    `length` is the number of positions filled. A pass appends to them and the model then moves
    `length` forward; `rollback` moves it back, which is all that forgetting takes.

    Attributes:
        keys, values: (L, B, G, capacity, d).
        length: positions filled so far.
    """

    def __init__(self, config, batch_size: int = 1, dtype=torch.float32, device="cpu"):
        shape = (
            config.n_layers, batch_size, config.n_kv_heads, config.context_length, config.head_dim
        )  # fmt: skip
        self.keys = torch.zeros(shape, dtype=dtype, device=device)
        self.values = torch.zeros(shape, dtype=dtype, device=device)
        self.length = 0

    @property
    def capacity(self) -> int:
        return self.keys.shape[3]

    def append(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Append k and v (B, G, T, d) to what is there; return all so far, (B, G, S, d).

        `length` stays as it is until every layer has written (`advance`).
        """
        if k.shape[0] != self.keys.shape[1]:
            raise ValueError(
                f"this cache was made for a batch of {self.keys.shape[1]}, got {k.shape[0]}; "
                "make a KVCache with batch_size equal to the batch of ids"
            )
        end = self.length + k.shape[2]
        self.keys[layer, :, :, self.length : end] = k
        self.values[layer, :, :, self.length : end] = v
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]

    def advance(self, n_positions: int) -> None:
        """Count n_positions more as filled, after all layers have written them."""
        self.length += n_positions

    def rollback(self, length: int) -> None:
        """Forget every position from `length` on."""
        if not 0 <= length <= self.length:
            raise ValueError(f"cannot roll a cache of length {self.length} back to {length}")
        self.length = length
