"""One document of the training text: what a user types, and what the model learns to answer."""

from typing import NamedTuple

from .as_typed import unmark


class Document(NamedTuple):
    """A piece of training text, in parts: (text, whether the loss counts its tokens).

    Every part but the first begins with a space, so that parts encoded one by one give the tokens
    of the whole.
    """

    parts: tuple[tuple[str, bool], ...]

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.parts)

    @classmethod
    def of(cls, *turns: str) -> "Document":
        """Prompts and answers in turn, the answers counting in the loss."""
        return cls(
            tuple((unmark(" " * (i > 0) + turn), bool(i % 2)) for i, turn in enumerate(turns))
        )

    @classmethod
    def whole(cls, text: str) -> "Document":
        """A text of which every token counts."""
        return cls(((text, True),))
