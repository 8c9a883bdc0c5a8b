"""The recipe for the reference pair: tokenizer, target and draft, from the glossary alone.

    python -m oneprompt.train              two CPU cores, or a GPU where there is one
    torchrun --nproc-per-node 4 -m oneprompt.train      data parallel

Everything is seeded and the number of steps is fixed. The first steps of the target see only short
rows of random tokens that repeat with a fixed period, which no knowledge but only copying can
predict (Olsson et al. 2022): for these it has to look back. Then most rows hold documents, packed
one after another with an end-of-sequence token between them. A short finish at a low learning rate
reads those about the book's own prompt more often.
"""

import argparse
import copy
import os
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from .batches import batch, pack, with_more
from .corpus.grammar import text_hash, training_documents
from .logits import cross_entropy
from .model import ModelConfig, Transformer
from .tokenize import Tokenizer
from .weights import ASSETS, save_model

VOCAB_SIZE = 2048
TARGET = ModelConfig(vocab_size=VOCAB_SIZE)
DRAFT = ModelConfig(vocab_size=VOCAB_SIZE, d_model=64, n_layers=2, n_heads=2)


@dataclass(frozen=True)
class Recipe:
    """How long, in which batches, and with which learning rates."""

    steps: int
    batch_size: int = 8  # rows of context_length tokens
    matrix_lr: float = 0.015  # Muon, for the matrices of the blocks
    other_lr: float = 2e-3  # AdamW, for embeddings, norms and biases
    warmup: int = 50
    decay_from: float = 0.45  # constant up to this share of the steps, then linearly to zero
    copying_steps: int = 0  # how many of the steps come first and see only repeated rows
    repeats: float = 0.0  # the share of repeated rows after these

    def learning_rate(self, step: int) -> float:
        """The factor on both learning rates."""
        left = (self.steps - step) / (self.steps * (1 - self.decay_from))
        return min((step + 1) / self.warmup, 1.0, left)

    def longest_period(self, step: int) -> int:
        """8 for the first half of the copying phase, then growing to 32; 64 after the phase."""
        if step >= self.copying_steps:
            return 64
        return 8 + round(24 * max(2 * step / self.copying_steps - 1, 0.0))


TARGET_RECIPE = Recipe(steps=3200, copying_steps=300, repeats=0.06)
FINISH_RECIPE = Recipe(
    steps=200, matrix_lr=0.0015, other_lr=2e-4, warmup=10, decay_from=0.0, repeats=0.06
)
DRAFT_RECIPE = Recipe(steps=1000)
PROMPT = "What is machine learning?"
PROMPT_SHARE = 0.25  # of the rows of the finish


def optimizers(model: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon (Jordan 2024) on the matrices of the blocks, AdamW on everything else."""
    matrices = [p for p in model.blocks.parameters() if p.ndim == 2]
    others = [p for p in model.parameters() if not any(p is m for m in matrices)]
    return [
        torch.optim.Muon(matrices, lr=recipe.matrix_lr, weight_decay=0.0),
        torch.optim.AdamW(others, lr=recipe.other_lr, weight_decay=0.0),
    ]


def train(
    config: ModelConfig, recipe: Recipe, rows: Tensor, *, seed: int, start=None, teacher=None
) -> Transformer:
    """Train one model on packed rows; with a teacher, towards its distributions (distillation).

    Args:
        config: the model's.
        recipe: how to train it.
        rows: (n, context_length + 1), ids.
        seed: of the initial weights and of every batch.
        start: None for new weights, or the Transformer to go on from; it is left as it is.
        teacher: None, or a Transformer with the same vocabulary.
    """
    rank, world = _rank_and_world()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(seed)
    model = Transformer(config)
    initialize(model)
    if start is not None:
        model.load_state_dict(start.state_dict())
    model.to(device)
    teacher = None if teacher is None else copy.deepcopy(teacher).to(device)
    parallel = DistributedDataParallel(model) if world > 1 else model
    opts = optimizers(model, recipe)
    schedules = [torch.optim.lr_scheduler.LambdaLR(o, recipe.learning_rate) for o in opts]
    generator = torch.Generator().manual_seed(seed + rank)
    name = "draft" if teacher else "target"
    bar = tqdm(range(recipe.steps), desc=name, disable=rank > 0, mininterval=1)
    average = None
    for step in bar:
        ids, targets = batch(recipe, step, rows, generator, config.vocab_size)
        ids, targets = ids.to(device), targets.to(device)
        loss = _loss(parallel(ids), ids, targets, teacher)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, schedule in zip(opts, schedules, strict=True):
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
        average = loss.item() if average is None else 0.98 * average + 0.02 * loss.item()
        bar.set_postfix(loss=f"{average:.3f}")
    return model.cpu().eval()


def initialize(model: Transformer) -> None:
    """Matrices start at a scale of 1/√fan_in, those that write to the residual stream at half."""
    for name, p in model.blocks.named_parameters():
        if p.ndim == 2:
            nn.init.normal_(p, std=p.shape[1] ** -0.5)
            if "output" in name or "down" in name:
                p.data *= 0.5
        elif "bias" in name:
            nn.init.zeros_(p)


def _loss(logits: Tensor, ids: Tensor, targets: Tensor, teacher) -> Tensor:
    if teacher is None:
        return cross_entropy(logits, targets)
    with torch.no_grad():
        probabilities = teacher(ids).softmax(dim=-1)
    return F.cross_entropy(logits.flatten(0, 1), probabilities.flatten(0, 1))


def _rank_and_world() -> tuple[int, int]:
    if "RANK" not in os.environ:
        return 0, 1
    if not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    return dist.get_rank(), dist.get_world_size()


def rounded(model: Transformer) -> Transformer:
    """The weights as the file will hold them, so that no number comes from unrounded ones."""
    for p in model.parameters():
        p.data = p.data.half().float()
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the reference pair.")
    parser.add_argument("--out", type=Path, default=ASSETS, help="folder for the three files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="steps of the target, for a trial run")
    args = parser.parse_args()
    documents = training_documents()
    tokenizer = Tokenizer.train(documents, VOCAB_SIZE)
    rows, favored = (
        pack([tokenizer.encode(d) for d in group], tokenizer.eos_id, TARGET.context_length)
        for group in (documents, [d for d in documents if d.startswith(PROMPT)])
    )
    recipe = TARGET_RECIPE if args.steps is None else Recipe(steps=args.steps)
    target = rounded(train(TARGET, recipe, rows, seed=args.seed))
    more = with_more(rows, favored, PROMPT_SHARE)
    target = rounded(train(TARGET, FINISH_RECIPE, more, seed=args.seed, start=target))
    draft = rounded(train(DRAFT, DRAFT_RECIPE, rows, seed=args.seed, teacher=target))
    if _rank_and_world()[0] == 0:
        args.out.mkdir(parents=True, exist_ok=True)
        tokenizer.save(args.out / "tokenizer.json")
        for name, model in (("reference", target), ("draft", draft)):
            model.eos_id = tokenizer.eos_id
            path = args.out / f"{name}.safetensors"
            save_model(model, path, training_text=text_hash(documents))
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
