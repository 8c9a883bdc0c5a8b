"""The requests that `generate` takes, in the forms that people have them in, and their checks."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .cache import KVCache
from .embed import check_ids
from .model import Transformer
from .sample import Sampling

Ids = Sequence[int] | Tensor


class Request(NamedTuple):
    """Texts to continue.

    Attributes:
        texts: the ids of each, all of them checked.
        is_batch: whether they came as a batch; if not, the result is a single one too.
    """

    texts: list[list[int]]
    is_batch: bool


def read_request(
    model: Transformer, ids: Ids | Sequence[Ids], attention_mask: Tensor | None = None
) -> Request:
    """The texts of a list of ids, a tensor (T,) or (1, T), a list of these, or a tensor (B, T).

    Args:
        model: its vocabulary and context set the limits.
        ids: in one of these forms.
        attention_mask: None, or (B, T): 0 where a row has padding, as tokenizers return it.

    Raises:
        TypeError, ValueError: the request does not fit; the message says why and what to do.
    """
    is_batch, rows = _rows(ids)
    if attention_mask is not None:
        rows = _without_padding(rows, torch.as_tensor(attention_mask).bool())
    if is_batch and len(rows) == 0:
        raise ValueError("the batch is empty; give it at least one prompt")
    texts = [check_prompt(model, row) for row in rows]
    return Request(texts, is_batch)


def read_text(model: Transformer, ids: Ids, done: str) -> list[int]:
    """The ids of a request that may hold only one text; `done` says what is done with it.

    Raises:
        TypeError, ValueError: the request does not fit, or is a batch.
    """
    texts, is_batch = read_request(model, ids)
    if is_batch:
        raise ValueError(f"one text at a time can be {done}, got {len(texts)}")
    return texts[0]


def check_prompt(model: Transformer, ids: Ids) -> list[int]:
    """One prompt as a list of ids.

    Raises:
        TypeError, ValueError: the model cannot read it; the message says why and what to do.
    """
    if isinstance(ids, str):
        raise TypeError("the prompt is text; give its ids, tokenizer.encode(text)")
    ids = torch.as_tensor(ids)
    if ids.numel() == 0:
        raise ValueError("the prompt is empty; give the model at least one token")
    if ids.ndim != 1:
        raise ValueError(
            "a prompt's ids must have the shape (T,) or (1, T), and a batch's (B, T); "
            f"got a row of shape {tuple(ids.shape)}"
        )
    check_ids(ids, model.config.vocab_size)
    model.check_length(len(ids))
    return ids.tolist()


def check_settings(
    max_new_tokens: int, sampling: Sampling, stops: Sequence = (), processors: Sequence = ()
) -> None:
    """Refuse settings that `generate` does not take.

    Raises:
        TypeError, ValueError: a setting has the wrong type or value.
    """
    check_count("max_new_tokens", max_new_tokens, least=0)
    if not isinstance(sampling, Sampling):
        raise TypeError(
            f"sampling must be a Sampling, such as op.Sampling(temperature=0.7), got {sampling!r}"
        )
    for name, functions in (("stops", stops), ("processors", processors)):
        if not (isinstance(functions, Sequence) and all(map(callable, functions))):
            raise TypeError(f"{name} must be a list of functions, got {functions!r}")


def check_cache(model: Transformer, cache: KVCache | None) -> None:
    """Refuse a cache that a text of this model cannot use.

    Raises:
        TypeError: it is no KVCache.
        ValueError: it is another model's, or for another number of texts.
    """
    if cache is None:
        return
    if not isinstance(cache, KVCache):
        raise TypeError(f"cache must be a KVCache, from model.new_cache(), got {cache!r}")
    cache.check_fits(model.config, batch_size=1)
    kinds = [(tensor.dtype, tensor.device) for tensor in (cache.keys, model.embedding)]
    if kinds[0] != kinds[1]:
        raise ValueError(
            "the cache has another dtype or device than the model, {} on {} and {} on {}; make "
            "one with model.new_cache()".format(*kinds[0], *kinds[1])
        )


def check_count(name: str, value: int, least: int) -> None:
    """Refuse anything but an int of at least `least`.

    Raises:
        TypeError: the value is not an int.
        ValueError: it is too small.
    """
    if type(value) is not int:
        raise TypeError(f"{name} must be an int, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be {least} or more, got {value}")


def resolve_stop_ids(model: Transformer, stop_ids: int | Iterable[int] | None) -> frozenset[int]:
    """The ids that end a text: for None the model's end-of-sequence token or tokens, for () none.

    Raises:
        TypeError, ValueError: an id is not in the vocabulary.
    """
    if stop_ids is None:
        stop_ids = () if model.eos_id is None else model.eos_id
    stop_ids = frozenset({stop_ids} if isinstance(stop_ids, int) else stop_ids)
    for token_id in stop_ids:
        if type(token_id) is not int:
            raise TypeError(
                f"stop_ids holds {token_id!r} and should hold token ids; "
                "for strings give stops=[StopStrings(tokenizer, strings)]"
            )
        if not 0 <= token_id < model.config.vocab_size:
            last = model.config.vocab_size - 1
            raise ValueError(f"stop id {token_id} is outside the vocabulary (0 to {last})")
    return stop_ids


def _rows(ids) -> tuple[bool, Sequence]:
    """Whether ids are a batch, and its rows."""
    if isinstance(ids, str):
        raise TypeError("the prompt is text; give its ids, tokenizer.encode(text)")
    if isinstance(ids, Tensor) and ids.ndim == 2:
        return len(ids) != 1, list(ids)
    first = ids[0] if len(ids) else None
    is_batch = isinstance(first, Sequence | Tensor) and getattr(first, "ndim", 1) > 0
    return is_batch, list(ids) if is_batch else [ids]


def _without_padding(rows: Sequence, mask: Tensor) -> list[Tensor]:
    if mask.shape != (len(rows), len(rows[0])):
        raise ValueError(
            f"attention_mask should have the shape {(len(rows), len(rows[0]))} of the ids, "
            f"found {tuple(mask.shape)}"
        )
    return [torch.as_tensor(row)[kept] for row, kept in zip(rows, mask, strict=True)]
