"""What attention heads do, measured: the share of their weight that follows a known pattern."""

import torch
from torch import Tensor

from .corpus import load_glossary
from .model import Transformer
from .tokenize import Tokenizer

TEXTS_AT_ONCE = 8  # every tensor of their passes is in memory together
HEAD_THRESHOLD = 0.5  # a head is named after a pattern that gets more than half of its weight


def glossary_openings(tokenizer: Tokenizer, n_tokens: int = 48) -> Tensor:
    """The first n_tokens tokens of every glossary entry that is long enough, (B, n_tokens)."""
    texts = (" ".join([entry.definition, *entry.details]) for entry in load_glossary())
    openings = (tokenizer.encode(text)[:n_tokens] for text in texts)
    return torch.tensor([ids for ids in openings if len(ids) == n_tokens])


def repeated_sequences(n: int, period: int, vocab_size: int, seed: int = 0) -> Tensor:
    """(n, 2 · period) random ids, the second half a copy of the first."""
    generator = torch.Generator().manual_seed(seed)
    half = torch.randint(1, vocab_size, (n, period), generator=generator)
    return torch.cat((half, half), dim=1)


def head_scores(model: Transformer, ids: Tensor) -> dict[str, Tensor]:
    """Where the attention of every head goes, on average over the positions from 2 on.

    Args:
        ids: (B, T).

    Returns:
        four tensors (L, H), each a mean attention weight:
        "previous": on the token before;
        "induction": on the tokens that followed earlier copies of the current one, over the
            positions that have such a copy (Olsson et al. 2022);
        "itself": on the current token;
        "first": on the first token of the text.
    """
    found = []
    for texts in ids.split(TEXTS_AT_ONCE):
        weights = [layer.weights for layer in model.trace(texts).layers]
        found.append(_pattern_sums(torch.stack(weights), texts))
    return _means(found)


def chance_scores(ids: Tensor) -> dict[str, float]:
    """The `head_scores` of a head that spreads its weight evenly over all tokens it sees."""
    n = ids.shape[1]
    even = torch.ones(n, n).tril() / torch.arange(1, n + 1)[:, None]  # (T, T)
    scores = _means([_pattern_sums(even.expand(1, len(ids), 1, n, n), ids)])
    return {pattern: score.item() for pattern, score in scores.items()}


def _means(found: list[dict[str, tuple[Tensor, Tensor | int]]]) -> dict[str, Tensor]:
    """From the sums and counts of several batches, the mean of each pattern."""
    return {
        pattern: sum(sums[pattern][0] for sums in found) / sum(sums[pattern][1] for sums in found)
        for pattern in found[0]
    }


def _pattern_sums(weights: Tensor, ids: Tensor) -> dict[str, tuple[Tensor, Tensor | int]]:
    """For each pattern of `head_scores`: its sum over weights (L, B, H, T, T), and of how many."""
    n = ids.shape[1]
    copies = ids[:, :, None] == ids[:, None, :]  # copies[b, t, s]: the tokens t and s are equal
    after_copy = torch.zeros_like(copies)
    after_copy[:, :, 1:] = copies[:, :, :-1]
    after_copy &= torch.ones(n, n, dtype=torch.bool).tril(-1)  # strictly earlier tokens
    on_induction = (weights * after_copy[:, None]).sum(-1)[..., 2:]  # (L, B, H, T - 2)
    counts = after_copy.any(-1)[:, None, 2:].expand_as(on_induction)
    n_places = len(ids) * (n - 2)
    return {
        "previous": (weights.diagonal(-1, -2, -1)[..., 1:].sum((1, 3)), n_places),
        "induction": ((on_induction * counts).sum((1, 3)), counts.sum((1, 3))),
        "itself": (weights.diagonal(0, -2, -1)[..., 2:].sum((1, 3)), n_places),
        "first": (weights[..., 2:, 0].sum((1, 3)), n_places),
    }


@torch.no_grad()
def silenced_logits(model: Transformer, ids: Tensor) -> Tensor:
    """The logits after a text when some heads write nothing.

    Args:
        ids: (T,).

    Returns:
        (L, H + 1, V): for each layer without each of its heads, and last without all of them.
    """
    n_heads, width = model.config.n_heads, model.config.head_dim
    keep = torch.cat((1 - torch.eye(n_heads), torch.zeros(1, n_heads)))  # (H + 1, H)
    keep = keep.repeat_interleave(width, dim=1)[:, None].to(model.embedding.device)
    batch, found = ids.expand(n_heads + 1, -1), []
    for block in model.blocks:
        with block.attention.output.register_forward_pre_hook(lambda _, x: (x[0] * keep,)):
            found.append(model(batch)[:, -1])
    return torch.stack(found)


def head_name(scores: dict[str, Tensor], layer: int, head: int) -> str:
    """ "previous-token" or "induction" where that score is above HEAD_THRESHOLD, else ""."""
    for pattern, name in (("previous", "previous-token"), ("induction", "induction")):
        if scores[pattern][layer, head] > HEAD_THRESHOLD:
            return name
    return ""
