"""Checks of the exercises of chapter 5."""

import torch
from torch import Tensor

from oneprompt.feedforward import gelu, relu, silu
from oneprompt.norm import layer_norm as package_layer_norm
from oneprompt.norm import rms_norm

from . import Results, compare, one_tensor, random_tensors
from .table import Table, from_table

EPS = 1e-5


@from_table
def by_hand() -> Table:
    """x + FFN(norm(x)) for x = (5, 1), with ReLU and a hidden layer of three units."""
    return Table("the token after the second line", *hand_results())


def hand_results(
    x=(5, 1), W1=((1, 2, 1), (-1, 3, 1)), b1=(0, 0, 3), W2=((1, -1), (5, 5), (0, 2)), b2=(0, -1)
) -> Results:
    """The answer and the mistakes of `by_hand` for other numbers, with x of width 2."""
    x, W1, b1, W2, b2 = (torch.tensor(a, dtype=torch.float64) for a in (x, W1, b1, W2, b2))

    def network(row: Tensor, b1: Tensor = b1, b2: Tensor = b2, function=relu) -> Tensor:
        return function(row @ W1 + b1) @ W2 + b2

    def norm(row: Tensor, correction: int = 0) -> Tensor:
        return (row - row.mean()) / row.std(correction=correction)

    normed, added = norm(x), network(norm(x))
    causes = (
        (added, "this is what the FFN adds: the row that arrived is still to be added"),
        (normed + added, "the sum took the normed row: it takes the row as it arrived"),
        (x + network(x), "the FFN read the row itself: it reads a normed copy"),
        (norm(x + network(x)), "the norm came last, as in post-norm"),
        (x + network(x - x.mean()), "the mean was subtracted, but nothing was divided"),
        (x + network((x - x.mean()) / x.var(correction=0)),
         "this divides by the variance: the standard deviation is its root"),
        (x + network(norm(x, correction=1)),
         "the variance is the mean of the squares: divide their sum by 2, and not by 1"),
        (x + network(x / x.square().mean().sqrt()),
         "the mean was not subtracted: this is RMSNorm"),
        (x + network(normed, function=lambda z: z), "the negative hidden number passed: ReLU is 0 "
         "there"),
        (x + network(normed, function=torch.abs), "ReLU flipped the sign: it makes negative "
         "numbers 0"),
        (x + network(normed, b1=0 * b1), "the bias b₁ was left out"),
        (x + network(normed, b2=0 * b2), "the bias b₂ was left out"),
        (normed, "this is a normed row: the FFN comes after the norm, and the sum comes last"),
    )  # fmt: skip
    return x + added, causes


def layer_norm(function, name="my_layer_norm", shape=(5, 4), eps=0.1, seed=0) -> None:
    """LayerNorm over the last axis, (T, D) -> (T, D)."""
    D, rows = shape[-1], tuple(range(len(shape) - 1))
    x, weight, bias = random_tensors(shape, (D,), (D,), seed=seed)
    x = 3 * x + 2  # a mean far from 0, and above an eps that is seen
    centered = x - x.mean(dim=-1, keepdim=True)
    variance = centered.square().mean(dim=-1, keepdim=True)
    columns = (x - x.mean(dim=rows)) / (x.var(dim=rows, correction=0) + eps).sqrt()
    everything = (x - x.mean()) / (x.var(correction=0) + eps).sqrt()
    normed = centered / (variance + eps).sqrt()
    causes = (
        (columns * weight + bias,
         "the mean runs over the tokens: each row has its own mean and variance"),
        (everything * weight + bias,
         "one mean for the whole matrix: each row has its own mean and variance"),
        (centered / (x.var(dim=-1, keepdim=True) + eps).sqrt() * weight + bias,
         "the sum of squares is divided by D - 1, which is the default of torch.var: divide by D"),
        (centered / (variance + eps) * weight + bias,
         "this divides by the variance: take its square root"),
        (centered / (variance.sqrt() + eps) * weight + bias,
         "eps was added to the root: add it to the variance, before the root"),
        (centered / variance.sqrt() * weight + bias, "eps is missing under the root"),
        (rms_norm(x, weight, eps) + bias, "the mean is not subtracted: this is RMSNorm"),
        (x / (variance + eps).sqrt() * weight + bias, "the mean is not subtracted"),
        (centered * weight + bias, "the mean is subtracted, but nothing is divided"),
        (normed, "weight and bias are left out"),
        (normed * weight, "the bias is left out"),
        (normed + bias, "the weight is left out"),
        ((normed + bias) * weight, "the bias was stretched too: first the weight, then the bias"),
    )  # fmt: skip
    got = one_tensor(function(x.clone(), weight.clone(), bias.clone(), eps))
    call = f"{name}(x, weight, bias, {eps}) with random x of shape {shape}"
    compare(call, got, package_layer_norm(x, weight, bias, eps), causes)
    got = one_tensor(function(torch.full((2, D), 7.0), weight.clone(), bias.clone(), EPS))
    compare("and for rows of equal numbers", got, bias.expand(2, D))


def llama_line(function) -> None:
    """x + (SiLU(norm(x) W_gate) ⊙ norm(x) W₁) W₂ with RMSNorm, (T, D) -> (T, D)."""
    x, weight, W_gate, W_1, W_2 = random_tensors((5, 4), (4,), (4, 6), (4, 6), (6, 4))
    x = 3 * x + 2
    normed = rms_norm(x, weight, EPS)

    def network(row: Tensor, gate=silu, other=lambda z: z) -> Tensor:
        return (gate(row @ W_gate) * other(row @ W_1)) @ W_2

    centered = package_layer_norm(x, weight, None, EPS)
    causes = (
        (network(normed), "the sum is missing: add the row that arrived"),
        (normed + network(normed), "the sum took the normed row: it takes the row as it arrived"),
        (x + network(x), "the norm is missing"),
        (x + network(centered), "this is LayerNorm: RMSNorm does not subtract the mean"),
        (x + network(rms_norm(x, torch.ones(4), EPS)), "the norm's weight is left out"),
        (rms_norm(x + network(x), weight, EPS), "the norm came last, as in post-norm"),
        (x + network(normed, gate=torch.sigmoid),
         "the gate is the logistic function alone: SiLU multiplies it by its input"),
        (x + network(normed, gate=gelu), "the gate is GELU, and should be SiLU"),
        (x + network(normed, gate=relu), "the gate is ReLU, and should be SiLU"),
        (x + network(normed, gate=lambda z: z), "the gate has no function: SiLU is missing"),
        (x + network(normed, gate=lambda z: z, other=silu),
         "SiLU went to the wrong half: it belongs to W_gate"),
        (x + network(normed, other=silu), "SiLU was applied to both halves: W_1's stays linear"),
        (x + (silu(normed @ W_gate) + normed @ W_1) @ W_2,
         "the halves were added: the gate multiplies"),
        (x + silu(normed @ W_gate) @ W_2, "W_1 is not used: the gate needs something to gate"),
        (x + silu(normed @ W_1) @ W_2, "W_gate is not used: this is a network without a gate"),
    )  # fmt: skip
    parameters = (x, weight, W_gate, W_1, W_2)
    got = one_tensor(function(*(parameter.clone() for parameter in parameters)))
    call = "llama_line(x, weight, W_gate, W_1, W_2) with random x of shape (5, 4), F = 6"
    compare(call, got, x + network(normed), causes)
