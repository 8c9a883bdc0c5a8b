"""Many prompts at once: each pass of the model reads all of them.

Texts of unequal length are padded on the left, so that they end together. A text that is done
leaves the batch.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from tqdm import tqdm

from .cache import KVCache
from .generation import Generation, stop_reason
from .model import Transformer
from .processors import Processor, process
from .request import check_settings, resolve_stop_ids
from .sample import GREEDY, Sampling, draw, probabilities, uniforms
from .stopping import Condition, ending

AT_ONCE = 64  # texts in a pass; more would only take more memory, for their caches


class Row:
    """One text of a batch: its ids so far, its random numbers, its result."""

    def __init__(self, text: list[int], seed: int | None):
        self.text, self.n_prompt, self.random = list(text), len(text), uniforms(seed)
        self.result = Generation(stop_reason="length")  # if no id is wanted at all

    @property
    def new(self) -> list[int]:
        return self.text[self.n_prompt :]


def seeds_of(seed: int | Sequence[int | None] | None, n: int) -> list[int | None]:
    """One seed per row: as given, or counting up from a single seed.

    Raises:
        ValueError: a list with another number of seeds than n.
    """
    if seed is None or isinstance(seed, int):
        return [None if seed is None else seed + row for row in range(n)]
    if len(seed) != n:
        raise ValueError(f"{n} prompts need {n} seeds or one for the first, got {len(seed)}")
    return list(seed)


@torch.inference_mode()
def generate_batch(
    model: Transformer,
    texts: Sequence[Sequence[int]],
    max_new_tokens: int,
    sampling: Sampling = GREEDY,
    *,
    stop_ids: int | Iterable[int] | None = None,
    stops: Sequence[Condition] = (),
    processors: Sequence[Processor] = (),
    seed: int | Sequence[int | None] | None = None,
    top_n: int = 0,
    progress: str | None = None,
) -> list[Generation]:
    """What `generate` makes of each text, with the passes shared.

    Floating-point sums differ slightly in a batch, so a text may take another turn where a choice
    hangs on the last digits. Of more than AT_ONCE texts, so many at a time share their passes.

    Args:
        texts: the prompts, already checked by `check_prompt`.
        seed: for the draws: that of row 0, with each later row adding one; or a list with one seed
            per row.
        progress: None, or the name of a progress bar that counts finished texts.
        The others are those of `generate`.

    Raises:
        TypeError, ValueError: a setting does not fit; the message says what to do.
    """
    check_settings(max_new_tokens, sampling, stops, processors)
    ends = ending(resolve_stop_ids(model, stop_ids), stops)
    seeds = seeds_of(seed, len(texts))
    rows = [Row(text, row_seed) for text, row_seed in zip(texts, seeds, strict=True)]
    bar = tqdm(total=len(rows), desc=progress, leave=False, disable=None if progress else True)

    def run(going: list[Row]) -> None:
        padding, cache, ids = pad_left(model, [row.text for row in going], max_new_tokens)
        while going:
            logits = model(ids, cache, last=1, padding=padding)[:, -1]  # (B, V)
            for row, row_logits in zip(going, logits, strict=True):
                add_token(row, row_logits, sampling, processors, top_n)
                wanted = max_new_tokens - len(row.new)
                room = model.config.context_length + 1 - len(row.text)
                row.result.stop_reason = stop_reason(ends(row.new), wanted, room)
            kept = [i for i, row in enumerate(going) if not row.result.stop_reason]
            bar.update(len(going) - len(kept))
            if kept and len(kept) < len(going):
                cache.keep_rows(kept)
                padding = None if padding is None else padding[kept]
            going = [going[i] for i in kept]
            ids = torch.tensor([row.text[-1:] for row in going], device=ids.device)  # (B, 1)

    for start in range(0, len(rows) if max_new_tokens else 0, AT_ONCE):
        run(rows[start : start + AT_ONCE])
    bar.close()
    return [row.result for row in rows]


def add_token(row: Row, logits: Tensor, sampling: Sampling, processors, top_n: int) -> None:
    """Choose the next token of one row from its logits (V,)."""
    changed = process(processors, logits, row.text, row.n_prompt)
    row.text.append(draw(probabilities(changed, sampling, row.text), next(row.random)))
    row.result.add(row.text[-1], logits, top_n)
    row.result.target_passes += 1


def pad_left(
    model: Transformer, texts: list[list[int]], max_new_tokens: int
) -> tuple[Tensor | None, KVCache, Tensor]:
    """The padding (B,), a cache, and the ids (B, T).

    The padding is how many places are empty at the start of each row; None if all texts have the
    same length.
    """
    longest, device = max(map(len, texts)), model.embedding.device
    ids = torch.tensor([[0] * (longest - len(text)) + text for text in texts], device=device)
    padding = torch.tensor([longest - len(text) for text in texts], device=device)
    cache = model.new_cache(len(texts), capacity=longest + max_new_tokens)
    return padding if padding.any() else None, cache, ids
