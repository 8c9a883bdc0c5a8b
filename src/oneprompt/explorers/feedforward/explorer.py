"""The explorer of chapter 5: the units of the feed-forward networks, and the stream they add to."""

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from traitlets import Dict, Int, List, Unicode, observe, validate

from oneprompt.answers import PROMPT
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.feedforward.lines import FUNCTIONS, curves, stream_lengths
from oneprompt.explorers.prompts import prompt_ids
from oneprompt.explorers.shared import (
    DIGIT_BASE,
    FEEDFORWARD_BEFORE,
    FEEDFORWARD_NEXT,
    FEEDFORWARD_PLACES,
    FEEDFORWARD_TOP,
    MAX_TOKENS,
)
from oneprompt.explorers.texts import DIGITS, rounded, token_text
from oneprompt.heads import glossary_openings
from oneprompt.units import logits_without_units, strongest_places

CHOICES = {
    "activation": tuple(FUNCTIONS),
    "silence": ("nothing", "unit", "block"),
    "view": ("unit", "curve", "stream"),
}
OPENING = 48  # tokens of a glossary entry in which places are looked for


def digits(numbers: list[int]) -> str:
    """Three digits for each number below DIGIT_BASE³."""
    return "".join(
        DIGITS[n // DIGIT_BASE**2] + DIGITS[n // DIGIT_BASE % DIGIT_BASE] + DIGITS[n % DIGIT_BASE]
        for n in numbers
    )


class FeedForwardExplorer(PromptExplorer):
    """The units of every block on a prompt, where they are active, what they are good for.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text, of 24 tokens at most. Setting it runs the model and chooses the last
            token.
        layer: the block whose network is shown.
        position: the token whose units are shown.
        unit: the unit on the curve.
        activation: the function whose curve is drawn: "relu", "gelu", "gelu_tanh" or "silu".
        silence: what writes nothing: "nothing", "unit" (the chosen one) or "block" (all its units).
        view: what is below the units: the chosen "unit", its "curve", or the residual "stream".
        ---
        own: the function that the model uses.
        curves: see `curves()`.
        lengths: (L, F), the length of the vector that each unit writes, per 1 of its activation.
        openings: the tokens of glossary texts, a list per text.
        places: where in `openings` each unit is most active, see `strongest_places`: three digits
            per place, a text per layer.
        data: {"tokens": texts, "inputs": (L, T, F), the units' inputs z, "streams": per position
            the dict of `stream_lengths`, "next": the likeliest next tokens as [text, probability]}.
        without: "layer" or "layer:unit" -> the likeliest next tokens without that block's units or
            that unit. What is not in it is added when it is silenced.
    """

    folder: ClassVar = Path(__file__).parent

    layer = Int(0).tag(sync=True)
    position = Int(0).tag(sync=True)
    unit = Int(0).tag(sync=True)
    activation = Unicode().tag(sync=True)
    silence = Unicode("nothing").tag(sync=True)
    view = Unicode("unit").tag(sync=True)
    own = Unicode().tag(sync=True)
    curves = List().tag(sync=True)
    lengths = List().tag(sync=True)
    openings = List().tag(sync=True)
    places = List().tag(sync=True)
    without = Dict().tag(sync=True)

    def __init__(self, model, tokenizer, prompt=PROMPT, **settings):
        if model.config.activation not in FUNCTIONS:
            raise ValueError(
                "the explorer draws a unit's number over its one input, and a gated network has "
                f"two; use a model without a gate, not {model.config.activation!r}"
            )
        self.model, self.tokenizer = model, tokenizer
        own = model.config.activation
        rows = [block.feedforward.down.weight.norm(dim=0) for block in model.blocks]
        self._row_lengths = torch.stack(rows).detach()  # (L, F)
        super().__init__(own=own, curves=curves(), lengths=rounded(self._row_lengths, 3))
        self.prompt = prompt  # before the settings, which refer to it
        book = glossary_openings(tokenizer, min(OPENING, model.config.context_length))
        self.openings = [[token_text(tokenizer, i) for i in row] for row in book.tolist()]
        places = strongest_places(model, book, FEEDFORWARD_PLACES)  # (L, F, n)
        self.places = [digits(layer.flatten().tolist()) for layer in places]
        first = {"activation": own} | settings
        for name in sorted(first, key=lambda name: name != "layer"):  # the rest refers to it
            self.set_trait(name, first[name])
        if "unit" not in settings:
            self.unit = self.units[0][0]

    @property
    def units(self) -> list[list]:
        """[unit, z, h, length written] of those that write most, in the chosen block and token."""
        z = torch.tensor(self.data["inputs"][self.layer][self.position])
        h = FUNCTIONS[self.own](z)
        written = h.abs() * self._row_lengths[self.layer]
        order = written.argsort(descending=True, stable=True)[:FEEDFORWARD_TOP].tolist()
        return [[j, *rounded(torch.stack([z[j], h[j], written[j]]), 3)] for j in order]

    def places_of(self, layer: int, unit: int) -> list[str]:
        """Where a unit is most active in the glossary: text with the token in brackets."""
        found = []
        width = 3 * FEEDFORWARD_PLACES
        own = self.places[layer][width * unit : width * (unit + 1)]
        for place in (int(own[i : i + 3], DIGIT_BASE) for i in range(0, width, 3)):
            text, t = divmod(place, len(self.openings[0]))
            tokens = self.openings[text]
            before = "".join(tokens[max(0, t - FEEDFORWARD_BEFORE) : t]).strip()
            found.append(f"{before}[{tokens[t]}]")
        return found

    def fallback(self) -> str:
        token = self.data["tokens"][self.position]
        units = [
            [str(j), *(f"{x:.2f}" for x in values), "; ".join(self.places_of(self.layer, j))]
            for j, *values in self.units
        ]
        stream = self.data["streams"][self.position]
        added = ["", *(f"{length:.1f}" for length in stream["added"])]
        lengths = [f"{length:.1f}" for length in stream["lengths"]]
        steps = [f"{part} {i}" for i in range(len(added) // 2) for part in ("attention", "FFN")]
        return fallback_table(
            f"Units of block {self.layer} at {token!r}: those that write most",
            ["unit", "input", "activation", "length written", "most active at"],
            units,
        ) + fallback_table(
            f"The residual stream at {token!r}",
            ["step", "length added", "length of the stream"],
            [list(row) for row in zip(["embedding", *steps], added, lengths, strict=True)],
        )

    @validate("activation", "silence", "view")
    def _check_choice(self, proposal):
        name, value = proposal.trait.name, proposal.value
        if value not in CHOICES[name]:
            raise ValueError(f"{name}={value!r} is unknown; choose from {CHOICES[name]}")
        return value

    @validate("layer", "position", "unit")
    def _check_number(self, proposal):
        name, value = proposal.trait.name, proposal.value
        last = {
            "layer": self.model.config.n_layers - 1,
            "position": len(self.data["tokens"]) - 1,
            "unit": self.model.config.d_ff - 1,
        }[name]
        if not 0 <= value <= last:
            raise ValueError(f"{name}={value} is outside of 0 to {last}")
        return value

    @observe("silence", "layer", "unit", "without")
    def _silence(self, _):
        key = f"{self.layer}:{self.unit}"
        if self.silence == "unit" and key not in self.without:
            ids = torch.tensor(self.tokenizer.encode(self.prompt))
            logits = logits_without_units(self.model, ids, self.layer, [self.unit])
            self.without = self.without | {key: self._likeliest(logits)}

    def compute(self, text: str) -> dict:
        ids = torch.tensor(prompt_ids(self.tokenizer, text, MAX_TOKENS))
        trace = self.model.trace(ids[None])
        inputs = self._inputs(trace)
        data = {
            "tokens": [token_text(self.tokenizer, token_id) for token_id in ids.tolist()],
            "inputs": rounded(inputs, 2),
            "streams": stream_lengths(trace),
            "next": self._likeliest(trace.logits[0, -1]),
        }
        without, every = {}, range(self.model.config.d_ff)
        for layer, z in enumerate(inputs[:, -1]):
            most = int((FUNCTIONS[self.own](z).abs() * self._row_lengths[layer]).argmax())
            for key, silent in ((f"{layer}", every), (f"{layer}:{most}", [most])):
                logits = logits_without_units(self.model, ids, layer, silent)
                without[key] = self._likeliest(logits)
        return {"data": data, "position": len(ids) - 1, "without": without}

    @torch.no_grad()
    def _inputs(self, trace) -> Tensor:
        """(L, T, F)"""
        pairs = zip(self.model.blocks, trace.layers, strict=True)
        return torch.stack([block.feedforward.up(layer.norm2)[0] for block, layer in pairs])

    def _likeliest(self, logits: Tensor) -> list:
        best = logits.softmax(dim=-1).topk(FEEDFORWARD_NEXT)
        texts = [token_text(self.tokenizer, token_id) for token_id in best.indices.tolist()]
        return [list(pair) for pair in zip(texts, rounded(best.values, 4), strict=True)]
