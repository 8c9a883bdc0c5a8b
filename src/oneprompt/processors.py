"""Functions that change the logits before they become probabilities: penalties, bias, constraint.

A processor is anything that can be called with the logits (V,) of the next token, the ids so far,
and how many of these are the prompt's, and that returns logits (V,). `generate`, `stream` and the
speculative decoder take a list of processors and apply them in order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor

from .history import token_counts
from .sample import is_finite_number

Processor = Callable[[Tensor, Sequence[int], int], Tensor]


def process(
    processors: Iterable[Processor], logits: Tensor, text: Sequence[int], n_prompt: int
) -> Tensor:
    """Logits (V,) after every processor.

    Raises:
        ValueError: a processor returns something else than logits (V,).
    """
    shape = logits.shape
    for processor in processors:
        logits = processor(logits, text, n_prompt)
        if not isinstance(logits, Tensor) or logits.shape != shape:
            found = tuple(logits.shape) if isinstance(logits, Tensor) else repr(logits)
            raise ValueError(
                f"{processor!r} must return logits of shape {tuple(shape)}, got {found}"
            )
    return logits


class RepetitionCost:
    """Presence and frequency penalties: l - presence · [c > 0] - frequency · c, c the count so far.

    The penalties of OpenAI's API, which vLLM and llama.cpp have too.

    Args:
        presence, frequency: any number; above 0 discourages, below 0 encourages.
        counts: what c counts: "output" for the new ids alone, as OpenAI's API and vLLM do, or
            "text" for the prompt as well. (llama.cpp counts the last ids of the text, 64 by
            default.)

    Raises:
        ValueError: a penalty is not a finite number, or `counts` is unknown.
    """

    def __init__(self, presence: float = 0.0, frequency: float = 0.0, counts: str = "output"):
        for name, value in (("presence", presence), ("frequency", frequency)):
            if not is_finite_number(value):
                raise ValueError(f"{name} must be a finite number, got {value!r}")
        if counts not in ("output", "text"):
            raise ValueError(f"counts={counts!r} is unknown; choose from 'output' and 'text'")
        self.presence, self.frequency, self.counts = presence, frequency, counts

    def __call__(self, logits: Tensor, text: Sequence[int], n_prompt: int) -> Tensor:
        counted = text[n_prompt:] if self.counts == "output" else text
        c = token_counts(counted, logits).to(logits.dtype)
        return logits - self.presence * c.clamp(max=1) - self.frequency * c


class LogitBias:
    """Adds a number to the logits of some tokens; -inf forbids one.

    Args:
        bias: token id -> what is added.

    Raises:
        ValueError: a bias is NaN or +inf; on use, an id is outside the vocabulary.
    """

    def __init__(self, bias: Mapping[int, float]):
        for token_id, value in bias.items():
            if not (is_finite_number(value) or value == float("-inf")):
                raise ValueError(f"the bias of {token_id} must be finite or -inf, got {value!r}")
        self.ids, self.values = list(bias), [float(value) for value in bias.values()]

    def __call__(self, logits: Tensor, text: Sequence[int], n_prompt: int) -> Tensor:
        ids = _checked(self.ids, logits)
        return logits.index_add(0, ids, torch.tensor(self.values).to(logits))


class Allow:
    """Constrained decoding: only what a function allows can come next.

    Args:
        allowed: called with the new ids so far; returns the ids that may follow, at least one
            (Willard and Louf 2023, section 3, make such functions from regular expressions).

    Raises:
        ValueError: on use, nothing is allowed, or an id is outside the vocabulary.
    """

    def __init__(self, allowed: Callable[[Sequence[int]], Iterable[int]]):
        self.allowed = allowed

    def __call__(self, logits: Tensor, text: Sequence[int], n_prompt: int) -> Tensor:
        ids = list(self.allowed(text[n_prompt:]))
        if not ids:
            raise ValueError(
                "nothing is allowed after the new ids "
                f"{list(text[n_prompt:])}; allow at least one token, such as the end of the text"
            )
        ids = _checked(ids, logits)
        return torch.full_like(logits, float("-inf")).index_copy(0, ids, logits[ids])


def _checked(ids: list[int], logits: Tensor) -> Tensor:
    """The ids as a tensor; ValueError for one that the vocabulary does not have."""
    V = logits.shape[-1]
    if wrong := [i for i in ids if type(i) is not int or not 0 <= i < V]:
        raise ValueError(f"token id {wrong[0]!r} is outside the vocabulary (0 to {V - 1})")
    return torch.tensor(ids, device=logits.device)
