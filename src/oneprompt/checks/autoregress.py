"""Checks of the exercises of chapter 8."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from oneprompt import answers
from oneprompt.autoregress import generate
from oneprompt.model import ModelConfig, Transformer
from oneprompt.tokenize import load_tokenizer

from . import NotAttempted, Wrong, compare
from .table import Table, from_table

PROMPT = [3, 1, 4, 1, 5]
SEED = 265  # makes a model that writes seven different ids
MOST = 12  # new ids at most; the small model below ends its text sooner


@from_table
def by_hand() -> list[Table]:
    """[without a cache, with a cache]: positions processed for 10 prompt and 4 new tokens."""
    without, cached = 10 + 11 + 12 + 13, 10 + 1 + 1 + 1
    causes_without = (
        (without + 14, "one pass too many: the newest token is not read when nothing follows it"),
        (11 + 12 + 13 + 14, "the first pass reads the prompt alone and makes the first new token"),
        (4 * 10, "the text is one token longer in every pass"),
        (1 + 2 + 3, "the prompt is read in every pass too"),
        (14, "without a cache a position is read again in every later pass"),
        (cached, "this is the number with a cache"),
        (4, "this is the number of passes: add up what each of them reads"),
    )
    causes_with = (
        (cached + 1, "the newest token is not read when nothing follows it"),
        (4, "the first pass reads the whole prompt: nothing of it is in the cache yet"),
        (3, "the first pass reads the whole prompt: nothing of it is in the cache yet"),
        (10, "each pass after the first reads one token, the newest"),
        (without, "this is the number without a cache"),
    )
    return [Table("positions without a cache", without, causes_without),
            Table("positions with a cache", cached, causes_with)]  # fmt: skip


def generate_greedy(function) -> None:
    """(model, ids, max_new_tokens) -> the new ids, with a cache."""
    model = small_model()
    expected, endless = (generate(model, PROMPT, MOST, stop_ids=s).ids for s in (None, ()))
    n = len(expected)
    causes = (
        (endless, "the end-of-sequence id, model.eos_id, does not end the loop"),
        (expected[:-1], "the end-of-sequence id is one of the new ids: keep it, then stop"),
        (PROMPT + expected, "the prompt is in front: only the new ids are asked for"),
        (wrong_greedy(model, lambda text, cache: text),
         "the whole text went into a cache that holds most of it: give it the newest id only"),
        (wrong_greedy(model, lambda text, cache: text[-1:] if cache.length else text, keep=False),
         "the newest id was read without a cache, so the model saw none of the text before it"),
        (wrong_greedy(model, missing, row=0),
         "the first row of logits was used: the last one is about the next token"),
        (expected[1:], "the first new id is missing: it comes out of the pass over the prompt"),
    )  # fmt: skip
    call = f"generate_greedy(model, {PROMPT}, {MOST}) of a small random model"
    given = list(PROMPT)
    with reading(model) as read:
        got = function(model, given, MOST)
    compare(call, plain_ids(got), expected, causes)
    check_unchanged(given, PROMPT)
    compare_work(sum(read), len(PROMPT) + n - 1)
    for most in (3, 1, 0):
        causes = (
            (expected[: most + 1], "one id too many: count the new ids before you make another"),
            (expected[: max(most - 1, 0)], "one id too few"),
            (expected, "max_new_tokens does not end the loop"),
        )
        call = f"generate_greedy(model, {PROMPT}, {most})"
        compare(call, plain_ids(function(model, list(PROMPT), most)), expected[:most], causes)


def text_until(function) -> None:
    """(tokenizer, ids, stop) -> the text in front of the stop string."""
    tokenizer = load_tokenizer()
    whole = answers.PROMPT  # What | is| machine| learning|?
    causes = (
        (whole, "the stop string lies across two tokens: search the text so far, and not "
         "each token alone"),
        ("What is machine l", "the stop string itself does not belong to the text"),
        ("What is machine learning", "cut the text where the stop string begins"),
        ("What is machine", "cut the text where the stop string begins, inside a token too"),
        ("What is", "cut the text where the stop string begins, inside a token too"),
        ("e learning", "this is the text from the stop string on: keep what is in front of it"),
    )  # fmt: skip
    text, rest = _run(function, tokenizer, whole, "e l")
    compare(f'text_until(tokenizer, ids of "{whole}", "e l")', text, "What is machin", causes)
    if rest != ["?"]:
        raise Wrong(
            f"not yet. After the stop string, {len(rest)} ids were left and should be 1\n"
            "  likely cause: go through the ids one by one and return as soon as the stop string "
            "is there; every id that you ask for is a pass of the model"
        )
    causes = (
        ("What is", "cut the text where the stop string begins, inside a token too"),
        ("What is machine", "cut the text where the stop string begins, inside a token too"),
        ("What is machi", "the stop string itself does not belong to the text"),
        (whole, "a stop string may be a part of a token"),
    )
    text, _ = _run(function, tokenizer, whole, "chi")
    compare(f'text_until(tokenizer, ids of "{whole}", "chi")', text, "What is ma", causes)
    causes = (("", "the stop string never came: then the text is everything"),
              (whole[:-1], "str.find gives -1 when there is nothing to find"))  # fmt: skip
    text, _ = _run(function, tokenizer, whole, "stop")
    compare(f'text_until(tokenizer, ids of "{whole}", "stop")', text, whole, causes)
    alone = "".join(tokenizer.decode([token_id]) for token_id in tokenizer.encode("ok 🙂"))
    text, _ = _run(function, tokenizer, "ok 🙂!", "!")
    compare('text_until(tokenizer, ids of "ok 🙂!", "!")', text, "ok 🙂",
            [(alone, "an id can be a part of a character: decode the ids together")])  # fmt: skip


def small_model() -> Transformer:
    """A small random model, the same each time, that ends its own text after seven ids."""
    sizes = {"vocab_size": 31, "d_model": 16, "n_layers": 2, "n_heads": 2}
    config = ModelConfig(**sizes, bias=False, tie_embeddings=False)
    model = Transformer(config).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(SEED)
    for p in model.parameters():
        if p.ndim > 1:  # the norms stay as they are
            p.copy_(0.5 * torch.randn(p.shape, generator=generator))
    model.eos_id = generate(model, PROMPT, 7).ids[-1]
    return model


def missing(text: list[int], cache) -> list[int]:
    return text[cache.length :]


def wrong_greedy(model: Transformer, choose, row: int = -1, keep: bool = True) -> list[int]:
    """Greedy ids if each pass reads `choose(text, cache)`; wrong on purpose."""
    text, cache = list(PROMPT), model.new_cache()
    while len(text) < len(PROMPT) + MOST:
        past = cache if keep or cache.length == 0 else None
        logits = model(torch.tensor([choose(text, cache)]), past)
        text.append(int(logits[0, row].argmax()))
        if text[-1] == model.eos_id:
            break
    return text[len(PROMPT) :]


@contextmanager
def reading(model: Transformer) -> Iterator[list[int]]:
    """How many positions each pass of the model reads, a number per pass."""
    read = []
    first = model.blocks[0]
    with first.register_forward_pre_hook(lambda _, args: read.append(args[0].shape[1])):
        yield read


def check_unchanged(given: list[int], ids: list[int]) -> None:
    """Refuse a function that appended to the list that it was given."""
    if given != ids:
        raise Wrong("not yet. Your function changed the list it was given: append to a copy of it")


def compare_work(read: int, needed: int) -> None:
    if read > needed:
        cause = "the cache is not used: each pass after the first reads the newest id only"
        if read == needed + 1:
            cause = "the last id is read as well, although nothing follows it"
        raise Wrong(
            f"not yet. The ids are right, but the model processed {read} positions and {needed} "
            f"are enough\n  likely cause: {cause}"
        )


def _run(function, tokenizer, text: str, stop: str) -> tuple[str, list[str]]:
    """What the function returns, and the tokens that it left in the stream."""
    ids = iter(tokenizer.encode(text))
    try:
        result = function(tokenizer, ids, stop)
    except NotAttempted:
        if next(ids, None) is not None:
            raise
        raise Wrong("not yet. Your function read all ids and returned nothing") from None
    return result, [tokenizer.decode([token_id]) for token_id in ids]


def plain_ids(result):
    """Ids as a list of integers, even if they came as tensors."""
    if isinstance(result, torch.Tensor):
        return result.tolist()
    return [int(token_id) for token_id in result] if isinstance(result, list | tuple) else result
