"""The explorer of chapter 9: a speculative generation, pass by pass, and what its gamma costs."""

from collections.abc import Iterator
from itertools import chain
from typing import ClassVar

import torch
from torch import Tensor
from traitlets import Dict, Float, Int, List, Unicode, observe, validate

from oneprompt.autoregress import resolve_stop_ids
from oneprompt.draft import ModelDraft
from oneprompt.explorers.base import Explorer, fallback_table
from oneprompt.explorers.sample import token_text
from oneprompt.model import Transformer
from oneprompt.sample import GREEDY, Sampling, probabilities, uniforms
from oneprompt.speculate import SpeculativeDecoder, expected_tokens_per_pass, residual

GAMMAS = range(1, 11)
SEEDS = range(1, 4)
MODES = ("greedy", "sampled")
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


class SpeculationExplorer(Explorer):
    """A speculative generation, one pass of the target after another.

    `draft` is a model or anything else that proposes. Every text was made by `SpeculativeDecoder`.

    Attributes (all synced; those above the line can be set from Python):
        prompt: the text that is continued. Setting it runs both models.
        mode: "greedy" or "sampled".
        seed: which of the sampled texts, 1 to 3.
        temperature: of the sampled texts, above 0. Setting it runs both models.
        gamma: how many ids to draft per pass, 1 to 10.
        step: which pass is shown, from 1 on. A new gamma, mode, seed or text goes back to 1.
        cost: c of the cost curve, a draft pass in units of a target pass, 0 to 1.
        ---
        tokens: the texts of the ids in use; blocks name a token by its place in this list.
        runs: the greedy text and one per seed; of each, a list of blocks per gamma (`block_of`).
        acceptance: mode -> the share of examined ids that were kept, over all of its runs.
        expected: mode -> tokens per pass that the formula expects of this share, per gamma.
    """

    modules: ClassVar = ("speculate.js",)

    prompt = Unicode().tag(sync=True)
    mode = Unicode("greedy").tag(sync=True)
    seed = Int(1).tag(sync=True)
    temperature = Float(1.0).tag(sync=True)
    gamma = Int(5).tag(sync=True)
    step = Int(1).tag(sync=True)
    cost = Float(0.1).tag(sync=True)
    tokens = List(Unicode()).tag(sync=True)
    runs = List().tag(sync=True)
    acceptance = Dict().tag(sync=True)
    expected = Dict().tag(sync=True)

    def __init__(self, target, draft, tokenizer, prompt="What is machine learning?", **settings):
        self.target, self.draft, self.tokenizer = target, draft, tokenizer
        step = settings.pop("step", 1)
        super().__init__(prompt=prompt, **settings)
        self.step = step

    @property
    def run(self) -> list[dict]:
        """The blocks of the selected text."""
        which = self.seed if self.mode == "sampled" else 0
        return self.runs[which][self.gamma - GAMMAS[0]]

    def fallback(self) -> str:
        rows = []
        for number, block in enumerate(self.run, start=1):
            drafted, own = self._texts(block["drafted"]), self._texts([block["own"]])
            rows.append([str(number), drafted, str(block["kept"]), own])
        caption = f"“{self.prompt}”, {self.mode}, {self.gamma} tokens drafted per pass"
        return fallback_table(caption, ["pass", "drafted", "kept", "added"], rows)

    def _text(self, id: int) -> str:
        ends = resolve_stop_ids(self.target, None)
        return "(end)" if id in ends else token_text(self.tokenizer, id)

    def _texts(self, places: list[int | None]) -> str:
        return "".join(self.tokens[place] for place in places if place is not None)

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
        ids, places = self.tokenizer.encode(prompt), {}
        choices = [(GREEDY, 1), *((Sampling(temperature), seed) for seed in SEEDS)]
        runs = [
            [blocks_of(self.target, self.draft, ids, *choice, gamma) for gamma in GAMMAS]
            for choice in choices
        ]
        greedy, *sampled = runs
        shares = acceptance(greedy), acceptance(list(chain(*sampled)))
        self.acceptance = dict(zip(MODES, shares, strict=True))
        self.expected = {
            mode: [short(expected_tokens_per_pass(share, gamma)) for gamma in GAMMAS]
            for mode, share in self.acceptance.items()
        }
        self.runs = [[[named(block, places) for block in run] for run in each] for each in runs]
        self.tokens = [self._text(id) for id in places]
        self.step = 1

    @observe("gamma", "mode", "seed")
    def _start_over(self, change):
        self.step = 1


def named(block: dict, places: dict[int, int]) -> dict:
    """The block with places in place of ids: a new id gets the next one."""

    def place(id: int | None) -> int | None:
        return None if id is None else places.setdefault(id, len(places))

    return block | {
        "drafted": [place(id) for id in block["drafted"]],
        "own": place(block["own"]),
        "candidates": [[place(id), *numbers] for id, *numbers in block["candidates"]],
    }
