"""Tests of the final project's loops: the reference's text, from the same random numbers."""

import torch
from torch import Tensor

from oneprompt.autoregress import generate as generate_with
from oneprompt.sample import Sampling, draw, probabilities, uniforms
from oneprompt.speculate import SpeculativeDecoder

from .. import Wrong, compare
from ..autoregress import check_unchanged, plain_ids
from .reference import reference, tokenizer
from .shipped import forward, parts_of, shipped, small_model
from .verification import MISTAKES, verified

_reads: list[tuple[int, int]] = []  # of each pass while a loop is tested: id of weights, positions


def generate(function, temperature: float = 0, top_p: float = 1.0, seed: int = 0, most: int = 60,
             prompt: str = "What is machine learning?") -> None:  # fmt: skip
    """(model, ids, max_new_tokens, temperature, top_p, random, eos_id) -> the reference's ids."""
    model, ids = reference(), tokenizer().encode(prompt)
    sampling = Sampling(temperature, top_p=top_p)

    def of(most: int, **settings) -> list[int]:
        return generate_with(model, ids, most, sampling, seed=seed, **settings).ids

    call = f"generate for {prompt!r}, {most} ids, temperature {temperature}, top-p {top_p}"
    right = of(most)
    _reads.clear()
    given, source = list(ids), uniforms(seed)
    eos = model.eos_id
    got = plain_ids(function(shipped(), given, most, temperature, top_p, lambda: next(source), eos))
    # Sums in another order can move a draw by a token: the text without a cache is right as well.
    if got != right and got != of(most, use_cache=False):
        _compare_ids(call, got, right, most, _wrong_ends(of, right, most, ids))
    check_unchanged(given, ids)
    if sum(n for _, n in _reads) > len(ids) + max(len(right) - 1, 0):
        raise Wrong(f"not yet. {call} read {sum(n for _, n in _reads)} positions, and "
                    f"{len(ids) + len(right) - 1} are enough\n  likely cause: the cache is not "
                    "used, or the last id is read although nothing follows")  # fmt: skip


def speculate(function, temperature: float = 0, top_p: float = 1.0, seed: int = 0, most: int = 60,
              gamma: int = 5, prompt: str = "What is machine learning?") -> None:  # fmt: skip
    """(target, draft, ids, max_new_tokens, gamma, temperature, top_p, random, eos_id) -> ids.

    With the prompt "" the models are small and random: each of their ids is a real choice.
    """
    pair = (reference(), reference("draft")) if prompt else (small_model(), small_model(near=0.1))
    target, ids = pair[0], tokenizer().encode(prompt) if prompt else [7, 3, 12]
    sampling = Sampling(temperature, top_p=top_p)
    decoder = SpeculativeDecoder(*pair)

    def of(most: int, **settings) -> list[int]:
        return decoder.generate(ids, most, sampling, gamma=gamma, seed=seed, **settings).ids

    what = repr(prompt) if prompt else "small random models"
    call = (f"speculative for {what}, {most} ids, gamma {gamma}, temperature {temperature}, "
            f"top-p {top_p}")  # fmt: skip
    done = decoder.generate(ids, most, sampling, gamma=gamma, seed=seed)
    _reads.clear()
    given, source, (own, other) = list(ids), uniforms(seed), map(parts_of, pair)
    settings = most, gamma, temperature, top_p, lambda: next(source), target.eos_id
    got = plain_ids(function(own, other, given, *settings))

    def wrong(how: dict) -> list[int]:
        return _speculated(*pair, ids, most, gamma, sampling, uniforms(seed), how)

    # Sums in another order can move a draw by a token: the text without caches is right as well.
    if got != done.ids and got != wrong({}):
        causes = [(wrong(how), text) for how, text in MISTAKES]
        alone = generate_with(target, ids, most, sampling, seed=seed).ids
        causes += [(alone, "this is the text of the target alone, with these random numbers")]
        _compare_ids(call, got, done.ids, most, _wrong_ends(of, done.ids, most, ids) + causes)
    check_unchanged(given, ids)
    passes = [n for weights, n in _reads if weights == own[0]["embedding"].data_ptr()]
    if len(passes) > done.target_passes + 1:
        raise Wrong(f"not yet. {call}: the target made {len(passes)} passes, and "
                    f"{done.target_passes} are enough\n  likely cause: it reads the drafted ids "
                    "together, in one pass")  # fmt: skip
    if sum(passes) > len(ids) + (gamma + 1) * (done.target_passes + 1):
        raise Wrong(f"not yet. {call}: the target read {sum(passes)} positions\n  likely cause: "
                    "the cache is not used: a pass reads what is new, and the drafted ids"
                    )  # fmt: skip


@torch.no_grad()
def _speculated(target, draft, ids, most, gamma, sampling, source, how: dict) -> list[int]:
    """The new ids with a mistake in what a pass makes of the drafted ones."""
    text, end = list(ids), len(ids) + most
    for _ in range(most):
        drafted, q = [], []
        for _ in range(min(gamma, end - len(text) - 1)):
            q.append(probabilities(draft(torch.tensor([text + drafted]))[0, -1], sampling))
            drafted.append(draw(q[-1], next(source)))
        rows = target(torch.tensor([text + drafted]))[0, len(text) - 1 :]
        new = verified([probabilities(row, sampling) for row in rows], q, drafted, source, **how)
        text += new
        if target.eos_id in new:
            return text[len(ids) : text.index(target.eos_id, len(ids)) + 1]
        if len(text) >= end:
            break
    return text[len(ids) :]


def _wrong_ends(of, right: list[int], most: int, ids: list[int]) -> list:
    endless = of(most + 8, stop_ids=())
    return [
        (endless[:most], "the end-of-sequence id does not end the text"),
        (right[:-1], "the last id is missing: an end-of-sequence id is one of the new ids"),
        (ids + right, "the prompt is in front: only the new ids are asked for"),
        (endless[: len(right) + 1], "one id too many"),
    ]


def _compare_ids(call: str, got, right: list[int], most: int, causes) -> None:
    if len(got) > most:
        raise Wrong(f"not yet. {call}: there are {len(got)} new ids\n  likely cause: the text got "
                    "longer than max_new_tokens, or the prompt is in front")  # fmt: skip
    same = next((i for i, (a, b) in enumerate(zip(got, right, strict=False)) if a != b), None)
    compare(call if same is None else f"{call}: the ids differ from number {same} on",
            got, right, causes)  # fmt: skip


def _counted_forward(weights: dict, sizes: dict, ids: list[int], cache: list) -> Tensor:
    """The right pass, which counts what it reads."""
    _reads.append((weights["embedding"].data_ptr(), len(ids)))
    kept = [None if past is None else tuple(x[None] for x in past) for past in cache]
    logits = forward(weights, sizes, ids, kept)
    cache[:] = [tuple(x[0] for x in past) for past in kept]
    return logits


PARTS = {
    name: {
        "forward": _counted_forward,
        "distribution": lambda logits, temperature, top_p=1.0: probabilities(
            logits, Sampling(temperature, top_p=top_p)
        ),
    }
    for name in ("generate", "speculate")
}
