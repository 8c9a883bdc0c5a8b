"""Tokens and numbers as an explorer's state holds them: short texts and short decimals."""

import string
from collections.abc import Collection

import torch

from oneprompt.explorers.shared import DIGIT_BASE

DIGITS = (string.digits + string.ascii_lowercase)[:DIGIT_BASE]  # for small numbers in a state


def readable(token: bytes) -> str:
    """A token's bytes as text; those that are only part of a character are written as \\xNN."""
    return token.decode("utf-8", errors="backslashreplace")


def rounded(values, digits: int = 2) -> list:
    """A tensor as nested lists of short decimals, for state that is drawn."""
    return (values.detach().double().round(decimals=digits) + 0.0).tolist()  # + 0.0: no -0.0


def token_text(tokenizer, token_id: int, stop_ids: Collection[int] = ()) -> str:
    """One token as text. The tokenizer's end-of-sequence token and the stop ids become "EOS"."""
    if token_id == getattr(tokenizer, "eos_id", None) or token_id in stop_ids:
        return "EOS"
    return readable(tokenizer.token_bytes(token_id))


def shortest_decimals(values: torch.Tensor) -> list[float]:
    """The float32 values as the shortest decimals that name them: exact and short in JSON."""
    return [float(str(value)) for value in values.float().numpy()]
