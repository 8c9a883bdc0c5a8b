"""How fast the engine decodes, beside `transformers`, measured side by side in one run.

    python benchmarks/decoding.py [--rounds 7]

Variants take turns, call after call. A table has the median of a step in milliseconds, the middle
half, and the ratio to the first row. The ids are compared. The results go to
src/oneprompt/assets/decoding.json, with the machine that made them.
"""

import argparse
import json
import math
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import torch
from tqdm import tqdm
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    StoppingCriteria,
    StoppingCriteriaList,
)

import oneprompt as op
from oneprompt.checkpoints.own import ASSETS
from oneprompt.corpus.documents import CANONICAL, ask, training_documents

THREADS, PROMPT_LENGTH, N_NEW, PREFILL = 2, 32, 96, 512
RESULTS = ASSETS / "decoding.json"


# The models: two shapes of the field with random weights, and the book's own.


def save_shapes(folder: Path) -> dict[str, Path]:
    """Checkpoints that both sides load: GPT-2 (124 M), SmolLM2 (135 M), the reference (2.2 M)."""
    torch.manual_seed(0)
    gpt2 = GPT2Config(eos_token_id=None, bos_token_id=None)
    GPT2LMHeadModel(gpt2).eval().save_pretrained(folder / "GPT-2")
    smollm2 = LlamaConfig(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
        num_attention_heads=9, num_key_value_heads=3, max_position_embeddings=2048,
        rms_norm_eps=1e-5, tie_word_embeddings=True, initializer_range=0.04,
        eos_token_id=None, bos_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(smollm2).eval().save_pretrained(folder / "SmolLM2")
    op.export_hf(op.load_model(), op.load_tokenizer(), folder / "reference")
    return {name: folder / name for name in ("GPT-2", "SmolLM2", "reference")}


def load_ours(name: str, folder: Path) -> op.Transformer:
    if name == "reference":
        return op.load_model()
    return op.load_pretrained(folder, ignore=["transformers_version", "dtype"])[0]


def load_theirs(folder: Path, dtype=torch.float32):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()


def random_prompt(vocab_size: int, length: int = PROMPT_LENGTH, seed: int = 1) -> list[int]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, vocab_size, (length,), generator=generator).tolist()


# One call of each side: the seconds of every token, the prompt's first, and the ids.


class Clock(StoppingCriteria):
    """Notes the time after every token of `transformers.generate`."""

    def __init__(self):
        self.times = []

    def __call__(self, ids, scores, **kwargs):
        self.times.append(time.perf_counter())
        return torch.zeros(ids.shape[0], dtype=torch.bool)


def run_theirs(model, ids: list[int], n_new: int, **settings) -> tuple[list[float], list[int]]:
    clock, rows, start = Clock(), torch.tensor([ids]), time.perf_counter()
    with torch.inference_mode():
        out = model.generate(
            rows, attention_mask=torch.ones_like(rows), max_new_tokens=n_new, do_sample=False,
            eos_token_id=None, pad_token_id=0, stopping_criteria=StoppingCriteriaList([clock]),
            **settings,
        )  # fmt: skip
    return differences([start, *clock.times]), out[0, len(ids) :].tolist()


def run_ours(ids_of: Callable[[], Iterator[int]]) -> tuple[list[float], list[int]]:
    times, ids = [time.perf_counter()], []
    for token_id in ids_of():
        ids.append(token_id)
        times.append(time.perf_counter())
    return differences(times), ids


