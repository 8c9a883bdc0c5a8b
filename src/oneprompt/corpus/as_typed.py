"""Prompts as people type them: without capitals or in capitals, without marks, with slips."""

import random
import re

# A marked part of a prompt stands between these, so that it is found again after it was changed.
OPEN, CLOSE = "\ue010", "\ue011"
_MARKED = re.compile(f"{OPEN}([^{CLOSE}]*){CLOSE}")
_WORD = re.compile(r"[A-Za-z]{4,}")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEAR = {
    key: row[max(i - 1, 0) : i] + row[i + 1 : i + 2] for row in _ROWS for i, key in enumerate(row)
}
LOWER, UPPER, TITLE, FIRST_LOWER = 0.22, 0.15, 0.015, 0.08  # shares of the noisy prompts' cases
NO_MARK, OTHER_MARK, SLIP, SECOND_SLIP = 0.17, 0.03, 0.22, 0.1


def mark(text: str) -> str:
    return f"{OPEN}{text}{CLOSE}"


def marked(text: str) -> list[str]:
    """The marked parts."""
    return _MARKED.findall(text)


def unmark(text: str) -> str:
    return text.replace(OPEN, "").replace(CLOSE, "")


def slip(word: str, rng: random.Random) -> str:
    """A word of four letters or more, mistyped or misspelled after its first letter."""
    i = rng.randrange(1, len(word) - 1)
    letter = word[i].lower()
    near = rng.choice(_NEAR[letter])
    vowel = rng.choice("aeiou") if letter in "aeiou" else letter
    return rng.choice((
        word[:i] + word[i + 1] + word[i] + word[i + 2 :],  # swapped
        word[:i] + word[i + 1 :],  # dropped
        word[:i] + word[i] + word[i:],  # doubled
        word[:i] + near + word[i + 1 :],  # the key beside it
        word[:i] + vowel + word[i + 1 :],  # as it sounds
    ))  # fmt: skip


def with_slip(text: str, rng: random.Random) -> str:
    """One word changed, more often than not one of the marked part, where the term is."""
    words = list(_WORD.finditer(text))
    inside = [w for m in _MARKED.finditer(text) for w in words if m.start() < w.start() < m.end()]
    words = inside if inside and rng.random() < 0.7 else words
    if not words:
        return text
    word = rng.choice(words)
    return text[: word.start()] + slip(word[0], rng) + text[word.end() :]


def oddly_spelled(text: str, rng: random.Random) -> str:
    """The prompt in capitals, in small letters, or with a slip in its marked part."""
    chance = rng.random()
    if chance < 0.35:
        return text.upper()
    if chance < 0.45:
        return text.lower()
    slipped = _MARKED.sub(lambda found: mark(with_slip(found[1], rng)), text)
    return _recased(slipped, rng)


def _recased(text: str, rng: random.Random) -> str:
    chance = rng.random()
    for share, change in ((LOWER, str.lower), (UPPER, str.upper), (TITLE, str.title)):
        if chance < share:
            return change(text)
        chance -= share
    if chance < FIRST_LOWER:
        first = len(text) - len(text.lstrip(OPEN))
        return text[:first] + text[first : first + 1].lower() + text[first + 1 :]
    return text


def typed(text: str, rng: random.Random) -> str:
    """The prompt as somebody may type it; about half come out unchanged."""
    if rng.random() < SLIP:
        text = with_slip(text, rng)
        if rng.random() < SECOND_SLIP:
            text = with_slip(text, rng)
    text = _recased(text, rng)
    chance = rng.random()
    if chance < NO_MARK:
        return text[:-1].strip() if text[-1] in ".?!" and len(text) > 1 else text
    if chance < NO_MARK + OTHER_MARK:
        return text + rng.choice(("?", "!", "??", "...", " ?", "!!"))
    return text
