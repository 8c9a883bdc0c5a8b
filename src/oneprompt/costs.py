"""What a pass costs: multiply-adds, and the bytes that it reads and keeps."""

from .feedforward import GATED
from .model import ModelConfig, Transformer


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


def costs_of(model: Transformer) -> dict[str, int]:
    """What a pass of `generate` costs: T (position + S pair) + logits multiply-adds, and bytes.

    "weights" is the bytes of all parameters, "kept" those of one position's keys and values.
    """
    position = multiply_adds(model.config, 1, 0, n_logits=0)
    cache = model.new_cache()
    return {
        "position": position,
        "pair": multiply_adds(model.config, 1, 1, n_logits=0) - position,
        "logits": multiply_adds(model.config, 0, 0, n_logits=1),
        "weights": sum(p.nbytes for p in model.parameters()),
        "kept": (cache.keys.nbytes + cache.values.nbytes) // cache.capacity,
    }
