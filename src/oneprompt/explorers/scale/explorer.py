"""The explorer of the page on serving: what limits a pass, on which GPU, for how many texts."""

from pathlib import Path
from typing import ClassVar

from traitlets import Float, Int, List, Unicode, validate

from oneprompt.costs import Times, counts, memory_needed, pass_times
from oneprompt.explorers.base import Explorer, fallback_table
from oneprompt.explorers.shared import SCALE_BITS, SCALE_GAMMAS
from oneprompt.published import GPUS, MODELS
from oneprompt.speculate import expected_tokens_per_pass

MOST = 2**20  # texts or positions


class ScaleExplorer(Explorer):
    """The roofline of a GPU with one pass of a model on it, plain and speculative.

    Attributes (all synced; those above the line can be set from Python):
        model, gpu: names from `published.MODELS` and `published.GPUS`.
        bits: per weight, 16, 8 or 4.
        batch: texts in a pass.
        positions: of each text, the new one included.
        gamma, alpha: tokens drafted per pass, 0 for none, and the probability that one is kept.
        ---
        models: what `costs.counts` says of each, with its "name" and "context".
        gpus: the "name", bandwidth, peak and memory of each.
    """

    folder: ClassVar = Path(__file__).parent

    model = Unicode("Llama 3.1 8B").tag(sync=True)
    gpu = Unicode("H100").tag(sync=True)
    bits = Int(16).tag(sync=True)
    batch = Int(1).tag(sync=True)
    positions = Int(100).tag(sync=True)
    gamma = Int(0).tag(sync=True)
    alpha = Float(0.8).tag(sync=True)
    models = List().tag(sync=True)
    gpus = List().tag(sync=True)

    def __init__(self, **settings):
        models = [
            counts(config) | {"name": name, "context": config.context_length}
            for name, config in MODELS.items()
        ]
        gpus = [gpu._asdict() | {"name": name} for name, gpu in GPUS.items()]
        super().__init__(models=models, gpus=gpus, **settings)

    @property
    def load(self) -> dict:
        """What a pass is given, as `costs` names it."""
        return {"bits": self.bits, "batch": self.batch, "S": self.positions}

    @property
    def counts(self) -> dict:
        return next(each for each in self.models if each["name"] == self.model)

    def times(self, T: int = 1) -> Times:
        """The bounds of a pass over T positions of each text."""
        return pass_times(self.counts, GPUS[self.gpu], T=T, **self.load)

    def numbers(self) -> dict:
        """What the explorer shows: the passes, v, the speedup, and the bytes in memory."""
        plain, longer = self.times(), self.times(self.gamma + 1)
        v = longer.seconds / plain.seconds
        kept = expected_tokens_per_pass(self.alpha, self.gamma)
        return {
            "plain": plain._asdict() | {"seconds": plain.seconds, "limit": plain.limit},
            "longer": longer._asdict() | {"seconds": longer.seconds, "limit": longer.limit},
            "v": v,
            "expected": kept,
            "speedup": kept / v,
            "memory": memory_needed(self.counts, **self.load),
        }

    def fallback(self) -> str:
        found = self.numbers()
        rows = [
            [name, *(f"{1000 * found[which][name]:.3g} ms" for which in ("plain", "longer"))]
            for name in Times._fields
        ]
        rows.append(["v, speedup at best", f"{found['v']:.2f}", f"{found['speedup']:.2f}"])
        texts = f"{self.batch} texts of {self.positions:,} positions"
        caption = f"{self.model} in {self.bits} bits on {self.gpu}, {texts}"
        return fallback_table(
            caption, ["part", "one position", f"{self.gamma + 1} positions"], rows
        )

    @validate("model", "gpu", "bits", "gamma")
    def _check_choice(self, proposal):
        name, value = proposal.trait.name, proposal.value
        choices = {"model": MODELS, "gpu": GPUS, "bits": SCALE_BITS, "gamma": SCALE_GAMMAS}[name]
        if value not in choices:
            names = ", ".join(map(str, choices))
            raise ValueError(f"{name}={value!r} is not available; choose from {names}")
        return value

    @validate("batch", "positions")
    def _check_number(self, proposal):
        if not 1 <= proposal.value <= MOST:
            raise ValueError(
                f"{proposal.trait.name} must be from 1 to {MOST:,}, got {proposal.value}"
            )
        return proposal.value

    @validate("alpha")
    def _check_alpha(self, proposal):
        if not 0 <= proposal.value <= 1:
            raise ValueError(f"alpha must be a probability from 0 to 1, got {proposal.value}")
        return proposal.value
