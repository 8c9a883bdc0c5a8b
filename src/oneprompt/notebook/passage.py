"""The book's prompt on its way through the reference model: what the picture of the model shows."""

from dataclasses import dataclass
from functools import cache

import torch

import oneprompt as op

from ..answers import PROMPT
from .visible import visible

GAMMA = 4  # tokens that the draft guesses in the picture
SHORT_TOKENS = ["What", "is", "mach.", "learn.", "?"]  # the prompt's, for narrow columns


@dataclass(frozen=True)
class Passage:
    """One prompt through the model. T tokens, D = d_model, H heads.

    Attributes:
        prompt, tokens, ids: the text, its T tokens with a mark for the space, and their ids.
        embedding: (T, D) numbers.
        heads: (H, T, T) weights of the block whose head looks back at the previous token most.
        logits: the scores of the likeliest next tokens, the best first.
        chosen, chance: the likeliest next token, and its probability.
        answer: the first tokens that generation appends.
        drafted: the tokens of the first speculative pass, each with "✓", or "✗" where the target
            had another one.
        n_layers, d_model, d_ff, vocab_size: of the model.
    """

    prompt: str
    tokens: list[str]
    ids: list[int]
    embedding: list[list[float]]
    heads: list[list[list[float]]]
    logits: list[float]
    chosen: str
    chance: float
    answer: list[str]
    drafted: list[tuple[str, str]]
    n_layers: int
    d_model: int
    d_ff: int
    vocab_size: int


@cache
@torch.no_grad()
def passage() -> Passage:
    """The book's prompt through the reference pair; computed once."""
    model, draft, tokenizer = op.load_model(), op.load_model("draft"), op.load_tokenizer()
    config = model.config
    ids = tokenizer.encode(PROMPT)
    trace = model.trace(torch.tensor([ids]))
    weights = torch.stack([layer.weights[0] for layer in trace.layers])  # (L, H, T, T)
    looks_back = weights.diagonal(-1, dim1=-2, dim2=-1).mean(dim=-1)  # (L, H)
    block = int(looks_back.amax(dim=1).argmax())
    best = trace.logits[0, -1].topk(12)
    answer = op.generate(model, ids, max_new_tokens=4).ids
    first = next(iter(op.SpeculativeDecoder(model, draft).passes(ids, 2 * GAMMA, gamma=GAMMA)))
    marks = ["✓"] * first.accepted + ["✗"] * (len(first.drafted) - first.accepted)
    return Passage(
        prompt=PROMPT,
        tokens=[_shown(tokenizer, i) for i in ids],
        ids=ids,
        embedding=trace.embedding[0].tolist(),
        heads=weights[block].tolist(),
        logits=best.values.tolist(),
        chosen=_shown(tokenizer, int(best.indices[0])),
        chance=float(trace.logits[0, -1].softmax(-1).max()),
        answer=[_shown(tokenizer, i) for i in answer],
        drafted=[(_shown(tokenizer, i), m) for i, m in zip(first.drafted, marks, strict=True)],
        n_layers=config.n_layers,
        d_model=config.d_model,
        d_ff=config.d_ff,
        vocab_size=config.vocab_size,
    )


def _shown(tokenizer, token_id: int) -> str:
    return visible(tokenizer.decode([token_id]))
