"""What ends a text: its stop ids, and further conditions that `generate` takes in a list.

A condition is anything that can be called with the new ids and returns whether the text ends with
the last of them.
"""

from collections.abc import Callable, Iterable, Sequence

Condition = Callable[[Sequence[int]], bool]


def ending(stop_ids: frozenset[int], stops: Sequence[Condition]) -> Condition:
    """One condition: the last id is one of `stop_ids`, or one of `stops` holds."""
    return lambda new: new[-1] in stop_ids or any(stop(new) for stop in stops)


class StopStrings:
    """Ends a text at the first of some strings, which may begin and end inside tokens.

    The id that completes the string is the last one; `cut` gives the text before the string.

    Args:
        tokenizer: the model's.
        strings: one string or several, none of them empty.

    Raises:
        ValueError: an empty string, or none at all.
    """

    def __init__(self, tokenizer, strings: str | Iterable[str]):
        self.tokenizer = tokenizer
        self.strings = [strings] if isinstance(strings, str) else list(strings)
        if not self.strings or "" in self.strings:
            raise ValueError(f"stop strings must not be empty, got {self.strings}")
        # Every token has at least one byte, so this many tokens at the end hold the string.
        self.n_last = max(len(string.encode()) for string in self.strings) + 1

    def __call__(self, new: Sequence[int]) -> bool:
        tail = self.tokenizer.decode(list(new[-self.n_last :]))
        return any(string in tail for string in self.strings)

    def cut(self, text: str) -> str:
        """The text up to the first stop string."""
        return min((text.partition(string)[0] for string in self.strings), key=len)
