"""The explorer of chapter 1: a text's pieces, and their bytes joined one merge after another."""

from itertools import pairwise
from pathlib import Path
from typing import ClassVar

from traitlets import Int, validate

from oneprompt.answers import PROMPT
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.prompts import prompt_ids
from oneprompt.explorers.shared import TOKENIZE_MAX_TOKENS
from oneprompt.explorers.texts import readable
from oneprompt.tokenize import Tokenizer, pre_tokenize


class TokenizeExplorer(PromptExplorer):
    """How byte pair encoding cuts a text.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text, of 256 tokens at most. Setting it tokenizes.
        piece: which piece of the text is shown merge by merge.
        step: after how many merges; a piece with fewer merges shows its last state.
        ---
        data: {"pieces": per piece of the text {"ids": of its tokens, "bytes": of each token in
            hexadecimal, "steps": the tokens after 0, 1, 2, … merges, "ranks": which of the learned
            merges each step applied, 0 for the one learned first}}.
    """

    folder: ClassVar = Path(__file__).parent

    piece = Int(0).tag(sync=True)
    step = Int(0).tag(sync=True)

    def __init__(self, tokenizer: Tokenizer, prompt=PROMPT, **settings):
        self.tokenizer, self.bpe = tokenizer, tokenizer.byte_pair_encoding()
        super().__init__(prompt=prompt)  # first, since `piece` is checked against its pieces
        for name, value in settings.items():
            self.set_trait(name, value)

    def fallback(self) -> str:
        rows = [
            [token, str(token_id), data]
            for piece in self.data["pieces"]
            for token, token_id, data in zip(
                piece["steps"][-1], piece["ids"], piece["bytes"], strict=True
            )
        ]
        return fallback_table(f"The tokens of “{self.prompt}”", ["token", "id", "bytes"], rows)

    def _piece(self, text: str) -> dict:
        steps = self.bpe.merge_steps(text)
        return {
            "ids": [self.bpe.ids[token] for token in steps[-1]],
            "bytes": [token.hex(" ") for token in steps[-1]],
            "steps": [[readable(token) for token in tokens] for tokens in steps],
            "ranks": [self._rank(before, after) for before, after in pairwise(steps)],
        }

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
