"""What the speculation explorer shows: every pass of the target in a speculative generation."""

from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor

from oneprompt.draft import ModelDraft
from oneprompt.model import Transformer
from oneprompt.sample import GREEDY, Sampling, probabilities, uniforms
from oneprompt.speculate import SpeculativeDecoder, expected_tokens_per_pass, residual

# The same numbers stand in passes.js.
GAMMAS = range(1, 11)
SEEDS = range(1, 4)
MAX_NEW_TOKENS = 48
CANDIDATES = 4  # tokens shown where the target chooses one of its own


class Recorder:
    """A draft that remembers what it proposed: the text's length, the tokens, and q."""

    def __init__(self, draft):
        self.draft, self.vocab_size, self.proposals = draft, draft.vocab_size, []

    def propose(self, ids, gamma: int, sampling: Sampling) -> tuple[list[int], Tensor]:
        tokens, q = self.draft.propose(ids, gamma, sampling)
        self.proposals.append((len(ids), tokens, q))
        return tokens, q


@torch.inference_mode()
def blocks_of(target, draft, ids: list[int], sampling: Sampling, seed: int, gamma: int) -> list:
    """One block (see `block_of`) per target pass of `SpeculativeDecoder.generate`."""
    if isinstance(draft, Transformer):
        draft = ModelDraft(draft, uniforms(-seed))  # random numbers of its own
    recorder = Recorder(draft)
    decoder = SpeculativeDecoder(target, recorder)
    result = decoder.generate(ids, MAX_NEW_TOKENS, sampling, gamma=gamma, seed=seed)
    text = [*ids, *result.ids]
    p = probabilities(target(torch.tensor([text[:-1]]))[0], sampling)  # row t: what follows token t
    random = uniforms(seed)  # the numbers that `verify` used

    ends = [start for start, _, _ in recorder.proposals[1:]] + [len(text)]
    return [
        block_of(drafted, q, text[start:end], p[start - 1 :], random)
        for (start, drafted, q), end in zip(recorder.proposals, ends, strict=True)
    ]


def block_of(
    drafted: list[int], q: Tensor, new: list[int], p: Tensor, random: Iterator[float]
) -> dict:
    """What one pass of the target did.

    Args:
        drafted, q: what the draft proposed.
        new: the ids that the pass added to the text.
        p: the target's distributions, row i for the i-th new id.
        random: one number per examined id and one for the target's own.

    Returns:
        the "drafted" ids; "q" of each; "p" and "u", the random number, of those that were examined,
        up to the first rejection; how many were "kept"; the target's "own" id, None where the text
        ended in a drafted one; "candidates" for it, see `candidates`.
    """
    kept = next((i for i, id in enumerate(drafted) if new[i : i + 1] != [id]), len(drafted))
    own = new[kept] if kept < len(new) else None
    examined = drafted[: kept + (own is not None)]
    block = {
        "drafted": drafted,
        "q": [short(q[i, id]) for i, id in enumerate(drafted)],
        "p": [short(p[i, id]) for i, id in enumerate(examined)],
        "u": [short(next(random)) for _ in examined],
        "kept": kept,
        "own": own,
        "candidates": [],
    }
    if own is not None:
        next(random)
        rejected = drafted[kept : kept + 1]
        row = q[kept] if rejected else None
        block["candidates"] = candidates(p[kept], row, [own, *rejected])
    return block


def candidates(p: Tensor, q: Tensor | None, first: list[int]) -> list[list]:
    """The tokens worth showing where the target chooses its own, the likeliest under p in front.

    Returns:
        [id, p, q, share] for each: q is None after a full acceptance, and share is the probability
        that it was drawn with, the residual's or p.
    """
    drawn_from = p if q is None else residual(p, q)
    likely = [id for id in drawn_from.topk(CANDIDATES).indices.tolist() if drawn_from[id] > 0]
    ids = sorted(list(dict.fromkeys(first + likely))[:CANDIDATES], key=lambda id: -p[id].item())
    return [
        [id, short(p[id]), None if q is None else short(q[id]), short(drawn_from[id])] for id in ids
    ]


def short(number: float | Tensor) -> float:
    """Four significant digits: enough to draw."""
    return float(f"{float(number):.4g}")


def acceptance(runs: list) -> float:
    """The share of examined ids that were kept; 0 where there was none."""
    blocks = [block for run in runs for block in run]
    examined = sum(len(block["u"]) for block in blocks)
    return sum(block["kept"] for block in blocks) / max(examined, 1)


def named(block: dict, places: dict[int, int]) -> dict:
    """The block with places in place of ids: a new id gets the next one."""

    def place(id: int | None) -> int | None:
        return None if id is None else places.setdefault(id, len(places))

    return block | {
        "drafted": [place(id) for id in block["drafted"]],
        "own": place(block["own"]),
        "candidates": [[place(id), *numbers] for id, *numbers in block["candidates"]],
    }


def generations(target, draft, ids: list[int], temperature: float) -> tuple[dict, list[int]]:
    """The texts of a prompt, greedy and one per seed at the temperature, each with every gamma.

    Returns:
        {"runs": of each text, a list of blocks per gamma (`block_of`), "acceptance": mode -> the
        share of examined ids that were kept, over all of its runs, "expected": mode -> tokens per
        pass that the formula expects of this share, per gamma}, and the ids in use: blocks name an
        id by its place among them.
    """
    choices = [(GREEDY, 1), *((Sampling(temperature), seed) for seed in SEEDS)]
    runs = [[blocks_of(target, draft, ids, *each, gamma) for gamma in GAMMAS] for each in choices]
    greedy, *sampled = runs
    shares = {"greedy": acceptance(greedy), "sampled": acceptance(list(chain(*sampled)))}
    expected = {
        mode: [short(expected_tokens_per_pass(share, gamma)) for gamma in GAMMAS]
        for mode, share in shares.items()
    }
    places = {}
    runs = [[[named(block, places) for block in run] for run in each] for each in runs]
    return {"runs": runs, "acceptance": shares, "expected": expected}, list(places)
