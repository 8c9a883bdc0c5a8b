"""What is kept of a training run: how the heads, the embeddings and the answers came about.

`load_history()` reads what `make train` wrote about the reference model:

- "measurements", many: {"step", "loss" (mean nats since the one before; None at first), "tokens"
  (how many distinct ones were repeated), "copying" (the share of repeated tokens that the model
  predicts), "previous" and "induction" (one score per layer and head, see heads.py)}.
- "pictures", few: {"step", "answer" (to the book's prompt), "map" (a point per token)}.
- "map_tokens": the ids of the points. All maps are projections to the same plane, the one in which
  the vectors of these tokens vary most at the end.
- "phases": [name, first step] of each.
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from ..answers import PROMPT
from ..autoregress import generate
from ..checkpoints.own import ASSETS
from ..heads import HEAD_THRESHOLD, head_scores, repeated_sequences
from ..model import Transformer
from ..tokenize import Tokenizer
from .recipe import Recipe

HISTORY = ASSETS / "training_history.json"
MAP_TOKENS = 300
ANSWER_TOKENS = 40
REPEATS = {"n": 16, "period": 30}  # what the heads are measured on


def load_history(path: Path = HISTORY) -> dict:
    """The history that `make train` wrote, see above.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return json.loads(path.read_text(encoding="utf-8"))


class History:
    """Measurements and pictures of a model, taken while it is trained.

    Args:
        tokenizer: for the answers in pictures.
        map_tokens: the ids whose vectors are kept in pictures.
    """

    def __init__(self, tokenizer: Tokenizer | None = None, map_tokens: Iterable[int] = ()):
        self.tokenizer, self.map_tokens = tokenizer, list(map_tokens)
        self.steps, self.average_loss, self.losses = 0, float("nan"), []
        self.phases, self.measurements, self.pictures = [], [], []

    def state_dict(self) -> dict:
        """Everything that changes, for a checkpoint."""
        fixed = ("tokenizer", "map_tokens")
        return {name: value for name, value in vars(self).items() if name not in fixed}

    def load_state_dict(self, state: dict) -> None:
        vars(self).update(state)

    @property
    def steps_since_copying(self) -> int | None:
        """Since when a head has had an induction score above HEAD_THRESHOLD; None: not yet."""
        for found in self.measurements:
            if max(map(max, found["induction"])) > HEAD_THRESHOLD:
                return self.steps - found["step"]
        return None

    def begin(self, phase: str) -> None:
        """Note at which step a phase begins."""
        if phase not in [name for name, _ in self.phases]:
            self.phases.append([phase, self.steps])

    def end(self, model: Transformer) -> None:
        """Measure and picture the trained model."""
        self.measure(model, model.config.vocab_size)
        self.picture(model)

    def add_loss(self, loss: float) -> None:
        """Count a step, and keep its loss for the next measurement."""
        first = self.steps == 0
        self.average_loss = loss if first else 0.98 * self.average_loss + 0.02 * loss
        self.losses.append(loss)
        self.steps += 1

    def watch(self, recipe: Recipe, step: int, model: Transformer) -> None:
        """Measure and picture the model before a step, where the recipe says so."""
        if step in recipe.snapshots:
            self.picture(model)
        if recipe.watch_every and step % recipe.watch_every == 0:
            self.measure(model, recipe.n_tokens(model.config.vocab_size, self.steps_since_copying))

    @torch.no_grad()
    def measure(self, model: Transformer, n_tokens: int) -> None:
        """Keep the scores of all heads on repeated random tokens, and the loss since last time."""
        ids = repeated_sequences(**REPEATS, vocab_size=n_tokens).to(model.embedding.device)
        scores, period = head_scores(model, ids), REPEATS["period"]
        copied = model(ids)[:, period:-1].argmax(-1) == ids[:, period + 1 :]
        self.measurements.append({
            "step": self.steps,
            "loss": round(sum(self.losses) / len(self.losses), 4) if self.losses else None,
            "tokens": n_tokens,
            "copying": round(copied.float().mean().item(), 4),
            "previous": rounded_list(scores["previous"], 3),
            "induction": rounded_list(scores["induction"], 3),
        })  # fmt: skip
        self.losses = []

    def picture(self, model: Transformer) -> None:
        """Keep the vectors of the map's tokens, and the answer to the book's prompt."""
        if self.tokenizer is None:
            return
        ids = self.tokenizer.encode(PROMPT)
        answer = generate(model, ids, ANSWER_TOKENS, stop_ids=(self.tokenizer.eos_id,)).ids
        vectors = model.embedding.detach()[self.map_tokens].cpu().clone()
        self.pictures.append({
            "step": self.steps, "answer": self.tokenizer.decode(answer).strip(), "vectors": vectors,
        })  # fmt: skip

    def as_dict(self) -> dict:
        """What the file holds."""
        vectors = [picture["vectors"] for picture in self.pictures]
        maps = in_plane(vectors) if vectors else []
        pictures = [
            {"step": p["step"], "answer": p["answer"], "map": rounded_list(points, 2)}
            for p, points in zip(self.pictures, maps, strict=True)
        ]
        return {
            "phases": self.phases, "map_tokens": self.map_tokens,
            "measurements": self.measurements, "pictures": pictures,
        }  # fmt: skip

    def save(self, path: Path) -> None:
        """Write the file that `load_history` reads."""
        path.write_text(json.dumps(self.as_dict()) + "\n", encoding="utf-8")


def in_plane(vectors: list[Tensor]) -> list[Tensor]:
    """Vectors (n, D) of several moments as points (n, 2), in the plane of the last ones' PCA."""
    last = vectors[-1]
    mean = last.mean(0)
    _, _, axes = torch.linalg.svd(last - mean, full_matrices=False)
    plane = axes[:2] * axes[:2].sum(-1, keepdim=True).sign()  # a sign is free; this one is fixed
    return [(v - mean) @ plane.T for v in vectors]


def words_for_map(texts: Iterable[list[int]], tokenizer: Tokenizer) -> list[int]:
    """The tokens of the book's prompt, then the most frequent tokens that are whole words."""
    counts = Counter(token for ids in texts for token in ids)
    asked = tokenizer.encode(PROMPT)
    words = (t for t, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    chosen = [t for t in words if t not in asked and is_word(tokenizer.decode([t]))]
    return asked + chosen[: MAP_TOKENS - len(asked)]


def is_word(text: str) -> bool:
    """Whether a token's text is a space and at least four letters."""
    return text.startswith(" ") and text[1:].isalpha() and len(text) > 4


def rounded_list(numbers: Tensor, digits: int) -> list:
    """Numbers (n, m) as lists, rounded."""
    return [[round(x, digits) for x in row] for row in numbers.tolist()]
