"""The KV cache: keys and values of all positions seen so far, kept for the next pass."""

import torch
from torch import Tensor

FIRST_CAPACITY = 256  # positions, if the caller does not say how many are needed


class KVCache:
    """Room for the keys and values of every layer, allocated ahead.

    `length` is the number of positions filled. A pass appends to them and the model then moves
    `length` forward; `rollback` moves it back, which is all that forgetting takes. A full cache
    doubles its room, so memory follows what a text needs and not the longest possible.

    Args:
        config: the model's.
        batch_size: how many texts it holds, B.
        dtype, device: the model's.
        capacity: positions to have room for at first; None for a short text.

    Attributes:
        keys, values: (L, B, G, capacity, d).
        length: positions filled so far.
        ids: the text in those positions, as last given to `unread`.

    Raises:
        ValueError: there is no text to hold, or the capacity is negative.
    """

    def __init__(
        self,
        config,
        batch_size: int = 1,
        dtype=torch.float32,
        device="cpu",
        capacity: int | None = None,
    ):
        if batch_size < 1 or (capacity is not None and capacity < 0):
            raise ValueError(
                "a cache holds at least one text and 0 or more positions; got "
                f"batch_size={batch_size} and capacity={capacity}"
            )
        self.longest = config.context_length
        capacity = min(FIRST_CAPACITY if capacity is None else capacity, self.longest)
        shape = (config.n_layers, batch_size, config.n_kv_heads, capacity, config.head_dim)
        self.keys = torch.empty(shape, dtype=dtype, device=device)
        self.values = torch.empty(shape, dtype=dtype, device=device)
        self.length = 0
        self.ids: list[int] = []

    @property
    def capacity(self) -> int:
        return self.keys.shape[3]

    def append(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Append k and v (B, G, T, d), and return all so far, (B, G, S, d).

        `length` stays as it is until every layer has written (`advance`).
        """
        end = self.length + k.shape[2]
        if end > self.capacity:
            self._grow(max(end, min(2 * self.capacity, self.longest)))
        self.keys[layer, :, :, self.length : end] = k
        self.values[layer, :, :, self.length : end] = v
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]

    def advance(self, n_positions: int) -> None:
        """Count n_positions more as filled, after all layers have written them."""
        self.length += n_positions

    def rollback(self, length: int) -> None:
        """Forget every position from `length` on.

        Raises:
            ValueError: `length` is negative or more than the positions filled.
        """
        if not 0 <= length <= self.length:
            raise ValueError(f"cannot roll a cache of length {self.length} back to {length}")
        self.length = length

    def unread(self, text: list[int], at_least: int = 1) -> list[int]:
        """Roll back to the beginning that the cache shares with a text, and return the rest of it.

        Positions that were filled without this method count as not shared.

        Args:
            text: the ids of the one text that the cache holds.
            at_least: how many of the last ids to return in any case, since their logits are needed.
        """
        known = max(min(len(self.ids), self.length, len(text) - at_least), 0)
        if self.ids[:known] != text[:known]:
            known = next(i for i in range(known) if self.ids[i] != text[i])
        self.rollback(known)
        self.ids = list(text)
        return text[known:]

    def keep_rows(self, rows: list[int]) -> None:
        """Keep only these texts of a batch. They move up, so that memory never holds two caches."""
        n, filled = len(rows), slice(self.length)
        for cached in (self.keys, self.values):
            for layer in range(len(cached)):
                cached[layer, :n, :, filled] = cached[layer][rows, :, filled]
        self.keys, self.values = self.keys[:, :n], self.values[:, :n]

    def check_fits(self, config, batch_size: int) -> None:
        """Refuse another model, or another number of texts.

        Raises:
            ValueError: the cache does not fit; the message says why and what to do.
        """
        L, B, G, _, d = self.keys.shape
        needed = (config.n_layers, config.n_kv_heads, config.head_dim)
        if needed != (L, G, d):
            raise ValueError(
                "this is another model's cache: (layers, key/value heads, head_dim) are "
                f"{(L, G, d)} in it and {needed} in the model; make one with model.new_cache()"
            )
        if batch_size != B:
            raise ValueError(
                f"this cache was made for a batch of {B}, got {batch_size}; "
                "make one with model.new_cache(batch_size)"
            )

    def _grow(self, capacity: int) -> None:
        old, shape = self.length, (*self.keys.shape[:3], capacity, self.keys.shape[4])
        for name in ("keys", "values"):
            filled = getattr(self, name)[:, :, :, :old]
            grown = filled.new_empty(shape)
            grown[:, :, :, :old] = filled
            setattr(self, name, grown)
