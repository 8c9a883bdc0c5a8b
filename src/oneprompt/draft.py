"""What proposes tokens for speculative decoding: a small model, or counting, without any network.

A draft is anything with a `vocab_size` and `propose(ids, gamma, sampling) -> (tokens, q)`: up to
gamma tokens that may follow ids, and the distributions q (len(tokens), vocab_size) that they were
drawn from.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from .model import Transformer
from .sample import Sampling, draw, probabilities, uniforms


class ModelDraft:
    """Drafts with a small model and a KV cache of its own.

    Attributes:
        passes: forward passes so far.
    """

    def __init__(self, model: Transformer, random: Iterator[float] | None = None):
        self.model, self.random = model, uniforms(None) if random is None else random
        self.cache, self.read, self.passes = model.new_cache(), [], 0

    @property
    def vocab_size(self) -> int:
        return self.model.config.vocab_size

    @torch.no_grad()
    def propose(self, ids: Sequence[int], gamma: int, sampling: Sampling) -> tuple[list, Tensor]:
        """Up to gamma tokens that may follow ids, and q (n, vocab_size) they were drawn from."""
        gamma = min(gamma, self.model.config.context_length - len(ids) + 1)
        text, rows = list(ids), []
        # After a rejection the cache holds ids that did not become text, and after a full
        # acceptance it lacks the last one: keep what it shares with the text, read the rest.
        same = (a == b for a, b in zip(self.read, text, strict=False))
        shared = next((i for i, equal in enumerate(same) if not equal), len(self.read))
        self.cache.rollback(min(shared, len(text) - 1))
        for _ in range(gamma):
            logits = self.model(torch.tensor([text[self.cache.length :]]), self.cache)[0, -1]
            self.passes += 1
            rows.append(probabilities(logits, sampling, text))
            text.append(draw(rows[-1], next(self.random)))
        self.read = text[: self.cache.length]
        q = torch.stack(rows) if rows else torch.zeros(0, self.vocab_size, dtype=torch.float64)
        return text[len(ids) :], q


class PromptLookup:
    """Drafts by looking the last few ids up earlier in the text (Saxena 2023). No model needed."""

    def __init__(self, vocab_size: int, longest: int = 3):
        self.vocab_size, self.longest = vocab_size, longest

    def propose(self, ids: Sequence[int], gamma: int, sampling: Sampling) -> tuple[list, Tensor]:
        """What followed the latest earlier copy of the last ids; nothing where there is none."""
        ids = list(ids)
        for n in range(min(self.longest, len(ids) - 1), 0, -1):
            for start in range(len(ids) - n - 1, -1, -1):
                if ids[start : start + n] == ids[-n:]:
                    return certain(ids[start + n :][:gamma], self.vocab_size)
        return certain([], self.vocab_size)


class NGramTable:
    """Drafts the token that most often followed the last n - 1 (or fewer) in some text."""

    def __init__(self, documents: Iterable[Sequence[int]], vocab_size: int, n: int = 4):
        self.vocab_size, self.n = vocab_size, n
        counts = defaultdict(Counter)
        for document in documents:
            for end in range(1, len(document)):
                for size in range(1, n):
                    if size <= end:
                        counts[tuple(document[end - size : end])][document[end]] += 1
        self.best = {context: min(c, key=lambda id: (-c[id], id)) for context, c in counts.items()}

    def propose(self, ids: Sequence[int], gamma: int, sampling: Sampling) -> tuple[list, Tensor]:
        """Up to gamma tokens, one after the other, as long as the table knows what comes next."""
        text = list(ids)
        for _ in range(gamma):
            contexts = (tuple(text[-size:]) for size in range(self.n - 1, 0, -1))
            known = next((c for c in contexts if c in self.best), None)
            if known is None:
                break
            text.append(self.best[known])
        return certain(text[len(ids) :], self.vocab_size)


def certain(tokens: list[int], vocab_size: int) -> tuple[list[int], Tensor]:
    """Tokens proposed without chance, with the q that says so: 1 at each token."""
    q = torch.zeros(len(tokens), vocab_size, dtype=torch.float64)
    q[torch.arange(len(tokens)), tokens] = 1.0
    return tokens, q