def differences(times: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


def alternate(variants: dict[str, Callable], rounds: int, desc: str) -> dict[str, list]:
    """name -> what each call gave, with the variants taking turns; a first call is not counted."""
    for run in variants.values():
        run()
    found = {name: [] for name in variants}
    for n in tqdm(range(rounds), desc=desc):
        names = list(variants)
        for name in names if n % 2 else names[::-1]:
            found[name].append(variants[name]())
    return found


def summary(seconds: list[float]) -> dict[str, float]:
    """Median and the middle half, in milliseconds."""
    low, middle, high = statistics.quantiles(seconds, n=4)
    return {"ms": 1000 * middle, "low": 1000 * low, "high": 1000 * high}


# What is measured.


def decode(name: str, folder: Path, rounds: int) -> dict:
    """Cached greedy decoding, fp32 and less: milliseconds per token after the first."""
    ours, theirs = load_ours(name, folder), load_theirs(folder)
    ids = random_prompt(ours.config.vocab_size)
    variants = {"transformers fp32": lambda: run_theirs(theirs, ids, N_NEW)}
    models = {"fp32": ours, "bf16": load_ours(name, folder).bfloat16()}
    for kind, model in models.items():
        variants[f"oneprompt {kind}"] = lambda model=model: run_ours(
            lambda: op.stream(model, ids, N_NEW, stop_ids=())
        )
    found = alternate(variants, rounds, name)
    expected = found["transformers fp32"][0][1]
    rows = {}
    for variant, calls in found.items():
        steps = [step for times, _ in calls for step in times[1:]]
        text = calls[0][1]
        same = sum(a == b for a, b in zip(text, expected, strict=True))
        rows[variant] = summary(steps) | {"same_ids": same, "of": N_NEW}
    bound = bandwidth_bound(ours)
    for variant in rows:
        rows[variant]["share_of_bound"] = bound / rows[variant]["ms"]
    return {"rows": rows, "bound_ms": bound}


def bandwidth_bound(model: op.Transformer) -> float:
    """Milliseconds to read all weights once in fp32, the least that a token can take."""
    flat = torch.cat([p.detach().float().flatten() for p in model.parameters()])
    times = []
    for _ in range(60):
        start = time.perf_counter()
        flat.sum()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.quantiles(times, n=20)[0]


def prefill(name: str, folder: Path, rounds: int) -> dict:
    """A prompt of 512 tokens up to its first new one."""
    ours, theirs = load_ours(name, folder), load_theirs(folder)
    longest = ours.config.context_length - 1
    ids = random_prompt(ours.config.vocab_size, min(PREFILL, longest))
    variants = {
        "transformers fp32": lambda: run_theirs(theirs, ids, 1),
        "oneprompt fp32": lambda: run_ours(lambda: op.stream(ours, ids, 1, stop_ids=())),
    }
    found = alternate(variants, rounds, f"{name}, prompt of {len(ids)}")
    rows = {variant: summary([times[0] for times, _ in calls]) for variant, calls in found.items()}
    return {"tokens": len(ids), "rows": rows}


def by_length(rounds: int) -> dict:
    """The reference model's time per token at growing lengths, and the exponents of the growth."""
    model, lengths = op.load_model(), (32, 64, 128, 248)
    prompts = {n: random_prompt(model.config.vocab_size, n) for n in lengths}
    ways = {}
    for use_cache in (True, False):
        for n in lengths:
            ways[use_cache, n] = lambda n=n, use_cache=use_cache: run_ours(
                lambda: op.stream(model, prompts[n], 8, stop_ids=(), use_cache=use_cache)
            )
    found = alternate(ways, rounds, "lengths")
    result = {}
    for use_cache, name in ((True, "with a cache"), (False, "without a cache")):
        times = [
            statistics.median(step for times, _ in found[use_cache, n] for step in times[1:])
            for n in lengths
        ]
        logs = [[math.log(x) for x in values] for values in (lengths, times)]
        slope = statistics.linear_regression(*logs).slope
        result[name] = {"ms": [1000 * t for t in times], "exponent": slope}
    return {"lengths": lengths} | result


def batches(folder: Path, rounds: int) -> dict:
    """Tokens per second of 1 to 16 texts at once, on the shape of GPT-2."""
    model, n_new = load_ours("GPT-2", folder), 16
    prompts = [random_prompt(model.config.vocab_size, 32, seed) for seed in range(16)]
    ways = {
        B: lambda B=B: timed(lambda: op.generate(model, prompts[:B], n_new, stop_ids=()))
        for B in (1, 2, 4, 8, 16)
    }
    found = alternate(ways, max(2, rounds // 2), "batches")
    return {B: B * n_new / statistics.median(seconds) for B, seconds in found.items()}


def timed(run: Callable) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def speculation(rounds: int) -> dict:
    """The shipped pair on eight questions: a draft model, an n-gram table, and neither."""
    tokenizer, target, draft = op.load_tokenizer(), op.load_model(), op.load_model("draft")
    texts = (document.text for document in training_documents(8000))
    documents = [[*tokenizer.encode(text), tokenizer.eos_id] for text in texts]
    table = op.NGramTable(documents, tokenizer.vocab_size)
    prompts = [tokenizer.encode(ask(CANONICAL, entry)) for entry in op.load_glossary()[:8]]
    expected = [op.generate(target, ids, N_NEW).ids for ids in prompts]
    runs = {"plain": lambda ids: op.generate(target, ids, N_NEW)}
    for name, proposer in (("draft model", draft), ("4-gram table", table)):
        for gamma in (2, 5, 8):
            decoder = op.SpeculativeDecoder(target, proposer)
            runs[f"{name}, gamma {gamma}"] = lambda ids, decoder=decoder, gamma=gamma: (
                decoder.generate(ids, N_NEW, gamma=gamma)
            )
    results = {name: [run(ids) for ids in prompts] for name, run in runs.items()}
    for name, found in results.items():
        assert [each.ids for each in found] == expected, name
    ways = {
        name: lambda run=run: timed(lambda: [run(ids) for ids in prompts])
        for name, run in runs.items()
    }
    seconds = alternate(ways, rounds, "speculation")
    plain, n_tokens = statistics.median(seconds["plain"]), sum(map(len, expected))
    return {
        name: {
            "speedup": plain / statistics.median(seconds[name]),
            "tokens_per_pass": n_tokens / sum(each.target_passes for each in found),
            "ms_per_token": 1000 * statistics.median(seconds[name]) / n_tokens,
        }
        for name, found in results.items()
    }


# The report.


def table(title: str, rows: dict[str, dict]) -> None:
    first = next(iter(rows.values()))["ms"]
    print(f"\n{title}")
    for name, row in rows.items():
        more = f"  {row['share_of_bound']:.2f} of the bound" if "share_of_bound" in row else ""
        more += f"  {row['same_ids']} of {row['of']} ids" if "same_ids" in row else ""
        spread = f"({row['low']:.2f} to {row['high']:.2f})"
        print(f"  {name:20}{row['ms']:9.2f} ms {spread:20}{first / row['ms']:6.2f}x{more}")


def report(results: dict) -> None:
    for name, found in results["decode"].items():
        table(f"{name}: a token after a prompt of {PROMPT_LENGTH}", found["rows"])
    for name, found in results["prefill"].items():
        table(f"{name}: a prompt of {found['tokens']} tokens", found["rows"])
    print("\nGrowth of the time per token with the length")
    for name in ("with a cache", "without a cache"):
        print(f"  {name:20} exponent {results['lengths'][name]['exponent']:.2f}")
    print("\nTokens per second by texts at once:", results["batches"])
    print("\nSpeculation on the shipped pair, over the plain loop")
    for name, row in results["speculation"].items():
        print(f"  {name:24}{row['speedup']:6.2f}x  {row['tokens_per_pass']:.2f} tokens per pass")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure decoding beside transformers.")
    parser.add_argument("--rounds", type=int, default=7, help="calls of each variant")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as folder:
        shapes = save_shapes(Path(folder))
        results = {
            "machine": f"{platform.processor() or platform.machine()}, {THREADS} threads, "
            f"torch {torch.__version__}",
            "decode": {name: decode(name, path, args.rounds) for name, path in shapes.items()},
            "prefill": {
                name: prefill(name, shapes[name], args.rounds) for name in ("GPT-2", "SmolLM2")
            },
            "lengths": by_length(args.rounds),
            "batches": batches(shapes["GPT-2"], args.rounds),
            "speculation": speculation(args.rounds),
        }
    report(results)
    args.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
