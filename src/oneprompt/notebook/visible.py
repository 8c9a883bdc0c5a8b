"""Tokens with their whitespace made visible, as the explorers' `tokenText` shows them."""

import unicodedata

MARKS = {" ": "␣", "\n": "↵", "\r": "␍", "\t": "⇥"}


def visible(text: str) -> str:
    """The text with ␣ for a space, ↵ for a line break, and other such characters as numbers.

    >>> visible(" machine\\n")
    '␣machine↵'
    """
    return "".join(MARKS.get(c) or (f"\\u{ord(c):04x}" if is_hidden(c) else c) for c in text)


def is_hidden(c: str) -> bool:
    """Whether a character has no shape of its own: whitespace, a control or format character."""
    return c.isspace() or unicodedata.category(c) in ("Cc", "Cf")
