"""Training one model: the optimizers, the loss, and a loop over seeded batches."""

import copy
import os

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from ..logits import cross_entropy
from ..model import ModelConfig, Transformer
from .batches import batch
from .recipe import Recipe


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
    """Train one model on packed rows; with a teacher, toward its distributions (distillation).

    Args:
        config: the model's.
        recipe: how to train it.
        rows: (n, T + 1), ids; T is the context length.
        seed: for the initial weights and every batch.
        start: None for new weights, or the Transformer to continue from, which is not changed.
        teacher: None, or a Transformer with the same vocabulary.
    """
    rank, world = rank_and_world()
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
    """Matrices start at a scale of 1/√fan_in, half of it if they write to the residual stream."""
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


def rank_and_world() -> tuple[int, int]:
    if "RANK" not in os.environ:
        return 0, 1
    if not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    return dist.get_rank(), dist.get_world_size()


def rounded(model: Transformer) -> Transformer:
    """Round the weights to fp16, as the file will hold them: no result may rest on others."""
    for p in model.parameters():
        p.data = p.data.half().float()
    return model
