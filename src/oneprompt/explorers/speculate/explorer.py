"""The explorer of chapter 9: a speculative generation, pass by pass, and what its gamma costs."""

from pathlib import Path
from typing import ClassVar

from traitlets import Float, Int, Unicode, validate

from oneprompt.answers import PROMPT
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.prompts import prompt_ids
from oneprompt.explorers.shared import MAX_TOKENS, SPECULATE_GAMMAS, SPECULATE_SEEDS
from oneprompt.explorers.speculate.state import generations
from oneprompt.explorers.texts import token_text
from oneprompt.request import resolve_stop_ids
from oneprompt.sample import Sampling

MODES = ("greedy", "sampled")


class SpeculationExplorer(PromptExplorer):
    """A speculative generation, one pass of the target after another.

    `draft` is a model or any other `Draft`. Every text was made by `SpeculativeDecoder`.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text that is continued, of 24 tokens at most. Setting it runs both models.
        mode: "greedy" or "sampled".
        seed: which of the sampled texts, 1 to 3.
        temperature: that of the sampled texts, above 0. Setting it runs both models.
        gamma: how many ids to draft per pass, 1 to 10.
        step: which pass is shown, from 1 on. A new gamma, mode, seed or text goes back to 1.
        cost: c of the cost curve, the cost of a draft pass in target passes, 0 to 1.
        ---
        data: {"runs", "acceptance", "expected"} as `state.generations` makes them, and "tokens":
            texts; blocks name a token by its place in this list.
    """

    folder: ClassVar = Path(__file__).parent

    mode = Unicode("greedy").tag(sync=True)
    seed = Int(1).tag(sync=True)
    temperature = Float(1.0).tag(sync=True)
    gamma = Int(5).tag(sync=True)
    step = Int(1).tag(sync=True)
    cost = Float(0.1).tag(sync=True)

    def __init__(self, target, draft, tokenizer, prompt=PROMPT, **settings):
        self.target, self.draft, self.tokenizer = target, draft, tokenizer
        step = settings.pop("step", 1)
        super().__init__(**settings)
        self.prompt = prompt  # last, since it needs the temperature
        self.step = step

    @property
    def run(self) -> list[dict]:
        """The blocks of the selected text."""
        which = self.seed if self.mode == "sampled" else 0
        return self.data["runs"][which][SPECULATE_GAMMAS.index(self.gamma)]

    def fallback(self) -> str:
        rows = []
        for number, block in enumerate(self.run, start=1):
            drafted, own = self._texts(block["drafted"]), self._texts([block["own"]])
            rows.append([str(number), drafted, str(block["kept"]), own])
        caption = f"“{self.prompt}”, {self.mode}, {self.gamma} tokens drafted per pass"
        return fallback_table(caption, ["pass", "drafted", "kept", "added"], rows)

    def _texts(self, places: list[int | None]) -> str:
        return "".join(self.data["tokens"][place] for place in places if place is not None)

    @validate("mode", "seed", "gamma", "step")
    def _check_choice(self, proposal):
        name, value = proposal.trait.name, proposal.value
        steps = range(1, len(self.run) + 1) if name == "step" else ()
        allowed = {
            "mode": MODES, "seed": SPECULATE_SEEDS, "gamma": SPECULATE_GAMMAS, "step": steps,
        }[name]  # fmt: skip
        if value not in allowed:
            choices = ", ".join(map(str, allowed))
            raise ValueError(f"{name}={value!r} is not available; choose from {choices}")
        if name != "step" and value != getattr(self, name):
            self.step = 1  # first, so that no page draws a step past the end of the new text
        return value

    @validate("cost")
    def _check_cost(self, proposal):
        if not 0 <= proposal.value <= 1:
            raise ValueError(f"cost must be between 0 and 1, got {proposal.value}")
        return proposal.value

    @validate("temperature")
    def _compute_again(self, proposal):
        if proposal.value == 0:
            raise ValueError('temperature 0 is greedy: set mode to "greedy"')
        Sampling(proposal.value)  # raises on a bad value
        if self.data:
            self.assign(self._generate(self.prompt, proposal.value))
        return proposal.value

    def compute(self, text: str) -> dict:
        return self._generate(text, self.temperature)

    def _generate(self, text: str, temperature: float) -> dict:
        ids = prompt_ids(self.tokenizer, text, MAX_TOKENS)
        data, used = generations(self.target, self.draft, ids, temperature)
        ends = resolve_stop_ids(self.target, None)
        tokens = [token_text(self.tokenizer, token_id, ends) for token_id in used]
        return {"data": data | {"tokens": tokens}, "step": 1}
