"""Answer one question or many, and tell whether an answer is right."""

from collections.abc import Iterable
from functools import cache
from itertools import repeat

from .autoregress import generate
from .batch import generate_batch
from .checkpoints.own import load_model
from .corpus import Entry
from .corpus.documents import ask, definition_sentences
from .model import Transformer
from .request import check_prompt
from .sample import GREEDY, Sampling
from .tokenize import Tokenizer, load_tokenizer

PROMPT = "What is machine learning?"  # the book's running example
LONGEST_ANSWER = 80  # tokens; the longest definition with one more sentence takes about 70


_reference_model, _reference_tokenizer = cache(load_model), cache(load_tokenizer)


def answer(
    question: str,
    sampling: Sampling = GREEDY,
    *,
    seed: int | None = None,
    model: Transformer | None = None,
    tokenizer: Tokenizer | None = None,
) -> str:
    """A model's answer to a question, up to its end-of-sequence token.

    Args:
        question: the text.
        sampling: how to choose each token.
        seed: for the draws; None for a different answer each time.
        model, tokenizer: None for the reference model and its tokenizer, which are loaded once.

    Raises:
        TypeError: the question is not a string.
        ValueError: the question is empty, or longer than the model's context.

    >>> answer(PROMPT).split(" of ")[0]
    'Machine learning is a subfield'
    """
    model = _reference_model() if model is None else model
    tokenizer = _reference_tokenizer() if tokenizer is None else tokenizer
    ids = tokenizer.encode(question)
    return tokenizer.decode(generate(model, ids, LONGEST_ANSWER, sampling, seed=seed).ids).strip()


def answer_all(
    model: Transformer,
    tokenizer: Tokenizer,
    questions: Iterable[str],
    sampling: Sampling = GREEDY,
    seeds: Iterable[int | None] = repeat(None),
) -> list[str]:
    """The `answer` to each question, with its seed; the questions share their passes.

    Twenty at a time take a fifth of the time that they take one by one. Floating-point sums differ
    slightly in a batch, so an answer may take another turn where a choice hangs on the last digits.

    Raises:
        ValueError: a question is empty, or longer than the model's context.
    """
    asked = list(zip(map(tokenizer.encode, questions), seeds, strict=False))
    results = generate_batch(
        model,
        [check_prompt(model, ids) for ids, _ in asked],
        LONGEST_ANSWER,
        sampling,
        seed=[seed for _, seed in asked],
        progress="answers",
    )
    return [tokenizer.decode(result.ids).strip() for result in results]


def first_sentence(text: str) -> str:
    """The text up to its first period; no glossary sentence has one inside."""
    return text[: text.find(".") + 1] or text


def defines(entry: Entry, text: str) -> bool:
    """Whether the first sentence is the entry's definition or a listed paraphrase of it.

    Any of the grammar's openings will do, even one that does not name the term ("It is").
    """
    return first_sentence(text) in definition_sentences(entry, must_name=False)


def names_and_defines(entry: Entry, text: str) -> bool:
    """Like `defines`, but the first sentence must also name the term."""
    return first_sentence(text) in definition_sentences(entry)


def wrong_answers(
    model: Transformer, tokenizer: Tokenizer, asked: Iterable[tuple[str, Entry]]
) -> dict[str, str]:
    """The questions (form, entry) whose greedy answer does not name and define the term.

    Returns:
        question -> answer.
    """
    entry_of = {ask(form, entry): entry for form, entry in asked}
    found = zip(entry_of, answer_all(model, tokenizer, entry_of), strict=True)
    return {q: text for q, text in found if not names_and_defines(entry_of[q], text)}
