"""A reader's prompt: what no explorer can show is refused, with the same messages as on a page."""

from oneprompt.explorers.shared import EMPTY_PROMPT, HALF_CHARACTER, MAX_CHARACTERS, TOO_LONG


def too_long(n: int, things: str, most: int) -> ValueError:
    """The error for n tokens or characters where at most `most` fit."""
    return ValueError(TOO_LONG.format(n=f"{n:,}", things=things, most=f"{most:,}"))


def check_prompt(text: str) -> None:
    """Refuse an empty, long or broken text, before any work that grows with its length.

    Raises:
        ValueError: the text is one of these; the message says what to do.
    """
    if text == "":
        raise ValueError(EMPTY_PROMPT)
    if len(text) > MAX_CHARACTERS:
        raise too_long(len(text), "characters", MAX_CHARACTERS)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(HALF_CHARACTER)


def prompt_ids(tokenizer, text: str, most: int) -> list[int]:
    """The ids of a prompt, at most `most` of them.

    Raises:
        ValueError: the text is refused or too long; the message says what to do.
    """
    check_prompt(text)
    ids = tokenizer.encode(text)
    if len(ids) > most:
        raise too_long(len(ids), "tokens", most)
    return ids
