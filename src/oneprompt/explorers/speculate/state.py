"""What the speculation explorer shows: every pass of the target in a speculative generation."""

from itertools import chain

import torch
from torch import Tensor

from oneprompt.draft import ModelDraft
from oneprompt.explorers.shared import (
    SPECULATE_CANDIDATES,
    SPECULATE_GAMMAS,
    SPECULATE_MAX_NEW,
    SPECULATE_SEEDS,
)
from oneprompt.model import Transformer
from oneprompt.sample import GREEDY, Sampling, probabilities, uniforms
from oneprompt.speculate import Pass, SpeculativeDecoder, expected_tokens_per_pass, residual


def blocks_of(target, draft, ids: list[int], sampling: Sampling, seed: int, gamma: int) -> list:
    """One block (see `block_of`) per pass of the target."""
    drafting = draft
    if isinstance(draft, Transformer):
        drafting = ModelDraft(draft, uniforms(-seed))  # its own random numbers
    decoder = SpeculativeDecoder(target, drafting)
    passes = decoder.passes(ids, SPECULATE_MAX_NEW, sampling, gamma=gamma, seed=seed)
    blocks, text = [], list(ids)
    for done in passes:
        p = probabilities(done.logits, sampling)
        blocks.append(block_of(done, p, plain(draft, text, done) if sampling == GREEDY else None))
        text += done.new
    return blocks


@torch.inference_mode()
def plain(draft, text: list[int], done: Pass) -> tuple[Tensor, Tensor]:
    """The p and q of a pass at temperature 1, which greedy models have, too."""
    p = probabilities(done.logits, Sampling())
    if not isinstance(draft, Transformer) or not done.drafted:
        return p, done.q
    logits = draft(torch.tensor([[*text, *done.drafted[:-1]]]), last=len(done.drafted))[0]
    return p, probabilities(logits, Sampling())


def block_of(done: Pass, p: Tensor, shown: tuple[Tensor, Tensor] | None) -> dict:
    """What is shown of a pass.

    Args:
        p: (n + 1, V), the distributions of the target that decided.
        shown: (n + 1, V) and (n, V), the p and q that are shown, if not those that decided.

    Returns:
        the "drafted" ids; "q" of each; "p" and "u", the random number, of those that were examined,
        up to the first rejection; how many were "kept"; the target's "own" id, None if the text
        ended with a drafted one; "candidates" for it, see `candidates`.
    """
    drafted, kept = done.drafted, done.accepted
    p_shown, q_shown = shown or (p, done.q)
    own = done.new[kept] if kept < len(done.new) else None
    rejected = drafted[kept : kept + 1]
    drawn_from = residual(p[kept], done.q[kept]) if rejected else p[kept]
    rows = p_shown[kept], q_shown[kept] if rejected else None, drawn_from
    rank = p_shown[kept] if shown else drawn_from
    return {
        "drafted": drafted,
        "q": [short(row[token]) for token, row in zip(drafted, q_shown, strict=True)],
        "p": [short(row[token]) for token, row, _ in zip(drafted, p_shown, done.u, strict=False)],
        "u": [short(u) for u in done.u],
        "kept": kept,
        "own": own,
        "candidates": [] if own is None else candidates(*rows, rank, [own, *rejected]),
    }


def candidates(
    p: Tensor, q: Tensor | None, drawn_from: Tensor, rank: Tensor, first: list[int]
) -> list[list]:
    """The tokens worth showing where the target chooses its own, the likeliest under p first.

    Args:
        p: (V,), the target's distribution.
        q: (V,), the draft's, None after a full acceptance.
        drawn_from: (V,), the residual, or p.
        rank: (V,), by which they are chosen.
        first: tokens that must be among them.

    Returns:
        [token, p, q, share] for each: q is None after a full acceptance, and share is the
        probability that it was drawn with.
    """
    likely = rank.topk(SPECULATE_CANDIDATES).indices.tolist()
    tokens = dict.fromkeys(first + [token for token in likely if rank[token] > 0])
    shown = sorted(list(tokens)[:SPECULATE_CANDIDATES], key=lambda token: -p[token].item())
    return [
        [token, short(p[token]), None if q is None else short(q[token]), short(drawn_from[token])]
        for token in shown
    ]


def short(number: float | Tensor) -> float:
    """Four significant digits: enough to draw."""
    return float(f"{float(number):.4g}")


def acceptance(runs: list) -> float:
    """The share of examined ids that were kept; 0 if none were examined."""
    blocks = [block for run in runs for block in run]
    examined = sum(len(block["u"]) for block in blocks)
    return sum(block["kept"] for block in blocks) / max(examined, 1)


def named(block: dict, places: dict[int, int]) -> dict:
    """The block with places in place of ids: a new id gets the next one."""

    def place(token: int | None) -> int | None:
        return None if token is None else places.setdefault(token, len(places))

    return block | {
        "drafted": [place(token) for token in block["drafted"]],
        "own": place(block["own"]),
        "candidates": [[place(token), *numbers] for token, *numbers in block["candidates"]],
    }


def generations(target, draft, ids: list[int], temperature: float) -> tuple[dict, list[int]]:
    """The texts of a prompt, greedy and one per seed at the temperature, each with every gamma.

    Returns:
        {"runs": of each text, a list of blocks per gamma (`block_of`), "acceptance": mode -> the
        share of examined ids that were kept, over all of its runs, "expected": mode -> the tokens
        per pass that the formula expects from this share, per gamma}, and the ids in use: blocks
        name an id by its place among them.
    """
    choices = [(GREEDY, 1), *((Sampling(temperature), seed) for seed in SPECULATE_SEEDS)]
    runs = [
        [blocks_of(target, draft, ids, *choice, gamma) for gamma in SPECULATE_GAMMAS]
        for choice in choices
    ]
    greedy, *sampled = runs
    shares = {"greedy": acceptance(greedy), "sampled": acceptance(list(chain(*sampled)))}
    expected = {
        mode: [short(expected_tokens_per_pass(share, gamma)) for gamma in SPECULATE_GAMMAS]
        for mode, share in shares.items()
    }
    places = {}
    runs = [[[named(block, places) for block in run] for run in each] for each in runs]
    return {"runs": runs, "acceptance": shares, "expected": expected}, list(places)
