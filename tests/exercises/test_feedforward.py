"""The checks of chapter 5's exercises: right, not attempted, and wrong with the cause named."""

import math

import pytest
import torch
from exercises import assert_wrong

from oneprompt.checks import diagnose
from oneprompt.norm import rms_norm


def test_untouched_exercises_are_not_attempted():
    def placeholder(*arguments): ...

    assert diagnose("feedforward.by_hand", ...).status == "not attempted"
    assert diagnose("feedforward.layer_norm", placeholder).status == "not attempted"
    assert diagnose("feedforward.llama_line", placeholder).status == "not attempted"


# By hand


@pytest.mark.parametrize("answer", [[7, 4], (7.0, 4.0), torch.tensor([7, 4])])
def test_a_right_answer_by_hand_is_accepted(answer):
    assert diagnose("feedforward.by_hand", answer).status == "right"


ROOT = math.sqrt(0.5)  # the normed row is (√½, -√½) where the squares are divided by 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([2, 3], "what the FFN adds"),
        ([3, 2], "took the normed row"),
        ([74, 79], "read the row itself"),
        ([-1, 1], "the norm came last"),
        ([1, -1], "this is a normed row"),
        ([9, 2], "nothing was divided"),
        ([6, 5], "divides by the variance"),
        ([5 + 2 * ROOT, 6 - 2 * ROOT], "and not by 1"),
        ([2, -1], "the negative hidden number passed"),
        ([12, 9], "flipped the sign"),
        ([7, -2], "b₁ was left out"),
        ([7, 5], "b₂ was left out"),
        ([7, 3], "got:      [7, 3]"),
        (7, "the shape is () and should be (2,)"),
    ],
)
def test_a_wrong_answer_by_hand_is_told_why(answer, words):
    assert_wrong("feedforward.by_hand", answer, words)


def test_an_exercise_by_hand_does_not_reveal_the_answer():
    assert "expected" not in diagnose("feedforward.by_hand", [7, 3]).message


# Rebuild


def norm_by_loops(x, weight, bias, eps):
    rows = []
    for row in x.tolist():
        mean = sum(row) / len(row)
        variance = sum((a - mean) ** 2 for a in row) / len(row)
        rows.append([(a - mean) / math.sqrt(variance + eps) for a in row])
    return torch.tensor(rows) * weight + bias


def norm_by_torch(x, weight, bias, eps):
    return torch.nn.functional.layer_norm(x, weight.shape, weight, bias, eps)


@pytest.mark.parametrize("solution", [norm_by_loops, norm_by_torch])
def test_a_right_layer_norm_is_accepted(solution):
    assert diagnose("feedforward.layer_norm", solution).status == "right"


def norm(axis=-1, mean=True, correction=0, root=torch.sqrt, finish=lambda n, w, b: n * w + b):
    """LayerNorm; each argument can introduce a mistake."""

    def function(x, weight, bias, eps):
        centered = x - x.mean(axis, keepdim=True) if mean else x
        variance = x.var(axis, correction=correction, keepdim=True)
        return finish(centered / root(variance + eps), weight, bias)

    return function


def over_everything(x, weight, bias, eps):
    return (x - x.mean()) / (x.var(correction=0) + eps).sqrt() * weight + bias


def eps_outside(x, weight, bias, eps):
    centered = x - x.mean(-1, keepdim=True)
    return centered / (x.std(-1, correction=0, keepdim=True) + eps) * weight + bias


def without_eps(x, weight, bias, eps):
    return norm_by_torch(x, weight, bias, 0.0)


