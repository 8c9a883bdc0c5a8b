"""Step 8, autoregress: append the new token and go again.

One pass gives one token. Without a cache every pass reads the whole text again; with the KV cache
it reads only the newest token, and the numbers are the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .batch import generate_batch
from .cache import KVCache
from .generation import Generation, stop_reason
from .model import Transformer
from .processors import Processor, process
from .request import (
    Ids,
    check_cache,
    check_count,
    check_settings,
    read_request,
    read_text,
    resolve_stop_ids,
)
from .sample import GREEDY, Sampling, draw, probabilities, uniforms
from .stopping import Condition, ending


class Step(NamedTuple):
    """The result of one pass of the model.

    Attributes:
        token_id: the new id.
        logits: (V,), what it was chosen from.
        stop: why the text ends here, as in `Generation.stop_reason`, or "" if it goes on.
    """

    token_id: int
    logits: Tensor
    stop: str


def steps(
    model: Transformer,
    ids: Ids,
    max_new_tokens: int,
    sampling: Sampling = GREEDY,
    *,
    stop_ids: int | Iterable[int] | None = None,
    stops: Sequence[Condition] = (),
    processors: Sequence[Processor] = (),
    cache: KVCache | None = None,
    seed: int | None = None,
    use_cache: bool = True,
) -> Iterator[Step]:
    """The passes of `generate` for one text, each as soon as it is done.

    Raises:
        TypeError, ValueError: as in `generate`; raised at the call, not at the first step.
    """
    ids = read_text(model, ids, "streamed")
    check_settings(max_new_tokens, sampling, stops, processors)
    check_cache(model, cache)
    ends = ending(resolve_stop_ids(model, stop_ids), stops)
    if cache is None and use_cache:
        cache = model.new_cache(capacity=len(ids) + max_new_tokens)
    return _steps(model, ids, max_new_tokens, sampling, processors, ends, cache, uniforms(seed))


@torch.inference_mode()
def _steps(model, text, max_new_tokens, sampling, processors, ends, cache, random):
    """The loop itself; `text` grows by one id per pass."""
    n_prompt, device = len(text), model.embedding.device
    for wanted in reversed(range(max_new_tokens)):  # after this one
        new = text if cache is None else cache.unread(text)
        logits = model(torch.tensor([new], device=device), cache, last=1)[0, -1]
        changed = process(processors, logits, text, n_prompt)
        text.append(draw(probabilities(changed, sampling, text), next(random)))
        room = model.config.context_length + 1 - len(text)
        stop = stop_reason(ends(text[n_prompt:]), wanted, room)
        yield Step(text[-1], logits, stop)
        if stop:
            return


def generate(
    model: Transformer,
    ids: Ids | Sequence[Ids],
    max_new_tokens: int,
    sampling: Sampling = GREEDY,
    *,
    attention_mask: Tensor | None = None,
    top_n: int = 0,
    **settings,
) -> Generation | list[Generation]:
    """Continue a prompt, or each prompt of a batch.

    Args:
        model: the language model.
        ids: the prompt, from one id up to the context length: a list or a tensor (T,) or (1, T).
            A list of these or a tensor (B, T) is a batch; see `batch.generate_batch`.
        max_new_tokens: the most ids to generate.
        sampling: how to choose each of them.
        attention_mask: None, or (B, T): 0 where a row of the batch has padding.
        top_n: how many of the likeliest ids to list for each new one.
        settings:
            stop_ids: ids that end the text; None for the model's end-of-sequence token, () for
                none.
            stops: conditions that also end it, see `stopping`.
            processors: functions that change the logits first, see `processors`.
            cache: a KVCache to read from and extend, from an earlier turn or from a prefix that
                several prompts share. What it shares with the prompt is not read again.
            seed: for the draws; None for a different text each time.
            use_cache: False reads the whole text again in every pass: the same ids, more work.

    Raises:
        TypeError, ValueError: a prompt or setting does not fit; the message says what to do.
    """
    texts, is_batch = read_request(model, ids, attention_mask)
    check_count("top_n", top_n, least=0)
    if is_batch:
        if settings.keys() & {"cache", "use_cache"}:
            raise ValueError(
                "a batch has a cache of its own; give cache and use_cache for one text"
            )
        return generate_batch(model, texts, max_new_tokens, sampling, top_n=top_n, **settings)
    result = Generation(stop_reason="length")  # if no id is wanted at all
    for step in steps(model, texts[0], max_new_tokens, sampling, **settings):
        result.add(step.token_id, step.logits, top_n)
        result.target_passes += 1
        result.stop_reason = step.stop
    return result


def stream(
    model: Transformer, ids: Ids, max_new_tokens: int, sampling: Sampling = GREEDY, **settings
) -> Iterator[int]:
    """The ids of `generate`, each as soon as it is chosen; the settings are those of `steps`."""
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
