"""Step 9, speculate: a small model proposes several tokens, the large one checks them in one pass.

A drafted token x is kept with probability min(1, p(x) / q(x)), where p is the target's
distribution and q the draft's. At the first rejection a token is drawn from the residual
max(0, p - q) / Σ max(0, p - q) instead; when all are kept, the same pass gives one more for free.
The text has exactly the target's distribution (Leviathan et al. 2023, section 2.3 and appendix
A.1; Chen et al. 2023, theorem 1).
"""

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from .autoregress import Generation, check_request, resolve_stop_ids
from .draft import ModelDraft
from .model import Transformer
from .sample import GREEDY, Sampling, draw, probabilities, uniforms


def residual(p: Tensor, q: Tensor) -> Tensor:
    """max(0, p - q), scaled to sum to 1: where the target wants more than the draft gave.

    Args:
        p, q: (vocab_size,). Where they are equal there is nothing left over, and p is returned;
            no token of such a q is ever rejected, up to rounding.
    """
    left = (p - q).clamp(min=0)
    return left / left.sum() if left.sum() > 0 else p


def expected_tokens_per_pass(acceptance: float, gamma: int) -> float:
    """(1 - α^(γ+1)) / (1 - α), if each token is accepted with probability α independently.

    Leviathan et al. 2023, equation 1.
    """
    return float(sum(acceptance**i for i in range(gamma + 1)))


class SpeculativeDecoder:
    """Generates with a target model what a draft proposes.

    Args:
        target: the model whose distribution the text has.
        draft: a Transformer, or anything with a `vocab_size` and
            `propose(ids, gamma, sampling) -> (tokens, q)`, q of shape (len(tokens), vocab_size).

    Raises:
        ValueError: target and draft have different vocabularies.
    """

    def __init__(self, target: Transformer, draft):
        size = draft.config.vocab_size if isinstance(draft, Transformer) else draft.vocab_size
        if size != target.config.vocab_size:
            raise ValueError(
                f"target and draft need the same vocabulary, but they have "
                f"{target.config.vocab_size} and {size} tokens"
            )
        self.target, self.draft = target, draft

    @torch.no_grad()
    def generate(
        self,
        ids: list[int],
        max_new_tokens: int,
        sampling: Sampling = GREEDY,
        *,
        gamma: int = 5,
        stop_ids: Iterable[int] | None = None,
        seed: int | None = None,
    ) -> Generation:
        """As `autoregress.generate`; `gamma` is how many tokens to draft per pass."""
        check_request(self.target, ids, max_new_tokens)
        if gamma < 1:
            raise ValueError(f"gamma must be at least 1 drafted token, got {gamma}")
        stop_ids, random = resolve_stop_ids(self.target, stop_ids), uniforms(seed)
        draft = self.draft
        if isinstance(draft, Transformer):
            draft = ModelDraft(draft, random)
        result, text, cache = Generation(), list(ids), self.target.new_cache()
        passes_before = getattr(draft, "passes", 0)  # of a draft that was used before
        while not result.stop_reason:
            # One id more than the drafted ones comes out of a pass, and all must fit.
            context_length = self.target.config.context_length
            room = min(max_new_tokens - len(result.ids), context_length - len(text) + 1)
            if room < 1:
                full = len(result.ids) < max_new_tokens
                result.stop_reason = "context" if full else "length"
                break
            drafted, q = draft.propose(text, min(gamma, room - 1), sampling)
            logits = self._pass(text + drafted, cache, len(drafted) + 1)
            result.target_passes += 1
            result.drafted += len(drafted)
            kept = verify(logits, drafted, q, text, sampling, random)
            for i, id in enumerate(kept):
                result.add(id, logits[i])
                result.accepted += i < len(drafted) and id == drafted[i]
                if id in stop_ids:
                    result.stop_reason = "stop"
                    break
            text = list(ids) + result.ids
            cache.rollback(min(cache.length, len(text) - 1))
        result.draft_passes = getattr(draft, "passes", 0) - passes_before
        return result

    def _pass(self, text: list[int], cache, n_rows: int) -> Tensor:
        """Logits (n_rows, vocab_size) of the last positions, reading what the cache lacks."""
        return self.target(torch.tensor([text[cache.length :]]), cache)[0, -n_rows:]


def verify(
    logits: Tensor,
    drafted: list[int],
    q: Tensor,
    text: Sequence[int],
    sampling: Sampling,
    random: Iterator[float],
) -> list[int]:
    """The drafted tokens that are kept, and the one that the target adds.

    Args:
        logits: (len(drafted) + 1, vocab_size), the target's, after the text and each draft.
        drafted: the proposed ids.
        q: (len(drafted), vocab_size), the distribution each of them was drawn from.
        text: the ids before the drafted ones (the history of a repetition penalty).
        sampling: the settings, the same that made q.
        random: uniform numbers.

    Returns:
        between 1 and len(drafted) + 1 ids.
    """
    kept = []
    for i, id in enumerate(drafted):
        p = probabilities(logits[i], sampling, [*text, *kept])
        if next(random) * q[i, id] >= p[id]:  # rejected: u ≥ p / q
            return [*kept, draw(residual(p, q[i]), next(random))]
        kept.append(id)
    p = probabilities(logits[len(drafted)], sampling, [*text, *kept])
    return [*kept, draw(p, next(random))]


def speculative_generate(
    target: Transformer, draft, ids: list[int], max_new_tokens: int, *args, **kwargs
) -> Generation:
    """`SpeculativeDecoder(target, draft).generate(...)` in one call."""
    return SpeculativeDecoder(target, draft).generate(ids, max_new_tokens, *args, **kwargs)


def acceptance(
    target: Transformer,
    draft,
    prompts: Iterable[Sequence[int]],
    sampling: Sampling,
    *,
    max_new_tokens: int,
    gamma: int = 1,
) -> float:
    """The share of drafted tokens that the target keeps.

    With gamma 1 every drafted token follows text of the target, which makes the share the α of
    Leviathan et al. 2023, definition 3.1.
    """
    decoder, drafted, accepted = SpeculativeDecoder(target, draft), 0, 0
    for seed, ids in enumerate(prompts):
        result = decoder.generate(list(ids), max_new_tokens, sampling, gamma=gamma, seed=seed)
        drafted, accepted = drafted + result.drafted, accepted + result.accepted
    return accepted / drafted