def with_its_own_eps(x, weight, bias, eps):
    """Right for the first call alone, where eps is 0.1; equal rows then divide 0 by 0."""
    normed = norm_by_loops(x, weight, bias, eps)
    return normed if eps == 0.1 else normed / 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (norm(axis=0), "over the tokens"),
        (over_everything, "one mean for the whole matrix"),
        (norm(correction=1), "D - 1"),
        (norm(root=lambda v: v), "divides by the variance"),
        (eps_outside, "added to the root"),
        (without_eps, "eps is missing"),
        (lambda x, w, b, eps: rms_norm(x, w, eps) + b, "this is RMSNorm"),
        (norm(mean=False), "the mean is not subtracted"),
        (lambda x, w, b, eps: (x - x.mean(-1, keepdim=True)) * w + b, "nothing is divided"),
        (norm(finish=lambda n, w, b: n), "weight and bias are left out"),
        (norm(finish=lambda n, w, b: n * w), "the bias is left out"),
        (norm(finish=lambda n, w, b: n + b), "the weight is left out"),
        (norm(finish=lambda n, w, b: (n + b) * w), "stretched too"),
        (with_its_own_eps, "rows of equal numbers"),
        (lambda *a: norm_by_loops(*a)[0], "the shape is (4,) and should be (5, 4)"),
        (lambda *a: norm_by_loops(*a).tolist(), "one tensor"),
        (lambda x, w, b, eps: x @ x, "raised RuntimeError"),
        (lambda x, w, b, eps: x, "got:"),
    ],
)
def test_a_wrong_layer_norm_is_told_why(answer, words):
    assert_wrong("feedforward.layer_norm", answer, words)


# Extend


def line_by_loops(x, weight, W_gate, W_1, W_2):
    rows = []
    for row in x:
        normed = row / math.sqrt(float(row @ row) / len(row) + 1e-5) * weight
        gates, ups = (normed @ W_gate).tolist(), (normed @ W_1).tolist()
        hidden = [g / (1 + math.exp(-g)) * u for g, u in zip(gates, ups, strict=True)]
        rows.append(row + sum(h * W_2[j] for j, h in enumerate(hidden)))
    return torch.stack(rows)


def line_by_torch(x, weight, W_gate, W_1, W_2):
    normed = torch.nn.functional.rms_norm(x, weight.shape, weight, 1e-5)
    return x + (torch.nn.functional.silu(normed @ W_gate) * (normed @ W_1)) @ W_2


@pytest.mark.parametrize("solution", [line_by_loops, line_by_torch])
def test_a_right_llama_line_is_accepted(solution):
    assert diagnose("feedforward.llama_line", solution).status == "right"


def same(z):
    return z


def line(
    normalize=lambda x, w: rms_norm(x, w, 1e-5),
    gate=torch.nn.functional.silu,
    other=same,
    join=torch.mul,
    add=lambda x, normed, written: x + written,
):
    """The line of a Llama block; each argument can introduce a mistake."""

    def function(x, weight, W_gate, W_1, W_2):
        normed = normalize(x, weight)
        return add(x, normed, join(gate(normed @ W_gate), other(normed @ W_1)) @ W_2)

    return function


def layer_normed(x, weight):
    return torch.nn.functional.layer_norm(x, weight.shape, weight)


def norm_last(x, weight, W_gate, W_1, W_2):
    without = line(normalize=lambda x, w: x)(x, weight, W_gate, W_1, W_2)
    return rms_norm(without, weight, 1e-5)


silu = torch.nn.functional.silu


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (line(add=lambda x, normed, written: written), "the sum is missing"),
        (line(add=lambda x, normed, written: normed + written), "took the normed row"),
        (line(normalize=lambda x, w: x), "the norm is missing"),
        (line(normalize=layer_normed), "this is LayerNorm"),
        (line(normalize=lambda x, w: rms_norm(x, 1.0, 1e-5)), "the norm's weight is left out"),
        (norm_last, "the norm came last"),
        (line(gate=torch.sigmoid), "the logistic function alone"),
        (line(gate=torch.nn.functional.gelu), "the gate is GELU"),
        (line(gate=torch.relu), "the gate is ReLU"),
        (line(gate=same), "SiLU is missing"),
        (line(gate=same, other=silu), "the wrong half"),
        (line(other=silu), "both halves"),
        (line(join=torch.add), "the halves were added"),
        (line(join=lambda gate, up: gate), "W_1 is not used"),
        (line(gate=same, other=silu, join=lambda gate, up: up), "W_gate is not used"),
        (lambda *a: list(line_by_torch(*a)), "torch.stack"),
        (lambda x, w, gate, up, down: x @ down, "raised RuntimeError"),
        (lambda x, w, gate, up, down: x @ gate, "the shape is (5, 6) and should be (5, 4)"),
        (lambda x, w, gate, up, down: x, "got:"),
    ],
)
def test_a_wrong_llama_line_is_told_why(answer, words):
    assert_wrong("feedforward.llama_line", answer, words)
