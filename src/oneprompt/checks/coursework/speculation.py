"""Tests of a loop that speculates greedily, on small random models and on the reference pair."""

import torch

from oneprompt.autoregress import generate
from oneprompt.model import Transformer
from oneprompt.speculate import SpeculativeDecoder

from .. import Wrong, autoregress, compare
from ..autoregress import PROMPT, check_unchanged, plain_ids, reading
from .reference import reference, tokenizer

MISTAKES = (
    ({"cut": False}, "rejected ids stayed in the target's cache: roll it back to what is text"),
    ({"cut_draft": False}, "rejected ids stayed in the draft's cache: roll it back to what is "
     "text"),
    ({"cut": False, "cut_draft": False},
     "rejected ids stayed in both caches: roll them back to what is text"),
    ({"row": 1}, "the target's rows are one position off: the row of the last id of the text is "
     "about the first drafted id"),
    ({"keep_all": True}, "everything that was drafted is kept: compare it with the target"),
    ({"stop": False}, "an end-of-sequence id among the new ids does not end the text"),
    ({"cut_at_stop": False}, "ids after the end-of-sequence id are still there"),
    ({"limit": False}, "the last block made the text longer than max_new_tokens"),
)  # fmt: skip


def speculation(
    function, gamma: int = 3, most: int = 12, agree: bool = False, endless: bool = False
) -> None:
    """(target, draft, ids, max_new_tokens, gamma) -> the new ids, those of the target alone."""
    target = autoregress.small_model()
    draft = autoregress.small_model() if agree else _perturbed(target)
    if endless:
        target.eos_id = None
    kind = "that always agrees" if agree else "that often disagrees"
    call = f"speculative(target, draft, {PROMPT}, {most}, gamma={gamma}) with a draft {kind}"
    _compare(function, target, draft, PROMPT, most, gamma, call)


def speculation_with_the_model(
    function, prompt: str = "What is machine learning?", gamma=5
) -> None:
    """The reference pair: the text of the target alone, in fewer passes."""
    ids = tokenizer().encode(prompt)
    call = f"speculative(target, draft, ids of {prompt!r}, 80, gamma={gamma}) of the reference pair"
    _compare(function, reference(), reference("draft"), ids, 80, gamma, call)


def _compare(function, target, draft, ids: list[int], most: int, gamma: int, call: str) -> None:
    right = generate(target, ids, most).ids
    given = list(ids)
    with reading(target) as read:
        got = plain_ids(function(target, draft, given, most, gamma))
    causes = [(_speculated(target, draft, ids, most, gamma, **how), text) for how, text in MISTAKES]
    causes += [(ids + right, "the prompt is in front: only the new ids are asked for")]
    compare(call, got, right, causes)
    check_unchanged(given, ids)
    with reading(target) as needed:
        SpeculativeDecoder(target, draft).generate(ids, most, gamma=gamma)
    # One pass and one block more are allowed: the prompt may be read in a pass of its own.
    if len(read) > len(needed) + 1:
        raise Wrong(f"not yet. The ids are right, but the target made {len(read)} passes, and "
                    f"{len(needed)} are enough\n  likely cause: when all drafted ids are kept, the "
                    "same pass gives one more; or the draft's cache is not what is text"
                    )  # fmt: skip
    if sum(read) > sum(needed) + gamma + 1:
        raise Wrong(f"not yet. The ids are right, but the target read {sum(read)} positions, and "
                    f"{sum(needed)} are enough\n  likely cause: the cache is not used: a pass "
                    "reads what is new in the text, and the drafted ids")  # fmt: skip


def _perturbed(target: Transformer) -> Transformer:
    """A draft that agrees with the target now and then."""
    draft = autoregress.small_model()
    generator = torch.Generator().manual_seed(1)
    for p in draft.parameters():
        p.add_(0.12 * torch.randn(p.shape, generator=generator))
    return draft


@torch.inference_mode()
def _speculated(
    target,
    draft,
    ids,
    most,
    gamma,
    *,
    cut=True,
    cut_draft=True,
    row=0,
    keep_all=False,
    own=True,
    stop=True,
    cut_at_stop=True,
    limit=True,
):
    """The new ids; each setting can introduce a mistake. None where it leads nowhere."""
    text, end = list(ids), len(ids) + most
    caches, unread = (target.new_cache(), draft.new_cache()), [list(ids), list(ids)]
    for _ in range(most + 2):
        n = min(gamma, end - len(text) - 1) if limit else gamma
        if len(text) >= end or max(cache.length for cache in caches) + gamma > 200:
            break
        drafted = []
        for _ in range(n):
            new = drafted[-1:] or unread[1]
            drafted.append(int(draft(torch.tensor([new]), caches[1])[0, -1].argmax()))
        logits = target(torch.tensor([[*unread[0], *drafted]]), caches[0])[0]
        choices = logits[-n - 1 :].argmax(-1).tolist()
        kept = 0
        while kept < n and (keep_all or drafted[kept] == choices[min(kept + row, n)]):
            kept += 1
        new = [*drafted[:kept], choices[min(kept + row, n)]]
        text += new
        for i, is_cut in enumerate((cut, cut_draft)):
            if is_cut:
                caches[i].rollback(min(caches[i].length, len(text) - 1))
            known = min(caches[i].length, len(text) - 1)
            unread[i] = text[known:] if is_cut else new[-1:]
        if stop and target.eos_id in new:
            after = text.index(target.eos_id, len(ids)) + 1
            return text[len(ids) : after if cut_at_stop else None]
    return text[len(ids) :]
