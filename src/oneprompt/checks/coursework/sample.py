"""Tests of the assignment on sampling."""

import random
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from oneprompt.sample import Sampling, draw, probabilities

from .. import Wrong, compare, one_tensor, random_tensors, sample
from ..table import Table
from .cuts import kept, wrong_kept
from .frequencies import SURE, misfit
from .reference import reference, tokenizer
from .variants import own_variant

FILTERS = ("top_k", "top_p", "min_p")
SHARES = (0.1, 0.25, 0.05, 0.3, 0.1, 0.2)


def numbers(rng: random.Random) -> dict:
    """Three shares, and a temperature at which their powers are whole numbers."""
    temperature = rng.choice([0.5, 0.5, 2])
    shares = range(1, 7) if temperature == 0.5 else (1, 4, 9, 16, 25)
    return {"shares": tuple(rng.sample(shares, 3)), "temperature": temperature}


def by_hand(answer, student: str) -> None:
    """The chapter's question, with the student's probabilities and temperature."""
    given = own_variant("sample", student)
    call = f"the three probabilities at temperature {given['temperature']}"
    Table(call, *sample.hand_results(**given)).check(answer)


def distribution(function, logits=(1.0, 3.0, -1.0, 2.0), temperature: float = 0.7) -> None:
    """(logits (V,), temperature) -> (V,); temperature 0 is greedy."""
    x = torch.tensor(logits, dtype=torch.float64)
    right = probabilities(x, Sampling(temperature))
    powers = (x / temperature).exp() if temperature else torch.zeros_like(x)
    best = x == x.max()
    causes = (
        (powers / powers.sum(), "the exponential overflowed, or 0 was divided by 0: subtract the "
         "largest logit first, and let temperature 0 be a case of its own"),
        (best / best.sum(), "equal logits share the probability: the lowest id gets all of it"),
        (best.double(), "of equal logits, the lowest id gets everything, and the others nothing"),
        (_certain(x, int(best.nonzero().max())),
         "of equal logits, the lowest id gets everything, and not the highest"),
        (x.softmax(-1), "this is temperature 1: the logits are divided by the temperature, and "
         "before the exponential; a factor after it cancels"),
        (x.softmax(-1) / (temperature or 1), "the temperature came after the exponential"),
        ((x * temperature).softmax(-1), "the logits were multiplied by the temperature"),
        (powers, "the powers are not divided by their sum"),
        ((x / (temperature or 1) - x.max() / (temperature or 1)).exp(),
         "the powers are not divided by their sum"),
        (x / (temperature or 1), "these are still logits"),
        (_certain(x, int(x.argmax())),
         "the best token got everything: that is temperature 0"),
    )  # fmt: skip
    call = f"distribution(torch.tensor({list(logits)}), {temperature})"
    compare(call, one_tensor(function(x.clone(), temperature)), right, causes)


def _certain(x: Tensor, token: int) -> Tensor:
    return torch.zeros_like(x).index_fill(0, torch.tensor(token), 1.0)


def keep(function, shares=SHARES, seed: int | None = None, **filters) -> None:
    """(probability (V,), top_k, top_p, min_p) -> (V,): what is kept, scaled to sum to 1."""
    p = torch.tensor(shares, dtype=torch.float64)
    if seed is not None:
        p = random_tensors((50,), seed=seed)[0].double().softmax(-1)
    given = p.clone()
    got = one_tensor(function(given, **filters))
    if not torch.equal(given, p):
        raise Wrong("not yet. Your function changed the probabilities that it was given: whatever "
                    "reads them next gets other numbers")  # fmt: skip
    what = f"{len(p)} random numbers" if len(p) > 10 else p.tolist()
    settings = ", ".join(f"{name}={value}" for name, value in filters.items())
    compare(f"keep({what}, {settings})", got, kept(p, filters), wrong_kept(p, filters))


