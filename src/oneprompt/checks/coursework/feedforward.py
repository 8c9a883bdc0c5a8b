"""Tests of the assignment on the feed-forward network and the block."""

import math
import random
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from oneprompt.feedforward import gelu as exact_gelu
from oneprompt.feedforward import gelu_tanh, relu, silu
from oneprompt.norm import layer_norm

from .. import compare, feedforward, one_tensor, random_tensors
from ..table import Table
from .reference import attention_at, reference_trace, row_weights
from .variants import own_variant

ROUNDING = 1e-3  # the model's rows hold large numbers, in float32
Linear = tuple[Tensor, Tensor]  # W (out, in) and b (out,)


def numbers(rng: random.Random) -> dict:
    """A row with a whole standard deviation, and a small network."""

    def draw(*shape: int):
        if not shape:
            return rng.randint(-2, 3)
        return tuple(draw(*shape[1:]) for _ in range(shape[0]))

    mean, deviation = rng.randint(1, 6), rng.choice([-4, -3, -2, 2, 3, 4])
    x = (mean + deviation, mean - deviation)
    return {"x": x, "W1": draw(2, 3), "b1": draw(3), "W2": draw(3, 2), "b2": draw(2)}


def by_hand(answer, student: str) -> None:
    """The chapter's question, with the student's numbers."""
    results = feedforward.hand_results(**own_variant("feedforward", student))
    Table("the token after the second line", *results).check(answer)


def norm(function, shape=(5, 4), eps: float = 0.1, seed: int = 0) -> None:
    """(x (..., D), weight (D,), bias (D,), eps) -> (..., D)."""
    feedforward.layer_norm(function, "norm", shape, eps, seed)


def gelu(function, places=(-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0)) -> None:
    """The tanh form, number by number."""
    z = torch.tensor(places)
    root, cube = math.sqrt(2 / math.pi), z + 0.044715 * z**3
    causes = (
        (exact_gelu(z), "this is the exact form: here the one with tanh is asked for"),
        (relu(z), "this is ReLU"),
        (silu(z), "this is SiLU"),
        (z * torch.sigmoid(1.702 * z), "this is another approximation, by the logistic function"),
        (2 * gelu_tanh(z), "the factor ½ is missing"),
        (0.5 * (1 + (root * cube).tanh()), "the factor x is missing"),
        (0.5 * z * (1 + (root * z).tanh()), "the cube is missing"),
        (0.5 * z * (1 + (root * (z + 0.044715 * z**2)).tanh()), "this is a square: cube x"),
        (0.5 * z * (1 + (2 / math.pi * cube).tanh()), "the root of 2/π is missing"),
        (0.5 * z * (1 + cube.tanh()), "the factor √(2/π) is missing"),
        (0.5 * z * (root * cube).tanh(), "the 1 is missing: 1 + tanh is never negative"),
        (0.5 * z * (1 - (root * cube).tanh()), "the sign of tanh is wrong"),
    )  # fmt: skip
    got = one_tensor(function(z.clone()))
    compare(f"gelu(torch.tensor({places}))", got, gelu_tanh(z), causes)


def network(function, T: int = 5, D: int = 4, F: int = 6, seed: int = 0) -> None:
    """(x (T, D), up (W (F, D), b (F,)), down (W (D, F), b (D,))) -> (T, D)."""
    x, W1, b1, W2, b2 = random_tensors((T, D), (F, D), (F,), (D, F), (D,), seed=seed)
    call = f"feedforward(x, up, down) with random x of shape {(T, D)} and F = {F}"
    _compare_network(call, function, x, (W1, b1), (W2, b2))


def network_in_the_model(function, layer=0, prompt="What is machine learning?") -> None:
    """The same with the weights of a block of the reference model."""
    model, trace = reference_trace(prompt)
    weights = row_weights(model, layer)
    call = f"feedforward(x, up, down) in block {layer} for {prompt!r}"
    x = trace.layers[layer].norm2[0]
    _compare_network(call, function, x, weights["up"], weights["down"], ROUNDING)


