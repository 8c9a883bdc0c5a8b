"""Chapter 1's second explorer: byte pair encoding learns from a reader's text, round by round."""

from itertools import islice, takewhile
from pathlib import Path
from typing import ClassVar

from traitlets import Int

from oneprompt.answers import PROMPT
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.prompts import check_prompt, too_long
from oneprompt.explorers.shared import MERGES_MAX_CHARACTERS, MERGES_MAX_ROUNDS, MERGES_PAIRS
from oneprompt.explorers.texts import readable
from oneprompt.tokenize import BytePairEncoding, Round, pre_tokenize, rounds


class MergesExplorer(PromptExplorer):
    """What byte pair encoding learns from a short text, with the pairs that compete.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text, of 300 characters at most. Setting it learns.
        step: after how many rounds; with fewer rounds, the last state is shown.
        ---
        data: {"start": the pieces of the text as bytes, "rounds": as long as a pair occurs twice
            {"pairs": the most frequent (left, right, count), the first of which is joined,
            "tokens": the pieces after it}}.
    """

    folder: ClassVar = Path(__file__).parent

    step = Int(0).tag(sync=True)

    def __init__(self, prompt=PROMPT, **settings):
        super().__init__(prompt=prompt)  # first, since it sets `step` back
        for name, value in settings.items():
            self.set_trait(name, value)

    def compute(self, text: str) -> dict:
        check_prompt(text)
        if len(text) > MERGES_MAX_CHARACTERS:
            raise too_long(len(text), "characters", MERGES_MAX_CHARACTERS)
        pieces, merges, learned = pre_tokenize(text), [], []
        repeated = takewhile(lambda step: step.counts[step.pair] > 1, rounds(text))
        for step in islice(repeated, MERGES_MAX_ROUNDS):
            tokens = [list(map(readable, step.words[piece])) for piece in pieces]
            learned.append({"pairs": _most_frequent(step, merges), "tokens": tokens})
            merges.append(step.pair)
        start = [[readable(bytes([b])) for b in piece.encode()] for piece in pieces]
        return {"data": {"start": start, "rounds": learned}, "step": 0}

    def fallback(self) -> str:
        rows = [
            [left + right, f"{left} + {right}", str(count)]
            for left, right, count in (each["pairs"][0] for each in self.data["rounds"])
        ]
        header = ["new token", "joined", "times"]
        return fallback_table(f"What is learned from “{self.prompt}”", header, rows)


def _most_frequent(step: Round, merges: list) -> list:
    """The first few pairs, in the order in which training would choose them."""
    ids = BytePairEncoding(merges).ids
    order = sorted(step.counts, key=lambda pair: (-step.counts[pair], *map(ids.get, pair)))
    return [[*map(readable, pair), step.counts[pair]] for pair in order[:MERGES_PAIRS]]
