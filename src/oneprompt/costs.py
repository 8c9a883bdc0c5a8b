"""What a pass costs: multiply-adds, bytes, and how long a GPU needs for them at least."""

from typing import NamedTuple

import torch

from .feedforward import GATED
from .model import ModelConfig, Transformer

CACHE_BYTES = 2  # of a number in the caches of a server
MULTIPLY_ADD = 2  # floating-point operations


def multiply_adds(config: ModelConfig, T: int, S: int, n_logits: int | None = None) -> int:
    """Multiply-adds of one pass over T positions, each of which looks at S.

        L (2 T D (H + G) d + 2 T S H d + 2 T D F) + n D V

    in order: the four projections of attention, the scores and the weighted sums of values (all S
    are computed, then masked), the feed-forward network (three matrices where gated, not two), and
    the output matrix for the n positions whose logits are made: all T of them, or one in a pass of
    `generate` (n_logits=1). Norms, softmax and activations are small by comparison and left out.
    """
    c = config
    queries, keys = c.n_heads * c.head_dim, c.n_kv_heads * c.head_dim
    projections = 2 * T * c.d_model * (queries + keys)
    attention = 2 * T * S * queries
    feedforward = T * c.d_model * c.d_ff * (3 if c.activation in GATED else 2)
    output = (T if n_logits is None else n_logits) * c.d_model * c.vocab_size
    return c.n_layers * (projections + attention + feedforward) + output


def n_parameters(config: ModelConfig) -> int:
    """How many parameters a model of this shape has, without making it."""
    with torch.device("meta"):
        return Transformer(config).n_parameters


def counts(config: ModelConfig) -> dict[str, int]:
    """What a pass of `generate` needs, before bits, batch and hardware are chosen.

    T (position + S pair) + logits are its multiply-adds. "held" are the parameters in memory,
    "read" those that a pass reads: of a separate input table only the rows of its ids. "kept" are
    the numbers that a position adds to the cache, 2 L G d.
    """
    c, position = config, multiply_adds(config, 1, 0, n_logits=0)
    held, lookup = n_parameters(c), 0 if c.tie_embeddings else c.vocab_size * c.d_model
    return {
        "position": position,
        "pair": multiply_adds(c, 1, 1, n_logits=0) - position,
        "logits": multiply_adds(c, 0, 0, n_logits=1),
        "held": held,
        "read": held - lookup,
        "kept": 2 * c.n_layers * c.n_kv_heads * c.head_dim,
    }


def costs_of(model: Transformer) -> dict[str, int]:
    """What a pass of `generate` costs: T (position + S pair) + logits multiply-adds, and bytes.

    "weights" is the bytes of all parameters, "kept" those of one position's keys and values.
    """
    needs, cache = counts(model.config), model.new_cache()
    return {name: needs[name] for name in ("position", "pair", "logits")} | {
        "weights": sum(p.nbytes for p in model.parameters()),
        "kept": (cache.keys.nbytes + cache.values.nbytes) // cache.capacity,
    }


class GPU(NamedTuple):
    """What a GPU can do at most.

    Attributes:
        bandwidth: bytes per second out of its memory.
        peak: floating-point operations per second in 16 bits, without sparsity.
        memory: bytes.
    """

    bandwidth: float
    peak: float
    memory: float


class Times(NamedTuple):
    """How long a pass takes at least, in seconds, for each of three reasons.

    Reading goes on while the arithmetic units compute, so the longer of the two counts: the
    roofline model (Williams, Waterman and Patterson 2009).

    Attributes:
        weights, caches: for reading the weights, and the caches of all texts.
        arithmetic: for the multiply-adds.
    """

    weights: float
    caches: float
    arithmetic: float

    @property
    def seconds(self) -> float:
        return max(self.weights + self.caches, self.arithmetic)

    @property
    def limit(self) -> str:
        """What the pass waits for: "weights", "caches" or "arithmetic"."""
        if self.arithmetic > self.weights + self.caches:
            return "arithmetic"
        return "weights" if self.weights >= self.caches else "caches"


def pass_times(
    counts: dict[str, int], gpu: GPU, *, bits: float = 16, batch: int = 1, S: int = 0, T: int = 1
) -> Times:
    """The lower bounds of one pass.

    Args:
        counts: of the model, see `counts`.
        gpu: what computes it.
        bits: per weight. Caches and arithmetic stay in 16 bits.
        batch: texts in the pass, each with a cache of its own.
        S: positions that each query looks at, T of them new.
        T: positions of each text that the pass computes, with the logits of all.
    """
    work = counts["position"] + S * counts["pair"] + counts["logits"]
    return Times(
        weights=counts["read"] * bits / 8 / gpu.bandwidth,
        caches=batch * S * counts["kept"] * CACHE_BYTES / gpu.bandwidth,
        arithmetic=batch * T * work * MULTIPLY_ADD / gpu.peak,
    )


def verification_cost(counts: dict[str, int], gpu: GPU, gamma: int, **load) -> float:
    """v: the time of a pass over gamma + 1 positions per text, in passes over one.

    Args:
        load: bits, batch and S, as for `pass_times`.
    """
    longer, plain = (pass_times(counts, gpu, T=T, **load).seconds for T in (gamma + 1, 1))
    return longer / plain


def memory_needed(counts: dict[str, int], *, bits: float = 16, batch: int = 1, S: int = 0) -> float:
    """The bytes of the weights, and of the caches of all texts."""
    return counts["held"] * bits / 8 + batch * S * counts["kept"] * CACHE_BYTES


def largest_batch(counts: dict[str, int], gpu: GPU, *, bits: float = 16, S: int) -> int:
    """How many texts of S positions fit into the memory beside the weights."""
    room = gpu.memory - memory_needed(counts, bits=bits)
    return max(0, int(room // (S * counts["kept"] * CACHE_BYTES)))
