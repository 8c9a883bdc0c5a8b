"""The picture of the first page: the question on its way to the answer, in one row."""

from html import escape

from .markup import Device
from .passage import passage
from .passage_marks import chips, heads, strips, towers


class TitlePicture(Device):
    """Six small pictures from the question to its answer, all of them of the book's prompt."""

    def html(self) -> str:
        seen = passage()
        pieces = chips(list(zip(seen.tokens, map(str, seen.ids), strict=True)))
        answer = "".join(seen.answer).replace("␣", " ").strip()
        stations = {
            "a question": f"<b>{escape(seen.prompt)}</b>",
            "in numbered pieces": pieces,
            "becomes vectors,": strips(seen.embedding),
            "which read from each other": heads(seen.heads),
            "until every token has a score,": towers(seen.logits),
            "and the answer grows": f"<b>{escape(answer)} …</b>",
        }
        steps = "".join(
            f"<div><span class='op-seen'>{picture}</span><small>{escape(text)}</small></div>"
            for text, picture in stations.items()
        )
        alt = (
            "A question is cut into numbered pieces, these become vectors, which read from each "
            "other until every token has a score, and the answer grows token by token."
        )
        return f"<div class='op-device op-title' role='img' aria-label='{alt}'>{steps}</div>"

    def __repr__(self) -> str:
        return "A question on its way through the model to its answer."
