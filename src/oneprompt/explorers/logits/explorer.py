"""The explorer of chapter 6: the logit lens at every position and depth, and one row of logits."""

import math
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from traitlets import Float, Int, validate

from oneprompt.answers import PROMPT
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.prompts import prompt_ids
from oneprompt.explorers.shared import LOGITS_LARGEST_SHIFT, LOGITS_TOP, MAX_TOKENS
from oneprompt.explorers.texts import rounded, token_text
from oneprompt.logits import lens
from oneprompt.sample import Sampling, entropy, probabilities


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
        ---
        data: {"tokens": texts, "vocab_size": V, "cells": by depth and position {"top": the ten
            largest [text, logit], "log_sum": log Σ e^logit over the vocabulary, "entropy": in bits,
            "own": [logit, rank] of the token that the model itself puts first there}}.
    """

    folder: ClassVar = Path(__file__).parent

    position = Int(0).tag(sync=True)
    depth = Int(0).tag(sync=True)
    shift = Float(0.0).tag(sync=True)

    def __init__(self, model, tokenizer, prompt=PROMPT, **settings):
        self.model, self.tokenizer = model, tokenizer
        super().__init__(prompt=prompt)  # first, since `position` is checked against its tokens
        for name, value in ({"depth": model.config.n_layers} | settings).items():
            self.set_trait(name, value)

    @property
    def probabilities(self) -> Tensor:
        """The distribution that is read at the chosen position and depth, (V,)."""
        logits = self._read(self.tokenizer.encode(self.prompt))[self.depth, self.position]
        return probabilities(logits + self.shift, Sampling())

    def fallback(self) -> str:
        cells = self.data["cells"]
        rows = [
            [depth_name(depth), *(_first_choice(cell) for cell in cells[depth])]
            for depth in reversed(range(len(cells)))
        ]
        caption = "The likeliest next token after each token of the prompt, by depth"
        header = ["read at", *(f"after {token!r}" for token in self.data["tokens"])]
        return fallback_table(caption, header, rows)

    def _read(self, ids: list[int]) -> Tensor:
        """The logits at every depth and position, (1 + L, T, V)."""
        trace = self.model.trace(torch.tensor([ids]))
        streams = (trace.embedding, *(layer.output for layer in trace.layers))
        return lens(self.model, torch.cat(streams)).detach()

    def _cell(self, logits: Tensor, own: int) -> dict:
        """What is shown of one row of logits (V,), where `own` is the model's final choice."""
        ranked = logits.argsort(descending=True, stable=True)
        first = ranked[:LOGITS_TOP].tolist()
        return {
            "top": [[token_text(self.tokenizer, i), rounded(logits[i], 4)] for i in first],
            "log_sum": rounded(logits.logsumexp(dim=-1), 4),
            "entropy": round(entropy(probabilities(logits, Sampling())), 4),
            "own": [rounded(logits[own], 4), 1 + int((ranked == own).nonzero())],
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
        logits = self._read(ids)
        own = logits[-1].argmax(dim=-1).tolist()
        data = {
            "tokens": [token_text(self.tokenizer, token_id) for token_id in ids],
            "vocab_size": logits.shape[-1],
            "cells": [list(map(self._cell, rows, own)) for rows in logits],
        }
        return {"data": data, "position": len(ids) - 1}


def _first_choice(cell: dict) -> str:
    token, logit = cell["top"][0]
    return f"{token!r} {math.exp(logit - cell['log_sum']):.0%}"
