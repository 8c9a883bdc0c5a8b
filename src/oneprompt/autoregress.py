"""Step 8, autoregress: append the new token and go again.

One pass gives one token. Without a cache every pass reads the whole text again; with the KV cache
it reads only the newest token, and the numbers are the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import torch

from .model import Transformer
from .sample import GREEDY, Sampling, draw, probabilities, uniforms


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

    def add(self, id: int, logits: torch.Tensor) -> None:
        """Append one id that was chosen from logits (vocab_size,)."""
        self.ids.append(id)
        self.logprobs.append(probabilities(logits, Sampling())[id].log().item())


def check_request(model: Transformer, ids: list[int], max_new_tokens: int) -> None:
    """Refuse a prompt that the model cannot read; the ids' range is checked by the model."""
    if isinstance(ids, str):
        raise TypeError("the prompt is text; give its ids, tokenizer.encode(text)")
    if len(ids) == 0:
        raise ValueError("the prompt is empty; give the model at least one token")
    if len(ids) > model.config.context_length:
        raise ValueError(
            f"the prompt has {len(ids)} tokens, but this model's context holds "
            f"{model.config.context_length}; shorten it"
        )
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must be 0 or more, got {max_new_tokens}")


def resolve_stop_ids(model: Transformer, stop_ids: Iterable[int] | None) -> frozenset[int]:
    """None means the model's end-of-sequence token (or tokens), () means never."""
    if stop_ids is None:
        stop_ids = () if model.eos_id is None else model.eos_id
    return frozenset({stop_ids} if isinstance(stop_ids, int) else stop_ids)


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
    result = Generation()
    for _ in _steps(result, model, ids, max_new_tokens, sampling, stop_ids, seed, use_cache):
        pass
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
    return _steps(Generation(), model, ids, max_new_tokens, sampling, stop_ids, seed, use_cache)


def stream_text(tokenizer, ids: Iterable[int]) -> Iterator[str]:
    """Text as the ids arrive; the bytes of an unfinished character wait for the next id."""
    waiting = []
    for id in ids:
        waiting.append(id)
        text = tokenizer.decode(waiting)
        if not text.endswith("\ufffd"):
            yield text
            waiting = []
    if waiting:
        yield tokenizer.decode(waiting)


@torch.no_grad()
def _steps(result, model, ids, max_new_tokens, sampling, stop_ids, seed, use_cache):
    """Fill `result` one id at a time, and yield each."""
    check_request(model, ids, max_new_tokens)
    stop_ids, random = resolve_stop_ids(model, stop_ids), uniforms(seed)
    cache = model.new_cache() if use_cache else None
    text = list(ids)
    while len(result.ids) < max_new_tokens:
        if len(text) > model.config.context_length:
            result.stop_reason = "context"
            return
        new = text if cache is None else text[cache.length :]
        logits = model(torch.tensor([new]), cache)[0, -1]
        result.target_passes += 1
        chosen = draw(probabilities(logits, sampling, text), next(random))
        text.append(chosen)
        result.add(chosen, logits)
        # The reason stands before the id is handed out: the reader may stop listening there.
        result.stop_reason = "stop" if chosen in stop_ids else ""
        yield chosen
        if result.stop_reason:
            return
    result.stop_reason = "length"