def _compare_network(
    call: str, function, x: Tensor, up: Linear, down: Linear, tolerance: float = 1e-4
) -> None:
    (W1, b1), (W2, b2) = up, down
    wide = x @ W1.T + b1
    causes = (
        (gelu_tanh(x @ W1.T) @ W2.T + b2, "the first bias is left out"),
        (gelu_tanh(wide) @ W2.T, "the second bias is left out"),
        (gelu_tanh(x @ W1.T) @ W2.T, "the biases are left out"),
        (wide @ W2.T + b2, "there is no function between the two maps, so they are one"),
        (relu(wide) @ W2.T + b2, "the function is ReLU, and should be GELU"),
        (silu(wide) @ W2.T + b2, "the function is SiLU, and should be GELU"),
        (exact_gelu(wide) @ W2.T + b2, "this is the exact GELU: call your gelu"),
        (gelu_tanh(wide @ W2.T + b2), "GELU came after the second map: it stands between the two"),
        (gelu_tanh(gelu_tanh(wide) @ W2.T + b2), "GELU came after the second map as well: it "
         "stands only between the two"),
        (x + gelu_tanh(wide) @ W2.T + b2, "the row itself was added: that is the block's work"),
        (wide.softmax(dim=0) @ W2.T + b2, "a softmax over the tokens mixes positions: each row is "
         "computed alone"),
        (gelu_tanh(wide.mean(dim=0)) @ W2.T + b2, "a mean over the tokens mixes positions: each "
         "row is computed alone"),
        (gelu_tanh(wide), "this is the wide layer: the second map is missing"),
    )  # fmt: skip
    got = one_tensor(function(x.clone(), up, down))
    compare(call, got, _network(x, up, down), causes, tolerance=tolerance)


def block(function, layer: int = 0, prompt: str = "What is machine learning?") -> None:
    """(x (T, D), weights, attend, eps) -> (T, D): a whole block of the reference model."""
    model, trace = reference_trace(prompt)
    entering = (trace.embedding, *(done.output for done in trace.layers))[layer][0]
    weights, eps = row_weights(model, layer), model.config.norm_eps
    attend = attention_at(model, layer, len(entering))
    got = one_tensor(function(entering.clone(), dict(weights), attend, eps))
    causes = _wrong_blocks(entering, weights, attend, eps)
    compare(f"block(x, weights, attend, {eps}) of block {layer} for {prompt!r}", got,
            trace.layers[layer].output[0], causes, tolerance=ROUNDING)  # fmt: skip


def _wrong_blocks(
    x: Tensor, weights: Mapping[str, Linear], attend: Callable[[Tensor], Tensor], eps: float
) -> tuple:
    def norm1(x: Tensor) -> Tensor:
        return layer_norm(x, *weights["norm1"], eps)

    def norm2(x: Tensor) -> Tensor:
        return layer_norm(x, *weights["norm2"], eps)

    def ffn(x: Tensor) -> Tensor:
        return _network(x, weights["up"], weights["down"])

    attended, normed = attend(norm1(x)), norm1(x)
    middle = x + attended
    after = norm1(x + attend(x))
    other = x + attend(norm2(x))
    first = x + ffn(norm2(x))
    return (
        (attended + ffn(norm2(attended)), "the residual around attention is forgotten: add its "
         "result to x"),
        (ffn(norm2(middle)), "the residual around the feed-forward network is forgotten: add its "
         "result to what came in"),
        (ffn(norm2(attended)), "both residuals are forgotten"),
        (norm2(after + ffn(after)), "the norms come after the sums, as in post-norm: here they "
         "come before"),
        (x + attend(x) + ffn(x + attend(x)), "both norms are missing"),
        (x + attend(x) + ffn(norm2(x + attend(x))), "the norm before attention is missing"),
        (middle + ffn(middle), "the norm before the feed-forward network is missing"),
        (middle + ffn(norm2(x)), "the network reads x: it reads the sum of x and attention"),
        (x + ffn(norm2(middle)), "attention is lost in the second sum: add to the first sum, and "
         "not to x"),
        (normed + attended + ffn(norm2(normed + attended)),
         "the sum took the normed rows: it takes the rows as they came"),
        (middle + ffn(norm1(middle)), "the second norm has the weights of the first"),
        (other + ffn(norm1(other)), "the two norms are exchanged"),
        (first + attend(norm1(first)), "the feed-forward network came before attention"),
        (x + ffn(norm2(x)), "attention is missing"),
        (middle, "the feed-forward network is missing"),
    )  # fmt: skip


def _network(x: Tensor, up: Linear, down: Linear) -> Tensor:
    (W1, b1), (W2, b2) = up, down
    return gelu_tanh(x @ W1.T + b1) @ W2.T + b2


GELU = {"gelu": lambda z: gelu_tanh(z)}
PARTS = {
    "network": GELU,
    "network_in_the_model": GELU,
    "block": GELU | {
        "norm": lambda *arguments: layer_norm(*arguments),
        "feedforward": lambda *arguments: _network(*arguments),
    },
}  # fmt: skip
