"""Tests of a loop that generates with a cache."""

from collections.abc import Callable
from dataclasses import replace

import torch

from oneprompt.autoregress import generate
from oneprompt.model import Transformer

from .. import Wrong, autoregress, compare
from ..autoregress import (
    PROMPT,
    check_unchanged,
    compare_work,
    missing,
    plain_ids,
    reading,
    wrong_greedy,
)
from .reference import reference, tokenizer

REASONS = ("stop", "length", "context")


def generation(function, most: int = 12, context: int | None = None, rank: int = 0) -> None:
    """(model, ids, max_new_tokens, choose) -> the new ids, and why the text ends."""
    model = _with_context(context)
    calls = []

    def choose(logits):
        calls.append(tuple(logits.shape))
        return int(logits.sort(descending=True, stable=True).indices[..., rank])

    expected, reason = _generated(model, most, rank)
    given = list(PROMPT)
    call = f"generate(model, {PROMPT}, {most}, choose) of a small random model"
    if context:
        call += f" with a context of {context}"
    with reading(model) as read:
        ids, why = _ids_and_reason(function(model, given, most, choose))
    if set(calls) - {(model.config.vocab_size,)}:
        raise Wrong(f"not yet. choose was given logits of shape {calls[0]}\n  likely cause: it "
                    "takes the row (V,) of the last position")  # fmt: skip
    compare(call, ids, expected, _wrong_ids(model, most, expected, rank))
    compare(f"the reason of {call}", why, reason)
    check_unchanged(given, PROMPT)
    compare_work(sum(read), len(PROMPT) + len(expected) - 1 if expected else 0)
    again = _ids_and_reason(function(model, list(PROMPT), most, choose))[0]
    old = [(again, "a cache from an earlier call is used: every text needs its own")]
    compare(f"the second time, {call}", again, expected, old)


def generation_with_the_model(function, prompt: str = "What is machine learning?") -> None:
    """The reference model's greedy answer."""
    model, ids = reference(), tokenizer().encode(prompt)
    right = generate(model, ids, 80)
    got, why = _ids_and_reason(function(model, ids, 80, lambda logits: int(logits.argmax())))
    call = f"generate(model, ids of {prompt!r}, 80, greedy)"
    compare(f"the text of {call}", tokenizer().decode(got), tokenizer().decode(right.ids))
    compare(f"the ids of {call}", got, right.ids)
    compare(f"the reason of {call}", why, right.stop_reason)


def _with_context(context: int | None) -> Transformer:
    model = autoregress.small_model()
    if context is None:
        return model
    smaller = Transformer(replace(model.config, context_length=context)).eval()
    smaller.load_state_dict(model.state_dict())
    smaller.eos_id = model.eos_id
    return smaller.requires_grad_(False)


def _generated(model: Transformer, most: int, rank: int, stop: bool = True):
    """The right ids, and why they end, if the choice is the one of this rank."""
    text, room = list(PROMPT), model.config.context_length + 1
    while len(text) < min(len(PROMPT) + most, room):
        text.append(int(model(torch.tensor([text]))[0, -1].argsort(descending=True)[rank]))
        if stop and text[-1] == model.eos_id:
            return text[len(PROMPT) :], "stop"
    return text[len(PROMPT) :], "length" if len(text) == len(PROMPT) + most else "context"


def _wrong_ids(model: Transformer, most: int, expected: list[int], rank: int) -> list:
    endless = _generated(model, most + 1, rank, stop=False)[0]
    causes = [
        (endless[:most], "the end-of-sequence id, model.eos_id, does not end the loop"),
        (expected[:-1], "an id is missing at the end: an end-of-sequence id is one of the new ids, "
         "and the last id needs no room to be read"),
        (PROMPT + expected, "the prompt is in front: only the new ids are asked for"),
        (endless[: len(expected) + 1], "one id too many"),
        (expected[1:], "the first new id is missing: it comes out of the pass over the prompt"),
        (_generated(model, most, 0)[0], "the ids are the likeliest: let `choose` choose"),
    ]  # fmt: skip
    if rank or model.config.context_length < len(PROMPT) + 2 * most:
        return causes
    wrong: list[tuple[Callable, dict, str]] = [
        (lambda text, cache: text, {},
         "the whole text went into a cache that holds most of it: give it the newest id only"),
        (lambda text, cache: text[-1:] if cache.length else text, {"keep": False},
         "the newest id was read without a cache, so the model saw none of the text before it"),
        (missing, {"row": 0},
         "the first row of logits was used: the last one is about the next token"),
        (lambda text, cache: text[-2:] if cache.length else text, {},
         "the newest two ids were read, and the first of them is in the cache already"),
        (lambda text, cache: text[-1:], {}, "the prompt was not read: only its last id"),
    ]  # fmt: skip
    return causes + [
        (wrong_greedy(model, choose, **how)[:most], text) for choose, how, text in wrong
    ]


def _ids_and_reason(result) -> tuple[list[int], str]:
    try:
        ids, reason = result
    except (TypeError, ValueError):
        raise Wrong("not yet. The result should be two things: the new ids, and a reason") from None
    if reason not in REASONS:
        raise Wrong(f"not yet. The reason is {reason!r} and should be one of {REASONS}")
    return plain_ids(ids), reason
