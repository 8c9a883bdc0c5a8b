"""The explorer of chapter 5: the units of the feed-forward networks, and the stream they add to."""

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from traitlets import Int, List, Unicode, validate

from oneprompt.answers import PROMPT
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.prompts import prompt_ids
from oneprompt.explorers.shared import (
    COLOR_LEVELS,
    FEEDFORWARD_REACHES,
    FEEDFORWARD_TOP,
    MAX_TOKENS,
)
from oneprompt.explorers.texts import DIGITS, rounded, token_text
from oneprompt.feedforward import gelu, gelu_tanh, relu, silu

FUNCTIONS = {"relu": relu, "gelu": gelu, "gelu_tanh": gelu_tanh, "silu": silu}
POINTS = 160  # the steps of a curve, which has one more point


def curves() -> list[dict]:
    """The functions over -reach to reach, one dict per reach."""
    inputs = torch.linspace(-1, 1, POINTS + 1, dtype=torch.float64)
    return [
        {"reach": reach} | {name: rounded(f(reach * inputs), 4) for name, f in FUNCTIONS.items()}
        for reach in FEEDFORWARD_REACHES
    ]


def token_units(z: Tensor, hidden: Tensor, row_lengths: Tensor) -> dict:
    """What is shown of one token's units, from three vectors (F,).

    Args:
        z: the units' inputs.
        hidden: what the activation makes of them, h.
        row_lengths: those of W₂: unit j writes a vector of length |h_j| times its row's length.

    Returns:
        {"active": how many h are above 0, "needed": how few units write 90 % of the sum of lengths,
        "levels": each unit's share of the largest length as a digit, "inputs": counts of z in bins
        of 0.5, "units": [unit, z, h, length written] per row}.
    """
    written = hidden.abs() * row_lengths
    order = written.argsort(descending=True, stable=True)
    enough = 0.9 * written.sum()
    shown = [*order[:FEEDFORWARD_TOP].tolist(), int(hidden.argmin()), int(z.argmin())]
    levels = (COLOR_LEVELS * written / written.max().clamp(min=1e-9)).round().int()
    edge = 2 * FEEDFORWARD_REACHES[-1]  # bins on each side of zero
    bins = (2 * z).floor().long().clamp(-edge, edge - 1) + edge
    return {
        "active": int((hidden > 0).sum()),
        "needed": int((written[order].cumsum(0) < enough).sum()) + 1,
        "levels": "".join(DIGITS[level] for level in levels.tolist()),
        "inputs": bins.bincount(minlength=2 * edge).tolist(),
        "units": [[j, *rounded(torch.stack([z[j], hidden[j], written[j]]), 3)] for j in shown],
    }


def stream_lengths(trace) -> list[dict]:
    """The residual stream of each token: its lengths, and what attention and FFN add to it."""
    stream, lengths, added, cosines = trace.embedding[0], [trace.embedding[0].norm(dim=-1)], [], []
    for layer in trace.layers:
        for addition in (layer.attention[0], layer.feedforward[0]):
            cosines.append(torch.cosine_similarity(stream, addition, dim=-1))
            stream = stream + addition
            added.append(addition.norm(dim=-1))
            lengths.append(stream.norm(dim=-1))
    columns = {"lengths": lengths, "added": added, "cosines": cosines}
    by_token = {name: rounded(torch.stack(values, dim=1), 3) for name, values in columns.items()}
    n_tokens = len(by_token["lengths"])
    return [{name: rows[t] for name, rows in by_token.items()} for t in range(n_tokens)]


class FeedForwardExplorer(PromptExplorer):
    """The hidden layer of every block on a prompt: its units, one unit's curve, and the stream.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text, of 24 tokens at most. Setting it runs the model and chooses the last
            token.
        layer: the block whose network is shown.
        position: the token whose units are shown.
        row: which of the listed units is on the curve: 0 to 5 for those that write most, 6 for the
            one with the lowest hidden number, 7 for the one with the lowest input.
        activation: the function whose curve is drawn: "relu", "gelu", "gelu_tanh" or "silu".
        ---
        own: the function that the model uses.
        curves: see `curves()`.
        data: {"tokens": texts, "layers": per layer and position the dict of `token_units`,
            "streams": per position the dict of `stream_lengths`}.
    """

    folder: ClassVar = Path(__file__).parent

    layer = Int(0).tag(sync=True)
    position = Int(0).tag(sync=True)
    row = Int(0).tag(sync=True)
    activation = Unicode().tag(sync=True)
    own = Unicode().tag(sync=True)
    curves = List().tag(sync=True)

    def __init__(self, model, tokenizer, prompt=PROMPT, **settings):
        if model.config.activation not in FUNCTIONS:
            raise ValueError(
                "the explorer draws a unit's number over its one input, and a gated network has "
                f"two; use a model without a gate, not {model.config.activation!r}"
            )
        self.model, self.tokenizer = model, tokenizer
        own = model.config.activation
        super().__init__(prompt=prompt, own=own, curves=curves())  # first: it checks the settings
        for name, value in ({"activation": own} | settings).items():
            self.set_trait(name, value)

    @property
    def units(self) -> dict:
        """What the explorer shows of the chosen layer and position; see `token_units`."""
        return self.data["layers"][self.layer][self.position]

    def fallback(self) -> str:
        token = self.data["tokens"][self.position]
        units = [[str(j), *(f"{x:.2f}" for x in values)] for j, *values in self.units["units"]]
        stream = self.data["streams"][self.position]
        added = ["", *(f"{length:.1f}" for length in stream["added"])]
        lengths = [f"{length:.1f}" for length in stream["lengths"]]
        steps = [f"{part} {i}" for i in range(len(added) // 2) for part in ("attention", "FFN")]
        return fallback_table(
            f"Units of block {self.layer} at {token!r}: those that write most, and the lowest",
            ["unit", "input", "activation", "length written"],
            units,
        ) + fallback_table(
            f"The residual stream at {token!r}",
            ["step", "length added", "length of the stream"],
            [list(row) for row in zip(["embedding", *steps], added, lengths, strict=True)],
        )

    @validate("activation")
    def _check_activation(self, proposal):
        if proposal.value not in FUNCTIONS:
            raise ValueError(
                f"activation={proposal.value!r} is unknown; choose from {tuple(FUNCTIONS)}"
            )
        return proposal.value

    @validate("layer", "position", "row")
    def _check_number(self, proposal):
        name, value = proposal.trait.name, proposal.value
        last = {
            "layer": len(self.data["layers"]) - 1,
            "position": len(self.data["tokens"]) - 1,
            "row": len(self.data["layers"][0][0]["units"]) - 1,
        }[name]
        if not 0 <= value <= last:
            raise ValueError(f"{name}={value} is outside of 0 to {last}")
        return value

    def compute(self, text: str) -> dict:
        ids = prompt_ids(self.tokenizer, text, MAX_TOKENS)
        trace = self.model.trace(torch.tensor([ids]))
        data = {
            "tokens": [token_text(self.tokenizer, token_id) for token_id in ids],
            "layers": [
                self._layer_units(block.feedforward, layer)
                for block, layer in zip(self.model.blocks, trace.layers, strict=True)
            ],
            "streams": stream_lengths(trace),
        }
        return {"data": data, "position": len(ids) - 1}

    @torch.no_grad()
    def _layer_units(self, network, layer) -> list[dict]:
        inputs = network.up(layer.norm2)[0]  # (T, F)
        row_lengths = network.down.weight.norm(dim=0)  # (F,)
        return [
            token_units(z, hidden, row_lengths)
            for z, hidden in zip(inputs, layer.hidden[0], strict=True)
        ]
