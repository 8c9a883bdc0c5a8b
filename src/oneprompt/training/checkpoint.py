"""The state of an unfinished training run, so that an interruption costs a minute at most."""

import os
import time
from pathlib import Path

import torch

SECONDS = 60  # between two checkpoints


class Checkpoint:
    """One phase's state in a file: weights, optimizers and history.

    Batches need no state: each step seeds its own.

    Args:
        path: the file.
        settings: whatever determines the run; a file with others is not continued.
    """

    def __init__(self, path: Path, settings: str):
        self.path, self.settings, self.saved = path, settings, time.monotonic()

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

    def save(self, step: int, model, optimizers, history) -> None:
        """Write the state before `step`. The old file is there until the new one is whole."""
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
        self.saved = time.monotonic()

    def save_sometimes(self, step: int, last: int, model, optimizers, history) -> None:
        """`save` when SECONDS have passed, and at the last step."""
        if step == last or time.monotonic() - self.saved > SECONDS:
            self.save(step, model, optimizers, history)
