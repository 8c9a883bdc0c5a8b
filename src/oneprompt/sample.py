"""Step 7, sample: from logits to one token.

`probabilities` is the only place where logits become probabilities. Small filters, each
logits -> logits, reshape the distribution first; a token that a filter cuts gets the logit -inf.
`draw` then picks a token with one uniform random number.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

LOWEST_TEMPERATURE = 1e-6  # dividing by less overflows
FILTERS = ("repetition_penalty", "temperature", "top_k", "top_p", "min_p")


@dataclass(frozen=True)
class Sampling:
    """How to turn logits into a distribution to draw from.

    Attributes:
        temperature: divides the logits; below 1 sharper, above 1 flatter, 0 is greedy.
        top_k: None, or keep only the k most likely tokens.
        top_p: None, or keep the smallest set of most likely tokens that reaches probability p.
        min_p: None, or keep tokens at least min_p times as likely as the most likely one.
        repetition_penalty: above 1 makes tokens of the history less likely.
        order: in which the five are applied.

    Raises:
        TypeError, ValueError: a setting outside its range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float = 1.0
    order: tuple[str, ...] = FILTERS

    def __post_init__(self):
        t = self.temperature
        if t != 0 and not (math.isfinite(t) and t >= LOWEST_TEMPERATURE):
            raise ValueError(
                f"temperature must be 0 (greedy) or at least {LOWEST_TEMPERATURE}, got {t}"
            )
        if self.top_k is not None and not isinstance(self.top_k, int):
            raise TypeError(f"top_k must be None or an int, got {self.top_k!r}")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k must be None or at least 1, got {self.top_k}")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be None or in (0, 1], got {self.top_p}")
        if self.min_p is not None and not 0 <= self.min_p <= 1:
            raise ValueError(f"min_p must be None or in [0, 1], got {self.min_p}")
        if not (math.isfinite(self.repetition_penalty) and self.repetition_penalty > 0):
            raise ValueError(
                f"repetition_penalty must be a positive number, got {self.repetition_penalty}"
            )
        if sorted(self.order) != sorted(FILTERS):
            raise ValueError(f"order must name each of {FILTERS} once, got {self.order}")


GREEDY = Sampling(temperature=0.0)


def apply_repetition_penalty(logits: Tensor, penalty: float, history: Sequence[int]) -> Tensor:
    """Make tokens of the history less likely: l / penalty if l > 0, l · penalty otherwise.

    Keskar et al. 2019, section 4.1.

    Args:
        logits: (..., V).
        penalty: above 1 discourages, 1 changes nothing.
        history: the ids so far, prompt included.
    """
    ids = torch.as_tensor(sorted(set(history)), dtype=torch.int64)
    chosen = logits[..., ids]
    penalized = logits.clone()
    penalized[..., ids] = torch.where(chosen > 0, chosen / penalty, chosen * penalty)
    return penalized


def apply_temperature(logits: Tensor, temperature: float) -> Tensor:
    """logits / temperature (Ackley et al. 1985, section 2)."""
    return logits / temperature


def apply_top_k(logits: Tensor, k: int) -> Tensor:
    """Keep the k largest logits (Fan et al. 2018, section 5.4); of equal ones, the lower ids."""
    order = logits.argsort(dim=-1, descending=True, stable=True)
    return logits.scatter(-1, order[..., k:], float("-inf"))


def apply_top_p(logits: Tensor, p: float) -> Tensor:
    """Keep the most likely tokens up to and including the one that crosses p.

    Nucleus sampling (Holtzman et al. 2020, section 3.1). The softmax runs over the whole
    vocabulary, so a filter in front of this one changes what p is a share of.
    """
    if p == 1:
        return logits
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    probability = ordered.softmax(dim=-1)
    before = probability.cumsum(dim=-1).roll(1, dims=-1)  # what the more likely tokens add up to
    before[..., 0] = 0
    return ordered.masked_fill(before >= p, float("-inf")).gather(-1, order.argsort(dim=-1))


def apply_min_p(logits: Tensor, min_p: float) -> Tensor:
    """Keep tokens with p(token) ≥ min_p · p(most likely token) (Nguyen et al. 2024, section 3)."""
    probability = logits.softmax(dim=-1)
    threshold = min_p * probability.amax(dim=-1, keepdim=True)
    return logits.masked_fill(probability < threshold, float("-inf"))


def probabilities(
    logits: Tensor, sampling: Sampling, history: Sequence[int] | None = None
) -> Tensor:
    """The distribution that a token is drawn from: softmax of the filtered logits.

    Args:
        logits: (..., V), as the model gives them.
        sampling: the settings. Temperature 0 puts everything on the largest logit (the lowest id
            among equals) after the repetition penalty; the other filters cannot change it.
        history: the ids so far, for the repetition penalty; required where it is not 1.

    Returns:
        (..., V), float64, summing to 1 over the last axis.
    """
    logits = logits.double()
    greedy = sampling.temperature == 0
    for name in sampling.order:
        setting = getattr(sampling, name)
        if name == "repetition_penalty" and setting != 1:
            if history is None:
                raise ValueError("a repetition penalty needs the history of ids so far")
            logits = apply_repetition_penalty(logits, setting, history)
        elif name == "temperature" and not greedy:
            logits = apply_temperature(logits, setting)
        elif name == "top_k" and setting is not None:
            logits = apply_top_k(logits, setting)
        elif name == "top_p" and setting is not None:
            logits = apply_top_p(logits, setting)
        elif name == "min_p" and setting is not None:
            logits = apply_min_p(logits, setting)
    if greedy:
        return torch.zeros_like(logits).scatter(-1, logits.argmax(dim=-1, keepdim=True), 1.0)
    return logits.softmax(dim=-1)


def draw(probability: Tensor, uniform: float) -> int:
    """The token in whose slice of the cumulative distribution the uniform number falls.

    Args:
        probability: (V,), summing to 1.
        uniform: in [0, 1).
    """
    cumulative = probability.cumsum(dim=-1)
    # Scaling by the last sum guards against a total of 0.999…; a token of probability 0 has an
    # empty slice and is never drawn.
    target = uniform * cumulative[-1]
    return min(
        int(torch.searchsorted(cumulative, target, right=True)),
        int(probability.nonzero()[-1]),
    )


def uniforms(seed: int | None) -> Iterator[float]:
    """An endless stream of uniform random numbers in [0, 1), one per draw."""
    generator = torch.Generator()
    generator.manual_seed(seed) if seed is not None else generator.seed()
    while True:
        yield torch.rand((), generator=generator, dtype=torch.float64).item()


def entropy(probability: Tensor) -> float:
    """-Σ p log₂ p of one distribution (V,), in bits."""
    p = probability[probability > 0]
    return max(0.0, float(-(p * p.log2()).sum()))  # certainty is 0, not -0
