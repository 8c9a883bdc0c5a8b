"""Checks of the exercises of chapter 1."""

from collections.abc import Sequence

from oneprompt.tokenize import BytePairEncoding, Pair, pre_tokenize, rounds

from . import Results, compare
from .table import Table, from_table

# The first exercise's word and merges, in the order of learning, chosen so that the right rule and
# the wrong ones below give different tokens.
WORD = "learning"
MERGES = [(b"l", b"e"), (b"a", b"r"), (b"n", b"g"), (b"i", b"n"), (b"i", b"ng"), (b"le", b"a")]

LEARNED = "banana bandana"  # the text of the exercise in learning; no piece occurs twice

LEFTMOST = "the leftmost pair was joined first; the order of learning decides, not the place"
LONGEST = "this takes the longest token that fits, from the left; BPE replays merges in their order"
BYTES_ONLY = "nothing was joined: these are the single bytes"


@from_table
def by_hand() -> Table:
    """The tokens of "learning" under the six merges."""
    return Table(f'the tokens of "{WORD}"', *hand_results())


def hand_results(word: str = WORD, merges: Sequence = MERGES) -> Results:
    """The answer and the mistakes of `by_hand` for another word and its merges."""
    merges = list(merges)
    without = [merges[:i] + merges[i + 1 :] for i in range(len(merges))]
    right = _strings(_encode(merges, word))
    causes = (
        (_strings(_by_rank(min, word, merges, by_place=True)), LEFTMOST),
        (_strings(_by_rank(max, word, merges)), "a merge was made before an earlier one in the "
         "table, which takes a letter from it"),
        (_strings(_by_longest(word, merges)), LONGEST),
        (list(word), BYTES_ONLY),
        ([word], "no merge makes the whole word: only pairs in the table can be joined"),
        *((_strings(_encode(rest, word)),
           f"merge {i} was forgotten: at some point its two tokens are neighbors")
          for i, rest in enumerate(without, start=1) if _strings(_encode(rest, word)) != right),
    )  # fmt: skip
    # Two rules may give the same tokens, and then the first is named.
    named = {tuple(tokens): text for tokens, text in reversed(causes)}
    return right, [(list(tokens), text) for tokens, text in named.items()]


@from_table
def learn_by_hand() -> Table:
    """Two rounds of training: the counts of the joined pairs, and the tokens that are left."""
    first, second, *_ = rounds(LEARNED)
    counts = [step.counts[step.pair] for step in (first, second)]
    start = len(LEARNED.encode())
    causes = (
        ([4, 3, 7], "after round 1 the n is inside the new token an: n + a is no pair any more"),
        ([4, 2, start - 2], "a merge joins the pair wherever it occurs, and each join is one "
         "token fewer"),
        ([4, 2, 7], "the space is forgotten: it is a token of the second word"),
        ([4, 2, start], "these are the tokens at the start: each join makes them one fewer"),
        ([4, 2, 4], "count all tokens that are left, equal ones as often as they occur"),
    )  # fmt: skip
    what = "the count in round 1, the count in round 2, the tokens then"
    return Table(what, [*counts, sum(map(len, second.words.values()))], causes)


def encode_piece(function) -> None:
    """The tokens of a piece as bytes, by the lowest rank."""
    causes = (
        (_by_rank(min, by_place=True), LEFTMOST),
        (_by_rank(max), "the pair learned last was joined first; take the lowest rank"),
        (_by_longest(), LONGEST),
        (_encode(MERGES[:1]), "only one pair was joined: go on until no pair has a rank"),
        (_encode([]), BYTES_ONLY),
        (_strings(_encode(MERGES)), "the tokens are strings: work on bytes, since a token may be "
         "a part of a character"),
        (BytePairEncoding(MERGES).merge_steps(WORD), "these are all the steps: return the last"),
    )  # fmt: skip
    ranks = {pair: rank for rank, pair in enumerate(MERGES)}
    call = f'encode_piece("{WORD}", {{(b"l", b"e"): 0, (b"a", b"r"): 1, ...}})'
    compare(call, _plain(function(WORD, ranks)), _encode(MERGES), causes)
    compare('encode_piece("nnn", {(b"n", b"n"): 0})',
            _plain(function("nnn", {(b"n", b"n"): 0})), [b"nn", b"n"],
            [([b"n", b"nn"], "join pairs from left to right")])  # fmt: skip
    compare('encode_piece("é", {})', _plain(function("é", {})), [b"\xc3", b"\xa9"],
            [(["é".encode()], "start from single bytes, and not from characters")])  # fmt: skip
    compare('encode_piece("", {})', _plain(function("", {})), [])


