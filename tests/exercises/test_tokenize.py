"""The checks of chapter 1's exercises: right, not attempted, and wrong with the cause named."""

import pytest
import regex
from exercises import assert_wrong

from oneprompt import BytePairEncoding
from oneprompt.checks import diagnose
from oneprompt.tokenize import merge_pair, pre_tokenize


def ranked(piece, ranks):
    """Merges one occurrence at a time, the lowest rank first."""
    tokens = [bytes([b]) for b in piece.encode()]
    while True:
        known = [i for i in range(len(tokens) - 1) if tuple(tokens[i : i + 2]) in ranks]
        if not known:
            return tokens
        i = min(known, key=lambda i: ranks[tuple(tokens[i : i + 2])])
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]


def by_package(piece, ranks):
    return BytePairEncoding(sorted(ranks, key=ranks.get)).merge_steps(piece)[-1]


def replayed(piece, ranks, rounds=None):
    tokens = [bytes([b]) for b in piece.encode()]
    for pair in sorted(ranks, key=ranks.get)[:rounds]:
        tokens = merge_pair(tokens, pair)
    return tokens


def leftmost(piece, ranks):
    """The same loop, but every pair has the same rank, so the first in the piece is joined."""
    return ranked(piece, dict.fromkeys(ranks, 0))


def latest(piece, ranks):
    return ranked(piece, {pair: -rank for pair, rank in ranks.items()})


def longest(piece, ranks):
    vocabulary, rest, tokens = {a + b for a, b in ranks}, piece.encode(), []
    while rest:
        n = next(n for n in range(len(rest), 0, -1) if n == 1 or rest[:n] in vocabulary)
        tokens.append(rest[:n])
        rest = rest[n:]
    return tokens


def from_the_right(piece, ranks):
    mirrored = {(b[::-1], a[::-1]): rank for (a, b), rank in ranks.items()}
    return [token[::-1] for token in ranked(piece[::-1], mirrored)[::-1]]


def from_characters(piece, ranks):
    return ranked(piece, ranks) if piece.isascii() else [c.encode() for c in piece]


def grouped(text):
    pieces = []
    for piece in pre_tokenize(text):
        digits = piece.strip()
        if digits.isdecimal():
            space = [" "] if piece.startswith(" ") else []
            pieces += space + [digits[i : i + 3] for i in range(0, len(digits), 3)]
        else:
            pieces.append(piece)
    return pieces


def by_pattern(pattern):
    """The package's pattern with another part for numbers, in front of the others."""
    rest = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    return lambda text: regex.findall(f"{pattern}|{rest}", text)


THREE_FROM_RIGHT = r" (?=\p{N})|\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))"

RIGHT = [
    ("tokenize.by_hand", ["le", "ar", "n", "ing"]),
    ("tokenize.by_hand", ("le", "ar", "n", "ing")),
    ("tokenize.learn_by_hand", [4, 2, 8]),
    ("tokenize.encode_piece", ranked),
    ("tokenize.encode_piece", by_package),
    ("tokenize.encode_piece", replayed),
    ("tokenize.split_numbers", grouped),
    ("tokenize.split_numbers", by_pattern(r" (?=\p{N})|\p{N}{1,3}")),
]

WRONG = [
    ("tokenize.by_hand", ["lea", "r", "n", "in", "g"], "the leftmost pair"),
    ("tokenize.by_hand", ["le", "ar", "n", "in", "g"], "made before an earlier one"),
    ("tokenize.by_hand", ["lea", "r", "n", "ing"], "the longest token that fits"),
    ("tokenize.by_hand", ["le", "ar", "n", "i", "ng"], "merge 5 was forgotten"),
    ("tokenize.by_hand", list("learning"), "nothing was joined"),
    ("tokenize.by_hand", ["learning"], "only pairs in the table"),
    ("tokenize.by_hand", ["le", "ar", "ing"], "Your tokens spell 'learing'"),
    ("tokenize.by_hand", "le ar n ing", "a list of strings"),
    ("tokenize.by_hand", [b"le", b"ar", b"n", b"ing"], "a list of strings"),
    ("tokenize.learn_by_hand", [4, 3, 7], "n + a is no pair any more"),
    ("tokenize.learn_by_hand", [4, 2, 12], "each join is one token fewer"),
    ("tokenize.learn_by_hand", [4, 2, 7], "the space is forgotten"),
    ("tokenize.learn_by_hand", [4, 2, 14], "the tokens at the start"),
    ("tokenize.learn_by_hand", [4, 2, 4], "as often as they occur"),
    ("tokenize.encode_piece", leftmost, "the leftmost pair"),
    ("tokenize.encode_piece", latest, "the lowest rank"),
    ("tokenize.encode_piece", longest, "the longest token that fits"),
    ("tokenize.encode_piece", lambda p, r: replayed(p, r, 1), "only one pair was joined"),
    ("tokenize.encode_piece", lambda p, r: replayed(p, {}), "nothing was joined"),
    ("tokenize.encode_piece", lambda p, r: [t.decode() for t in ranked(p, r)], "are strings"),
    ("tokenize.encode_piece", lambda p, r: BytePairEncoding(list(r)).merge_steps(p), "all the st"),
    ("tokenize.encode_piece", from_the_right, "from left to right"),
    ("tokenize.encode_piece", from_characters, "not from characters"),
    ("tokenize.encode_piece", lambda p, r: r[p], "KeyError"),
    ("tokenize.split_numbers", pre_tokenize, "no number was cut"),
    ("tokenize.split_numbers", by_pattern(THREE_FROM_RIGHT), "counted from the right"),
    ("tokenize.split_numbers", by_pattern(r" (?=\p{N})|\p{N}"), "single digits"),
    ("tokenize.split_numbers", by_pattern(r" ?\p{N}{1,3}"), "stayed with the first group"),
    ("tokenize.split_numbers", by_pattern(r" \p{N}{1,2}|\p{N}{1,3}"), "counted as a digit"),
    ("tokenize.split_numbers",
     lambda text: [p for p in grouped(text) if p != " "], "was lost"),
    ("tokenize.split_numbers",
     lambda text: [p[i : i + 3] for p in pre_tokenize(text) for i in range(0, len(p), 3)],
     "words were cut too"),
    ("tokenize.split_numbers", lambda text: grouped(text)[:6], "expected"),
]  # fmt: skip


@pytest.mark.parametrize(("exercise", "answer"), RIGHT)
def test_a_right_answer_is_accepted(exercise, answer):
    assert diagnose(exercise, answer).status == "right"


@pytest.mark.parametrize(("exercise", "answer", "words"), WRONG)
def test_a_wrong_answer_is_told_why(exercise, answer, words):
    assert_wrong(exercise, answer, words)


@pytest.mark.parametrize(
    ("exercise", "placeholder"),
    [
        ("tokenize.by_hand", ...),
        ("tokenize.learn_by_hand", ...),
        ("tokenize.encode_piece", lambda piece, ranks: ...),
        ("tokenize.split_numbers", lambda text: None),
    ],
)
def test_untouched_exercises_are_not_attempted(exercise, placeholder):
    assert diagnose(exercise, placeholder).status == "not attempted"
