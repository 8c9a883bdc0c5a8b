"""Tests of attention that keeps its keys and values."""

import torch
from torch import Tensor

from oneprompt.attention import causal_mask
from oneprompt.attention import scaled_dot_product_attention as attend

from .. import Wrong, compare, one_tensor, random_tensors
from .reference import reference, reference_trace, turn_from


def cached_attention(function, H: int = 2, T: int = 2, S: int = 3, seed: int = 0) -> None:
    """(q, k, v (H, T, d), past, turn) -> heads (H, T, d) and the new past."""
    model, d = reference(), reference().config.head_dim
    q, k, v, *past = random_tensors(*[(H, T, d)] * 3, *[(H, S, d)] * 2, seed=seed)
    past, turn = (tuple(past) if S else None), turn_from(model)
    given = None if past is None else tuple(x.clone() for x in past)
    call = f"cached_attention(q, k, v, past, turn) with {T} new positions and " + (
        f"{S} in the past" if S else "past=None"
    )
    heads, keys, values = _three(function(q.clone(), k.clone(), v.clone(), given, turn))
    if past and not all(torch.equal(a, b) for a, b in zip(given, past, strict=True)):
        raise Wrong(f"not yet. {call} changed the past that it was given\n  likely cause: several "
                    "texts may go on from one past: make new tensors")  # fmt: skip
    right = _attend(q, k, v, past, turn)
    compare(call, heads, right[0], _wrong_heads(q, k, v, past, turn))
    compare(f"the keys of {call}", keys, right[1], _wrong_keys(k, past, turn))
    compare(f"the values of {call}", values, right[2],
            [(v, "the values of the past are missing")])  # fmt: skip


def in_the_model(function, layer: int = 0, pieces=(3, 1, 1), prompt: str | None = None) -> None:
    """A prompt in pieces: the attention of the reference model, head for head."""
    prompt = prompt or "What is machine learning?"
    model, trace = reference_trace(prompt)
    q, k, v = (x[0] for x in model.blocks[layer].attention.project(trace.layers[layer].norm1))
    past, found, start = None, [], 0
    ends = [*pieces, max(k.shape[1] - sum(pieces), 0)]
    for T in (T for T in ends if T):
        piece = slice(start, start + T)
        result = function(q[:, piece], k[:, piece], v[:, piece], past, turn_from(model))
        heads, *past = _three(result)
        past, start = tuple(past), start + T
        found.append(heads)
    call = f"cached_attention in block {layer} for {prompt!r}, {', '.join(map(str, pieces))} … ids"
    compare(call, torch.cat(found, dim=1), trace.layers[layer].heads[0])


def _attend(q, k, v, past, turn, *, start=None, turn_q=True, turn_k=True, mask=None):
    """Heads, keys and values; each setting can introduce a mistake."""
    S = past[0].shape[1] if past else 0
    start = S if start is None else start
    q, k = (turn(x, start) if is_turned else x for x, is_turned in ((q, turn_q), (k, turn_k)))
    if past:
        k, v = torch.cat((past[0], k), dim=1), torch.cat((past[1], v), dim=1)
    mask = causal_mask(q.shape[1], k.shape[1]) if mask is None else mask
    return attend(q, k, v, mask), k, v


def _wrong_heads(q: Tensor, k: Tensor, v: Tensor, past, turn) -> tuple:
    S, T = past[0].shape[1] if past else 0, q.shape[1]

    def heads(**wrong) -> Tensor:
        return _attend(q, k, v, past, turn, **wrong)[0]

    alone = _attend(q, k, v, None, turn, start=S)[0]
    no_scale = _attend(q * q.shape[-1] ** 0.5, k, v, past, turn)[0]
    causes = [
        (heads(mask=torch.ones(T, S + T).bool()), "nothing hides the later ones of the new keys"),
        (heads(start=0), "the new queries and keys were turned at position 0: the first of them is "
         "at the position that follows the past"),
        (heads(start=S + 1), "the positions are one too high: the past holds 0 to S - 1"),
        (heads(turn_q=False), "the queries are not turned"),
        (heads(turn_k=False), "the keys are not turned"),
        (heads(turn_q=False, turn_k=False), "queries and keys are not turned"),
        (alone, "the past is not used"),
        (no_scale, "the scores are not divided by √d"),
    ]  # fmt: skip
    if past:
        again = (turn(past[0], 0), past[1])
        first = torch.ones(T, S + T).tril().bool()
        causes += [
            (heads(mask=first), "the first new query sees the whole past and itself, and not only "
             "the first key: it is at position S"),
            (heads(start=S - 1), "the positions are one too low: the past holds 0 to S - 1"),
            (heads(mask=torch.ones(T, S + T).tril(S - 1).bool()),
             "a new query does not see its own position"),
            (_attend(q, k, v, again, turn)[0],
             "the keys of the past were turned a second time: they have been turned already"),
            (_attend(q, k, v, None, turn, start=0)[0], "the past is not used"),
        ]  # fmt: skip
    return tuple(causes)


def _wrong_keys(k: Tensor, past, turn) -> tuple:
    S = past[0].shape[1] if past else 0
    old = past[0] if past else k[:, :0]
    return (
        (torch.cat((old, k), dim=1), "the keys are kept before they are turned: keep them turned"),
        (turn(k, S), "the keys of the past are missing"),
        (torch.cat((turn(k, S), old), dim=1), "the new keys come after those of the past"),
    )


def _three(result) -> tuple[Tensor, Tensor, Tensor]:
    try:
        heads, (keys, values) = result
    except (TypeError, ValueError):
        raise Wrong("not yet. The result should be heads, (keys, values)") from None
    return one_tensor(heads), one_tensor(keys), one_tensor(values)