def split_numbers(function) -> None:
    """Pieces of a text, with numbers cut into groups of three digits from the left."""
    numbers = "In 2048 steps, or 1234567?"
    pieces = pre_tokenize(numbers)
    causes = (
        (pieces, "these are the pieces of pre_tokenize: no number was cut"),
        (_cut(numbers, lambda n: _space(n) + _from_right(n.strip())),
         "the groups are counted from the right; count them from the left"),
        (_cut(numbers, lambda n: _space(n) + list(n.strip())),
         "these are single digits, as in Llama 2; a group has up to three"),
        (_cut(numbers, lambda n: [n[:4], *_from_left(n[4:])]),
         "the space stayed with the first group: it is a separate piece"),
        (_cut(numbers, _from_left), "the space was counted as a digit: take it off before you cut"),
        (_cut(numbers, lambda n: _from_left(n.strip())), "the space in front of a number was lost"),
        ([group for piece in pieces for group in _from_left(piece)],
         "words were cut too: only pieces of digits change"),
    )  # fmt: skip
    for text in (numbers, "7", "no digits  here", "3.14159 (2025)", " 100 1000", ""):
        expected = _cut(text, lambda n: _space(n) + _from_left(n.strip()))
        compare(f"split_numbers({text!r})", _plain(function(text)), expected, causes)


def _plain(result):
    return list(result) if isinstance(result, tuple) else result


def _strings(tokens: list[bytes]) -> list[str]:
    return [token.decode() for token in tokens]


def _encode(merges: list[Pair], word: str = WORD) -> list[bytes]:
    return BytePairEncoding(merges).merge_steps(word)[-1]


def _by_rank(choose, word: str = WORD, merges=MERGES, by_place: bool = False) -> list[bytes]:
    """Wrong on purpose: join one pair at a time, the highest rank or the leftmost first."""
    tokens = [bytes([b]) for b in word.encode()]
    while places := [i for i in range(len(tokens) - 1) if tuple(tokens[i : i + 2]) in merges]:
        rank = {i: merges.index(tuple(tokens[i : i + 2])) for i in places}
        i = choose(places, key=None if by_place else rank.get)
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return tokens


def _by_longest(word: str = WORD, merges=MERGES) -> list[bytes]:
    """Wrong on purpose: from the left, always take the longest token that fits."""
    vocabulary, rest, tokens = {a + b for a, b in merges}, word.encode(), []
    while rest:
        length = max(n for n in range(1, len(rest) + 1) if n == 1 or rest[:n] in vocabulary)
        tokens.append(rest[:length])
        rest = rest[length:]
    return tokens


def _cut(text: str, rule) -> list[str]:
    """The pieces of a text, with the rule applied to each piece of digits."""
    cuts = (rule(p) if p.strip().isdecimal() else [p] for p in pre_tokenize(text))
    return [piece for cut in cuts for piece in cut]


def _space(number: str) -> list[str]:
    return [" "] if number.startswith(" ") else []


def _from_left(digits: str) -> list[str]:
    return [digits[i : i + 3] for i in range(0, len(digits), 3)]


def _from_right(digits: str) -> list[str]:
    return [group[::-1] for group in reversed(_from_left(digits[::-1]))]
