"""Speculation in wall time over the plain loop, and where the time goes.

With pass costs in units of a plain pass, a verifying pass of gamma + 1 rows costs v and one drafted
token costs c, so tokens per pass / (c · gamma + v) is the speedup to expect.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

import oneprompt as op
from oneprompt.corpus.documents import CANONICAL, ask, training_documents
from oneprompt.draft import Draft, ModelDraft

from .measures import Size
from .sides import load_theirs, run_theirs
from .timing import Call, alternate, compare, repeat, timed

PLAIN = "plain"
N_TABLE = 8000  # documents in the n-gram table
REPETITIVE = "\n".join([
    "Here is a list:",
    *(f"{i}. Text number {i} goes through the model, token by token." for i in range(1, 6)),
    "The same list again:", "",
])  # fmt: skip


def shipped_pair(size: Size) -> dict:
    """The reference model on the book's questions, with its draft model and an n-gram table."""
    tokenizer, target = op.load_tokenizer(), op.load_model()
    texts = (document.text for document in training_documents(N_TABLE))
    documents = [[*tokenizer.encode(text), tokenizer.eos_id] for text in texts]
    drafts = {
        "draft model": ModelDraft(op.load_model("draft")),
        "4-gram table": op.NGramTable(documents, tokenizer.vocab_size),
    }
    entries = op.load_glossary()[: size.questions]
    prompts = [tokenizer.encode(ask(CANONICAL, entry)) for entry in entries]
    return race(target, drafts, prompts, size, None)


def lookup(folder: Path, size: Size) -> dict:
    """SmolLM2 on a text that it repeats, by prompt lookup of both sides.

    The prompt asks for a list once more; the answer repeats it, and then goes on and on.
    """
    (target, tokenizer), theirs = op.load_pretrained("smollm2"), load_theirs(folder)
    ids = tokenizer.encode(REPETITIVE)
    others = {
        "transformers": lambda: run_theirs(theirs, ids, size.n_new),
        "transformers, lookup": lambda: run_theirs(
            theirs, ids, size.n_new, prompt_lookup_num_tokens=10
        ),
    }
    drafts = {"prompt lookup": op.PromptLookup(target.config.vocab_size)}
    return race(target, drafts, [ids], size, (), others)


def race(
    target: op.Transformer,
    drafts: dict[str, Draft],
    prompts: list[list[int]],
    size: Size,
    stop_ids: tuple | None,
    others: dict[str, Callable[[], Call]] | None = None,
) -> dict[str, dict]:
    """name -> speedup over the plain loop, with what explains it; every draft at every gamma."""
    settings = {"max_new_tokens": size.n_new, "stop_ids": stop_ids}
    runs = {PLAIN: lambda ids: op.generate(target, ids, **settings)}
    for name, draft in drafts.items():
        proposer = draft.model if isinstance(draft, ModelDraft) else draft
        generate = op.SpeculativeDecoder(target, proposer).generate
        for gamma in size.gammas:
            runs[name, gamma] = partial(generate, gamma=gamma, **settings)
    ways = {
        way: lambda run=run: timed(lambda: [run(ids) for ids in prompts])
        for way, run in runs.items()
    }
    found = alternate(ways | (others or {}), size.rounds, "speculation")
    rows = compare(found, PLAIN, cost=lambda call: sum(call.seconds))
    costs = pass_costs(target, drafts, prompts[0], size)
    expected = [runs[PLAIN](ids).ids for ids in prompts]
    for way, row in rows.items():
        if way in runs:
            row |= explain(way, [runs[way](ids) for ids in prompts], expected, costs)
        else:
            row["texts_are_equal"] = found[way][0].ids == expected[0]
    return {title(way): row for way, row in rows.items()}


def title(way: str | tuple[str, int]) -> str:
    return way if isinstance(way, str) else f"{way[0]}, gamma {way[1]}"


def explain(way, texts: list[op.Generation], expected: list[list[int]], costs: dict) -> dict:
    """Tokens per pass of the target, and the speedup that they and the costs lead to."""
    n_tokens, passes = sum(map(len, expected)), sum(text.target_passes for text in texts)
    found = {
        "texts_are_equal": [text.ids for text in texts] == expected,
        "tokens_per_pass": n_tokens / passes,
    }
    if way == PLAIN:
        return found
    (_, gamma), drafted = way, sum(text.drafted for text in texts)
    v, c = costs["verify", gamma], costs[way]
    return found | {
        "acceptance": sum(text.accepted for text in texts) / max(drafted, 1),
        "v": v,
        "c": c,
        "expected_speedup": n_tokens / passes / (c * gamma + v),
    }


def pass_costs(
    target: op.Transformer, drafts: dict[str, Draft], ids: list[int], size: Size
) -> dict[tuple[str, int], float]:
    """("verify", gamma) -> v and (draft, gamma) -> c, behind a prompt."""
    ways = {("plain", 0): reading(target, ids, 1)}
    for gamma in size.gammas:
        ways["verify", gamma] = reading(target, ids, gamma + 1)
        for name, draft in drafts.items():
            ways[name, gamma] = lambda draft=draft, gamma=gamma: repeat(
                lambda: draft.propose(ids, gamma, op.GREEDY)
            )
    found = alternate(ways, size.rounds, "passes")
    rows = compare(found, ("plain", 0), cost=lambda call: min(call.seconds))  # undisturbed
    costs = {way: 1 / row["speedup"]["median"] for way, row in rows.items()}
    return {way: cost if way[0] == "verify" else cost / max(way[1], 1)
            for way, cost in costs.items()}  # fmt: skip


def reading(target: op.Transformer, ids: list[int], n_rows: int) -> Callable[[], Call]:
    """A way: passes over n_rows ids that follow a cached prompt."""
    cache, rows = target.new_cache(), torch.tensor([ids[:1] * n_rows])
    with torch.inference_mode():
        target(torch.tensor([ids]), cache, last=1)

    @torch.inference_mode()
    def read() -> None:
        cache.rollback(len(ids))
        target(rows, cache)

    return lambda: repeat(read)
