"""The explorer of chapter 7: temperature, top-k, top-p and min-p on the model's next token."""

from pathlib import Path
from typing import ClassVar

import torch
from traitlets import Float, Int, List, Unicode, observe

from oneprompt.answers import PROMPT
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.prompts import prompt_ids
from oneprompt.explorers.sampler import SETTINGS, SamplerTraits
from oneprompt.explorers.shared import (
    SAMPLE_ENGINES,
    SAMPLE_ORDERS,
    SAMPLE_ROWS,
    SAMPLE_STARTS,
)
from oneprompt.explorers.texts import shortest_decimals, token_text
from oneprompt.sample import Sampling, probabilities


class SamplingExplorer(SamplerTraits, PromptExplorer):
    """The next token's distribution under the sampler's settings, and draws from it.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text whose next token is shown, at most as long as the model's context. Setting
            it runs the model.
        temperature: 0 is greedy.
        top_k, top_p, min_p, repetition_penalty: the filters; 0, 1, 0 and 1 turn them off.
        order: the order of the steps, as in `Sampling.order`.
        seed: the seed of the draws. Draw n uses the n-th random number of this seed.
        ---
        tokens: the text of every token of the vocabulary, by id.
        data: {"logits": (V,), those of the next token, "history": the ids of the prompt, which the
            repetition penalty makes less likely}.
        draws: the ids drawn so far. A new setting, seed or prompt empties it.
    """

    folder: ClassVar = Path(__file__).parent

    temperature = Float(1.0).tag(sync=True)
    top_k = Int(0).tag(sync=True)
    top_p = Float(1.0).tag(sync=True)
    min_p = Float(0.0).tag(sync=True)
    repetition_penalty = Float(1.0).tag(sync=True)
    order = List(Unicode(), list(Sampling().order)).tag(sync=True)
    seed = Int(0).tag(sync=True)
    tokens = List(Unicode()).tag(sync=True)
    draws = List(Int()).tag(sync=True)

    def __init__(self, model, tokenizer, prompt=PROMPT, **settings):
        self.model, self.tokenizer = model, tokenizer
        tokens = [token_text(tokenizer, token_id) for token_id in range(tokenizer.vocab_size)]
        super().__init__(prompt=prompt, tokens=tokens, **settings)

    @property
    def probabilities(self) -> torch.Tensor:
        """The distribution that the explorer shows, (V,)."""
        logits = torch.tensor(self.data["logits"])
        return probabilities(logits, self.sampling, self.data["history"])

    def start_as(self, engine: str) -> None:
        """Take the order of an engine and the numbers that it starts with.

        Args:
            engine: "transformers", "vLLM" or "llama.cpp".

        Raises:
            ValueError: it is none of these.
        """
        if engine not in SAMPLE_ENGINES:
            raise ValueError(
                f"the engine {engine!r} is unknown; choose from {', '.join(SAMPLE_ENGINES)}"
            )
        i = SAMPLE_ENGINES.index(engine)
        self.set_trait("order", SAMPLE_ORDERS[i])
        for name, value in SAMPLE_STARTS[i].items():
            self.set_trait(name, value)

    def fallback(self) -> str:
        before = probabilities(torch.tensor(self.data["logits"]), Sampling())
        ids, after = before.argsort(descending=True, stable=True).tolist(), self.probabilities
        rows = [
            [repr(self.tokens[token_id]), f"{before[token_id]:.1%}", f"{after[token_id]:.1%}"]
            for token_id in ids[:SAMPLE_ROWS]
        ]
        caption = f"The most likely next tokens after “{self.prompt}”"
        return fallback_table(caption, ["token", "model", "with the settings"], rows)

    @observe(*SETTINGS, "seed")
    def _forget_draws(self, change):
        self.draws = []

    def compute(self, text: str) -> dict:
        ids = prompt_ids(self.tokenizer, text, self.model.config.context_length)
        with torch.inference_mode():
            logits = self.model(torch.tensor([ids]))[0, -1]
        return {"data": {"logits": shortest_decimals(logits), "history": ids}, "draws": []}
