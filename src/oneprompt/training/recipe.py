"""How long the reference pair is trained, in which batches, and with which learning rates.

The target learns in three phases. Copying: short rows of random tokens, of which only the repeated
ones count, so that nothing helps but looking back (Olsson et al. 2022). Text: most batches hold
documents of about one length, each in a row of its own, and some hold repeats. Finish: at a low
learning rate, the documents about the book's own prompt more often. The draft then learns the
target's distributions.
"""

from dataclasses import dataclass

from ..model import ModelConfig

VOCAB_SIZE = 2048
TARGET = ModelConfig(vocab_size=VOCAB_SIZE)
DRAFT = ModelConfig(vocab_size=VOCAB_SIZE, d_model=96, n_layers=1, n_heads=3, d_ff=512)


@dataclass(frozen=True)
class Recipe:
    """How long, in which batches, and with which learning rates: one phase of training.

    A pair of numbers is the value at the first step and the one at the last; it changes linearly.
    """

    steps: int
    batch_size: int = 6  # rows of full length; a batch of shorter rows has as many tokens
    matrix_lr: float = 0.015  # Muon, for the matrices of the blocks
    embedding_lr: float = 0.01  # AdamW, like the next two
    match_lr: float = 0.03  # for the biases of queries and keys
    other_lr: float = 2e-3  # for norms and the other biases
    warmup: int = 50
    decay_from: float = 0.45  # constant up to this share of the steps, then linearly to zero
    repeats: tuple[float, float] = (0.0, 0.0)  # the share of batches of repeated random tokens
    longest_block: tuple[int, int] = (64, 64)  # the most tokens before they repeat
    row_length: int | None = None  # tokens in a row of repeats; None: as many as in the longest row
    first_tokens: int | None = None  # how many distinct tokens are repeated at first; None: all
    watch_every: int = 0  # steps between two measurements; 0: none
    snapshots: tuple[int, ...] = ()  # the steps before which a picture of the model is kept

    def learning_rate(self, step: int) -> float:
        """The factor on all learning rates."""
        if self.decay_from == 1:
            return min((step + 1) / self.warmup, 1.0)
        left = (self.steps - step) / (self.steps * (1 - self.decay_from))
        return min((step + 1) / self.warmup, 1.0, left)

    def at(self, step: int, pair: tuple[float, float]) -> float:
        """The value of a pair at a step."""
        first, last = pair
        return first + (last - first) * step / max(self.steps - 1, 1)

    def n_tokens(self, vocab_size: int, steps_since: int | None) -> int:
        """How many distinct tokens are repeated, `steps_since` the model has begun to copy.

        They double every DOUBLING steps, and stay as few as they are before that (None).
        """
        if self.first_tokens is None:
            return vocab_size
        doublings = 0 if steps_since is None else steps_since / DOUBLING
        return min(vocab_size, int(self.first_tokens * 2**doublings))


DOUBLING = 20
COPYING = Recipe(
    steps=700, batch_size=32, decay_from=1, repeats=(1, 1), longest_block=(8, 40), row_length=64,
    first_tokens=256, watch_every=10, snapshots=(0,),
)  # fmt: skip
TEXT = Recipe(
    steps=6000, embedding_lr=0.015, repeats=(0.25, 0.05), longest_block=(40, 64), watch_every=100,
    snapshots=(0, 100, 300, 1000, 2500),
)  # fmt: skip
FINISH = Recipe(
    steps=400, matrix_lr=0.0025, embedding_lr=2e-3, match_lr=5e-3, other_lr=3e-4, warmup=10,
    decay_from=0.0, repeats=(0.05, 0.05), watch_every=100, snapshots=(0,),
)  # fmt: skip
DRAFT_RECIPE = Recipe(steps=2800, match_lr=2e-3)
PROMPT_SHARE = 0.3  # of the tokens of the finish
