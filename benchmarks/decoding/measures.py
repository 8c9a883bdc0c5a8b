"""What is measured: decoding, the prompt, growth with the length, batches and memory."""

import math
import multiprocessing
import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

import oneprompt as op
from oneprompt.compact import to_int8

from .sides import load_ours, load_theirs, prompt_of, random_prompt, run_ours, run_theirs
from .timing import alternate, compare, repeat, timed

BASE = "transformers fp32"
SHARE_OF_BYTES = {"fp32": 1, "bf16": 1 / 2, "int8": 1 / 4}


class Size(NamedTuple):
    """How much is measured."""

    rounds: int = 7
    prompt: int = 32
    n_new: int = 96
    prefill: int = 512
    lengths: tuple[int, ...] = (64, 128, 256, 512)
    batches: tuple[int, ...] = (1, 2, 4, 8, 16)
    gammas: tuple[int, ...] = (2, 5, 8)
    questions: int = 8


FULL = Size()
QUICK = Size(
    rounds=2, n_new=8, prefill=64, lengths=(16, 64), batches=(1, 2), gammas=(5,), questions=2
)


def decode(name: str, folder: Path, size: Size) -> dict:
    """Cached greedy decoding in 32, 16 and 8 bits; milliseconds per token after the first."""
    theirs = {"fp32": load_theirs(folder), "bf16": load_theirs(folder, torch.bfloat16)}
    ours = {
        "fp32": load_ours(name, folder),
        "bf16": load_ours(name, folder).bfloat16(),
        "int8": to_int8(load_ours(name, folder)),
    }
    ids = prompt_of(name, ours["fp32"].config.vocab_size, size.prompt)
    ways = {f"transformers {kind}": lambda model=model: run_theirs(model, ids, size.n_new)
            for kind, model in theirs.items()}  # fmt: skip
    ways |= {f"oneprompt {kind}": lambda model=model: run_ours(model, ids, size.n_new)
             for kind, model in ours.items()}  # fmt: skip
    readers = readings(ours["fp32"])
    reading = {reader: lambda run=run: repeat(run) for reader, run in readers.items()}
    found = alternate(ways | reading, size.rounds, name)
    fastest = [min(call.seconds) for reader in readers for call in found.pop(reader)]
    bound, rows = 1000 * min(fastest), compare(found, BASE)
    expected = found[BASE][0].ids
    for way, row in rows.items():
        row["share_of_bound"] = SHARE_OF_BYTES[way.split()[1]] * bound / row["ms"]["median"]
        row["same_ids"] = first_difference(found[way][0].ids, expected)
        if way.startswith("oneprompt"):
            model = ours[way.split()[1]]
            row["logit_difference"] = logit_difference(model, ours["fp32"], ids)
    return {"rows": rows, "bound_ms": bound, "ids": size.n_new}


def readings(model: op.Transformer) -> dict[str, Callable[[], Tensor]]:
    """Ways to read as many bytes as the fp32 weights have: the fastest bounds a token from below.

    Which of them comes closest to what the memory gives depends on the machine. For weights of
    fewer bytes, the bound is lower in proportion.
    """
    width = 1024
    n = sum(p.numel() for p in model.parameters()) // width * width
    flat, x = torch.ones(n), torch.ones(width)
    return {
        "reading, sum": flat.sum,
        "reading, dot": lambda: torch.dot(flat, flat),
        "reading, product": lambda: F.linear(x, flat.view(-1, width)),
    }


def first_difference(ids: list[int], expected: list[int]) -> int:
    """How many ids are equal before the first that is not."""
    pairs = enumerate(zip(ids, expected, strict=True))
    return next((i for i, (a, b) in pairs if a != b), len(expected))


@torch.inference_mode()
def logit_difference(model: op.Transformer, exact: op.Transformer, ids: list[int]) -> float:
    """The largest difference of a logit on a prompt, in standard deviations of the logits."""
    rows = torch.tensor([ids])
    expected = exact(rows)
    return float((model(rows).float() - expected).abs().max() / expected.std())


def prefill(name: str, folder: Path, size: Size) -> dict:
    """A prompt, up to its first new token."""
    ours, theirs = load_ours(name, folder), load_theirs(folder)
    length = min(size.prefill, ours.config.context_length - 1)
    ids = random_prompt(ours.config.vocab_size, length)
    ways = {
        BASE: lambda: run_theirs(theirs, ids, 1),
        "oneprompt fp32": lambda: run_ours(ours, ids, 1),
    }
    found = alternate(ways, size.rounds, f"{name}, a prompt of {length}")
    return {"tokens": length, "rows": compare(found, BASE)}


def by_length(model: op.Transformer, size: Size) -> dict:
    """Milliseconds per token at growing lengths, and the exponents of the growth."""
    prompts = {n: random_prompt(model.config.vocab_size, n) for n in size.lengths}
    kinds = {"with a cache": True, "without a cache": False}
    ways = {
        f"{kind} {n}": lambda n=n, use=use: run_ours(model, prompts[n], 4, use_cache=use)
        for kind, use in kinds.items()
        for n in size.lengths
    }
    found = alternate(ways, size.rounds, "lengths")
    result = {"lengths": size.lengths}
    for kind in kinds:
        times = [
            statistics.median(call.step for call in found[f"{kind} {n}"]) for n in size.lengths
        ]
        logs = [[math.log(value) for value in values] for values in (size.lengths, times)]
        slope = statistics.linear_regression(*logs).slope
        result[kind] = {"ms": [1000 * seconds for seconds in times], "exponent": slope}
    return result


def batches(model: op.Transformer, size: Size) -> dict[int, float]:
    """Tokens per second when 1 to 16 texts are generated at once."""
    V, n_new = model.config.vocab_size, max(size.n_new // 6, 2)
    prompts = [random_prompt(V, size.prompt, seed) for seed in range(max(size.batches))]
    ways = {
        B: lambda B=B: timed(lambda: op.generate(model, prompts[:B], n_new, stop_ids=()))
        for B in size.batches
    }
    found = alternate(ways, size.rounds, "batches")
    return {
        B: B * n_new / statistics.median(call.step for call in calls) for B, calls in found.items()
    }


def memory(name: str, folder: Path) -> dict[str, float]:
    """Peak megabytes of a process of each side, and of one that has only imported both."""
    peaks = {}
    for side in ("imports", "transformers", "oneprompt"):
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as process:
            peaks[side] = process.submit(peak_megabytes, side, name, folder).result()
    return peaks


def peak_megabytes(side: str, name: str, folder: Path) -> float:
    """The most memory that this process has held, after loading a model and 16 tokens (Linux)."""
    ids = list(range(1, 17))
    if side == "transformers":
        run_theirs(load_theirs(folder), ids, 16)
    elif side == "oneprompt":
        run_ours(load_ours(name, folder), ids, 16)
    # Not getrusage, whose figure begins with that of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) / 1024
