"""Tests of the assignment on byte pair encoding."""

import random
from collections import Counter
from itertools import pairwise

from oneprompt.tokenize import BytePairEncoding, Pair, merge_pair, pre_tokenize

from .. import Wrong, bare, compare, tokenize
from ..table import Table
from .reference import tokenizer
from .variants import own_variant

WORDS = ("attention", "training", "embedding", "sampling", "gradient", "generate", "tokenizer")
PIECES = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
TEXT = "low low low lower lower newest newest widest, and the newest lowest low."


def numbers(rng: random.Random) -> dict:
    """A word and six merges; those of longer tokens come after the merges that make these."""
    word = rng.choice(WORDS)
    parts = [word[i : i + 1].encode() for i in range(len(word))]
    pairs, triples = list(pairwise(parts)), zip(parts, parts[1:], parts[2:], strict=False)
    longer = [pair for a, b, c in triples for pair in ((a + b, c), (a, b + c))]
    merges = rng.sample(sorted(set(pairs)), 4) + rng.sample(sorted(set(longer)), 2)
    made = {a + b for a, b in merges[:4]}
    fits = all(len(part) == 1 or part in made for pair in merges[4:] for part in pair)
    return {"word": word, "merges": merges} if fits else {}


def by_hand(answer, student: str) -> None:
    """The chapter's question, with the student's word and merges."""
    given = own_variant("tokenize", student)
    results = tokenize.hand_results(**given)
    Table(f'the tokens of "{given["word"]}"', *results).check(answer)


def count_pairs(function, pieces: dict[str, int] = PIECES) -> None:
    """{piece as a tuple of tokens: how often it occurs} -> {pair: how often it occurs}."""
    words = {tuple(bytes([b]) for b in piece.encode()): n for piece, n in pieces.items()}
    got = function(dict(words))
    if not isinstance(got, dict):
        raise Wrong(f"not yet. The result is a {type(got).__name__} and should be a dictionary")
    backward = {tuple(reversed(word)): n for word, n in words.items()}
    joined = {tuple(token for word in words for token in word): 1}
    once = dict.fromkeys(words, 1)
    causes = (
        (_counts(once), "each pair was counted once per piece: a piece that occurs n times brings "
         "each of its pairs n times"),
        (_counts(words, distinct=True), "a pair that comes twice in one piece counts twice"),
        (_counts(backward), "the two tokens of each pair changed places"),
        (_counts(joined), "the pieces were joined first: a pair never crosses pieces"),
        ({a + b: n for (a, b), n in _counts(words).items()},
         "the keys are joined tokens, and should be pairs: tuples of two tokens"),
        (Counter(t for word, n in words.items() for t in word for _ in range(n)),
         "these are counts of single tokens"),
    )  # fmt: skip
    call = f"count_pairs of {pieces}"
    compare(call, _sorted(got), _sorted(_counts(words)), [(_sorted(w), t) for w, t in causes])


def train(function, text: str = TEXT, n_merges: int = 12) -> None:
    """The first merges that training learns from a text."""
    right = _train(text, n_merges)
    causes = (
        (
            _train(text, n_merges, prefer=lambda pair: tuple(-x for x in b" ".join(pair))),
            "among equally frequent pairs the largest was taken: take the smallest",
        ),
        (
            _train(text, n_merges, recount=False),
            "the pairs were counted once: count again after each merge, in the merged pieces",
        ),
        (
            _train(text, n_merges, whole=True),
            "the text was not split into pieces first, so merges cross them",
        ),
        (
            _train(text, n_merges, weighted=False),
            "each different piece was counted once: it counts as often as it occurs",
        ),
        (_train(text, n_merges, sign=1), "the rarest pair was taken: take the most frequent"),
        (_train(text, n_merges + 1), "one merge too many"),
        (right[:-1], "one merge too few"),
        ([a + b for a, b in right], "these are the new tokens: return the pairs"),
    )
    compare(f"train({text!r}, {n_merges})", _plain(function(text, n_merges)), right, causes)


