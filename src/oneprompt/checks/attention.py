"""Checks of the exercises of chapter 4."""

import math

import torch
from torch import Tensor

from oneprompt.attention import (
    apply_mask,
    attention_scores,
    causal_mask,
    repeat_kv,
    scaled_dot_product_attention,
)

from . import Results, compare, one_tensor, random_tensors
from .table import Table, from_table


@from_table
def by_hand() -> Table:
    """One query of width 4: dot products 0, 0, 2 ln 2 and, hidden, 7; values 8, 4, 2 and 100."""
    return Table("the weighted mean of the values", *hand_results())


def hand_results(width: int = 4, powers=(1, 1, 2), values=(8, 4, 2)) -> Results:
    """The answer and the mistakes of `by_hand`, for dot products √d ln(power) and these values."""
    shares = torch.tensor(powers, dtype=torch.float64)
    dots = torch.cat((math.sqrt(width) * shares.log(), torch.tensor([7.0])))
    values = torch.tensor([*values, 100], dtype=torch.float64)
    hidden = torch.tensor([False, False, False, True])

    def mixed(scores: Tensor) -> float:
        return (scores.softmax(dim=-1) @ values).item()

    scores = dots / math.sqrt(width)
    causes = (
        (mixed(dots.masked_fill(hidden, -math.inf)),
         "the dot products were not divided by √d before the softmax"),
        (mixed((dots / width).masked_fill(hidden, -math.inf)),
         "the dot products were divided by d, and not by its square root"),
        (mixed(scores), "the key in the future took part: mask it before the softmax"),
        (mixed(scores.masked_fill(hidden, 0.0)),
         "the hidden score became 0, which still has the weight e⁰; -inf has none"),
        ((scores.softmax(dim=-1)[:3] @ values[:3]).item(),
         "the hidden weight was dropped after the softmax, so the others do not add up to 1"),
        (values[:3].mean().item(), "this is the plain mean: weigh the values by the softmax"),
        (values[shares.argmax()].item(),
         "this is the value of the best match: softmax gives the others their share too"),
        ((shares @ values[:3]).item(), "the powers were not divided by their sum"),
    )  # fmt: skip
    visible = scores.masked_fill(hidden, -math.inf)
    return mixed(visible), causes


def causal_attention(function) -> None:
    """Causal attention of one head, (T, d) -> (T, d)."""
    q, k, v = random_tensors((5, 4), (5, 4), (5, 4))
    scores, mask = attention_scores(q, k), causal_mask(5)
    masked = apply_mask(scores, mask)
    without_scale = apply_mask(q @ k.T, mask)
    once_more = without_scale / q.shape[-1]
    before = apply_mask(scores, causal_mask(5).tril(-1))
    causes = (
        (scores.softmax(dim=-1) @ v, "later tokens are not hidden: the causal mask is missing"),
        (without_scale.softmax(dim=-1) @ v, "the scores are not divided by √d"),
        (once_more.softmax(dim=-1) @ v, "the scores are divided by d, and not by its square root"),
        (apply_mask(scores, mask.T).softmax(dim=-1) @ v,
         "the mask hides the past and shows the future: it is upside down"),
        (before.softmax(dim=-1) @ v,
         "a token does not see itself: the mask hides the diagonal, and the first row is empty"),
        (before.softmax(dim=-1).nan_to_num() @ v,
         "a token does not see itself: the mask hides the diagonal"),
        ((scores * mask).softmax(dim=-1) @ v,
         "hidden scores became 0, which still has the weight e⁰; they need -inf"),
        ((scores.softmax(dim=-1) * mask) @ v,
         "the mask came after the softmax, so the rows of weights do not add up to 1"),
        (masked.softmax(dim=-2) @ v,
         "the softmax runs over the queries: rows of weights must add up to 1, not columns"),
        (masked.exp() @ v, "the powers are not divided by the sum of their row"),
        (masked.softmax(dim=-1) @ k, "the weights mix the keys, and should mix the values"),
        (masked.softmax(dim=-1), "these are the weights: the values are still to be mixed"),
    )  # fmt: skip
    got = one_tensor(function(q.clone(), k.clone(), v.clone()))
    call = "causal_attention(q, k, v) with random q, k, v of shape (5, 4)"
    compare(call, got, scaled_dot_product_attention(q, k, v, mask), causes)


def grouped_attention(function) -> None:
    """Causal grouped-query attention, q (H, T, d) and k, v (G, T, d) -> (H, T, d)."""
    n_heads, n_groups = 6, 2
    q, k, v = random_tensors((n_heads, 5, 4), (n_groups, 5, 4), (n_groups, 5, 4))
    mask = causal_mask(5)

    def attend(k: Tensor, v: Tensor, mask: Tensor | None = mask) -> Tensor:
        return scaled_dot_product_attention(q, k, v, mask)

    def grouped(x: Tensor) -> Tensor:
        return repeat_kv(x[None], n_heads)[0]

    in_turn = [h % n_groups for h in range(n_heads)]
    pairs = [h // n_groups for h in range(n_heads)]
    clamped = [min(g, n_groups - 1) for g in pairs]
    causes = (
        (attend(k[in_turn], v[in_turn]),
         "neighbors take turns (0, 1, 0, 1, …): they should form groups (0, 0, 0, 1, 1, 1)"),
        (attend(k[clamped], v[clamped]),
         "the groups have the wrong size: H / G query heads share a key/value head"),
        (attend(grouped(k), grouped(v), None), "the causal mask is missing"),
        (attend(k[:1], v[:1]), "all query heads read key/value head 0: that is multi-query"),
        (attend(k.mean(0, keepdim=True), v.mean(0, keepdim=True)),
         "the key/value heads were averaged: each group reads its own"),
        (attend(grouped(k), v[in_turn]),
         "keys are grouped, but values take turns: treat both alike"),
        (attend(k[in_turn], grouped(v)),
         "values are grouped, but keys take turns: treat both alike"),
    )  # fmt: skip
    got = one_tensor(function(q.clone(), k.clone(), v.clone()))
    call = "grouped_attention(q, k, v) with 6 query heads and 2 key/value heads"
    compare(call, got, attend(grouped(k), grouped(v)), causes)
    got = one_tensor(function(q.clone(), q.clone(), q.clone()))
    compare("with as many key/value heads as query heads", got, attend(q, q))
