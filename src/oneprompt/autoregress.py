"""Step 8, autoregress: append the new token and go again.

One pass gives one token. Without a cache every pass reads the whole text again; with the KV cache
it reads only the newest token, and the numbers are the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from .embed import check_ids
from .model import Transformer
from .sample import GREEDY, Sampling, draw, probabilities, uniforms


class Step(NamedTuple):
    """What one pass of the model gave.

    Attributes:
        token_id: the new id.
        logits: (V,), what it was chosen from.
        stop: why the text ends here, as in `Generation.stop_reason`, or "" if it goes on.
    """

    token_id: int
    logits: Tensor
    stop: str


@dataclass
class Generation:
    """What came out, and what it took.

    Attributes:
        ids: the new ids, a stop id included.
        logprobs: for each of them log p under the model itself (temperature 1, no filter), in nats.
        stop_reason: "stop" (a stop id), "length" (max_new_tokens) or "context" (no room left).
        target_passes: forward passes of the model.
        draft_passes, drafted, accepted: forward passes of the draft model, ids it proposed, and
            ids of these that were kept (speculative decoding only).
    """

    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    stop_reason: str = ""
    target_passes: int = 0
    draft_passes: int = 0
    drafted: int = 0
    accepted: int = 0

    def add(self, token_id: int, logits: Tensor) -> None:
        """Append one id that was chosen from logits (V,)."""
        self.ids.append(token_id)
        self.logprobs.append(probabilities(logits, Sampling())[token_id].log().item())


def check_request(model: Transformer, ids: list[int], max_new_tokens: int) -> None:
    """Refuse a prompt that the model cannot read.

    Raises:
        TypeError, ValueError: what is wrong and what to do.
    """
    if isinstance(ids, str):
        raise TypeError("the prompt is text; give its ids, tokenizer.encode(text)")
    if len(ids) == 0:
        raise ValueError("the prompt is empty; give the model at least one token")
    if len(ids) > model.config.context_length:
        raise ValueError(
            f"the prompt has {len(ids)} tokens, but this model's context holds "
            f"{model.config.context_length}; shorten it"
        )
    check_ids(torch.as_tensor(ids), model.config.vocab_size)
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must be 0 or more, got {max_new_tokens}")


def resolve_stop_ids(model: Transformer, stop_ids: Iterable[int] | None) -> frozenset[int]:
    """None means the model's end-of-sequence token (or tokens), () means never."""
    if stop_ids is None:
        stop_ids = () if model.eos_id is None else model.eos_id
    return frozenset({stop_ids} if isinstance(stop_ids, int) else stop_ids)


def stop_reason(is_stop_id: bool, wanted: int, room: int) -> str:
    """Why a text ends after its newest id, or "" if it goes on.

    Args:
        is_stop_id: whether the newest id is one.
        wanted: how many more ids are wanted.
        room: how many more ids the context allows; the last one of a text is not read.
    """
    if is_stop_id:
        return "stop"
    return "length" if wanted == 0 else "context" if room == 0 else ""


def steps(
    model: Transformer,
    ids: list[int],
    max_new_tokens: int,
    sampling: Sampling = GREEDY,
    *,
    stop_ids: Iterable[int] | None = None,
    seed: int | None = None,
    use_cache: bool = True,
) -> Iterator[Step]:
    """The passes of `generate`, each as soon as it is done; the arguments are the same.

    Raises:
        TypeError, ValueError: as `generate`, at the call and not at the first step.
    """
    check_request(model, ids, max_new_tokens)
    stop_ids, random = resolve_stop_ids(model, stop_ids), uniforms(seed)
    return _steps(model, list(ids), max_new_tokens, sampling, stop_ids, random, use_cache)


@torch.no_grad()
def _steps(model, text, max_new_tokens, sampling, stop_ids, random, use_cache):
    """The loop itself; `text` grows by an id per pass."""
    cache = model.new_cache() if use_cache else None
    for wanted in reversed(range(max_new_tokens)):  # after this one
        new = text if cache is None else text[cache.length :]
        logits = model(torch.tensor([new]), cache)[0, -1]
        chosen = draw(probabilities(logits, sampling, text), next(random))
        text.append(chosen)
        room = model.config.context_length + 1 - len(text)
        stop = stop_reason(chosen in stop_ids, wanted, room)
        yield Step(chosen, logits, stop)
        if stop:
            return


def generate(
    model: Transformer,
    ids: list[int],
    max_new_tokens: int,
    sampling: Sampling = GREEDY,
    *,
    stop_ids: Iterable[int] | None = None,
    seed: int | None = None,
    use_cache: bool = True,
) -> Generation:
    """Continue a prompt.

    Args:
        model: the language model.
        ids: the prompt, at least one id and at most the context.
        max_new_tokens: how many ids to make at most.
        sampling: how to choose each of them.
        stop_ids: ids that end the text; None for the model's end-of-sequence token, () for none.
        seed: of the draws; None for a different text each time.
        use_cache: False reads the whole text again in every pass: the same ids, more work.

    Raises:
        TypeError, ValueError: a prompt or setting that does not fit; the message says what to do.
    """
    settings = {"stop_ids": stop_ids, "seed": seed, "use_cache": use_cache}
    result = Generation(stop_reason="length")  # if no id is wanted at all
    for step in steps(model, ids, max_new_tokens, sampling, **settings):
        result.add(step.token_id, step.logits)
        result.target_passes += 1
        result.stop_reason = step.stop
    return result


def stream(
    model: Transformer,
    ids: list[int],
    max_new_tokens: int,
    sampling: Sampling = GREEDY,
    *,
    stop_ids: Iterable[int] | None = None,
    seed: int | None = None,
    use_cache: bool = True,
) -> Iterator[int]:
    """The ids of `generate`, each as soon as it is chosen."""
    settings = {"stop_ids": stop_ids, "seed": seed, "use_cache": use_cache}
    return (step.token_id for step in steps(model, ids, max_new_tokens, sampling, **settings))


def stream_text(tokenizer, ids: Iterable[int]) -> Iterator[str]:
    """Text as the ids arrive; the bytes of an unfinished character wait for the next id."""
    waiting = []
    for token_id in ids:
        waiting.append(token_id)
        text = tokenizer.decode(waiting)
        if not text.endswith("\ufffd"):
            yield text
            waiting = []
    if waiting:
        yield tokenizer.decode(waiting)
