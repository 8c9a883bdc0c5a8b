"""Training one model: the optimizers, the loss, and a loop over seeded batches."""

import copy
import os

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributed.optim import ZeroRedundancyOptimizer
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from ..logits import cross_entropy
from ..model import ModelConfig, Transformer
from .batches import IGNORE, batch
from .checkpoint import Checkpoint
from .history import History
from .muon import Muon
from .recipe import Recipe

EMBEDDING_STD = 0.5  # far less, and the blocks drown which token it was: nothing learns to copy
REJECTED_WEIGHT = 10.0


def initialize(model: Transformer) -> None:
    """The weights before training.

    Matrices start at a scale of 1/√fan_in, half of it if they write to the residual stream. The
    weight of the final norm starts so low that the first logits are about 1 in size.
    """
    for name, p in model.named_parameters():
        if name in ("embedding", "position_embedding"):
            nn.init.normal_(p, std=EMBEDDING_STD)
        elif p.ndim == 2:
            writes = name.endswith(("attention.output.weight", "feedforward.down.weight"))
            nn.init.normal_(p, std=p.shape[1] ** -0.5 * (0.5 if writes else 1.0))
        elif name.endswith("bias"):
            nn.init.zeros_(p)
    nn.init.constant_(model.final_norm.weight, 1 / (EMBEDDING_STD * model.config.d_model**0.5))


def optimizers(model: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon on the matrices of the blocks, AdamW on everything else.

    The biases of queries and keys have a rate of their own: with RoPE they make a head look at a
    fixed distance, whatever the tokens are. Muon is a fifth of a step, so the processes share the
    matrices and send each other the new ones (Rajbhandari et al. 2020, ZeRO, section 5.1).
    """
    groups = {"matrix": [], "embedding": [], "match": [], "other": []}
    for name, p in model.named_parameters():
        matches = name.endswith(("query.bias", "key.bias"))
        kind = "matrix" if p.ndim == 2 else "match" if matches else "other"
        groups["embedding" if not name.startswith("blocks") and p.ndim == 2 else kind].append(p)
    rates = {name: getattr(recipe, f"{name}_lr") for name in groups}
    adamw = [{"params": groups[n], "lr": rates[n]} for n in groups if n != "matrix" and groups[n]]
    return [
        ZeroRedundancyOptimizer(
            groups["matrix"], Muon, parameters_as_bucket_view=True, lr=rates["matrix"]
        )
        if dist.is_initialized()
        else Muon(groups["matrix"], lr=rates["matrix"]),
        torch.optim.AdamW(adamw, weight_decay=0.0, fused=True),
    ]


def train(
    config: ModelConfig,
    recipe: Recipe,
    buckets: dict[int, Tensor],
    *,
    seed: int,
    start: Transformer | None = None,
    teacher: Transformer | None = None,
    history: History | None = None,
    checkpoint: Checkpoint | None = None,
    name: str = "model",
) -> Transformer:
    """Train one model; with a teacher, toward its distributions (distillation).

    Under torchrun the processes share the rows of every batch.

    Args:
        config: the model's.
        recipe: how to train it.
        buckets: rows (n, 2, T) of ids and targets by their length T (batches.py).
        seed: for the initial weights and every batch.
        start: None for new weights, or the model to continue from, which is not changed.
        teacher: None, or a model with the same vocabulary.
        history: what is measured on the way; None for a new one.
        checkpoint: where the state of an unfinished run is kept; None keeps none.
        name: for the progress bar.
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
    history = History() if history is None else history
    parallel = DistributedDataParallel(model, gradient_as_bucket_view=True) if world > 1 else model
    opts = optimizers(model, recipe)
    first = 0 if checkpoint is None else checkpoint.load(model, opts, history)
    bar = tqdm(range(first, recipe.steps), name, recipe.steps, initial=first, disable=rank > 0)
    for step in bar:
        history.watch(recipe, step, model)
        # Seeded anew, so that a run that was interrupted goes on with the same batches.
        generator = torch.Generator().manual_seed(seed * 2**24 + step)
        n_tokens = recipe.n_tokens(config.vocab_size, history.steps_since_copying)
        rows = batch(recipe, step, buckets, n_tokens, generator)[:, rank::world]
        ids, targets = rows.to(device)
        loss = _loss(parallel(ids), ids, targets, teacher)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in opts:
            _set_rates(optimizer, recipe.learning_rate(step))
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        history.add_loss(loss.item())
        bar.set_postfix(loss=f"{history.average_loss:.3f}", refresh=False)
        if checkpoint is not None and checkpoint.is_due(step + 1, recipe.steps):
            checkpoint.save(step + 1, model, opts, history, writes=rank == 0)
    return model.cpu().eval()


def _set_rates(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Every learning rate is its recipe's times the factor."""
    for group in optimizer.param_groups:
        group.setdefault("recipe_lr", group["lr"])
        group["lr"] = group["recipe_lr"] * factor


def _loss(logits: Tensor, ids: Tensor, targets: Tensor, teacher) -> Tensor:
    """Cross-entropy with the targets, or how far a draft is from its teacher at the same positions.

    The distance is cross-entropy, from which everything is learned quickly, and total variation,
    which is the share of drafted tokens that will be rejected (Leviathan et al. 2023, theorem 3.5).
    """
    if teacher is None:
        return cross_entropy(logits, targets)
    counts = targets != IGNORE
    with torch.no_grad():
        p = teacher(ids)[counts].softmax(dim=-1)  # (n, V)
    logits = logits[counts]
    rejected = (logits.softmax(dim=-1) - p).abs().sum(dim=-1).mean() / 2
    return F.cross_entropy(logits, p) + REJECTED_WEIGHT * rejected


def rank_and_world() -> tuple[int, int]:
    if "RANK" not in os.environ:
        return 0, 1
    if not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    return dist.get_rank(), dist.get_world_size()
