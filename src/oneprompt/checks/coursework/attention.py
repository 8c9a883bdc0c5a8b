"""Tests of the assignment on attention."""

import math
import operator
import random

import torch
from torch import Tensor

from oneprompt.attention import attention_scores, causal_mask, merge_heads, repeat_kv, split_heads
from oneprompt.attention import scaled_dot_product_attention as attend

from .. import Wrong, attention, compare, one_tensor, random_tensors
from ..table import Table
from .reference import block_weights, reference_trace, turn_at
from .variants import own_variant


def numbers(rng: random.Random) -> dict:
    """A width, three powers of e that add up to 4 or 8, and three values with a whole mean."""
    powers = rng.choice([(1, 1, 2), (1, 2, 5), (1, 1, 6), (2, 1, 1), (5, 1, 2), (6, 1, 1)])
    values = tuple(rng.sample(range(2, 25), 3))
    is_whole = sum(map(operator.mul, powers, values)) % sum(powers) == 0
    return {"width": rng.choice([4, 16]), "powers": powers, "values": values} if is_whole else {}


def by_hand(answer, student: str) -> None:
    """The chapter's question, with the student's numbers."""
    results = attention.hand_results(**own_variant("attention", student))
    Table("the weighted mean of the values", *results).check(answer)


def scores(function, H=2, T=5, S=5, d=4, seed=0) -> None:
    """(q (H, T, d), k (H, S, d)) -> (H, T, S)."""
    q, k = random_tensors((H, T, d), (H, S, d), seed=seed)
    dots = q @ k.mT
    causes = (
        (dots, "the dot products are not divided by √d"),
        (dots / d, "the dot products are divided by d, and not by its square root"),
        (dots * math.sqrt(d), "the dot products are multiplied by √d"),
        (dots / math.sqrt(H * d), "the square root is that of the width of one head, and not of D"),
        (dots / math.sqrt(S), "the square root is that of the number of keys: it should be √d"),
        (attention_scores(q, k).mT, "the scores are transposed: a row belongs to a query"),
        (attention_scores(q, k).softmax(dim=-1), "these are weights: the softmax comes later"),
        (attention_scores(k, q), "queries and keys are exchanged"),
    )
    call = f"scores(q, k) with random q of shape {(H, T, d)} and k of shape {(H, S, d)}"
    got = one_tensor(function(q.clone(), k.clone()))
    compare(call, got, attention_scores(q, k), causes)


def visible(function, n_queries=5, n_keys=5, window=None) -> None:
    """(n_queries, n_keys, window) -> (T, S), True where the query may see the key."""
    T, S = n_queries, n_keys
    right, ahead = causal_mask(T, S, window), torch.ones(T, S).tril().bool()
    causes = (
        *(_wrong_windows(T, S, window) if window else ()),
        (~right, "True and False are exchanged: True means that the query may see the key"),
        (ahead, "the queries are the last n_queries positions: the first of them is at position "
         "n_keys - n_queries, and sees all keys up to itself"),
        (torch.ones(T, S).tril(S - T - 1).bool(),
         "a query does not see its own position: the diagonal is visible too"),
        (torch.ones(T, S).triu(S - T).bool(), "the mask shows the future and hides the past"),
        (torch.ones(T, S).bool(), "nothing is hidden"),
    )  # fmt: skip
    got = one_tensor(function(n_queries, n_keys, window))
    if got.dtype != torch.bool:
        raise Wrong(f"not yet. The mask has the type {got.dtype} and should be boolean")
    compare(f"visible({T}, {S}, {window})", got, right, causes)


def _wrong_windows(T: int, S: int, window: int) -> tuple:
    its_own = "its positions include the query's own"
    return (
        (causal_mask(T, S), "the window is left out"),
        (causal_mask(T, S, window + 1), f"the window is one too wide: {its_own}"),
        (causal_mask(T, S, window - 1), f"the window is one too narrow: {its_own}"),
        (torch.ones(T, S).triu(S - T - window + 1).bool(),
         "later keys are visible: a window ends at the query"),
    )  # fmt: skip


def attention_of(function, H=4, G=2, T=5, S=5, d=4, seed=0) -> None:
    """(q (H, T, d), k and v (G, S, d), mask (T, S)) -> (H, T, d)."""
    q, k, v = random_tensors((H, T, d), (G, S, d), (G, S, d), seed=seed)
    mask = causal_mask(T, S)
    right = _attend(q, k, v, mask)
    got = one_tensor(function(q.clone(), k.clone(), v.clone(), mask.clone()))
    call = f"attention(q, k, v, mask) with q {(H, T, d)}, k and v {(G, S, d)} and a causal mask"
    compare(call, got, right, _wrong_attention(q, k, v, mask))


