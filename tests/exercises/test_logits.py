"""The checks of chapter 6's exercises: right, not attempted, and wrong with the cause named."""

import math

import pytest
import torch
from exercises import assert_wrong

from oneprompt.checks import diagnose
from oneprompt.logits import to_logits


def test_untouched_exercises_are_not_attempted():
    def placeholder(first, second): ...

    assert diagnose("logits.by_hand", ...).status == "not attempted"
    assert diagnose("logits.cross_entropy", placeholder).status == "not attempted"
    assert diagnose("logits.lens", placeholder).status == "not attempted"


# By hand

LOGS = [0, math.log(2), math.log(5)]


@pytest.mark.parametrize("answer", [[1 / 8, 2 / 8, 5 / 8], torch.tensor([0.125, 0.25, 0.625])])
def test_a_right_answer_by_hand_is_accepted(answer):
    assert diagnose("logits.by_hand", answer).status == "right"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([1, 2, 5], "divide by their sum"),
        ([math.e**3, 2 * math.e**3, 5 * math.e**3], "divide by their sum"),
        (LOGS, "still not probabilities"),
        ([(3 + x) / (9 + math.log(10)) for x in LOGS], "the power of e first"),
        ([x / math.log(10) for x in LOGS], "the power of e first"),
        ([2**x / sum(2**y for y in LOGS) for x in LOGS], "and not 2"),
        ([math.log(x / 8) for x in (1, 2, 5)], "log-probabilities"),
        ([0, 0, 1], "takes the largest"),
        ([1 / 3, 1 / 3, 1 / 3], "the logarithms do"),
        ([5 / 8, 2 / 8, 1 / 8], "reversed"),
        ([0.125, 0.875], "the shape is (2,) and should be (3,)"),
        ([0.1, 0.3, 0.6], "got:"),
    ],
)
def test_a_wrong_answer_by_hand_is_told_why(answer, words):
    assert_wrong("logits.by_hand", answer, words)


def test_an_exercise_by_hand_does_not_reveal_the_answer():
    assert "0.125" not in diagnose("logits.by_hand", [1, 2, 5]).message


# Rebuild


def by_loops(logits, targets):
    total = 0.0
    for row, target in zip(logits.tolist(), targets.tolist(), strict=True):
        largest = max(row)
        total += largest + math.log(sum(math.exp(x - largest) for x in row)) - row[target]
    return total / len(logits)


def by_logsumexp(logits, targets):
    log_p = logits - logits.logsumexp(dim=-1, keepdim=True)
    return -sum(log_p[t, token_id] for t, token_id in enumerate(targets)) / len(targets)


def by_torch(logits, targets):
    return torch.nn.functional.cross_entropy(logits, targets)


@pytest.mark.parametrize("solution", [by_loops, by_logsumexp, by_torch])
def test_a_right_cross_entropy_is_accepted(solution):
    assert diagnose("logits.cross_entropy", solution).status == "right"


def surprises(logits, targets, axis=-1):
    return -logits.log_softmax(dim=axis)[torch.arange(len(targets)), targets]


def chances(logits, targets):
    return (-surprises(logits, targets)).exp()


def naive(logits, targets):
    powers = logits.exp()
    p = powers / powers.sum(dim=-1, keepdim=True)
    return -p[torch.arange(len(targets)), targets].log().mean()


