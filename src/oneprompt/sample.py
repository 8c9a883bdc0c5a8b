"""Step 7, sample: from logits to one token.

`probabilities` is the only place where logits become probabilities. Small filters, each
logits -> logits, reshape the distribution first; a token that a filter cuts gets the logit -inf.
`draw` then picks a token with one uniform random number.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType

import torch
from torch import Tensor

from .history import History, token_counts

LOWEST_TEMPERATURE = 1e-6  # dividing by less overflows
ROUNDING = 1e-7  # by this, a running sum of probabilities may miss a round number such as 0.8
FIRST_SORTED = 1024  # how many tokens to sort at first: these nearly always hold the nucleus
FILTERS = ("repetition_penalty", "temperature", "top_k", "top_p", "min_p")


def is_finite_number(value: object) -> bool:
    """Whether it is a finite int or float, and not a bool."""
    return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)


# setting -> its types, and its allowed values as text and as a condition
ALLOWED = {
    "temperature": (
        (int, float),
        f"0 (greedy) or a number of at least {LOWEST_TEMPERATURE}",
        lambda t: t == 0 or (math.isfinite(t) and t >= LOWEST_TEMPERATURE),
    ),
    "top_k": ((int, NoneType), "None or an int of at least 1", lambda k: k >= 1),
    "top_p": ((int, float, NoneType), "None or a number in (0, 1]", lambda p: 0 < p <= 1),
    "min_p": ((int, float, NoneType), "None or a number in [0, 1]", lambda p: 0 <= p <= 1),
    "repetition_penalty": (
        (int, float), "a positive number", lambda x: math.isfinite(x) and x > 0
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Sampling:
    """How to turn logits into a distribution to draw from.

    Attributes:
        temperature: divides the logits; below 1 sharper, above 1 flatter, 0 is greedy.
        top_k: None, or keep only the k most likely tokens.
        top_p: None, or keep the smallest set of most likely tokens that reaches probability p.
        min_p: None, or keep tokens at least min_p times as likely as the most likely one.
        repetition_penalty: above 1 makes tokens of the history less likely.
        order: the order in which the five are applied.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is outside its range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float = 1.0
    order: tuple[str, ...] = FILTERS

    def __post_init__(self):
        object.__setattr__(self, "order", tuple(self.order))
        for name, (kinds, allowed, holds) in ALLOWED.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, kinds):
                raise TypeError(f"{name} must be {allowed}, got {value!r}")
            if value is not None and not holds(value):
                raise ValueError(f"{name} must be {allowed}, got {value}")
        if sorted(self.order) != sorted(FILTERS):
            raise ValueError(f"order must name each of {FILTERS} once, got {self.order}")


GREEDY = Sampling(temperature=0.0)


def apply_repetition_penalty(logits: Tensor, penalty: float, history: History) -> Tensor:
    """Make tokens of the history less likely: l / penalty if l > 0, l · penalty otherwise.

    Keskar et al. 2019, section 4.1.

    Args:
        logits: (V,), or (B, V) with a history per row.
        penalty: above 1 discourages, 1 changes nothing.
        history: the ids so far, prompt included.
    """
    penalized = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(token_counts(history, logits) > 0, penalized, logits)


def apply_temperature(logits: Tensor, temperature: float) -> Tensor:
    """logits / temperature (Ackley et al. 1985, section 2)."""
    return logits / temperature


def apply_top_k(logits: Tensor, k: int) -> Tensor:
    """Keep the k largest logits (Fan et al. 2018, section 5.4); of equal ones, the lower ids."""
    count = torch.full((*logits.shape[:-1], 1), min(k, logits.shape[-1]), device=logits.device)
    return keep_largest(logits, count)


def keep_largest(logits: Tensor, count: Tensor) -> Tensor:
    """Keep the `count` (..., 1) largest logits of each row; of equal ones, the lower ids.

    Only these are ever sorted: for a large vocabulary, far less work than a full sort.
    """
    largest = logits.topk(int(count.max()), dim=-1).values
    last = largest.gather(-1, count - 1)  # the smallest that is kept
    above, equal = logits > last, logits == last
    room = count - above.sum(dim=-1, keepdim=True)  # for those that equal it
    return logits.masked_fill(~(above | (equal & (equal.cumsum(dim=-1) <= room))), float("-inf"))


