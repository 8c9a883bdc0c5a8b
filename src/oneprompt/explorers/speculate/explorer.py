"""The explorer of chapter 9: a speculative generation, pass by pass, and what its gamma costs."""

from pathlib import Path
from typing import ClassVar

from traitlets import Dict, Float, Int, Unicode, observe, validate

from oneprompt.answers import PROMPT
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.speculate.state import GAMMAS, SEEDS, generations
from oneprompt.explorers.texts import token_text
from oneprompt.request import resolve_stop_ids

MODES = ("greedy", "sampled")


class SpeculationExplorer(PromptExplorer):
    """A speculative generation, one pass of the target after another.

    `draft` is a model or anything else that proposes. Every text was made by `SpeculativeDecoder`.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text that is continued, of 24 tokens at most. Setting it runs both models.
        mode: "greedy" or "sampled".
        seed: which of the sampled texts, 1 to 3.
        temperature: of the sampled texts, above 0. Setting it runs both models.
        gamma: how many ids to draft per pass, 1 to 10.
        step: which pass is shown, from 1 on. A new gamma, mode, seed or text goes back to 1.
        cost: c of the cost curve, a draft pass in units of a target pass, 0 to 1.
        ---
        generated: {"runs", "acceptance", "expected"} as `passes.generations` makes them, and
            "tokens": texts; blocks name a token by its place in this list.
    """

    folder: ClassVar = Path(__file__).parent

    mode = Unicode("greedy").tag(sync=True)
    seed = Int(1).tag(sync=True)
    temperature = Float(1.0).tag(sync=True)
    gamma = Int(5).tag(sync=True)
    step = Int(1).tag(sync=True)
    cost = Float(0.1).tag(sync=True)
    generated = Dict().tag(sync=True)

    def __init__(self, target, draft, tokenizer, prompt=PROMPT, **settings):
        self.target, self.draft, self.tokenizer = target, draft, tokenizer
        step = settings.pop("step", 1)
        super().__init__(prompt=prompt, **settings)
        self.step = step

    @property
    def run(self) -> list[dict]:
        """The blocks of the selected text."""
        which = self.seed if self.mode == "sampled" else 0
        return self.generated["runs"][which][self.gamma - GAMMAS[0]]

    def fallback(self) -> str:
        rows = []
        for number, block in enumerate(self.run, start=1):
            drafted, own = self._texts(block["drafted"]), self._texts([block["own"]])
            rows.append([str(number), drafted, str(block["kept"]), own])
        caption = f"“{self.prompt}”, {self.mode}, {self.gamma} tokens drafted per pass"
        return fallback_table(caption, ["pass", "drafted", "kept", "added"], rows)

    def _text(self, id: int) -> str:
        ends = resolve_stop_ids(self.target, None)
        return "EOS" if id in ends else token_text(self.tokenizer, id)

    def _texts(self, places: list[int | None]) -> str:
        return "".join(self.generated["tokens"][place] for place in places if place is not None)

    @validate("mode", "seed", "gamma", "step")
    def _check_choice(self, proposal):
        name, value = proposal.trait.name, proposal.value
        steps = range(1, len(self.run) + 1) if name == "step" else ()
        allowed = {"mode": MODES, "seed": SEEDS, "gamma": GAMMAS, "step": steps}[name]
        if value not in allowed:
            choices = ", ".join(map(str, allowed))
            raise ValueError(f"{name}={value!r} is not there; choose from {choices}")
        return value

    @validate("cost")
    def _check_cost(self, proposal):
        if not 0 <= proposal.value <= 1:
            raise ValueError(f"cost must be between 0 and 1, got {proposal.value}")
        return proposal.value

    # Validators and no observers: what the models refuse must not become the state.
    @validate("prompt")
    def _run_prompt(self, proposal):
        self._generate(proposal.value, self.temperature)
        return proposal.value

    @validate("temperature")
    def _run_temperature(self, proposal):
        if proposal.value == 0:
            raise ValueError('temperature 0 is greedy: set mode to "greedy"')
        self._generate(self.prompt, proposal.value)
        return proposal.value

    def _generate(self, prompt: str, temperature: float) -> None:
        ids = self.prompt_ids(prompt)
        generated, used = generations(self.target, self.draft, ids, temperature)
        # One trait and no more: the places in its runs are those of its tokens.
        self.generated = generated | {"tokens": [self._text(id) for id in used]}
        self.step = 1

    @observe("gamma", "mode", "seed")
    def _start_over(self, change):
        self.step = 1