def naive_in_plain_python(logits, targets):
    pairs = zip(logits.tolist(), targets.tolist(), strict=True)
    shares = [math.exp(row[t]) / sum(math.exp(x) for x in row) for row, t in pairs]
    return -sum(math.log(share) for share in shares) / len(shares)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, t: -surprises(x, t).mean(), "the sign is missing"),
        (lambda x, t: surprises(x, t).sum(), "the sum"),
        (surprises, "take their mean"),
        (lambda x, t: surprises(x, t).mean() / math.log(2), "bits"),
        (lambda x, t: -chances(x, t).mean().log(), "came before the logarithm"),
        (lambda x, t: chances(x, t).mean(), "the logarithm is missing"),
        (lambda x, t: surprises(x, t).mean().exp(), "perplexity"),
        (lambda x, t: surprises(x, t, axis=0).mean(), "over the positions"),
        (lambda x, t: -x.log_softmax(dim=-1).mean(), "all tokens were averaged"),
        (lambda x, t: surprises(x, t).sum() / x.numel(), "T · V"),
        (lambda x, t: -x[torch.arange(len(t)), t].mean(), "the softmax is missing"),
        (lambda x, t: surprises(x[:-1], t[1:]).mean(), "shifted once more"),
        (lambda x, t: -(x.argmax(dim=-1) == t).double().mean(), "counts hits"),
        (lambda x, t: -x.log_softmax(dim=-1).amax(dim=-1).mean(), "the likeliest token"),
        (naive, "overflows"),
        (naive_in_plain_python, "raised OverflowError"),
        (lambda x, t: "0.7", "should be one number"),
        (lambda x, t: x @ t, "raised RuntimeError"),
        (lambda x, t: 0.7, "got:"),
    ],
)
def test_a_wrong_cross_entropy_is_told_why(answer, words):
    assert_wrong("logits.cross_entropy", answer, words)


# Extend


def lens_by_package(model, ids):
    layers = model.trace(torch.tensor([ids])).layers
    outputs = torch.cat([layer.output for layer in layers])
    return to_logits(model.final_norm(outputs), model.output_table)


def lens_by_running_the_blocks(model, ids):
    ids = torch.tensor([ids])
    positions, T = model.positions(ids, 0), ids.shape[1]
    x, read = model.embed(ids, positions), []
    for block in model.blocks:
        x = block(x, model.turns(positions), model.mask(T, T))
        read.append((model.final_norm(x) @ model.output_table.T)[0])
    return torch.stack(read)


@pytest.mark.parametrize("solution", [lens_by_package, lens_by_running_the_blocks])
def test_a_right_lens_is_accepted(solution):
    assert diagnose("logits.lens", solution).status == "right"


def reading(part="output", norm=None, table="output_table", shape=lambda read: read):
    """The lens; each argument can introduce a mistake."""

    def lens(model, ids):
        layers = model.trace(torch.tensor([ids])).layers
        x = torch.cat([getattr(layer, part) for layer in layers])
        x = model.final_norm(x) if norm is None else norm(model, x)
        return shape(x @ getattr(model, table).T)

    return lens


def of_the_inputs(model, ids):
    trace = model.trace(torch.tensor([ids]))
    x = torch.cat([trace.embedding, *(layer.output for layer in trace.layers[:-1])])
    return to_logits(model.final_norm(x), model.output_table)


def with_the_embedding(model, ids):
    trace = model.trace(torch.tensor([ids]))
    x = torch.cat([trace.embedding, *(layer.output for layer in trace.layers)])
    return to_logits(model.final_norm(x), model.output_table)


def norms_of_the_blocks(model, x):
    return torch.stack([block.norm1(x[l]) for l, block in enumerate(model.blocks)])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reading(norm=lambda model, x: x), "the final norm is missing"),
        (reading(norm=lambda model, x: model.final_norm(model.final_norm(x))), "twice"),
        (reading(table="embedding"), "does not tie"),
        (reading(norm=norms_of_the_blocks), "inside the block"),
        (of_the_inputs, "the inputs of the blocks"),
        (reading(part="middle"), "and not its middle"),
        (reading(part="feedforward"), "network adds"),
        (reading(shape=lambda read: read.softmax(dim=-1)), "these are probabilities"),
        (reading(shape=lambda read: read.log_softmax(dim=-1)), "log-probabilities"),
        (reading(shape=lambda read: read.flip(0)), "reversed"),
        (with_the_embedding, "the embedding was read too"),
        (reading(shape=lambda read: read[:, -1]), "only the last position"),
        (reading(shape=lambda read: read[-1]), "only the last layer"),
        (reading(shape=lambda read: read[:, None]), "batch axis"),
        (reading(shape=list), "torch.stack"),
        (reading(part="hidden"), "raised RuntimeError"),
        (reading(shape=lambda read: read + 1), "got:"),
    ],
)
def test_a_wrong_lens_is_told_why(answer, words):
    assert_wrong("logits.lens", answer, words)


def test_checking_leaves_the_readers_random_numbers_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    diagnose("logits.lens", lens_by_package)
    assert torch.equal(torch.rand(3), expected)
