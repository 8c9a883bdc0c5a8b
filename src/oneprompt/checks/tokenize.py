"""Checks of the exercises of chapter 1."""

import regex

from oneprompt.tokenize import BytePairEncoding, pre_tokenize

from . import Wrong, compare

# In the order of learning, as the first exercise lists them. On "learning" the wrong rules that
# `_by_pair` and `_by_longest` stand for all lead to other tokens than the right one.
MERGES = [(b"l", b"e"), (b"a", b"r"), (b"n", b"g"), (b"i", b"n"), (b"i", b"ng"), (b"le", b"a")]

LEFTMOST = "the leftmost pair was joined first; the order of learning decides, wherever a pair stands"
LATEST = "the pair learned last was joined first; the one learned first comes first"
LONGEST = "this takes the longest token that fits, from the left; BPE replays merges in their order"
BYTES_ONLY = "nothing was joined: these are the single bytes"
ONE_ROUND = "only one pair was joined: go on until no neighboring pair is a merge"


def by_hand(answer) -> None:
    """The tokens of "learning" under the six merges."""
    if not isinstance(answer, list | tuple) or not all(isinstance(t, str) for t in answer):
        raise Wrong('not yet. Write the tokens as a list of strings, such as ["a", "bc"]')
    answer = list(answer)
    if "".join(answer) != "learning":
        raise Wrong(
            f'not yet. Your tokens spell {"".join(answer)!r}\n  likely cause: a letter was lost or '
            "used twice; a merge joins two neighbors and changes nothing else"
        )
    causes = (
        (_strings(_by_pair("learning", lambda pairs, rank: pairs[0])), LEFTMOST),
        (_strings(_by_pair("learning", lambda pairs, rank: max(pairs, key=rank))),
         "merge 3 comes before merge 4 and takes the n that merge 4 would need"),
        (_strings(_by_longest("learning")), LONGEST),
        (["le", "ar", "n", "i", "ng"], "merge 5 was forgotten: i and ng are neighbors now"),
        (list("learning"), BYTES_ONLY),
        (["learning"], "no merge makes the whole word: only pairs in the table can be joined"),
    )  # fmt: skip
    expected = _strings(_encode("learning"))
    compare('the tokens of "learning"', answer, expected, causes)


def encode_piece(function) -> None:
    """The tokens of a piece as bytes, by the lowest rank."""
    ranks = {pair: rank for rank, pair in enumerate(MERGES)}
    expected = _encode("learning")
    causes = (
        (_by_pair("learning", lambda pairs, rank: pairs[0]), LEFTMOST),
        (_by_pair("learning", lambda pairs, rank: max(pairs, key=rank)), LATEST),
        (_by_longest("learning"), LONGEST),
        (_encode("learning", MERGES[:1]), ONE_ROUND),
        (_encode("learning", []), BYTES_ONLY),
        (_strings(expected), "the tokens are strings: work on bytes, since a token may be a part "
         "of a character"),
        (BytePairEncoding(MERGES).merge_steps("learning"), "these are all the steps: return the "
         "last one"),
    )  # fmt: skip
    call = 'encode_piece("learning", {(b"l", b"e"): 0, (b"a", b"r"): 1, ...})'
    compare(call, _plain(function("learning", dict(ranks))), expected, causes)
    doubled = {(b"n", b"n"): 0}
    compare('encode_piece("nnn", {(b"n", b"n"): 0})', _plain(function("nnn", doubled)),
            [b"nn", b"n"],
            [([b"n", b"nn"], "pairs are joined from left to right")])  # fmt: skip
    two_bytes = "é".encode()
    accent = [bytes([b]) for b in two_bytes]
    compare('encode_piece("é", {})', _plain(function("é", {})), accent,
            [([two_bytes], "start from single bytes, and not from characters")])  # fmt: skip
    compare('encode_piece("", {})', _plain(function("", {})), [])


def split_numbers(function) -> None:
    """Pieces of a text in which digits stand in groups of three from the left."""
    text = "In 2048 steps, or 1234567?"
    pieces = pre_tokenize(text)
    spaced = _cut(text, lambda digits: _from_left(digits, 3))
    causes = (
        (pieces, "these are the pieces of pre_tokenize: nothing was cut"),
        (_cut(text, _from_right), "the groups are counted from the right; count from the left"),
        (_cut(text, lambda digits: _from_left(digits, 1)), "single digits, as in Llama 2; groups "
         "have up to three"),
        (_cut(text, lambda digits: _from_left(digits, 3), space="join"),
         "a space went with its number: it is a piece of its own"),
        ([group for piece in pieces for group in _from_left(piece, 3)]
         if any(len(piece) > 3 for piece in pieces) else None,
         "words were cut too: only pieces of digits change"),
        ([piece for piece in spaced if piece != " "], "the space in front of a number was lost"),
        ([group for piece in pieces for group in
          (_from_left(piece, 3) if piece.strip().isdecimal() else [piece])],
         "the space counts as a digit here: take it off before you cut"),
    )  # fmt: skip
    compare(f"split_numbers({text!r})", _plain(function(text)), spaced, causes)
    for text in ("7", "no digits  here", "3.14159 (2025)", " 100 1000", ""):
        expected = _cut(text, lambda digits: _from_left(digits, 3))
        compare(f"split_numbers({text!r})", _plain(function(text)), expected)


def _plain(result):
    return list(result) if isinstance(result, tuple) else result


def _strings(tokens: list[bytes]) -> list[str]:
    return [token.decode() for token in tokens]


def _encode(piece: str, merges=MERGES) -> list[bytes]:
    return BytePairEncoding(list(merges)).merge_steps(piece)[-1]


def _by_pair(piece: str, choose) -> list[bytes]:
    """Join one pair at a time, chosen by a rule out of those that are merges."""
    tokens = [bytes([b]) for b in piece.encode()]
    while True:
        places = [i for i in range(len(tokens) - 1) if (tokens[i], tokens[i + 1]) in MERGES]
        if not places:
            return tokens
        i = choose(places, lambda i: MERGES.index((tokens[i], tokens[i + 1])))
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]


def _by_longest(piece: str) -> list[bytes]:
    """From the left, always the longest token there is."""
    vocabulary, rest, tokens = {a + b for a, b in MERGES}, piece.encode(), []
    while rest:
        fits = [n for n in range(1, len(rest) + 1) if n == 1 or rest[:n] in vocabulary]
        tokens.append(rest[: fits[-1]])
        rest = rest[fits[-1] :]
    return tokens


def _from_left(digits: str, size: int) -> list[str]:
    return [digits[i : i + size] for i in range(0, len(digits), size)]


def _from_right(digits: str) -> list[str]:
    return [group[::-1] for group in reversed(_from_left(digits[::-1], 3))]


def _cut(text: str, groups, space: str = "split") -> list[str]:
    """The pieces of a text with every number cut by `groups`."""
    pieces = []
    for piece in pre_tokenize(text):
        blank, digits = regex.fullmatch(r"(\s?)(\p{N}+)", piece).groups() if _is_number(piece) else ("", "")
        if not digits:
            pieces.append(piece)
        elif space == "join":
            first, *rest = groups(digits)
            pieces += [blank + first, *rest]
        else:
            pieces += [*([blank] if blank else []), *groups(digits)]
    return pieces


def _is_number(piece: str) -> bool:
    return regex.fullmatch(r" ?\p{N}+", piece) is not None
