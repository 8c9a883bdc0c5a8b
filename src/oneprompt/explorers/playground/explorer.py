"""The playground of the first page: the reader's own prompt on its way through all the steps."""

import re
from pathlib import Path
from typing import ClassVar

import torch
from traitlets import Dict, Float, Int, List, Unicode, observe, validate

from oneprompt.answers import PROMPT
from oneprompt.autoregress import generate
from oneprompt.corpus import load_glossary
from oneprompt.corpus.documents import CANONICAL, ask
from oneprompt.draft import ModelDraft
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.prompts import prompt_ids
from oneprompt.explorers.sampler import SamplerTraits
from oneprompt.explorers.shared import (
    EMPTY_PROMPT,
    PLAYGROUND_GAMMA,
    PLAYGROUND_HANDS,
    PLAYGROUND_MAX_NEW,
    PLAYGROUND_MAX_TOKENS,
    PLAYGROUND_SETTINGS,
    PLAYGROUND_SHOWN,
)
from oneprompt.explorers.texts import rounded, token_text
from oneprompt.position import rope_frequencies
from oneprompt.sample import Sampling, probabilities, uniforms
from oneprompt.speculate import SpeculativeDecoder

SUGGESTED = ("machine learning", "causal mask", "token", "KV cache", "speculative decoding")
NOT_COVERED = "What is a volcano?"  # shows what the model says about other things


def plain(text: str) -> str:
    """Lower case, with one space in place of everything but ASCII letters and digits."""
    return f" {re.sub('[^a-z0-9]+', ' ', text.lower()).strip()} "


def glossary_terms() -> list[str]:
    """Every term and alias of the glossary, as `plain` writes them."""
    names = {name for entry in load_glossary() for name in (entry.term, *entry.aliases)}
    return sorted(plain(name).strip() for name in names)


def names_a_term(text: str, terms: list[str]) -> bool:
    """Whether the text has one of the terms, in the singular or with an s."""
    words = plain(text)
    return any(f" {term}{ending} " in words for term in terms for ending in ("", "s"))


def suggested_questions() -> list[str]:
    entries = {entry.term: entry for entry in load_glossary()}
    return [*(ask(CANONICAL, entries[term]) for term in SUGGESTED), NOT_COVERED]


class Playground(SamplerTraits, PromptExplorer):
    """A prompt's tokens, vectors, attention, next token and answer, alone and with a draft.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text, of 48 tokens at most. Setting it runs both models.
        temperature, top_k, top_p: the sampler's settings; 0 is greedy, 0 and 1 turn the others off.
        seed: for the draws. The page and Python draw different numbers from the same seed.
        layer, head: the head whose attention is shown.
        requests: counts the reader's requests for a new answer; a change makes one.
        ---
        suggestions: questions to choose from.
        terms: the glossary's terms and aliases, to say when a question has none of them.
        vocabulary: the text of every token, by id.
        data: {"ids", "embedding": (T, D), "speeds": radians per position of the fastest pairs,
            "hidden": (F,) of the last token in the last block, "weights": rows of each map of every
            layer and head, without the hidden keys, "logits": (V,) of the next token, "covered":
            whether the prompt names a term}.
        answer: {"ids", "text", "chances": the model's own probability of each id, "stop": why it
            ended, "passes": of the speculative run [{"drafted", "accepted", "new"}], "made": the
            settings that it was made with, PLAYGROUND_SETTINGS}.
    """

    folder: ClassVar = Path(__file__).parent

    temperature = Float(0.0).tag(sync=True)
    top_k = Int(0).tag(sync=True)
    top_p = Float(1.0).tag(sync=True)
    seed = Int(0).tag(sync=True)
    layer = Int(0).tag(sync=True)
    head = Int(0).tag(sync=True)
    requests = Int(0).tag(sync=True)
    suggestions = List(Unicode()).tag(sync=True)
    terms = List(Unicode()).tag(sync=True)
    vocabulary = List(Unicode()).tag(sync=True)
    answer = Dict().tag(sync=True)

    def __init__(self, model, draft, tokenizer, prompt=PROMPT, **settings):
        self.model, self.draft, self.tokenizer = model, draft, tokenizer
        texts = [token_text(tokenizer, token_id) for token_id in range(model.config.vocab_size)]
        state = {"suggestions": suggested_questions(), "terms": glossary_terms()}
        super().__init__(vocabulary=texts, **state, **settings)
        self.prompt = prompt  # last, since it is answered with the settings

    def fallback(self) -> str:
        p = probabilities(torch.tensor(self.data["logits"]), Sampling())
        likely = p.topk(PLAYGROUND_SHOWN)
        tokens = (repr(self.vocabulary[token_id]) for token_id in likely.indices.tolist())
        pairs = zip(tokens, likely.values.tolist(), strict=True)
        rows = [
            ["prompt", self.prompt],
            ["tokens", ", ".join(repr(self.vocabulary[token_id]) for token_id in self.data["ids"])],
            ["most likely next", ", ".join(f"{token} {p:.1%}" for token, p in pairs)],
            ["answer", self.answer["text"]],
        ]
        return fallback_table("A prompt and the model's answer", ["step", "result"], rows)

    @validate("layer", "head")
    def _check_place(self, proposal):
        name, config = proposal.trait.name, self.model.config
        count = config.n_layers if name == "layer" else config.n_heads
        if not 0 <= proposal.value < count:
            raise ValueError(f"{name}={proposal.value} is outside of 0 to {count - 1}")
        return proposal.value

    def compute(self, text: str) -> dict:
        if not text.strip():
            raise ValueError(EMPTY_PROMPT)
        ids = prompt_ids(self.tokenizer, text, PLAYGROUND_MAX_TOKENS)
        config = self.model.config
        trace = self.model.trace(torch.tensor([ids]))
        maps = [rounded(layer.weights[0], 3) for layer in trace.layers]
        data = {
            "ids": ids,
            "embedding": rounded(trace.embedding[0], 3),
            "speeds": rounded(rope_frequencies(config.head_dim, config.rope_theta), 4)[
                :PLAYGROUND_HANDS
            ],
            "weights": [[[r[: t + 1] for t, r in enumerate(h)] for h in each] for each in maps],
            "hidden": rounded(trace.layers[-1].hidden[0, -1], 2),
            "logits": rounded(trace.logits[0, -1], 4),
            "covered": names_a_term(text, self.terms),
        }
        return {"data": data}

    @observe("data", "requests")
    def _answer_prompt(self, change):
        if self.data:
            self.answer = self._answer_to(self.data["ids"])

    def _answer_to(self, ids: list[int]) -> dict:
        result = generate(self.model, ids, PLAYGROUND_MAX_NEW, self.sampling, seed=self.seed)
        return {
            "ids": result.ids,
            "text": self.tokenizer.decode(result.ids),
            "chances": rounded(torch.tensor(result.logprobs).exp(), 4),
            "stop": result.stop_reason,
            "passes": self._passes(ids),
            "made": [getattr(self, name) for name in PLAYGROUND_SETTINGS],
        }

    def _passes(self, ids: list[int]) -> list[dict]:
        """The same generation again, with the draft: what each pass of the model kept."""
        draft = ModelDraft(self.draft, uniforms(-1 - self.seed))
        settings = {"gamma": PLAYGROUND_GAMMA, "seed": self.seed}
        decoder = SpeculativeDecoder(self.model, draft)
        return [
            {"drafted": done.drafted, "accepted": done.accepted, "new": done.new}
            for done in decoder.passes(ids, PLAYGROUND_MAX_NEW, self.sampling, **settings)
        ]
