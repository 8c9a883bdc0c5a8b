"""The explorer of chapter 7: temperature, top-k, top-p and min-p on the model's next token."""

from pathlib import Path
from typing import ClassVar

import torch
from traitlets import Float, Int, List, Unicode, observe, validate

from oneprompt.answers import PROMPT
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.texts import shortest_decimals, token_text
from oneprompt.sample import Sampling, probabilities

SETTINGS = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty", "order")
FALLBACK_ROWS = 12


class SamplingExplorer(PromptExplorer):
    """The next token's distribution under the sampler's settings, and draws from it.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text whose next token is looked at. Setting it runs the model.
        temperature: 0 is greedy.
        top_k, top_p, min_p, repetition_penalty: the filters; 0, 1, 0 and 1 turn them off.
        order: the order of the steps, as in `Sampling.order`.
        seed: the seed of the draws. Draw n uses the n-th random number of this seed.
        ---
        tokens, logits: text and logit of every token of the vocabulary, by id.
        history: the ids of the prompt, which the repetition penalty makes less likely.
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
    logits = List(Float()).tag(sync=True)
    history = List(Int()).tag(sync=True)
    draws = List(Int()).tag(sync=True)

    def __init__(self, model, tokenizer, prompt=PROMPT, **settings):
        self.model, self.tokenizer = model, tokenizer
        tokens = [token_text(tokenizer, i) for i in range(tokenizer.vocab_size)]
        super().__init__(prompt=prompt, tokens=tokens, **settings)

    @property
    def sampling(self) -> Sampling:
        """The settings as the package's own `Sampling`."""
        return self._sampling()

    @property
    def probabilities(self) -> torch.Tensor:
        """The distribution that the explorer shows, (V,)."""
        return probabilities(torch.tensor(self.logits), self.sampling, self.history)

    def fallback(self) -> str:
        before, after = probabilities(torch.tensor(self.logits), Sampling()), self.probabilities
        ids = before.argsort(descending=True, stable=True)[:FALLBACK_ROWS].tolist()
        rows = [[repr(self.tokens[i]), f"{before[i]:.1%}", f"{after[i]:.1%}"] for i in ids]
        caption = f"The most likely next tokens after “{self.prompt}”"
        return fallback_table(caption, ["token", "model", "with the settings"], rows)

    def _sampling(self, **changed) -> Sampling:
        setting = {name: getattr(self, name) for name in SETTINGS} | changed
        return Sampling(
            temperature=setting["temperature"],
            top_k=setting["top_k"] or None,
            top_p=None if setting["top_p"] == 1 else setting["top_p"],
            min_p=setting["min_p"] or None,
            repetition_penalty=setting["repetition_penalty"],
            order=tuple(setting["order"]),
        )

    @validate(*SETTINGS)
    def _check_setting(self, proposal):
        self._sampling(**{proposal.trait.name: proposal.value})  # raises on a bad value
        return proposal.value

    # A validator and no observer: a prompt that the model refuses must not become the state.
    @validate("prompt")
    def _run_model(self, proposal):
        ids = self.tokenizer.encode(proposal.value)
        with torch.inference_mode():
            logits = self.model(torch.tensor([ids]))[0, -1]
        self.logits, self.history = shortest_decimals(logits), ids
        return proposal.value

    @observe(*SETTINGS, "seed", "logits")
    def _forget_draws(self, change):
        self.draws = []
