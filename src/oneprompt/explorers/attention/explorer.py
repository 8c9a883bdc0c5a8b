"""The explorer of chapter 4: all heads of the model, and every stage of attention in one."""

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from traitlets import Bool, Int, List, Unicode, validate

from oneprompt.answers import PROMPT
from oneprompt.attention import apply_mask, causal_mask, repeat_kv
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.prompts import prompt_ids
from oneprompt.explorers.shared import ATTENTION_TOP, MAX_TOKENS
from oneprompt.explorers.texts import rounded, token_text
from oneprompt.heads import head_name, head_scores, repeated_sequences, silenced_logits

STAGES = ("dots", "scores", "masked", "weights")
SILENCE = ("nothing", "head", "layer")
PERIOD = 24  # of the random tokens on which heads are measured that get a name


class AttentionExplorer(PromptExplorer):
    """The attention of every head on a prompt, from dot products to the mix of values.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text, of 24 tokens at most. Setting it runs the model and makes the last token
            the query.
        layer, head: the head whose numbers are shown.
        query: the position whose query is shown.
        stage: what the large map shows: "dots", "scores", "masked" or "weights".
        window: how many positions a query sees, its own included; 0 means all before it. It is
            applied to the shown queries and keys, which the model computed without it.
        scaled, causal: whether the shown scores are divided by √d and later keys are hidden.
        silence: whose part in the next token is left out: "nothing", "head" (the chosen one) or
            "layer" (all heads of its layer).
        groups: how many key/value heads the query heads share in the picture of shared keys.
        ---
        names: (L, H), the name that a head has earned on repeated random tokens, or "".
        data: {"tokens": texts, "dots": (L, H, T, T), the dot products, "values": (L, G, T, d),
            "next": the likeliest next tokens as [text, probability], "without": the same (L, H + 1)
            without each head of a layer, and last without all of them}.
    """

    folder: ClassVar = Path(__file__).parent

    layer = Int(0).tag(sync=True)
    head = Int(0).tag(sync=True)
    query = Int(0).tag(sync=True)
    stage = Unicode("weights").tag(sync=True)
    window = Int(0).tag(sync=True)
    scaled = Bool(True).tag(sync=True)
    causal = Bool(True).tag(sync=True)
    silence = Unicode("nothing").tag(sync=True)
    groups = Int(1).tag(sync=True)
    names = List().tag(sync=True)

    def __init__(self, model, tokenizer, prompt=PROMPT, **settings):
        if model.config.position == "alibi":
            raise ValueError("the explorer does not show ALiBi's shift; use a model without it")
        self.model, self.tokenizer = model, tokenizer
        super().__init__(prompt=prompt)  # first, since `query` is checked against its tokens
        first = {
            "window": model.config.sliding_window or 0,
            "groups": model.config.n_kv_heads,
            "names": earned_names(model),
        }
        for name, value in (first | settings).items():
            self.set_trait(name, value)

    @property
    def weights(self) -> Tensor:
        """The attention weights that the explorer shows, (T, T)."""
        n = len(self.data["tokens"])
        mask = causal_mask(n, window=self.window or None)
        if not self.causal:
            mask |= ~causal_mask(n)
        scores = torch.tensor(self.data["dots"][self.layer][self.head])
        if self.scaled:
            scores = scores / self.model.config.head_dim**0.5
        return apply_mask(scores, mask).softmax(dim=-1)

    def fallback(self) -> str:
        tokens = [repr(token) for token in self.data["tokens"]]
        rows = [
            [token, *(f"{weight:.2f}" for weight in row)]
            for token, row in zip(tokens, self.weights.tolist(), strict=True)
        ]
        caption = f"Attention weights of layer {self.layer}, head {self.head}"
        return fallback_table(caption, ["query \\ key", *tokens], rows)

    @validate("stage")
    def _check_stage(self, proposal):
        if proposal.value not in STAGES:
            raise ValueError(f"stage={proposal.value!r} is unknown; choose from {STAGES}")
        return proposal.value

    @validate("silence")
    def _check_silence(self, proposal):
        if proposal.value not in SILENCE:
            raise ValueError(f"silence={proposal.value!r} is unknown; choose from {SILENCE}")
        return proposal.value

    @validate("layer", "head", "query", "window", "groups")
    def _check_number(self, proposal):
        name, value, config = proposal.trait.name, proposal.value, self.model.config
        first, last = {
            "layer": (0, config.n_layers - 1),
            "head": (0, config.n_heads - 1),
            "query": (0, len(self.data["tokens"]) - 1),
            "window": (0, MAX_TOKENS),
            "groups": (1, config.n_heads),
        }[name]
        if not first <= value <= last:
            raise ValueError(f"{name}={value} is outside of {first} to {last}")
        if name == "groups" and config.n_heads % value:
            raise ValueError(f"groups={value} must divide the {config.n_heads} query heads")
        return value

    def compute(self, text: str) -> dict:
        ids = prompt_ids(self.tokenizer, text, MAX_TOKENS)
        trace = self.model.trace(torch.tensor([ids]))
        layers = trace.layers
        q, k, v = (torch.cat([getattr(layer, name) for layer in layers]) for name in "qkv")
        k = repeat_kv(k, self.model.config.n_heads)  # (L, H, T, d)
        data = {
            "tokens": [token_text(self.tokenizer, token_id) for token_id in ids],
            "dots": rounded(q @ k.transpose(-2, -1), 5),
            "values": rounded(v, 4),
            "next": self._likeliest(trace.logits[0, -1]),
            "without": [
                [self._likeliest(logits) for logits in layer]
                for layer in silenced_logits(self.model, torch.tensor(ids))
            ],
        }
        return {"data": data, "query": len(ids) - 1}

    def _likeliest(self, logits: Tensor) -> list:
        best = logits.softmax(dim=-1).topk(ATTENTION_TOP)
        texts = [token_text(self.tokenizer, token_id) for token_id in best.indices.tolist()]
        return [list(pair) for pair in zip(texts, rounded(best.values, 4), strict=True)]


def earned_names(model) -> list[list[str]]:
    """The names (L, H) that the heads have earned on repeated random tokens."""
    config = model.config
    period = min(PERIOD, config.context_length // 2)
    scores = head_scores(model, repeated_sequences(8, period, config.vocab_size))
    return [[head_name(scores, l, h) for h in range(config.n_heads)]
            for l in range(config.n_layers)]  # fmt: skip
