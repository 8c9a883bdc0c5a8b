"""Step 9, speculate: a small model proposes several tokens, the large one checks them in one pass.

A drafted token x is kept with probability min(1, p(x) / q(x)), where p is the target's
distribution and q the draft's. At the first rejection a token is drawn from the residual
max(0, p - q) / Σ max(0, p - q) instead; when all are kept, the same pass gives one more for free.
The text has exactly the target's distribution (Leviathan et al. 2023, section 2.3 and appendix
A.1; Chen et al. 2023, theorem 1).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .cache import KVCache
from .draft import Draft, ModelDraft, check_proposal, fit
from .generation import Generation, stop_reason
from .model import Transformer
from .processors import Processor, process
from .request import (
    Ids,
    check_cache,
    check_count,
    check_settings,
    read_text,
    resolve_stop_ids,
)
from .sample import GREEDY, Sampling, draw, probabilities, uniforms
from .stopping import Condition, ending

# Tables are padded to a round size, so models with the same tokenizer may differ in theirs. If
# they differ by more than this share, their tokenizers are hardly the same.
PADDING = 0.1


def residual(p: Tensor, q: Tensor) -> Tensor:
    """max(0, p - q), scaled to sum to 1: where the target wants more than the draft gave.

    Args:
        p, q: (V,). Where they are equal there is nothing left over, and p is returned;
            no token of such a q is ever rejected, up to rounding.
    """
    left = (p - q).clamp(min=0)
    return left / left.sum() if left.sum() > 0 else p


def expected_tokens_per_pass(acceptance: float, gamma: int) -> float:
    """(1 - α^(γ+1)) / (1 - α), if each token is accepted with probability α independently.

    Leviathan et al. 2023, equation 1.

    Raises:
        TypeError: gamma is not an int.
        ValueError: the acceptance is not a probability, or gamma is negative.
    """
    if not 0 <= acceptance <= 1:
        raise ValueError(f"acceptance must be a probability from 0 to 1, got {acceptance}")
    check_count("gamma", gamma, least=0)
    return float(sum(acceptance**i for i in range(gamma + 1)))


class Pass(NamedTuple):
    """The result of one pass of the target, with n ids drafted and m of them examined.

    Attributes:
        drafted: (n,), the ids that the draft proposed.
        q: (n, V), the distributions that it drew them from.
        logits: (n + 1, V), the target's, after the text and after each drafted id.
        new: what the text gains: the ids kept, then one of the target's own; a stop id ends it.
        accepted: how many of the new ids were drafted.
        u: (m,), the random number that decided on each examined id.
        stop: why the text ends here, as in `Generation.stop_reason`, or "" if it goes on.
        draft_passes: passes of a draft model.
    """

    drafted: list[int]
    q: Tensor
    logits: Tensor
    new: list[int]
    accepted: int
    u: list[float]
    stop: str
    draft_passes: int


class SpeculativeDecoder:
    """Generates text with a target model and a draft, whose proposals the target checks.

    Args:
        target: the model whose distribution the text has.
        draft: a Transformer, or any other `Draft`.

    Raises:
        TypeError: the draft is nothing that proposes tokens.
        ValueError: the draft's vocabulary is not the target's.
    """

    def __init__(self, target: Transformer, draft: Transformer | Draft):
        if not (isinstance(draft, Transformer) or hasattr(draft, "propose")):
            raise TypeError(
                "the draft must be a Transformer or have vocab_size and propose, as "
                f"oneprompt.draft.Draft says; got {draft!r}"
            )
        size = draft.config.vocab_size if isinstance(draft, Transformer) else draft.vocab_size
        V = target.config.vocab_size
        if abs(size - V) > PADDING * max(size, V):
            raise ValueError(
                f"target and draft need the same vocabulary, but they have {V} and {size} tokens"
            )
        self.target, self.draft = target, draft

    def passes(
        self,
        ids: Ids,
        max_new_tokens: int,
        sampling: Sampling = GREEDY,
        *,
        gamma: int = 5,
        stop_ids: int | Iterable[int] | None = None,
        stops: Sequence[Condition] = (),
        processors: Sequence[Processor] = (),
        cache: KVCache | None = None,
        seed: int | None = None,
    ) -> Iterator[Pass]:
        """Like `autoregress.steps`; `gamma` is how many ids to draft per pass.

        The processors change only the target's logits: a draft that does not know of them is
        rejected more often, but the text is right all the same.

        Raises:
            TypeError, ValueError: at the call, the request does not fit.
            ValueError: during iteration, the draft breaks its contract.
        """
        ids = read_text(self.target, ids, "speculated on")
        check_settings(max_new_tokens, sampling, stops, processors)
        check_cache(self.target, cache)
        check_count("gamma", gamma, least=1)
        ends, random = ending(resolve_stop_ids(self.target, stop_ids), stops), uniforms(seed)
        draft = self.draft
        if isinstance(draft, Transformer):
            draft = ModelDraft(draft, random, self.target.config.vocab_size)
        if cache is None:
            cache = self.target.new_cache(capacity=len(ids) + max_new_tokens + gamma)
        return self._passes(
            draft, ids, max_new_tokens, sampling, gamma, processors, ends, cache, random
        )

    @torch.inference_mode()
    def _passes(
        self, draft, text, max_new_tokens, sampling, gamma, processors, ends, cache, random
    ):
        """The loop itself; `text` grows by one to gamma + 1 ids per pass."""
        n_prompt, device = len(text), self.target.embedding.device
        V = self.target.config.vocab_size
        end, full = n_prompt + max_new_tokens, self.target.config.context_length + 1
        while len(text) < end:
            # A pass gives one id more than were drafted, and all must fit.
            most, before = min(gamma, min(end, full) - len(text) - 1), getattr(draft, "passes", 0)
            drafted, q = check_proposal(draft, draft.propose(text, most, sampling), most)
            q, n_rows = fit(q, V), len(drafted) + 1
            unread = torch.tensor([cache.unread([*text, *drafted], n_rows)], device=device)
            logits = self.target(unread, cache, last=n_rows)[0]
            changed = [
                process(processors, row, [*text, *drafted[:i]], n_prompt)
                for i, row in enumerate(logits)
            ]
            new, u = verify(changed, drafted, q, text, sampling, random)
            counts = range(1, len(new) + 1)
            first = next((n for n in counts if ends([*text[n_prompt:], *new[:n]])), None)
            new = new[:first]
            text = [*text, *new]
            accepted = sum(a == b for a, b in zip(new, drafted, strict=False))
            stop = stop_reason(first is not None, end - len(text), full - len(text))
            draft_passes = getattr(draft, "passes", 0) - before
            yield Pass(drafted, q, logits, new, accepted, u[: len(new)], stop, draft_passes)
            if stop:
                return

    def generate(
        self,
        ids: Ids,
        max_new_tokens: int,
        sampling: Sampling = GREEDY,
        *,
        top_n: int = 0,
        **settings,
    ) -> Generation:
        """Like `autoregress.generate`; the settings are those of `passes`."""
        check_count("top_n", top_n, least=0)
        result = Generation(stop_reason="length")  # if no id is wanted at all
        for done in self.passes(ids, max_new_tokens, sampling, **settings):
            for token_id, logits in zip(done.new, done.logits, strict=False):
                result.add(token_id, logits, top_n)
            result.stop_reason = done.stop
            result.target_passes += 1
            result.draft_passes += done.draft_passes
            result.drafted += len(done.drafted)
            result.accepted += done.accepted
        return result

    def stream(
        self, ids: Ids, max_new_tokens: int, sampling: Sampling = GREEDY, **settings
    ) -> Iterator[int]:
        """The ids of `generate`, those of a pass as soon as it is done."""
        passes = self.passes(ids, max_new_tokens, sampling, **settings)
        return (token_id for done in passes for token_id in done.new)


def verify(
    logits: Tensor | list[Tensor],
    drafted: list[int],
    q: Tensor,
    text: Sequence[int],
    sampling: Sampling,
    random: Iterator[float],
) -> tuple[list[int], list[float]]:
    """The drafted ids that are kept, and the one that the target adds.

    Args:
        logits, drafted, q: as in `Pass`.
        text: the ids before the drafted ones (the history of a repetition penalty).
        sampling: the settings, the same as for q.
        random: uniform numbers.

    Returns:
        between 1 and n + 1 ids, and the random number that decided on each examined one.
    """
    kept, u = [], []
    for i, token in enumerate(drafted):
        p = probabilities(logits[i], sampling, [*text, *kept])
        u.append(next(random))
        if u[i] * q[i, token] >= p[token]:  # rejected: u ≥ p / q
            return [*kept, draw(residual(p, q[i]), next(random))], u
        kept.append(token)
    p = probabilities(logits[len(drafted)], sampling, [*text, *kept])
    return [*kept, draw(p, next(random))], u


def speculative_generate(
    target: Transformer, draft: Transformer | Draft, ids: list[int], *args, **kwargs
) -> Generation:
    """`SpeculativeDecoder(target, draft).generate(...)` in one call."""
    return SpeculativeDecoder(target, draft).generate(ids, *args, **kwargs)


def acceptance(
    target: Transformer,
    draft: Transformer | Draft,
    prompts: Iterable[Sequence[int]],
    sampling: Sampling,
    *,
    max_new_tokens: int,
    gamma: int = 1,
) -> float:
    """The share of drafted tokens that the target keeps.

    With gamma 1, every drafted token follows the target's text, so the share is the α of Leviathan
    et al. 2023, definition 3.1.
    """
    decoder, drafted, accepted = SpeculativeDecoder(target, draft), 0, 0
    for seed, ids in enumerate(prompts):
        result = decoder.generate(list(ids), max_new_tokens, sampling, gamma=gamma, seed=seed)
        drafted, accepted = drafted + result.drafted, accepted + result.accepted
    return accepted / drafted
