"""The explorer of chapter 1: a text's pieces, and their bytes joined one merge after another."""

from itertools import pairwise
from pathlib import Path
from typing import ClassVar

from traitlets import Int, List, validate

from oneprompt.answers import PROMPT
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.prompts import prompt_ids
from oneprompt.explorers.shared import TOKENIZE_FEWEST as FEWEST
from oneprompt.explorers.shared import TOKENIZE_MAX_TOKENS, TOKENIZE_PAIRS
from oneprompt.explorers.texts import readable
from oneprompt.tokenize import Tokenizer, pre_tokenize


class TokenizeExplorer(PromptExplorer):
    """How byte pair encoding cuts a text.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text, of 256 tokens at most. Setting it tokenizes.
        piece: which piece of the text is shown merge by merge.
        step: after how many merges; a piece with fewer merges shows its last state.
        size: of the vocabulary, from 257: only the merges learned first are applied.
        ---
        largest: the size of the whole vocabulary.
        examples: texts to choose from, {"name", "text", "data"}, given as {name: text}.
        data: {"pieces": per piece of the text {"bytes": of each final token in hexadecimal, and
            after 0, 1, 2, … merges "steps": the tokens, "ids": theirs, "pairs": the first few
            pairs that can be joined, (left, right, rank); "ranks": which of the learned merges
            each step applied, 0 for the one learned first}}.
    """

    folder: ClassVar = Path(__file__).parent

    piece = Int(0).tag(sync=True)
    step = Int(0).tag(sync=True)
    size = Int(FEWEST).tag(sync=True)
    largest = Int(FEWEST).tag(sync=True)
    examples = List().tag(sync=True)

    def __init__(self, tokenizer: Tokenizer, prompt=PROMPT, examples=None, **settings):
        self.tokenizer, self.bpe = tokenizer, tokenizer.byte_pair_encoding()
        super().__init__(prompt=prompt)  # first, since `piece` is checked against its pieces
        self.largest = FEWEST + len(self.bpe.merges)
        self.size = self.largest
        self.examples = [
            {"name": name, "text": text, "data": self.compute(text)["data"]}
            for name, text in (examples or {}).items()
        ]
        for name, value in settings.items():
            self.set_trait(name, value)

    def fallback(self) -> str:
        rows = [
            [token, str(token_id), data]
            for piece in self.data["pieces"]
            for token, token_id, data in zip(
                piece["steps"][-1], piece["ids"][-1], piece["bytes"], strict=True
            )
        ]
        return fallback_table(f"The tokens of “{self.prompt}”", ["token", "id", "bytes"], rows)

    def _piece(self, text: str) -> dict:
        steps = self.bpe.merge_steps(text)
        return {
            "ids": [[self.bpe.ids[token] for token in tokens] for tokens in steps],
            "bytes": [token.hex(" ") for token in steps[-1]],
            "steps": [[readable(token) for token in tokens] for tokens in steps],
            "ranks": [self._rank(before, after) for before, after in pairwise(steps)],
            "pairs": [self._pairs(tokens) for tokens in steps],
        }

    def _pairs(self, tokens: list[bytes]) -> list:
        """The pairs of neighbors that can be joined, the one learned first in front."""
        known = {pair: self.bpe.ranks[pair] for pair in pairwise(tokens) if pair in self.bpe.ranks}
        first = sorted(known, key=known.get)[:TOKENIZE_PAIRS]
        return [[readable(left), readable(right), known[left, right]] for left, right in first]

    def _rank(self, before: list[bytes], after: list[bytes]) -> int:
        """The merge between two steps: the pair at the first place where they differ."""
        at = next(i for i, token in enumerate(after) if token != before[i])
        return self.bpe.ranks[before[at], before[at + 1]]

    def compute(self, text: str) -> dict:
        prompt_ids(self.tokenizer, text, TOKENIZE_MAX_TOKENS)  # before it is merged step by step
        pieces = [self._piece(piece) for piece in pre_tokenize(text)]
        return {"data": {"pieces": pieces}, "piece": 0, "step": 0}

    @validate("piece")
    def _check_piece(self, proposal):
        last = len(self.data["pieces"]) - 1
        if not 0 <= proposal.value <= last:
            raise ValueError(f"piece must be 0 to {last}, got {proposal.value}")
        return proposal.value

    @validate("size")
    def _check_size(self, proposal):
        if not FEWEST <= proposal.value <= self.largest:
            raise ValueError(f"size must be {FEWEST} to {self.largest}, got {proposal.value}")
        return proposal.value
