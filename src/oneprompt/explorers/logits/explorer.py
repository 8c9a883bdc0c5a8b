"""The explorer of chapter 6: the logit lens at every position and depth, and one row of logits."""

import math
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from traitlets import Bool, Float, Int, Unicode, validate

from oneprompt.answers import PROMPT
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.prompts import prompt_ids
from oneprompt.explorers.shared import (
    LOGITS_FOLLOWED,
    LOGITS_LARGEST_SHIFT,
    LOGITS_TOP,
    MAX_TOKENS,
)
from oneprompt.explorers.texts import rounded, token_text
from oneprompt.logits import lens
from oneprompt.sample import Sampling, entropy, probabilities
from oneprompt.tuned_lens import TunedLens, streams


def depth_name(depth: int) -> str:
    """Depth 0 is the stream before the first block, depth l + 1 the output of layer l."""
    return "embedding" if depth == 0 else f"layer {depth - 1}"


class LogitsExplorer(PromptExplorer):
    """The likeliest next tokens at every position, read before the first block and after each.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text, of 24 tokens at most. Setting it runs the model and makes the last
            token the position.
        position: the token whose row of logits is shown.
        depth: where the row is read: 0 is the embedding, l + 1 the output of layer l.
        shift: a constant from -100 to 100 that is added to all logits of the row.
        tuned: whether the tuned lens reads, if there is one, instead of the plain one.
        follow: the text of a second token to follow through the depths, one of those in "followed";
            where it is none, the model's second choice is followed.
        ---
        data: {"tokens": texts, "vocab_size": V, "followed": by position the texts of the tokens
            that can be followed, the one that the model itself puts first before all others,
            "cells": by depth and position {"top": the ten largest [text, logit], "log_sum":
            log Σ e^logit over the vocabulary, "entropy": in bits, "followed": the [logit, rank] of
            each}, "tuned": the same as the tuned lens reads it, or None}.
    """

    folder: ClassVar = Path(__file__).parent

    position = Int(0).tag(sync=True)
    depth = Int(0).tag(sync=True)
    shift = Float(0.0).tag(sync=True)
    tuned = Bool(False).tag(sync=True)
    follow = Unicode("").tag(sync=True)

    def __init__(
        self, model, tokenizer, prompt=PROMPT, *, lens_maps: TunedLens | None = None, **settings
    ):
        self.model, self.tokenizer, self.lens_maps = model, tokenizer, lens_maps
        super().__init__(prompt=prompt)  # first, since `position` is checked against its tokens
        for name, value in ({"depth": model.config.n_layers} | settings).items():
            self.set_trait(name, value)

    @property
    def probabilities(self) -> Tensor:
        """The distribution that is read at the chosen position and depth, (V,)."""
        read = self._read(self.tokenizer.encode(self.prompt))
        logits = read["tuned" if self.tuned and self.lens_maps else "cells"]
        return probabilities(logits[self.depth, self.position] + self.shift, Sampling())

    def fallback(self) -> str:
        cells = self.data["cells"]
        rows = [
            [depth_name(depth), *(_first_choice(cell) for cell in cells[depth])]
            for depth in reversed(range(len(cells)))
        ]
        caption = "The likeliest next token after each token of the prompt, by depth"
        header = ["read at", *(f"after {token!r}" for token in self.data["tokens"])]
        return fallback_table(caption, header, rows)

    def _read(self, ids: list[int]) -> dict[str, Tensor]:
        """The logits at every depth and position, (1 + L, T, V), as each lens reads them."""
        x = streams(self.model, ids)
        read = {"cells": lens(self.model, x).detach()}
        return read | ({"tuned": self.lens_maps(self.model, x).detach()} if self.lens_maps else {})

    def _cell(self, logits: Tensor, followed: list[int]) -> dict:
        """What is shown of one row of logits (V,)."""
        ranked = logits.argsort(descending=True, stable=True)
        ranks = ranked.argsort()
        first = ranked[:LOGITS_TOP].tolist()
        return {
            "top": [[token_text(self.tokenizer, i), rounded(logits[i], 4)] for i in first],
            "log_sum": rounded(logits.logsumexp(dim=-1), 4),
            "entropy": round(entropy(probabilities(logits, Sampling())), 4),
            "followed": [[rounded(logits[i], 4), 1 + int(ranks[i])] for i in followed],
        }

    @validate("position", "depth", "shift")
    def _check_number(self, proposal):
        name, value = proposal.trait.name, proposal.value
        first, last = {
            "position": (0, len(self.data["tokens"]) - 1),
            "depth": (0, self.model.config.n_layers),
            "shift": (-LOGITS_LARGEST_SHIFT, LOGITS_LARGEST_SHIFT),
        }[name]
        if not (math.isfinite(value) and first <= value <= last):
            raise ValueError(f"{name}={value} is outside of {first} to {last}")
        return value

    def compute(self, text: str) -> dict:
        ids = prompt_ids(self.tokenizer, text, MAX_TOKENS)
        read = self._read(ids)
        every = torch.cat(list(read.values()))
        followed = [_to_follow(read["cells"][-1, t], every[:, t]) for t in range(len(ids))]
        cells = {
            name: [list(map(self._cell, rows, followed)) for rows in logits]
            for name, logits in read.items()
        }
        texts = [[token_text(self.tokenizer, i) for i in tokens] for tokens in (ids, *followed)]
        data = {
            "tokens": texts[0],
            "vocab_size": every.shape[-1],
            "followed": texts[1:],
            "tuned": None,
        }
        return {"data": data | cells, "position": len(ids) - 1}


def _to_follow(own: Tensor, rows: Tensor) -> list[int]:
    """The first choices of the model's own row (V,), then of each other row (n, V) the first."""
    best = own.argsort(descending=True, stable=True)[:LOGITS_FOLLOWED].tolist()
    return list(dict.fromkeys([*best, *rows.argmax(dim=-1).tolist()]))


def _first_choice(cell: dict) -> str:
    token, logit = cell["top"][0]
    return f"{token!r} {math.exp(logit - cell['log_sum']):.0%}"