def apply_top_p(logits: Tensor, p: float) -> Tensor:
    """Keep the most likely tokens up to and including the one that crosses p.

    Nucleus sampling (Holtzman et al. 2020, section 3.1). The softmax runs over the whole
    vocabulary, so a filter applied before this one changes what p is a share of.
    """
    if p == 1:
        return logits
    return keep_largest(logits, nucleus_size(logits.softmax(dim=-1), p))


def nucleus_size(probability: Tensor, p: float) -> Tensor:
    """How many of the most likely tokens it takes to reach p, at least one: (..., 1).

    A sum that misses p by less than rounding counts as reaching it: 0.5 + 0.3 reaches 0.8.
    """
    V = probability.shape[-1]
    size = min(FIRST_SORTED, V)
    while True:
        largest = probability.topk(size, dim=-1).values
        before = largest.cumsum(dim=-1).roll(1, dims=-1)  # what the more likely ones add up to
        before[..., 0] = float("-inf")
        within = before < p - ROUNDING
        if size == V or not within[..., -1].any():
            return within.sum(dim=-1, keepdim=True)
        size = min(8 * size, V)


def apply_min_p(logits: Tensor, min_p: float) -> Tensor:
    """Keep tokens with p(token) ≥ min_p · p(most likely token) (Nguyen et al. 2024, section 3)."""
    probability = logits.softmax(dim=-1)
    threshold = min_p * probability.amax(dim=-1, keepdim=True)
    return logits.masked_fill(probability < threshold, float("-inf"))


def probabilities(logits: Tensor, sampling: Sampling, history: History | None = None) -> Tensor:
    """The distribution that a token is drawn from: softmax of the filtered logits.

    Args:
        logits: (..., V), as the model gives them.
        sampling: the settings. Temperature 0 puts everything on the largest logit (the lowest id
            among equals) after the repetition penalty; the other filters cannot change it.
        history: the ids so far, for the repetition penalty; required unless that is 1. A batch
            (B, V) needs one per row.

    Returns:
        (..., V), float64, summing to 1 over the last axis.

    Raises:
        ValueError: the logits have no finite maximum (NaN, infinity, or all -inf), or the history
            is missing or has ids outside the vocabulary.
    """
    logits = logits.double()
    if not torch.isfinite(logits.amax(dim=-1)).all():
        raise ValueError(
            "the logits hold NaN, +inf, or nothing but -inf, so there is no distribution; "
            "look for the step that made them"
        )
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

    Raises:
        ValueError: the number is outside [0, 1), or the probabilities do not add up.
    """
    cumulative = probability.cumsum(dim=-1)
    total = cumulative[-1].item()
    if not 0 <= uniform < 1:
        raise ValueError(f"the uniform number must be in [0, 1), got {uniform}")
    if not total > 0:
        raise ValueError(f"the probabilities must add up to 1, got {total}")
    # Scaling by the last sum guards against a total of 0.999…, and staying below it against
    # rounding; a token of probability 0 has an empty slice and is never drawn.
    target = min(uniform * total, math.nextafter(total, 0.0))
    return int(torch.searchsorted(cumulative, target, right=True))


def uniforms(seed: int | None) -> Iterator[float]:
    """An endless stream of uniform random numbers in [0, 1), one per draw.

    Raises:
        TypeError: the seed is neither None nor an int.
    """
    if seed is not None and type(seed) is not int:
        raise TypeError(f"the seed must be None or an int, got {seed!r}")
    return _uniforms(seed)


def _uniforms(seed: int | None) -> Iterator[float]:
    generator = torch.Generator()
    generator.manual_seed(seed) if seed is not None else generator.seed()
    while True:
        yield torch.rand((), generator=generator, dtype=torch.float64).item()


def entropy(probability: Tensor) -> float:
    """-Σ p log₂ p of one distribution (V,), in bits."""
    p = probability[probability > 0]
    return max(0.0, float(-(p * p.log2()).sum()))  # certainty is 0, not -0
