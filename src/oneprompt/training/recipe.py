"""How long the reference pair is trained, in which batches, and with which learning rates.

The first steps of the target see only short rows of random tokens that repeat with a fixed period,
predictable only by copying (Olsson et al. 2022), for which it has to look back. Then most rows hold
documents, packed one after another with an end-of-sequence token between them. A short finish at a
low learning rate shows the documents about the book's own prompt more often.
"""

from dataclasses import dataclass

from ..model import ModelConfig

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
    copying_steps: int = 0  # how many steps at the start see only repeated rows
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
PROMPT_SHARE = 0.25  # of the rows of the finish
