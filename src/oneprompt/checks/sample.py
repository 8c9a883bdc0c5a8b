"""Checks of the exercises of chapter 7."""

import torch

from oneprompt.sample import apply_repetition_penalty, apply_temperature, apply_top_p

from . import Results, Wrong, compare
from .table import Table, from_table

CUT = float("-inf")


@from_table
def temperature_by_hand() -> Table:
    """The probabilities 0.75 and 0.25 at temperature 0.5."""
    return Table("[0.75, 0.25] at temperature 0.5", *hand_results())


def hand_results(shares=(3, 1), temperature: float = 0.5) -> Results:
    """The answer and the mistakes of `temperature_by_hand`, for probabilities with these shares."""
    p = torch.tensor(shares, dtype=torch.float64)
    p, t = p / p.sum(), temperature
    other = p**t / (p**t).sum()
    best = torch.zeros_like(p).index_fill(0, p.argmax(), 1.0)
    causes = (
        (other, f"this is temperature {1 / t:g}: the power is 1 / temperature, and below 1 it "
         "sharpens"),
        (p ** (1 / t), "these do not add up to one: divide by their sum"),
        ((p / t).softmax(dim=-1),
         "probabilities went in where logits belong: dividing by the temperature is for logits"),
        (p / t, "dividing probabilities by the temperature leaves no distribution"),
        (p, "this is temperature 1: nothing changed"),
        (best, "this is temperature 0, where the best token gets everything"),
    )  # fmt: skip
    return apply_temperature(p.log(), t).softmax(-1), causes


def top_p(function) -> None:
    """Top-p as a filter from logits to logits."""
    p = torch.tensor([0.15, 0.5, 0.05, 0.3], dtype=torch.float64)
    logits = p.log()
    kept = torch.tensor([False, True, False, True])
    causes = (
        (logits.masked_fill(p < 0.5, CUT),
         "the token that crosses p was cut: without it the kept tokens do not reach p"),
        (logits.masked_fill(p < 0.15, CUT),
         "one token too many was kept: those before it reach p already"),
        (torch.tensor([0.5, 0.3, 0, 0]).log(),
         "the tokens are in the order of their rank: bring them back to the order of their ids"),
        (p * kept, "these are probabilities: the filter takes logits and returns logits"),
        (p * kept / 0.8, "these are probabilities: the filter takes logits and returns logits"),
        (logits.masked_fill(~kept, 0.0),
         "a logit of 0 is a score like any other: a token that is cut needs the logit -inf"),
        (torch.full_like(logits, CUT), "everything was cut: p is compared with the running sum, "
         "and not with the probability of each token"),
    )  # fmt: skip
    call = "nucleus(logits of the probabilities [0.15, 0.5, 0.05, 0.3], 0.7)"
    compare(call, _unchanged(function, logits, 0.7), apply_top_p(logits, 0.7), causes)
    compare("nucleus(the same logits, 0.2)", function(logits.clone(), 0.2),
            apply_top_p(logits, 0.2),
            [(torch.full_like(logits, CUT), "the most likely token always stays")])  # fmt: skip
    compare("nucleus(the same logits, 1)", function(logits.clone(), 1), logits)
    many = 3 * torch.randn(40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    compare("nucleus(40 random logits, 0.9)", function(many.clone(), 0.9), apply_top_p(many, 0.9))


def frequency_penalty(function) -> None:
    """The logits, minus alpha for each time that a token occurs in the history."""
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0], dtype=torch.float64)
    once = torch.tensor([1.0, 0.0, 0.0, 1.0], dtype=torch.float64)
    counts = once + torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    causes = (
        (logits - 0.5 * once, "token 0 occurs twice but was penalized once; note that "
         "`logits[history] -= alpha` changes each id once, however often it is listed"),
        (logits + 0.5 * counts, "the penalty was added: that rewards repetition"),
        (logits + 0.5 * once, "the penalty was added: that rewards repetition"),
        (logits - counts, "alpha was left out"),
        (apply_repetition_penalty(logits, 0.5, [0, 0, 3]),
         "this is the repetition penalty, which divides or multiplies; this one subtracts"),
        (logits - 0.5 * counts / 3, "the penalty is alpha per occurrence, and not per share of "
         "the history"),
    )  # fmt: skip
    call = "frequency_penalty(logits=[2, 1, 0, -1], alpha=0.5, history=[0, 0, 3])"
    compare(call, _unchanged(function, logits, 0.5, [0, 0, 3]), logits - 0.5 * counts, causes)
    compare("frequency_penalty(the same logits, 0.5, history=[])",
            function(logits.clone(), 0.5, []), logits)  # fmt: skip


def _unchanged(function, logits: torch.Tensor, *args):
    """The result for these logits; Wrong if the function writes into its argument."""
    given = logits.clone()
    result = function(given, *args)
    if not torch.equal(given, logits):
        raise Wrong(
            "not yet. Your function changed the logits it was given, so whatever reads the "
            "same tensor next gets other numbers\n  likely cause: an assignment such as "
            "`logits[...] = ...`; work on logits.clone()"
        )
    return result
