"""The explorer of chapter 8: a generation pass by pass, without and with a KV cache."""

import math
from pathlib import Path
from typing import ClassVar

from traitlets import Bool, Dict, Int, validate

from oneprompt.answers import PROMPT
from oneprompt.autoregress import generate
from oneprompt.checkpoints.quantize import stored_bytes
from oneprompt.costs import costs_of, multiply_adds
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.prompts import prompt_ids
from oneprompt.explorers.shared import AUTOREGRESS_MAX_NEW, MAX_TOKENS
from oneprompt.explorers.texts import token_text
from oneprompt.request import resolve_stop_ids


class AutoregressExplorer(PromptExplorer):
    """A greedy generation, one pass after another, and its work without and with a KV cache.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text that is continued, of 24 tokens at most. Setting it runs the model and
            goes back to the first pass.
        max_new_tokens: the most ids that the loop makes, 1 to 40.
        use_cache: whether the text shows the passes with a cache or without.
        step: the pass that is shown, from 1 on.
        ---
        data: {"tokens": texts of the prompt and of up to 40 new ids, "prompt": how many of them
            belong to the prompt, "chances": the model's probability of each new id, "stop_reason"}.
        costs: what a pass costs, see `costs_of`; "stored" is the bytes of the model's file.
    """

    folder: ClassVar = Path(__file__).parent

    max_new_tokens = Int(AUTOREGRESS_MAX_NEW).tag(sync=True)
    use_cache = Bool(True).tag(sync=True)
    step = Int(1).tag(sync=True)
    costs = Dict().tag(sync=True)

    def __init__(self, model, tokenizer, prompt=PROMPT, **settings):
        self.model, self.tokenizer = model, tokenizer
        step = settings.pop("step", 1)
        costs = costs_of(model) | {"stored": stored_bytes(model)}
        super().__init__(prompt=prompt, costs=costs)  # first: the others need its data
        for name, value in (settings | {"step": step}).items():
            self.set_trait(name, value)

    @property
    def n_passes(self) -> int:
        """The passes that the prompt takes: one per new id."""
        return min(self.max_new_tokens, len(self.data["chances"]))

    def work(self, use_cache: bool, n_passes: int) -> dict[str, int]:
        """What the first `n_passes` passes take in total.

        Returns:
            "positions" computed, "multiply_adds", bytes of "weights" read as fp32, and as int8 like
            those "stored" in the file, bytes of "cache" filled.
        """
        P = self.data["prompt"]
        sizes = [(1 if use_cache and n else P + n, P + n) for n in range(n_passes)]  # (T, S)
        return {
            "positions": sum(T for T, _ in sizes),
            "multiply_adds": sum(multiply_adds(self.model.config, T, S, 1) for T, S in sizes),
            "weights": n_passes * self.costs["weights"],
            "stored": n_passes * self.costs["stored"],
            "cache": use_cache * sizes[-1][1] * self.costs["kept"],
        }

    def fallback(self) -> str:
        tokens = self.data["tokens"][self.data["prompt"] :]
        new, rows = zip(tokens, self.data["chances"], strict=True), []
        for n, (token, chance) in enumerate(list(new)[: self.n_passes], start=1):
            positions = [str(self.work(cached, n)["positions"]) for cached in (False, True)]
            rows.append([str(n), repr(token), f"{chance:.1%}", *positions])
        header = ["pass", "new id", "probability", "without a cache", "with a KV cache"]
        caption = f"“{self.prompt}”: new ids, and the positions computed so far"
        return fallback_table(caption, header, rows)

    @validate("max_new_tokens", "step")
    def _check_number(self, proposal):
        name, value = proposal.trait.name, proposal.value
        last = {"max_new_tokens": AUTOREGRESS_MAX_NEW, "step": self.n_passes}[name]
        if not 1 <= value <= last:
            raise ValueError(f"{name}={value} is outside of 1 to {last}")
        if name == "max_new_tokens":  # the step first, so that no page draws one past the last
            self.step = min(self.step, value)
        return value

    def compute(self, text: str) -> dict:
        ids = prompt_ids(self.tokenizer, text, MAX_TOKENS)
        result = generate(self.model, ids, AUTOREGRESS_MAX_NEW)
        ends = resolve_stop_ids(self.model, None)
        new = [token_text(self.tokenizer, token_id, ends) for token_id in result.ids]
        data = {
            "tokens": [*(token_text(self.tokenizer, token_id) for token_id in ids), *new],
            "prompt": len(ids),
            "chances": [round(math.exp(logprob), 4) for logprob in result.logprobs],
            "stop_reason": result.stop_reason,
        }
        return {"data": data, "step": 1}