def draw_one(function, shares=(0.25, 0.0, 0.5, 0.25)) -> None:
    """(probability (V,), u) -> the token whose slice holds u."""
    p = torch.tensor(shares, dtype=torch.float64)
    edges = [0.0, *p.cumsum(0).tolist()]
    middles = [(a + b) / 2 for a, b in pairwise(edges) if a < b]
    C, total = p.cumsum(0), len(p)
    borders = edges if C[-1] == 1 else []  # where the sum is rounded, so are the borders
    us = sorted({u for u in (*borders, *middles, 0.9999999) if u < 1})
    rank = p.argsort(descending=True, stable=True)

    def each(token: Callable[[float], int]) -> list[int]:
        return [int(token(u)) for u in us]

    causes = (
        (each(lambda u: p.argmax()), "always the most likely token: that is no draw"),
        (each(lambda u: (u >= C).sum()), "rounding left the sum below 1 and u above it: then the "
         "last token that has probability is drawn"),
        (each(lambda u: min((u >= C).sum(), total - 1)), "a token of probability 0 was drawn: "
         "where u lies above the rounded sum, the last token that has probability is drawn"),
        (each(lambda u: (u > C).sum()), "a u at the border of two slices belongs to the later one: "
         "the slice of token i starts at C[i - 1], with it, and ends before C[i]"),
        (each(lambda u: min((u > C).sum(), total - 1)),
         "a u at the border of two slices belongs to the later one"),
        (each(lambda u: (u >= C).sum() - 1), "the token is one too low: count the slices that end "
         "at or before u"),
        (each(lambda u: (u >= C).sum() + 1), "the token is one too high"),
        (each(lambda u: rank[min((u >= p[rank].cumsum(0)).sum(), total - 1)]),
         "the slices lie in the order of the ids, and not of the ranks"),
        (each(lambda u: (p - u).abs().argmin()), "u is compared with the running sum, and not with "
         "the probability of each token"),
        (each(lambda u: (p > u).double().argmax()), "u is compared with the running sum, and not "
         "with the probability of each token"),
    )  # fmt: skip
    call = f"draw({list(shares)}, u) for u = {', '.join(f'{u:g}' for u in us)}"
    got = [_token(function(p.clone(), u)) for u in us]
    compare(call, got, each(lambda u: draw(p, u)), causes)


def sampler(function, temperature: float = 2.0, seed: int = 0, **filters) -> None:
    """(logits (V,), n, seed, temperature, ...) -> n tokens, in the model's distribution."""
    logits, n = first_logits(), 2000
    filters = filters or {"top_p": 0.7}
    got = _tokens(function(logits.clone(), n, seed, temperature, **filters), n)
    settings = ", ".join(f"{name}={value}" for name, value in filters.items())
    call = f"sample(logits, {n}, seed={seed}, temperature={temperature}, {settings})"
    if got != _tokens(function(logits.clone(), n, seed, temperature, **filters), n):
        raise Wrong(f"not yet. {call} gave other tokens when it was called again\n"
                    "  likely cause: the random numbers do not come from the seed")  # fmt: skip
    if got == _tokens(function(logits.clone(), n, seed + 1, temperature, **filters), n):
        raise Wrong(f"not yet. {call} gave the same tokens with another seed\n"
                    "  likely cause: the seed is not used")  # fmt: skip
    right = probabilities(logits, Sampling(temperature, **filters))
    if misfit(got, right) > SURE:
        wrong = _wrong_distributions(logits, temperature, filters)
        cause = next((text for p, text in wrong if misfit(got, p) <= SURE), None)
        if len(set(got)) == 1:
            cause = "one random number decided on all draws: each needs its own"
        best = int(right.argmax())
        lines = [f"not yet. {call} does not follow the distribution. Token {best}, for instance:",
                 f"  got:      {got.count(best)} times",
                 f"  expected: about {n * right[best].item():.0f} times"]  # fmt: skip
        raise Wrong("\n".join(lines + ([f"  likely cause: {cause}"] if cause else [])))


def first_logits(prompt: str = "What is machine learning?") -> Tensor:
    """The reference model's logits (V,) of the token after a prompt, float64."""
    with torch.inference_mode():
        return reference()(torch.tensor([tokenizer().encode(prompt)]))[0, -1].double().clone()


def _wrong_distributions(logits: Tensor, temperature: float, filters: dict) -> tuple:
    order = ("repetition_penalty", *FILTERS, "temperature")
    kept = probabilities(logits, Sampling(temperature, **filters)) > 0
    return (
        (probabilities(logits, Sampling(temperature, **filters, order=order)),
         "the filters came before the temperature"),
        (probabilities(logits, Sampling(**filters)), "the temperature was not used"),
        (probabilities(logits, Sampling(temperature)), "the filters were not used"),
        (probabilities(logits, Sampling(temperature**2, **filters)),
         "the temperature was used twice"),
        (kept.double() / kept.sum(), "all kept tokens came alike: draw by their probabilities"),
    )  # fmt: skip


def _token(result) -> int:
    try:
        return int(result)
    except (TypeError, ValueError, RuntimeError):
        kind = type(result).__name__
        raise Wrong(f"not yet. The result is a {kind} and should be one token: an int") from None


def _tokens(result, n: int) -> list[int]:
    if isinstance(result, Tensor):
        result = one_tensor(result).tolist()
    if not isinstance(result, list | tuple) or len(result) != n:
        raise Wrong(f"not yet. The result should be a list of {n} tokens")
    tokens = [_token(token) for token in result]
    if not all(0 <= token < reference().config.vocab_size for token in tokens):
        raise Wrong("not yet. A token is outside the vocabulary")
    return tokens


PARTS = {
    "sampler": {
        "distribution": lambda logits, temperature: probabilities(logits, Sampling(temperature)),
        "keep": lambda p, top_k=None, top_p=None, min_p=None: kept(
            p, {"top_k": top_k, "top_p": top_p, "min_p": min_p}
        ),
        "draw": lambda p, u: draw(p, u),
    },
}