def encode(function, text: str = "lowest newer widest", n_merges: int = 10) -> None:
    """(text, merges) -> the tokens as bytes."""
    merges = [*_train(TEXT, n_merges), (b"est", b" new"), (b"w", b" ")]  # two that never apply
    _compare_encoding(function, text, merges, "merges")


def encode_with_the_model(function, text: str = "What is machine learning?") -> None:
    """The reference tokenizer's tokens, from its merges."""
    merges = tokenizer().byte_pair_encoding().merges
    _compare_encoding(function, text, merges, "the merges of the reference tokenizer")


def _compare_encoding(function, text: str, merges: list[Pair], what: str) -> None:
    right, pieces = _encode(text, merges), pre_tokenize(text)
    causes = (
        ([t for p in pieces for t in _replayed(p, merges[::-1])],
         "the merges were replayed from the last to the first"),
        ([t for p in pieces for t in _leftmost(p, merges)],
         "the leftmost pair was joined first; the order of learning decides, not the place"),
        (_encode(text, merges, whole=True),
         "the text was not split into pieces first, so merges cross them"),
        ([t.decode(errors="replace") for t in right], "the tokens are strings, and should be "
         "bytes: a token may be a part of a character"),
        ([bytes([b]) for b in text.encode()], "nothing was joined: these are the single bytes"),
        (_encode(text, merges[:1]), "only the first merge was replayed"),
        ([t for p in pieces for t in _replayed(p, merges, [c.encode() for c in p])],
         "the start was characters: start from single bytes"),
    )  # fmt: skip
    compare(f"encode({text!r}, {what})", _plain(function(text, list(merges))), right, causes)


def _counts(words: dict, distinct: bool = False) -> dict[Pair, int]:
    counts = Counter()
    for word, n in words.items():
        for pair in set(pairwise(word)) if distinct else pairwise(word):
            counts[pair] += n
    return dict(counts)


def _train(text, n_merges, *, prefer=lambda pair: pair, recount=True, whole=False, weighted=True,
           sign=-1) -> list[Pair]:  # fmt: skip
    """The merges; each setting can introduce a mistake."""
    pieces = Counter([text] if whole else pre_tokenize(text))
    words = {p: [bytes([b]) for b in p.encode()] for p in pieces}
    merges, counts = [], None
    while len(merges) < n_merges:
        if recount or counts is None:
            counts = Counter()
            for piece, tokens in words.items():
                for pair in pairwise(tokens):
                    counts[pair] += pieces[piece] if weighted else 1
        if not counts:
            break
        best = min(counts, key=lambda pair: (sign * counts[pair], prefer(pair)))
        merges.append(best)
        words = {piece: merge_pair(tokens, best) for piece, tokens in words.items()}
        if not recount:
            del counts[best]
    return merges


def _encode(text: str, merges: list[Pair], whole: bool = False) -> list[bytes]:
    bpe, pieces = BytePairEncoding(merges), [text] if whole else pre_tokenize(text)
    return [token for piece in pieces for token in bpe.merge_steps(piece)[-1]]


def _leftmost(piece: str, merges: list[Pair]) -> list[bytes]:
    tokens, known = [bytes([b]) for b in piece.encode()], set(merges)
    while place := [i for i, pair in enumerate(pairwise(tokens)) if pair in known][:1]:
        tokens[place[0] : place[0] + 2] = [b"".join(tokens[place[0] : place[0] + 2])]
    return tokens


def _replayed(piece: str, merges: list[Pair], start: list[bytes] | None = None) -> list[bytes]:
    """The tokens after each merge once, in the given order."""
    tokens = [bytes([b]) for b in piece.encode()] if start is None else start
    for pair in merges:
        tokens = merge_pair(tokens, pair)
    return tokens


def _sorted(counts: dict) -> list:
    return sorted(counts.items(), key=repr)


def _plain(result):
    """A list of tuples or bytes, from any sequence of them."""
    if not isinstance(result, list | tuple):
        raise Wrong(f"not yet. The result is a {type(bare(result)).__name__} and should be a list")
    return [tuple(x) if isinstance(x, list) else x for x in result]


PARTS = {"train": {"count_pairs": lambda words: _counts(words)}}
