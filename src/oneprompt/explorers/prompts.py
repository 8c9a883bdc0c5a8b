"""A reader's prompt: what no explorer can show is refused, in the words that the page has too."""

from oneprompt.explorers.shared import EMPTY_PROMPT, HALF_CHARACTER, MAX_CHARACTERS, TOO_LONG


def too_long(n: int, things: str, most: int) -> ValueError:
    """The refusal of n tokens or characters where `most` fit."""
    return ValueError(TOO_LONG.format(n=f"{n:,}", things=things, most=f"{most:,}"))


def check_prompt(text: str) -> None:
    """Refuse an empty, long or broken text, before any work that grows with its length.

    Raises:
        ValueError: what is wrong and what to do.
    """
    if text == "":
        raise ValueError(EMPTY_PROMPT)
    if len(text) > MAX_CHARACTERS:
        raise too_long(len(text), "characters", MAX_CHARACTERS)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(HALF_CHARACTER)


def prompt_ids(tokenizer, text: str, most: int) -> list[int]:
    """The ids of a prompt, `most` of them at most.

    Raises:
        ValueError: what is wrong and what to do.
    """
    check_prompt(text)
    ids = tokenizer.encode(text)
    if len(ids) > most:
        raise too_long(len(ids), "tokens", most)
    return ids
