"""The explorer of chapter 3: what each position scheme does, and how it changes a score."""

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from traitlets import Float, Int, List, Unicode, validate

from oneprompt.answers import PROMPT
from oneprompt.attention import attention_scores, repeat_kv
from oneprompt.config import CHOICES
from oneprompt.embed import embed
from oneprompt.explorers.base import PromptExplorer, fallback_table
from oneprompt.explorers.prompts import check_prompt
from oneprompt.explorers.shared import POSITION_LEAST_TOKENS, POSITION_TOO_SHORT
from oneprompt.explorers.texts import rounded, shortest_decimals, token_text
from oneprompt.position import (
    PAIRINGS,
    alibi_bias,
    alibi_slopes,
    rope_frequencies,
    rotate,
    sinusoidal,
)

SCHEMES = CHOICES["position"]
N = 32  # the positions shown are 0 to 31
FALLBACK_DISTANCES = (0, 1, 2, 3, 4, 8, 16, 31)


def score_name(scheme: str, pairing: str) -> str:
    """The scheme's name in `position_scores`."""
    return f"rope {pairing}" if scheme == "rope" else scheme


def learned_table(model) -> Tensor:
    """The model's own learned vectors, or random ones as long as its embeddings, (N, D).

    The random ones have two decimals, as the state does, so that the page has them exactly.
    """
    if model.config.position == "learned":
        return model.position_embedding[:N]
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(N, model.config.d_model, generator=generator) * model.embedding.std()
    return vectors.round(decimals=2)


