"""Tests of the final project: a complete generator."""

import math
import random
from itertools import pairwise

import torch
from torch import Tensor

from oneprompt.sample import Sampling, probabilities

from .. import Results, compare, one_tensor
from ..table import Table
from .cuts import WRONG_CUTS, kept
from .project import PARTS, generate, speculate
from .reference import reference, tokenizer
from .sample import first_logits
from .shipped import MISTAKES, forward, parts_of, shipped, small_model
from .variants import own_variant

__all__ = ["PARTS", "by_hand", "distribution", "forward_pass", "generate", "numbers", "shipped",
           "speculate"]  # fmt: skip
CLOSE = 1e-4  # logits of six layers: another order of sums moves them 1e-5, the other GELU 7e-4


def numbers(rng: random.Random) -> dict:
    """An acceptance rate, the cost of the draft, and how many ids it proposes."""
    return {
        "alpha": rng.choice([0.5, 0.6, 0.7, 0.8, 0.9]),
        "cost": rng.choice([0.05, 0.1, 0.2, 0.25]),
        "gamma": rng.choice([2, 3]),
    }


def hand_results(alpha: float, cost: float, gamma: int) -> Results:
    """The expected speedup, and the mistakes."""
    tokens, time = sum(alpha**i for i in range(gamma + 1)), cost * gamma + 1
    causes = (
        (tokens, "these are the ids of a pass: the draft takes time as well"),
        ((tokens - 1) / time, "the id that the target adds in every pass is missing"),
        (tokens / (cost * gamma), "the target's own pass takes time too"),
        (tokens / (cost + 1), "the draft makes gamma passes, and not one"),
        (tokens / (gamma + 1), "a pass of the draft takes c, and not as long as one of the target"),
        ((1 + gamma * alpha) / time, "an id counts only if all before it were kept"),
        (tokens * time, "divide by the time"),
        (time / tokens, "this is how much of the time is left: its inverse is the speedup"),
        (1 / (1 - alpha) / time, "this is the sum of all powers: it ends with alpha^gamma"),
    )
    return tokens / time, causes


def by_hand(answer, student: str) -> None:
    """The expected speedup for the student's numbers."""
    Table("the speedup", *hand_results(**own_variant("generator", student))).check(answer)


def forward_pass(
    function, pieces=(5,), name: str = "reference", prompt: str = "What is machine learning?"
) -> None:
    """(weights, sizes, ids, cache) -> logits (T, V): equal to the model's, also in pieces."""
    model = small_model() if name == "small" else reference(name)
    ids = [7, 3, 7, 40, 0, 12, 5] if name == "small" else tokenizer().encode(prompt)
    cuts = [sum(pieces[:i]) for i in range(len(pieces))] + [len(ids)]
    parts = [ids[a:b] for a, b in pairwise(cuts) if a < b]
    expected = model(torch.tensor([ids]))[0]
    call = f"forward of the {name} model, with {' + '.join(str(len(part)) for part in parts)} ids"

    def in_pieces(forward_of) -> Tensor:
        weights, sizes = parts_of(model)
        cache = [None] * sizes["n_layers"]
        return torch.cat([one_tensor(forward_of(weights, sizes, part, cache)) for part in parts])

    causes = [
        (in_pieces(lambda *given, wrong=wrong: forward(*given, wrong)), text)
        for wrong, text in MISTAKES.items()
    ]
    got = in_pieces(lambda w, sizes, part, cache: function(dict(w), dict(sizes), list(part), cache))
    compare(call, got, expected, causes, tolerance=CLOSE)


def distribution(function, temperature: float = 2.0, top_p: float = 0.9,
                 logits=(1.0, 3.0, -1.0, 2.0, 2.5, 0.0)) -> None:  # fmt: skip
    """(logits (V,), temperature, top_p) -> (V,); without logits, for those of the model."""
    what = "the model's logits" if logits is None else list(logits)
    logits = first_logits() if logits is None else torch.tensor(logits, dtype=torch.float64)
    right = probabilities(logits, Sampling(temperature, top_p=top_p))
    heated, cold = (probabilities(logits, Sampling(t)) for t in (temperature, 1.0))
    before = probabilities(logits, Sampling(temperature, top_p=top_p,
        order=("repetition_penalty", "top_k", "top_p", "min_p", "temperature")))  # fmt: skip
    causes = [
        (cold, "neither temperature nor top-p was used"),
        (heated, "top-p was not used"),
        (kept(cold, {"top_p": top_p}), "this is temperature 1: the logits are divided by the "
         "temperature, and before the exponential"),
        (before, "top-p came before the temperature"),
        (kept(heated, {"top_p": top_p}, scale=False),
         "what was kept does not add up to 1: divide by its sum"),
        *((kept(heated, {"top_p": top_p}, top_p=cut), text)
          for name, cut, text in WRONG_CUTS if name == "top_p" and temperature),
        (logits * math.nan, "temperature 0 divides by 0: it is a case of its own"),
    ]  # fmt: skip
    call = f"distribution({what}, {temperature}, {top_p})"
    compare(call, one_tensor(function(logits.clone(), temperature, top_p)), right, causes)
