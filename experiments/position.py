"""Five small models that differ only in how they learn about position, read past their context.

    python experiments/position.py

Each has two layers of width 64 and is trained on rows of 64 tokens of the book's text, then tested
on rows of 256. The results go to src/oneprompt/assets/position_experiment.json, which chapter 3
plots:

- "losses": scheme -> one list per seed: nats per token, each number the mean of 8 positions. The
  table of the learned scheme has 64 rows, so it has no loss past position 63.
- "restarted": the same for positions from 64 on, when no token is read more than 63 positions from
  where the model starts to count: windows of 64 tokens, of which the second half is scored.
"""

import argparse
import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

import oneprompt as op
from oneprompt.checkpoints.own import ASSETS
from oneprompt.config import CHOICES
from oneprompt.corpus.documents import Document, text_hash, training_documents
from oneprompt.training.batches import pack, with_targets
from oneprompt.training.loop import train
from oneprompt.training.recipe import VOCAB_SIZE, Recipe

RESULTS = ASSETS / "position_experiment.json"
SMALL = op.ModelConfig(vocab_size=VOCAB_SIZE, d_model=64, n_layers=2, n_heads=2)


@dataclass(frozen=True)
class Settings:
    """What is the same for every scheme."""

    steps: int = 500
    batch_size: int = 32
    trained_length: int = 64
    tested_length: int = 256
    test_documents: int = 2000  # the last rows of the text; the models train on the others
    positions_per_mean: int = 8
    seeds: tuple[int, ...] = (0, 1)


@torch.no_grad()
def loss_by_position(model, rows: Tensor) -> Tensor:
    """Nats per token at each position, the mean over rows (n, T + 1): (T,)."""
    total = torch.zeros(rows.shape[1] - 1)
    for some in rows.split(64):
        logits = model(some[:, :-1])  # (n, T, V)
        total += F.cross_entropy(logits.transpose(1, 2), some[:, 1:], reduction="none").sum(0)
    return total / len(rows)


def restarted(model, rows: Tensor, length: int) -> Tensor:
    """Like `loss_by_position`, from position `length` on, in overlapping windows: (T - length,)."""
    half, end = length // 2, rows.shape[1] - 1
    starts = range(half, end - length + 1, half)
    windows = (rows[:, start : start + length + 1] for start in starts)
    return torch.cat([loss_by_position(model, window)[half:] for window in windows])


def rounded_means(losses: Tensor, size: int) -> list[float]:
    return [round(x, 4) for x in losses.unflatten(0, (-1, size)).mean(-1).tolist()]


def run(scheme: str, seed: int, train_rows: Tensor, test_rows: Tensor, settings: Settings):
    """Train and test one model: its losses by position, and those with restarted windows."""
    longest = settings.trained_length if scheme == "learned" else settings.tested_length
    config = dataclasses.replace(SMALL, position=scheme, context_length=longest)
    recipe = Recipe(settings.steps, settings.batch_size)
    model = train(config, recipe, {settings.trained_length: with_targets(train_rows)}, seed=seed)
    found = (
        loss_by_position(model, test_rows[:, : longest + 1]),
        restarted(model, test_rows, settings.trained_length),
    )
    return [rounded_means(losses, settings.positions_per_mean) for losses in found]


def experiment(documents: list[Document], tokenizer, settings: Settings) -> dict:
    """The results of all schemes and seeds, as the file holds them."""
    ids = [tokenizer.encode(document.text) for document in tqdm(documents, desc="documents")]
    split = len(ids) - settings.test_documents
    train_rows = pack(ids[:split], tokenizer.eos_id, settings.trained_length)
    test_rows = pack(ids[split:], tokenizer.eos_id, settings.tested_length)
    results = {
        "training_text": text_hash(documents),
        "settings": dataclasses.asdict(settings) | {"test_rows": len(test_rows)},
        "losses": {scheme: [] for scheme in CHOICES["position"]},
        "restarted": {scheme: [] for scheme in CHOICES["position"]},
    }
    runs = [(scheme, seed) for seed in settings.seeds for scheme in CHOICES["position"]]
    for scheme, seed in tqdm(runs, desc="models"):
        losses, again = run(scheme, seed, train_rows, test_rows, settings)
        results["losses"][scheme].append(losses)
        results["restarted"][scheme].append(again)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the position schemes.")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--steps", type=int, default=Settings.steps, help="fewer for a trial run")
    args = parser.parse_args()
    settings = Settings(steps=args.steps)
    results = experiment(training_documents(), op.load_tokenizer(), settings)
    args.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