def unturned(model, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """The first block's queries and keys (1, H, n, d) for embeddings (n, D), without RoPE."""
    block = model.blocks[0]
    x = block.norm1(model.embedding_norm(vectors))[None]  # (1, n, D)
    q, k, _ = block.attention.project(x)
    return q, repeat_kv(k, model.config.n_heads)


def by_distance(scores: Tensor) -> list:
    """Scores (H, N, N) -> per head, per query position t, those at distance 0, 1, …, t."""
    return [[row[t::-1] for t, row in enumerate(head)] for head in rounded(scores, 3)]


def position_scores(model, query: Tensor, key: Tensor, tables: dict[str, Tensor]) -> dict:
    """The scores of one query and one key of the first block under every scheme.

    Args:
        query, key: (D,), two embeddings without positions.
        tables: additive scheme -> (N, D), the vectors that it adds to them.

    Returns:
        scheme (RoPE's once per pairing) -> per head, per position t of the query, the scores with
        a key at distance 0, 1, …, t. If a score depends on the distance alone, there is only the
        row of the last position.
    """
    config, positions = model.config, torch.arange(N)
    bias = alibi_bias(config.n_heads, positions, positions)
    frequencies = rope_frequencies(config.n_rotated, config.rope_theta, config.rope_scaling)
    angles = positions[:, None] * frequencies

    (q, _), (_, k) = (unturned(model, vector.expand(N, -1)) for vector in (query, key))
    plain = attention_scores(q, k)[0]  # (H, N, N)
    scores = {"none": plain, "alibi": plain + bias}
    for pairing in PAIRINGS:
        turned = rotate(q, angles, pairing), rotate(k, angles, pairing)
        scores[f"rope {pairing}"] = attention_scores(*turned)[0]
    relative = {name: [head[-1:] for head in by_distance(s)] for name, s in scores.items()}

    absolute = {}
    for scheme, table in tables.items():
        # Vaswani et al. lengthen the embeddings before they add sinusoids of length √(D/2).
        factor = config.d_model**0.5 if scheme == "sinusoidal" else 1
        (q, _), (_, k) = (unturned(model, factor * vector + table) for vector in (query, key))
        absolute[scheme] = by_distance(attention_scores(q, k)[0])
    return relative | absolute


class PositionExplorer(PromptExplorer):
    """One query and one key under five position schemes: what is added, turned or shifted.

    Both vectors come from the model's first block. The query belongs to the token before the
    prompt's last one and the key to the token before that: " learning" and " machine" in the
    book's prompt. They can be put at any positions from 0 to 31. The model itself has such scores
    only under its own scheme; the others show what a formula does to the same two tokens.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text that the tokens come from. Setting it computes the scores again.
        scheme: "learned", "sinusoidal", "rope", "alibi" or "none".
        position: where the query is.
        distance: how many positions before it the key is, `position` at most.
        head: the head whose query, key and ALiBi slope are shown.
        pair: the pair of coordinates whose turn is drawn (RoPE).
        pairing: which coordinates form a pair, "halves" or "interleaved" (RoPE).
        ---
        data: {"tokens": the texts of the query's and the key's token, "scores": scheme -> scores,
            see `position_scores`, "queries" and "keys": (H, d) each, before any turn}.
        learned: (N, D), the vectors that are added under "learned", see `learned_table`.
        own: the model's own scheme, as named in `scores`.
        frequencies: (n_rotated / 2,), RoPE's, in radians per position.
        slopes: (H,), ALiBi's.
    """

    folder: ClassVar = Path(__file__).parent

    scheme = Unicode("rope").tag(sync=True)
    position = Int(3).tag(sync=True)
    distance = Int(1).tag(sync=True)
    head = Int(0).tag(sync=True)
    pair = Int(0).tag(sync=True)
    pairing = Unicode("halves").tag(sync=True)
    learned = List().tag(sync=True)
    own = Unicode().tag(sync=True)
    frequencies = List(Float()).tag(sync=True)
    slopes = List(Float()).tag(sync=True)

    def __init__(self, model, tokenizer, prompt=PROMPT, **settings):
        self.model, self.tokenizer, config = model, tokenizer, model.config
        sinusoids = sinusoidal(torch.arange(N), config.d_model)
        self._added = {"learned": learned_table(model), "sinusoidal": sinusoids}
        frequencies = rope_frequencies(config.n_rotated, config.rope_theta, config.rope_scaling)
        super().__init__(
            prompt=prompt,
            learned=rounded(self._added["learned"]),
            own=score_name(config.position, config.rope_pairing),
            frequencies=shortest_decimals(frequencies),
            slopes=alibi_slopes(config.n_heads).tolist(),
            **settings,
        )

    def fallback(self) -> str:
        names = [score_name(scheme, self.pairing) for scheme in SCHEMES]
        columns = [self.data["scores"][name][self.head][-1] for name in names]
        rows = [[str(d), *(f"{c[d]:.2f}" for c in columns)] for d in FALLBACK_DISTANCES]
        query, key = self.data["tokens"]
        caption = f"Scores of {query!r} at position {N - 1} and {key!r} before it, head {self.head}"
        return fallback_table(caption, ["distance", *names], rows)

    @validate("scheme", "pairing")
    def _check_name(self, proposal):
        allowed = SCHEMES if proposal.trait.name == "scheme" else PAIRINGS
        if proposal.value not in allowed:
            raise ValueError(
                f"{proposal.trait.name}={proposal.value!r} is unknown; choose from {allowed}"
            )
        return proposal.value

    @validate("position", "distance", "head", "pair")
    def _check_number(self, proposal):
        config = self.model.config
        counts = {"head": config.n_heads, "pair": config.n_rotated // 2}
        count = counts.get(proposal.trait.name, N)
        if not 0 <= proposal.value < count:
            raise ValueError(
                f"{proposal.trait.name}={proposal.value} is outside of 0 to {count - 1}"
            )
        return proposal.value

    def compute(self, text: str) -> dict:
        check_prompt(text)
        ids = self.tokenizer.encode(text)  # of any length: only two ids are computed
        if len(ids) < POSITION_LEAST_TOKENS:
            raise ValueError(POSITION_TOO_SHORT.format(n=len(ids), least=POSITION_LEAST_TOKENS))
        key_id, query_id, _ = ids[-POSITION_LEAST_TOKENS:]
        with torch.inference_mode():
            key, query = embed(torch.tensor([key_id, query_id]), self.model.embedding)
            scores = position_scores(self.model, query, key, self._added)
            both = zip((query, key), range(2), strict=True)  # (1, H, 1, d) each
            queries, keys = (rounded(unturned(self.model, x[None])[i][0, :, 0], 3) for x, i in both)
        tokens = [token_text(self.tokenizer, token_id) for token_id in (query_id, key_id)]
        return {"data": {"tokens": tokens, "scores": scores, "queries": queries, "keys": keys}}
