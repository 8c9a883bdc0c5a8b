"""Step 3, position: tell the model where each token is.

Attention compares tokens without regard to their order, so the order has to be put in:

- learned and sinusoidal encodings are *added* to the embeddings,
- rotary embeddings (RoPE) *turn* the queries and keys by an angle that grows with the position,
- ALiBi *shifts* the attention scores by an amount that grows with the distance.
"""

import math

import torch
from torch import Tensor

PAIRINGS = ("halves", "interleaved")
SCALINGS = {  # type -> the other fields of its dictionary
    "linear": {"factor"},
    "llama3": {"factor", "low_freq_factor", "high_freq_factor", "original_context_length"},
}


def sinusoidal(positions: Tensor, d_model: int) -> Tensor:
    """Sines and cosines of geometrically spaced frequencies (Vaswani et al. 2017, section 3.5).

    PE[t, 2i] = sin(t / 10000^(2i / d_model)),  PE[t, 2i + 1] = cos(t / 10000^(2i / d_model))

    Args:
        positions: (T,) or (B, T), the position t of each token.
        d_model: the width of the embeddings; even.

    Returns:
        (T, D) or (B, T, D), to be added to the embeddings.

    Raises:
        ValueError: d_model is odd.
    """
    if d_model % 2:
        raise ValueError(f"sinusoidal positions need an even d_model, got {d_model}")
    frequencies = 10_000.0 ** (-torch.arange(0, d_model, 2, device=positions.device) / d_model)
    angles = positions[..., None] * frequencies  # (T, D/2)
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(-2)  # (T, D)


def rope_frequencies(head_dim: int, theta: float = 10_000.0, scaling: dict | None = None) -> Tensor:
    """The angle, in radians per position, by which each pair of coordinates turns.

    frequency[i] = theta^(-2i / head_dim)  (Su et al. 2021, section 3.2.2)

    Args:
        head_dim: how many coordinates of a head are rotated; even.
        theta: the base; a larger one makes the slow pairs slower.
        scaling: None, {"type": "linear", "factor": f}, or {"type": "llama3", "factor": f,
            "low_freq_factor": a, "high_freq_factor": b, "original_context_length": n}, which slows
            down only the pairs that turn less than b times within n positions (Llama 3.1).

    Returns:
        (d / 2,), the fastest pair first.

    Raises:
        ValueError: head_dim is not a positive even number, or the scaling is of another kind.
    """
    if head_dim < 2 or head_dim % 2:
        raise ValueError(
            f"RoPE turns pairs: it needs an even number of coordinates, not {head_dim}"
        )
    frequencies = theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
    if scaling is None:
        return frequencies
    fields = SCALINGS.get(scaling.get("type"))
    if fields is None or not fields <= scaling.keys():
        known = "; ".join(f"{name!r} with {sorted(needs)}" for name, needs in SCALINGS.items())
        raise ValueError(f"RoPE scaling {scaling} is not one of these types: {known}")
    if scaling["type"] == "linear":
        return frequencies / scaling["factor"]
    turns = scaling["original_context_length"] * frequencies / (2 * math.pi)
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    keep = ((turns - low) / (high - low)).clamp(0, 1)  # 1: unchanged, 0: fully slowed down
    return keep * frequencies + (1 - keep) * frequencies / scaling["factor"]


def rotate(x: Tensor, angles: Tensor, pairing: str = "halves") -> Tensor:
    """Turn each pair of coordinates of a head by its angle.

    (a, b) -> (a cos φ - b sin φ, a sin φ + b cos φ)

    Args:
        x: (B, H, T, d), queries or keys.
        angles: (T, n_pairs), in radians. The first 2 · n_pairs coordinates are turned, the rest
            pass through (partial rotary embedding).
        pairing: which coordinates form pair i. "halves": i and i + n_pairs (GPT-NeoX, Llama);
            "interleaved": 2i and 2i + 1 (the RoFormer paper, GPT-J).

    Returns:
        the shape of x. The dot product of a turned query and a turned key depends on their
        positions only through the distance (Su et al. 2021, section 3.2.1).

    Raises:
        ValueError: the pairing is unknown.
    """
    if pairing not in PAIRINGS:
        raise ValueError(f"unknown RoPE pairing {pairing!r}; choose one of {PAIRINGS}")
    n_pairs = angles.shape[-1]
    turned, rest = x[..., : 2 * n_pairs], x[..., 2 * n_pairs :]
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    if pairing == "halves":
        a, b = turned.chunk(2, dim=-1)
        pairs = torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)
    else:
        a, b = turned[..., 0::2], turned[..., 1::2]
        pairs = torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1).flatten(-2)
    return torch.cat((pairs, rest), dim=-1)


