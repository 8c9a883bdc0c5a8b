"""Training rows that a small model learns within seconds."""

import torch

from oneprompt.training.batches import pack, with_targets

CONTEXT_LENGTH = 24


def tiny_rows() -> torch.Tensor:
    """Documents that count upwards from anywhere: easy to learn, impossible to guess; (n, 2, T)."""
    documents = [[1 + (start + i) % 39 for i in range(11)] for start in range(100)]
    return with_targets(pack(documents, eos_id=0, length=CONTEXT_LENGTH))


def tiny_buckets() -> dict[int, torch.Tensor]:
    """The same as `train` takes them: by their length."""
    return {CONTEXT_LENGTH: tiny_rows()}
