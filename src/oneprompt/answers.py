"""What the reference pair can do, measured: answers, loss, attention heads, the draft's acceptance.

`reference_model.ipynb` prints these figures, and the tests hold the shipped weights to them.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby, repeat

import torch
from torch import Tensor
from tqdm import tqdm

from .autoregress import check_request, generate
from .corpus import Entry, load_glossary
from .corpus.grammar import ask, definition_sentences
from .logits import cross_entropy
from .model import Transformer
from .sample import GREEDY, Sampling, draw, probabilities, uniforms
from .speculate import SpeculativeDecoder
from .tokenize import Tokenizer

LONGEST_ANSWER = 80  # tokens; the longest definition with one more sentence takes about 65
HEAD_THRESHOLD = 0.5  # a head is named after a pattern that gets more than half of its weight


def answer(
    model: Transformer, tokenizer: Tokenizer, question: str, sampling: Sampling = GREEDY, seed=None
) -> str:
    """What the model says to a question, up to its end-of-sequence token."""
    ids = tokenizer.encode(question)
    return tokenizer.decode(generate(model, ids, LONGEST_ANSWER, sampling, seed=seed).ids).strip()


@torch.no_grad()
def answers(
    model: Transformer,
    tokenizer: Tokenizer,
    questions: Iterable[str],
    sampling: Sampling = GREEDY,
    seeds: Iterable[int | None] = repeat(None),
) -> list[str]:
    """The `answer` to each question with its seed; equally long questions share the passes.

    Twenty answers at a time take a fifth of the time that one after the other takes. Sums of floats
    come out a little different in a batch, so an answer may go another way where a choice hangs on
    the last digits.

    Raises:
        ValueError: a question without tokens, or too long to be answered within the context; a
            repetition penalty, which needs each answer's own history.
    """
    asked = list(zip(map(tokenizer.encode, questions), seeds, strict=False))
    for ids, _ in asked:
        check_request(model, ids, LONGEST_ANSWER)
    texts = {}
    lengths = sorted({len(ids) for ids, _ in asked})
    for length in tqdm(lengths, desc="questions, by length", leave=False, disable=None):
        group = [row for row, (ids, _) in enumerate(asked) if len(ids) == length]
        random = [uniforms(asked[row][1]) for row in group]
        cache, new = model.new_cache(len(group)), torch.tensor([asked[row][0] for row in group])
        made = [[] for _ in group]
        while len(made[0]) < LONGEST_ANSWER and not all(model.eos_id in ids for ids in made):
            p = probabilities(model(new, cache)[:, -1], sampling)  # (B, V)
            for ids, row, numbers in zip(made, p, random, strict=True):
                ids.append(draw(row, next(numbers)))
            new = torch.tensor([ids[-1:] for ids in made])  # (B, 1)
        for row, ids in zip(group, made, strict=True):
            end = ids.index(model.eos_id) if model.eos_id in ids else None
            texts[row] = tokenizer.decode(ids[:end]).strip()
    return [texts[row] for row in range(len(asked))]


def first_sentence(text: str) -> str:
    """Up to the first period, which no glossary sentence has inside."""
    return text[: text.find(".") + 1] or text


def defines(entry: Entry, text: str) -> bool:
    """Whether the first sentence is the entry's definition or a listed paraphrase of it.

    Any opening of the grammar may stand in front, also those that do not name the term ("It is").
    """
    return first_sentence(text) in definition_sentences(entry, must_name=False)


def names_and_defines(entry: Entry, text: str) -> bool:
    """As `defines`, and the first sentence names the term."""
    return first_sentence(text) in definition_sentences(entry)


def wrong_answers(
    model: Transformer, tokenizer: Tokenizer, asked: Iterable[tuple[str, Entry]]
) -> dict[str, str]:
    """Of the questions (form, entry), those whose greedy answer does not define the term.

    Returns:
        question -> answer.
    """
    entry_of = {ask(form, entry): entry for form, entry in asked}
    found = zip(entry_of, answers(model, tokenizer, entry_of), strict=True)
    return {q: text for q, text in found if not names_and_defines(entry_of[q], text)}


@torch.no_grad()
def document_loss(model: Transformer, documents: Iterable[Sequence[int]]) -> float:
    """Mean loss in nats per token over documents, each read on its own and ended by EOS."""
    longest = model.config.context_length + 1
    rows = sorted(([*document, model.eos_id][:longest] for document in documents), key=len)
    total, n_tokens = 0.0, 0
    for _, group in groupby(rows, key=len):  # a pass for all that are equally long
        ids = torch.tensor(list(group))
        n = ids[:, 1:].numel()
        total += cross_entropy(model(ids[:, :-1]), ids[:, 1:]).item() * n
        n_tokens += n
    return total / n_tokens


def glossary_openings(tokenizer: Tokenizer, n_tokens: int = 48) -> Tensor:
    """The first tokens of every glossary entry that is long enough, (entries, n_tokens)."""
    texts = (" ".join([entry.definition, *entry.details]) for entry in load_glossary())
    openings = (tokenizer.encode(text)[:n_tokens] for text in texts)
    return torch.tensor([ids for ids in openings if len(ids) == n_tokens])


def repeated_sequences(n: int, period: int, vocab_size: int, seed: int = 0) -> Tensor:
    """(n, 2 · period) random ids, the second half a copy of the first."""
    generator = torch.Generator().manual_seed(seed)
    half = torch.randint(1, vocab_size, (n, period), generator=generator)
    return torch.cat((half, half), dim=1)


def head_scores(model: Transformer, ids: Tensor) -> dict[str, Tensor]:
    """Where the attention of every head goes, on average over the positions from 2 on.

    Args:
        ids: (batch, time).

    Returns:
        four tensors (layers, heads), each a mean attention weight:
        "previous": on the token before;
        "induction": on the tokens that followed earlier copies of the current one, over the
            positions that have such a copy (Olsson et al. 2022);
        "itself": on the current token;
        "first": on the first token of the text.
    """
    weights = [layer.weights for layer in model.trace(ids).layers]
    return _pattern_scores(torch.stack(weights), ids)


def chance_scores(ids: Tensor) -> dict[str, float]:
    """The `head_scores` of a head that spreads its weight evenly over all that it sees."""
    n = ids.shape[1]
    even = torch.ones(n, n).tril() / torch.arange(1, n + 1)[:, None]  # (T, T)
    scores = _pattern_scores(even.expand(1, len(ids), 1, n, n), ids)
    return {pattern: score.item() for pattern, score in scores.items()}


def _pattern_scores(weights: Tensor, ids: Tensor) -> dict[str, Tensor]:
    """`head_scores` of weights (layers, batch, heads, time, time)."""
    n = ids.shape[1]
    copies = ids[:, :, None] == ids[:, None, :]  # copies[b, t, s]: the tokens t and s are equal
    after_copy = torch.zeros_like(copies)
    after_copy[:, :, 1:] = copies[:, :, :-1]
    after_copy &= torch.ones(n, n, dtype=torch.bool).tril(-1)  # strictly earlier tokens
    on_induction = (weights * after_copy[:, None]).sum(-1)[..., 2:]  # (L, B, H, T - 2)
    counts = after_copy.any(-1)[:, None, 2:].expand_as(on_induction)
    return {
        "previous": weights.diagonal(-1, -2, -1)[..., 1:].mean((1, 3)),
        "induction": (on_induction * counts).sum((1, 3)) / counts.sum((1, 3)),
        "itself": weights.diagonal(0, -2, -1)[..., 2:].mean((1, 3)),
        "first": weights[..., 2:, 0].mean((1, 3)),
    }


def head_name(scores: dict[str, Tensor], layer: int, head: int) -> str:
    """ "previous-token" or "induction" where that score is above HEAD_THRESHOLD, else ""."""
    for pattern, name in (("previous", "previous-token"), ("induction", "induction")):
        if scores[pattern][layer, head] > HEAD_THRESHOLD:
            return name
    return ""


def acceptance(
    target: Transformer, draft, prompts: Iterable[Sequence[int]], sampling: Sampling, gamma: int = 1
) -> float:
    """The share of drafted tokens that the target keeps.

    With gamma 1 every drafted token follows text of the target, which makes the share the α of
    Leviathan et al. 2023, definition 3.1.
    """
    decoder, drafted, accepted = SpeculativeDecoder(target, draft), 0, 0
    for seed, ids in enumerate(prompts):
        result = decoder.generate(list(ids), LONGEST_ANSWER, sampling, gamma=gamma, seed=seed)
        drafted, accepted = drafted + result.drafted, accepted + result.accepted
    return accepted / drafted
