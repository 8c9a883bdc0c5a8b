"""What the feed-forward explorer draws beside the units: curves of functions, and the stream."""

import torch

from oneprompt.explorers.texts import rounded
from oneprompt.feedforward import gelu, gelu_tanh, relu, silu

FUNCTIONS = {"relu": relu, "gelu": gelu, "gelu_tanh": gelu_tanh, "silu": silu}
REACHES = (4, 8, 16, 32)  # how far from zero a curve is drawn
POINTS = 160  # the steps of a curve, which has one more point


def curves() -> list[dict]:
    """The functions over -reach to reach, one dict per reach."""
    inputs = torch.linspace(-1, 1, POINTS + 1, dtype=torch.float64)
    return [
        {"reach": reach} | {name: rounded(f(reach * inputs), 4) for name, f in FUNCTIONS.items()}
        for reach in REACHES
    ]


def stream_lengths(trace) -> list[dict]:
    """The residual stream of each token: its lengths, and what attention and FFN add to it."""
    stream, lengths, added, cosines = trace.embedding[0], [trace.embedding[0].norm(dim=-1)], [], []
    for layer in trace.layers:
        for addition in (layer.attention[0], layer.feedforward[0]):
            cosines.append(torch.cosine_similarity(stream, addition, dim=-1))
            stream = stream + addition
            added.append(addition.norm(dim=-1))
            lengths.append(stream.norm(dim=-1))
    columns = {"lengths": lengths, "added": added, "cosines": cosines}
    by_token = {name: rounded(torch.stack(values, dim=1), 3) for name, values in columns.items()}
    n_tokens = len(by_token["lengths"])
    return [{name: rows[t] for name, rows in by_token.items()} for t in range(n_tokens)]
