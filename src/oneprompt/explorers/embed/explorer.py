"""The explorer of chapter 2: the rows of the prompt, what is near them, and a map of the table."""

from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor
from traitlets import Dict, Float, Int, List, validate

from oneprompt.answers import PROMPT
from oneprompt.embed import flatten, nearest
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.prompts import prompt_ids
from oneprompt.explorers.shared import DIGIT_BASE, EMBED_NEIGHBORS, EMBED_SHADES, MAX_TOKENS
from oneprompt.explorers.texts import DIGITS, token_text

SIZE = 1000  # the map's longer side: a coordinate becomes two digits
RANDOM_ROWS = 256
# Words of every kind, named on the map where there is room, the first ones first.
LANDMARKS = (
    " of", " the", ",", " makes", " model", " vector", "Explain", " training", " which", "ing",
    " label", " intelligence", " In", " neuron", "T", " one", " entropy", " data", " people",
    " would", " layer", " small", "query", " a", " position", "%", " token", " attention",
)  # fmt: skip


def digits(row: Tensor, largest: float) -> str:
    """One digit per coordinate: "0" is -largest and beyond, "h" is 0, "y" is largest and beyond."""
    levels = (row.double() / largest * EMBED_SHADES).round().clamp(-EMBED_SHADES, EMBED_SHADES)
    return "".join(DIGITS[level] for level in (levels + EMBED_SHADES).int().tolist())


def map_of(table: Tensor) -> dict:
    """Every row's place on the map of the table, two digits across and two down."""
    points, kept = flatten(table)
    low, high = points.amin(dim=0), points.amax(dim=0)
    places = ((points - low) / (high - low).max() * SIZE).round().int()
    numbers = places.flatten().tolist()
    points = "".join(DIGITS[n // DIGIT_BASE] + DIGITS[n % DIGIT_BASE] for n in numbers)
    width, height = places.amax(dim=0).tolist()
    return {"points": points, "width": width, "height": height, "kept": kept}


def nearest_by_chance(table: Tensor) -> float:
    """The cosine of a row with its nearest, on average, once each column is shuffled on its own.

    That keeps what all rows share, which random rows would not have.
    """
    generator = torch.Generator().manual_seed(0)
    columns = [c[torch.randperm(len(c), generator=generator)] for c in table.T]
    unit = F.normalize(torch.stack(columns, dim=1), dim=1)
    return float((unit[:RANDOM_ROWS] @ unit.T).topk(2).values[:, 1].mean())  # the first is itself


class EmbedExplorer(PromptExplorer):
    """The rows that a prompt reads, and a walk from row to row through the table.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text, of 24 tokens at most. Setting it chooses its first token.
        token: the id of the chosen token, which may be any in the vocabulary.
        ---
        data: {"ids": of the prompt, "nearest": id -> [id, cosine] of its nearest rows, the most
            similar first, "texts": id -> text, "rows": id -> `digits`}. It holds the neighbors of
            the prompt's tokens and of those neighbors, so that a page can go a step without the
            model; a token that is chosen later is added.
        map: {"points", "width", "height", "kept"}, see `map_of`; "kept" is the share of the spread.
        landmarks: [id, text] of the tokens of `LANDMARKS`, in that order.
        chance: the cosine of the nearest row by chance, see `nearest_by_chance`.
        largest: what a strip shows in full color.
    """

    folder: ClassVar = Path(__file__).parent

    token = Int(0).tag(sync=True)
    map = Dict().tag(sync=True)
    landmarks = List().tag(sync=True)
    chance = Float().tag(sync=True)
    largest = Float().tag(sync=True)

    def __init__(self, model, tokenizer, prompt=PROMPT, **settings):
        self.table, self.tokenizer = model.embedding.detach(), tokenizer
        self._texts = [token_text(tokenizer, i) for i in range(len(self.table))]
        # First: the prompt's rows are drawn on this scale. 2.5 deviations hold 99 % of them.
        super().__init__(largest=round(2.5 * float(self.table.std()), 3))
        ids = {text: i for i, text in enumerate(self._texts)}
        self.landmarks = [[ids[text], text] for text in LANDMARKS if text in ids]
        self.map = map_of(self.table)
        self.chance = nearest_by_chance(self.table)
        for name, value in ({"prompt": prompt} | settings).items():
            self.set_trait(name, value)

    def fallback(self) -> str:
        rows = []
        for i in dict.fromkeys(self.data["ids"]):
            near = (f"{self._texts[j]!r} {cosine:.2f}" for j, cosine in self._nearest(i)[:5])
            rows.append([repr(self._texts[i]), str(i), ", ".join(near)])
        caption = f"The nearest rows of the tokens of “{self.prompt}”, with their cosines"
        return fallback_table(caption, ["token", "id", "nearest rows"], rows)

    def _nearest(self, token_id: int) -> list:
        return self.data["nearest"][str(token_id)]

    def _knowing(self, ids: list[int], data: dict) -> dict:
        """The data, extended by the nearest rows of these tokens."""
        near, texts, rows = (dict(data[name]) for name in ("nearest", "texts", "rows"))
        for i in ids:
            others, cosines = nearest(self.table, i, EMBED_NEIGHBORS)
            rounded = cosines.double().round(decimals=4).tolist()
            near[str(i)] = [list(pair) for pair in zip(others.tolist(), rounded, strict=True)]
            for each in (i, *others.tolist()):
                texts[str(each)] = self._texts[each]
                rows[str(each)] = digits(self.table[each], self.largest)
        return data | {"nearest": near, "texts": texts, "rows": rows}

    def compute(self, text: str) -> dict:
        ids = prompt_ids(self.tokenizer, text, MAX_TOKENS)
        nothing = {"ids": ids, "nearest": {}, "texts": {}, "rows": {}}
        own = self._knowing(list(dict.fromkeys(ids)), nothing)
        step = {other for near in own["nearest"].values() for other, _ in near}
        return {"data": self._knowing(sorted(step - set(ids)), own), "token": ids[0]}

    @validate("token")
    def _walk(self, proposal):
        if not 0 <= proposal.value < len(self.table):
            raise ValueError(f"token={proposal.value} is outside of 0 to {len(self.table) - 1}")
        if str(proposal.value) not in self.data["nearest"]:
            self.data = self._knowing([proposal.value], self.data)
        return proposal.value