def _wrong_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> tuple:
    in_groups, in_turn = repeat_kv(k[None], len(q))[0], [h % len(k) for h in range(len(q))]
    mixed = repeat_kv(v[None], len(q))[0]
    scores, d = attention_scores(q, in_groups), q.shape[-1]
    masked = scores.masked_fill(~mask, -math.inf)
    strict = scores * math.sqrt(d)
    return (
        (scores.softmax(dim=-1) @ mixed, "the mask is not used: later keys are not hidden"),
        ((scores.softmax(dim=-1) * mask) @ mixed,
         "the mask came after the softmax, so the rows of weights do not add up to 1"),
        ((scores * mask).softmax(dim=-1) @ mixed,
         "hidden scores became 0, which still has the weight e⁰; they need -inf"),
        (strict.masked_fill(~mask, -math.inf).softmax(dim=-1) @ mixed,
         "the scores are not divided by √d"),
        ((scores / math.sqrt(d)).masked_fill(~mask, -math.inf).softmax(dim=-1) @ mixed,
         "the scores are divided by √d twice: `scores` has done it already"),
        (masked.softmax(dim=-2).nan_to_num() @ mixed,
         "the softmax runs over the queries: rows of weights must add up to 1, not columns"),
        (masked.exp() @ mixed, "the powers are not divided by the sum of their row"),
        (scores.masked_fill(mask, -math.inf).softmax(dim=-1) @ mixed,
         "True and False of the mask are exchanged: True marks a key that may be seen"),
        (_attend(q, k[in_turn], v[in_turn], mask),
         "neighbors take turns (0, 1, 0, 1, …): they should form groups (0, 0, …, 1, 1, …)"),
        (_attend(q, k[:1], v[:1], mask), "all query heads read key/value head 0"),
        (masked.softmax(dim=-1) @ in_groups, "the weights mix the keys, and should mix the values"),
        (masked.softmax(dim=-1), "these are the weights: the values are still to be mixed"),
    )  # fmt: skip


def attention_layer(function, layer=0, prompt="What is machine learning?") -> None:
    """(x (T, D), weights, n_heads, turn) -> (T, D): attention of one block of the model."""
    model, trace = reference_trace(prompt)
    x, weights = trace.layers[layer].norm1[0], block_weights(model, layer)
    n_heads, turn = model.config.n_heads, turn_at(model, range(len(x)))
    got = one_tensor(function(x.clone(), dict(weights), n_heads, turn))
    call = f"attention_layer(x, weights, {n_heads}, turn) in block {layer} for {prompt!r}"
    expected = trace.layers[layer].attention[0]
    compare(call, got, expected, _wrong_layers(x, weights, n_heads, turn))


def _wrong_layers(x: Tensor, weights: dict, n_heads: int, turn) -> tuple:
    def linear(x: Tensor, name: str, bias: bool = True) -> Tensor:
        W, b = weights[name]
        return x @ W.T + b if bias else x @ W.T

    mask = causal_mask(len(x))

    def heads(x: Tensor) -> Tensor:
        return split_heads(x[None], n_heads)[0]

    def layer(turn_q=turn, turn_k=turn, turn_v=lambda v: v, split=heads, merge=merge_heads,
              bias=True, mask=mask, output=True) -> Tensor:  # fmt: skip
        q, k, v = (split(linear(x, name, bias)) for name in ("query", "key", "value"))
        mixed = merge(_attend(turn_q(q), turn_k(k), turn_v(v), mask)[None])[0]
        return linear(mixed, "output", bias) if output else mixed

    def same(x: Tensor) -> Tensor:
        return x

    return (
        (layer(turn_q=same, turn_k=same), "queries and keys are not turned: call turn on both"),
        (layer(turn_k=same), "the keys are not turned"),
        (layer(turn_q=same), "the queries are not turned"),
        (layer(turn_v=turn), "the values were turned too: RoPE turns queries and keys only"),
        (layer(bias=False), "the biases are left out"),
        (layer(mask=None), "the causal mask is missing"),
        (layer(output=False), "the output projection is missing"),
        (layer(merge=lambda h: h.flatten(2).reshape(1, len(x), -1)),
         "the heads are joined in the wrong order: first (T, H, d), then (T, H · d)"),
        (layer(split=lambda x: x.reshape(n_heads, len(x), -1)),
         "the heads are cut in the wrong order: first (T, H, d), then (H, T, d)"),
        (layer(split=lambda x: x.unflatten(-1, (-1, n_heads)).permute(2, 0, 1)),
         "a head is d neighboring numbers of a row, and not every H-th number"),
    )  # fmt: skip


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    k, v = (repeat_kv(x[None], len(q))[0] for x in (k, v))
    return attend(q, k, v, mask)


PARTS = {
    "attention_of": {"scores": lambda q, k: attention_scores(q, k)},
    "attention_layer": {
        "scores": lambda q, k: attention_scores(q, k),
        "visible": lambda *sizes, **named: causal_mask(*sizes, **named),
        "attention": _attend,
    },
}