def turns_of(angles: Tensor, pairing: str = "halves") -> tuple[Tensor, Tensor]:
    """cos φ and ±sin φ of every coordinate, for `turn`: the same in every layer of a pass.

    Args:
        angles: (T, n_pairs), in radians.
        pairing: as for `rotate`.

    Returns:
        two tensors (T, 2 n_pairs); the sine is negative for the first number of a pair.
    """
    cos, sin = angles.cos(), angles.sin()
    both = [(cos, cos), (-sin, sin)]
    if pairing == "halves":
        return tuple(torch.cat(pair, dim=-1) for pair in both)
    return tuple(torch.stack(pair, dim=-1).flatten(-2) for pair in both)


def turn(x: Tensor, turns: tuple[Tensor, Tensor], pairing: str = "halves") -> Tensor:
    """`rotate` by the angles of `turns_of`, as the model runs it: x cos φ + swapped(x) sin φ.

    Args:
        x: (B, H, T, d), queries or keys.
        turns: the cosines and sines, (T, n_rotated) each; the coordinates after these pass through.
        pairing: as for `rotate`.
    """
    cos, sin = turns
    n = cos.shape[-1]
    turned, rest = x[..., :n], x[..., n:]
    if pairing == "halves":
        swapped = turned.roll(n // 2, dims=-1)
    else:
        swapped = turned.unflatten(-1, (-1, 2)).flip(-1).flatten(-2)
    turned = turned * cos + swapped * sin
    return torch.cat((turned, rest), dim=-1) if rest.shape[-1] else turned


def interleaved_to_halves(n_rotated: int) -> Tensor:
    """The order of coordinates that turns one pairing into the other.

    With `order = interleaved_to_halves(n)`, `rotate(x, angles, "interleaved")[..., order]` equals
    `rotate(x[..., order], angles, "halves")`. Reordering the output rows of the query and key
    projections in this way therefore moves a checkpoint from one convention to the other.

    >>> interleaved_to_halves(6).tolist()
    [0, 2, 4, 1, 3, 5]
    """
    return torch.arange(n_rotated).view(-1, 2).T.flatten()


def alibi_slopes(n_heads: int) -> Tensor:
    """How strongly each head prefers near tokens (Press et al. 2022, section 3).

    For a power of two the slopes are 2^(-8/n), 2^(-16/n), …, 2^(-8). For other head counts the
    slopes of the next lower power of two are followed by every second slope of the next higher.

    >>> alibi_slopes(2).tolist()
    [0.0625, 0.00390625]
    """

    def powers(n: int) -> list[float]:
        return [2 ** (-8 * (i + 1) / n) for i in range(n)]

    lower = 2 ** int(math.log2(n_heads))
    return torch.tensor(powers(lower) + powers(2 * lower)[::2][: n_heads - lower])


def alibi_bias(n_heads: int, query_positions: Tensor, key_positions: Tensor) -> Tensor:
    """What ALiBi adds to the attention scores: -slope · (query position - key position).

    Args:
        n_heads: the number of heads, any positive integer.
        query_positions: (T,).
        key_positions: (S,).

    Returns:
        (H, T, S).
    """
    distance = query_positions[:, None] - key_positions[None, :]  # (T, S)
    slopes = alibi_slopes(n_heads).to(distance.device)
    return -slopes[:, None, None] * distance  # (H, T, S)
