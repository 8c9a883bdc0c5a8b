"""Tests of the assignment on generating with a cache."""

import random

from .. import NotAttempted, Results, Wrong, compare
from ..table import Table
from .cached import cached_attention, in_the_model
from .generation import generation, generation_with_the_model
from .reference import tokenizer
from .variants import own_variant

__all__ = ["by_hand", "cached_attention", "generation", "generation_with_the_model",
           "in_the_model", "reusable", "stream_text"]  # fmt: skip


def numbers(rng: random.Random) -> dict:
    """The sizes of a model with shared keys and values, and of a text."""
    kv_heads = rng.choice([3, 5])
    return {
        "layers": rng.choice([6, 7, 8, 10]),
        "heads": kv_heads * rng.choice([2, 4]),
        "kv_heads": kv_heads,
        "width": rng.choice([16, 32, 64]),
        "size": 4,
        "prompt": rng.randrange(10, 40),
        "new": rng.randrange(5, 20),
    }


def hand_results(layers, heads, kv_heads, width, size, prompt, new) -> Results:
    """The bytes of a cache when the last new id has been chosen, and the mistakes."""
    S = prompt + new - 1
    per_position = 2 * layers * kv_heads * width * size
    causes = (
        (per_position * (S + 1), "the last id is chosen and not read: it has no keys and values"),
        (per_position * S / 2, "a cache holds keys and values: two tensors per layer"),
        (per_position * S / layers, "every layer has keys and values of its own"),
        (per_position * S // kv_heads * heads, "the query heads share keys and values: only the "
         "key/value heads are kept"),
        (per_position * S / kv_heads, "each key/value head keeps d numbers"),
        (per_position * S / size, "these are numbers, and each takes several bytes"),
        (per_position * prompt, "the new ids that were read are in the cache as well"),
        (per_position * (new - 1), "the prompt is in the cache as well"),
        (per_position * new, "the prompt is in the cache as well"),
        (per_position, "this is what one position takes"),
        (per_position * S * 3 // 2, "queries are not kept: nobody asks twice"),
    )  # fmt: skip
    return per_position * S, causes


def by_hand(answer, student: str) -> None:
    """How many bytes a cache takes, for the student's sizes."""
    Table("bytes in the cache", *hand_results(**own_variant("autoregress", student))).check(answer)


def reusable(function, pairs=(([5, 6, 7], [5, 6, 7, 8]), ([5, 6, 7], [5, 9, 7, 8]))) -> None:
    """(known, text) -> how many positions of the cache can stay."""

    def shared(known: list[int], text: list[int], at_least: int = 1) -> int:
        same = [a == b for a, b in zip(known, text, strict=False)]
        first = same.index(False) if False in same else len(same)
        return max(min(first, len(text) - at_least), 0)

    def each(count) -> list[int]:
        return [count(known, text) for known, text in pairs]

    causes = (
        (each(lambda known, text: shared(known, text, 0)),
         "the last id is always read again: its logits are needed, and a cache keeps none"),
        (each(lambda known, text: sum(a == b for a, b in zip(known, text, strict=False))),
         "ids after the first difference count too: what is kept must be the beginning"),
        (each(lambda known, text: min(sum(a == b for a, b in zip(known, text, strict=False)),
                                      len(text) - 1)),
         "ids after the first difference count too: what is kept must be the beginning"),
        (each(lambda known, text: shared(known, text, 0) - 1),
         "one too few: the last id of the new text is read again, and not the last common one"),
        (each(lambda known, text: max(shared(known, text, 0) - 1, 0)),
         "one too few: the last id of the new text is read again, and not the last common one"),
        (each(lambda known, text: shared(known, text) + 1), "one too many: count the common ids"),
        (each(lambda known, text: len(known) if text[: len(known)] == known else 0),
         "all or nothing: a common beginning can stay, even if it is a part of the cache"),
        (each(lambda known, text: len(text) - shared(known, text)),
         "this is how many ids are to be read: return how many stay"),
        (each(lambda known, text: len(set(known) & set(text))),
         "these are common ids at any place: what is kept must be the beginning"),
    )  # fmt: skip
    got = [function(list(known), list(text)) for known, text in pairs]
    calls = "; ".join(f"reusable({known}, {text})" for known, text in pairs)
    compare(calls, got, each(shared), causes)


def stream_text(function, text: str = "It is 🙂 fine", cut: int = 0) -> None:
    """(tokenizer, ids one by one) -> pieces of text, each as early as it can be."""
    reader, ids = tokenizer(), tokenizer().encode(text)
    ids = ids[: len(ids) - cut]
    pieces, seen = [], []

    def one_by_one():
        for i, token_id in enumerate(ids):
            if i:
                seen.append("".join(pieces))
            yield token_id

    try:
        for piece in function(reader, one_by_one()):
            if not isinstance(piece, str):
                raise Wrong(f"not yet. A piece is a {type(piece).__name__} and should be a string")
            pieces.append(piece)
    except (NotAttempted, Wrong):
        raise
    except Exception as error:
        raise Wrong(f"not yet. stream_text raised {type(error).__name__}: {error}") from error
    seen.append("".join(pieces))
    right = _right_pieces(reader, ids)
    call = f"stream_text(tokenizer, {len(ids)} ids of {text!r}): the text after each id"
    if len(seen) == len(right) and all(map(_is_between, right, seen, _whole(reader, ids))):
        return
    compare(call, seen, right, _wrong_pieces(reader, ids, right))


def _whole(reader, ids: list[int]) -> list[str]:
    """The whole characters after each id; at the end, all."""
    ends = range(1, len(ids))
    found = [b"".join(map(reader.token_bytes, ids[:n])).decode(errors="ignore") for n in ends]
    return [*found, reader.decode(ids)]


def _is_between(least: str, got: str, most: str) -> bool:
    return len(least) <= len(got) and most.startswith(got)


def _right_pieces(reader, ids: list[int]) -> list[str]:
    """The text after each id, where an id waits if its last character is unfinished."""
    texts, last = [], ""
    for n in range(1, len(ids) + 1):
        text = reader.decode(ids[:n])
        last = last if text.endswith("\ufffd") and n < len(ids) else text
        texts.append(last)
    return texts or [""]


def _wrong_pieces(reader, ids: list[int], right: list[str]) -> tuple:
    alone = [reader.decode([token_id]) for token_id in ids]
    ends = range(1, len(ids) + 1)
    whole = [reader.decode(ids[:n]) for n in ends]
    repeated = ["".join(whole[:n]) for n in ends]
    kept = [a for a, b in zip(right, whole, strict=True) if a == b][-1:]
    unfinished = [*right[:-1], right[-2]] if len(right) > 1 else [""]
    return (
        (["".join(alone[:n]) for n in ends], "each id was decoded alone: the bytes of one "
         "character may come with several ids"),
        (repeated, "each piece is the whole text so far: yield what is new"),
        (whole, "the bytes of an unfinished character were shown: they wait for the next id"),
        ([""] * (len(ids) - 1) + right[-1:], "everything came at the end: yield each piece as soon "
         "as it is there, before you ask for the next id"),
        (unfinished, "the ids ended inside a character, and its bytes are missing: yield them at "
         "the end, as decode shows them"),
        (["".join(x for x in alone[:n] if not x.endswith("\ufffd")) for n in ends],
         "the bytes of characters that take several ids are lost: keep them for the next id"),
        ([*right[:-1], *kept], "the rest at the end is missing"),
    )  # fmt: skip
