"""The state of an unfinished training run, so that an interruption costs a minute at most."""

import os
from pathlib import Path

import torch
from torch.distributed.optim import ZeroRedundancyOptimizer

EVERY = 100  # steps: about a minute


class Checkpoint:
    """One phase's state in a file: weights, optimizers and history.

    Batches need no state: each step seeds its own.

    Args:
        path: the file.
        settings: whatever determines the run; a file with others is not continued.
    """

    def __init__(self, path: Path, settings: str):
        self.path, self.settings = path, settings

    def load(self, model, optimizers, history) -> int:
        """Restore the state and return the next step; without a file, leave all and return 0.

        Raises:
            ValueError: the file belongs to a run with other settings.
        """
        if not self.path.is_file():
            return 0
        state = torch.load(self.path, map_location=model.embedding.device, weights_only=True)
        if state["settings"] != self.settings:
            raise ValueError(
                f"{self.path} belongs to a run with another text, seed or recipe; remove "
                f"{self.path.parent} to start anew"
            )
        model.load_state_dict(state["model"])
        for optimizer, found in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(found)
        history.load_state_dict(state["history"])
        return state["step"]

    def is_due(self, step: int, last: int) -> bool:
        """Whether the state before `step` is kept; the same for all processes."""
        return step == last or step % EVERY == 0

    def save(self, step: int, model, optimizers, history, writes: bool = True) -> None:
        """Write the state before `step`. The old file is there until the new one is whole.

        All processes call it, since each holds its share of Muon's state; one of them `writes`.
        """
        for optimizer in optimizers:
            if isinstance(optimizer, ZeroRedundancyOptimizer):
                optimizer.consolidate_state_dict()
        if not writes:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        torch.save(
            {
                "settings": self.settings,
                "step": step,
                "model": model.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in optimizers],
                "history": history.state_dict(),
            },
            new,
        )
        os.replace(new, self.path)
