"""Drafts for speculative decoding: a small model, or lookups that need no network.

`Draft` is the interface; the classes below implement it in three ways.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from .model import Transformer
from .request import check_count
from .sample import Sampling, draw, probabilities, uniforms

TOLERANCE = 0.01  # how far the sum of a row of q may be from 1: bfloat16 softmaxes stay within it


class Draft(Protocol):
    """Anything that proposes tokens. A draft with a model also counts its `passes`."""

    @property
    def vocab_size(self) -> int:
        """V, the same as the target's."""

    def propose(
        self, ids: Sequence[int], gamma: int, sampling: Sampling
    ) -> tuple[list[int], Tensor]:
        """Guess how a text goes on.

        Args:
            ids: the text so far.
            gamma: the most tokens to propose, 0 or more.
            sampling: the settings that the target draws with.

        Returns:
            n ≤ gamma tokens that may follow ids, and q (n, V): row i is the distribution that
            token i was drawn from, with 1 at a token that was chosen without chance.
        """


def check_proposal(draft: Draft, proposal, gamma: int) -> tuple[list[int], Tensor]:
    """The proposal itself, if it keeps the contract of `Draft.propose`.

    What breaks it is refused, since the text would not be the target's.

    Raises:
        ValueError: the proposal breaks it; the message names the draft and says how.
    """
    V, name = draft.vocab_size, type(draft).__name__
    if not (isinstance(proposal, Sequence) and len(proposal) == 2):
        raise ValueError(f"{name}.propose must give tokens and q, got {proposal!r}")
    tokens, q = proposal
    if not (isinstance(tokens, Sequence) and all(type(token) is int for token in tokens)):
        raise ValueError(f"{name}.propose must give the tokens as a list of ints, got {tokens!r}")
    n = len(tokens)
    if n > gamma:
        raise ValueError(f"{name}.propose gave {n} tokens where at most {gamma} were asked for")
    if outside := [token for token in tokens if not 0 <= token < V]:
        raise ValueError(f"{name}.propose gave token {outside[0]}; its vocabulary is 0 to {V - 1}")
    if not isinstance(q, Tensor) or q.shape != (n, V):
        shape = tuple(q.shape) if isinstance(q, Tensor) else type(q).__name__
        raise ValueError(f"{name}.propose must give q as a tensor of shape ({n}, {V}), got {shape}")
    if not ((q >= 0).all() and ((q.double().sum(-1) - 1).abs() <= TOLERANCE).all()):
        raise ValueError(
            f"{name}.propose gave a q that is not a distribution: each row must be non-negative "
            f"and add up to 1 within {TOLERANCE}"
        )
    return list(tokens), q


def fit(rows: Tensor, vocab_size: int, empty: float = 0.0) -> Tensor:
    """Rows (..., V) for a table of another size: cut, or padded with `empty`."""
    return F.pad(rows[..., :vocab_size], (0, max(vocab_size - rows.shape[-1], 0)), value=empty)


class ModelDraft:
    """Drafts with a small model and its own KV cache.

    Args:
        model: the draft model.
        random: uniform numbers to draw with; None for unseeded ones.
        vocab_size: the target's, if the draft's table is padded to another size.

    Attributes:
        passes: forward passes so far.
    """

    def __init__(
        self,
        model: Transformer,
        random: Iterator[float] | None = None,
        vocab_size: int | None = None,
    ):
        self.model, self.random = model, uniforms(None) if random is None else random
        self.vocab_size = vocab_size or model.config.vocab_size
        self.cache, self.passes = model.new_cache(), 0

    @torch.inference_mode()
    def propose(
        self, ids: Sequence[int], gamma: int, sampling: Sampling
    ) -> tuple[list[int], Tensor]:
        """Tokens drawn one after the other, as many as the model's context allows."""
        config = self.model.config
        gamma = min(gamma, config.context_length - len(ids) + 1)
        if max(ids) >= config.vocab_size:  # a token that only the target's larger table has
            gamma = 0
        text, rows = list(ids), []
        for _ in range(gamma):
            # After a rejection the cache holds ids that did not become text, and after a full
            # acceptance it lacks the last one.
            unread = torch.tensor([self.cache.unread(text)], device=self.model.embedding.device)
            logits = self.model(unread, self.cache, last=1)[0, -1]
            self.passes += 1
            rows.append(probabilities(fit(logits, self.vocab_size, -math.inf), sampling, text))
            text.append(draw(rows[-1], next(self.random)))
        q = torch.stack(rows) if rows else torch.zeros(0, self.vocab_size, dtype=torch.float64)
        return text[len(ids) :], q


class PromptLookup:
    """Drafts what followed the last few ids earlier in the text (Saxena 2023), without a model.

    It looks for the last `longest` ids, and then for fewer.

    Raises:
        TypeError, ValueError: `longest` is no int of at least 1.
    """

    def __init__(self, vocab_size: int, longest: int = 3):
        check_count("longest", longest, least=1)
        self.vocab_size, self.longest = vocab_size, longest

    def propose(
        self, ids: Sequence[int], gamma: int, sampling: Sampling
    ) -> tuple[list[int], Tensor]:
        """What followed the latest earlier copy of the last ids; nothing if there is no copy.

        At the end of the text the copy runs on into what it has just copied: a text that goes round
        in a loop gets gamma tokens, where the text itself has only one more to give.
        """
        text, n_ids = list(ids), len(ids)
        for n in range(min(self.longest, n_ids - 1), 0, -1):
            for start in range(n_ids - n - 1, -1, -1):
                if text[start : start + n] == text[n_ids - n :]:
                    for i in range(start + n, start + n + gamma):
                        text.append(text[i])
                    return certain(text[n_ids:], self.vocab_size)
        return certain([], self.vocab_size)


class NGramTable:
    """Drafts the token that most often followed the last n - 1 (or fewer) in some text.

    Raises:
        TypeError, ValueError: n is no int of at least 2.
    """

    def __init__(self, documents: Iterable[Sequence[int]], vocab_size: int, n: int = 4):
        check_count("n", n, least=2)
        self.vocab_size, self.n = vocab_size, n
        counts = defaultdict(Counter)
        for document in documents:
            for end in range(1, len(document)):
                for size in range(1, n):
                    if size <= end:
                        counts[tuple(document[end - size : end])][document[end]] += 1
        self.best = {
            context: min(c, key=lambda token: (-c[token], token)) for context, c in counts.items()
        }

    def propose(
        self, ids: Sequence[int], gamma: int, sampling: Sampling
    ) -> tuple[list[int], Tensor]:
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
    """Tokens proposed without chance, with the q (n, V) that says so: 1 at each token."""
    q = torch.zeros(len(tokens), vocab_size, dtype=torch.float64)
    q[torch.arange(len(tokens)), tokens] = 1.0
    return tokens, q
