"""The letters of the book, each with its value in the reference model, where they first appear."""

from html import escape

import oneprompt as op

from .markup import Device
from .passage import passage

# letter -> (meaning, field of the configuration), as in book/notation.md
LETTERS = {
    "T": ("positions in one pass, here the tokens of the prompt", None),
    "D": ("width: numbers in the vector at each position", "d_model"),
    "H": ("attention heads in a block", "n_heads"),
    "d": ("width of a head", "head_dim"),
    "F": ("width of the feed-forward network's hidden layer", "d_ff"),
    "V": ("tokens in the vocabulary", "vocab_size"),
    "L": ("blocks, also called layers", "n_layers"),
}


class Legend(Device):
    """Letters with their meaning and value, a line each.

    Raises:
        ValueError: the book has no such letter.
    """

    def __init__(self, *letters: str):
        if unknown := [letter for letter in letters if letter not in LETTERS]:
            raise ValueError(f"unknown letters {unknown}; choose from {', '.join(LETTERS)}")
        self.letters = letters

    def values(self) -> list[tuple[str, str, int]]:
        """(letter, meaning, value) of each."""
        config, found = op.ModelConfig(), []
        for letter in self.letters:
            meaning, field = LETTERS[letter]
            value = getattr(config, field) if field else len(passage().ids)
            found.append((letter, meaning, value))
        return found

    def html(self) -> str:
        rows = "".join(
            f"<dt>{letter} = {value:,}</dt><dd>{escape(meaning)}</dd>"
            for letter, meaning, value in self.values()
        )
        return f"<dl class='op-device op-legend'>{rows}</dl>"

    def __repr__(self) -> str:
        return "\n".join(f"{x} = {value:,}: {meaning}" for x, meaning, value in self.values())


def legend(*letters: str) -> Legend:
    """`legend("T", "D")`: what the letters mean, and their values in the reference model."""
    return Legend(*letters)
