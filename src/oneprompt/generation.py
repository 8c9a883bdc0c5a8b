"""The result of a generation, and why it ended."""

from dataclasses import dataclass, field

from torch import Tensor

from .scoring import logprob, top_logprobs


@dataclass
class Generation:
    """The new ids, and the work that went into them.

    Attributes:
        ids: the new ids, a stop id included.
        logprobs: for each of them log p under the model itself (temperature 1, no filter), in nats.
        top: for each of them the likeliest ids and their log p, if `top_n` asks for any.
        stop_reason: "stop" (a stop id or a condition), "length" (max_new_tokens) or "context" (no
            room left).
        target_passes: forward passes of the model.
        draft_passes, drafted, accepted: forward passes of the draft model, ids it proposed, and
            how many of these were kept (speculative decoding only).
    """

    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    top: list[list[tuple[int, float]]] = field(default_factory=list)
    stop_reason: str = ""
    target_passes: int = 0
    draft_passes: int = 0
    drafted: int = 0
    accepted: int = 0

    def add(self, token_id: int, logits: Tensor, top_n: int = 0) -> None:
        """Append one id that was chosen from logits (V,)."""
        self.ids.append(token_id)
        self.logprobs.append(logprob(logits, token_id))
        if top_n:
            self.top.append(top_logprobs(logits, top_n))


def stop_reason(is_stop_id: bool, wanted: int, room: int) -> str:
    """Why a text ends after its newest id, or "" if it goes on.

    Args:
        is_stop_id: whether a stop id or a condition ends the text here.
        wanted: how many more ids are wanted.
        room: how many more ids the context allows; the last id of a text is never read.
    """
    if is_stop_id:
        return "stop"
    return "length" if wanted == 0 else "context" if room == 0 else ""
