"""A prediction: the reader chooses or types, commits, and then sees the answer with its reason.

It works without a script: a CSS rule keeps the answer away until there is something to commit.
"""

from html import escape

from .markup import Device


class Predict(Device):
    """One prediction.

    Args:
        name: an identifier unique on its page, letters and hyphens.
        question: the text.
        options: the answers to choose from; without them the reader types.
        answer: the right one: one of the options, or a short text.
        reason: why, in words.
        result: what shows the answer, if anything: a drawing or another device, or a printed text.

    Raises:
        ValueError: the answer is not among the options, or there is no reason.
    """

    def __init__(self, name: str, question: str, options: list[str] | None = None, *,
                 answer: str, reason: str, result=None):  # fmt: skip
        if options is not None and answer not in options:
            raise ValueError(f"prediction {name!r}: the answer {answer!r} is not an option")
        if not reason.strip():
            raise ValueError(f"prediction {name!r} needs a reason: every answer is in words")
        self.name, self.question, self.options = name, question, options
        self.answer, self.reason, self.result = answer, reason, result

    def html(self) -> str:
        given = self._typed() if self.options is None else self._choices()
        verdicts = "" if self.options is None else (
            "<strong class='op-hit'>As you said. </strong>"
            "<strong class='op-miss'>Not what you said. </strong>"
        )  # fmt: skip
        return (
            f"<fieldset class='op-device op-predict'>"
            f"<legend><span class='op-predict-word'>Predict.</span> {escape(self.question)}"
            "</legend>"
            f"{given}<details><summary>Commit and see</summary>"
            f"<p>{verdicts}<strong>{escape(self.answer)}</strong>. {escape(self.reason)}</p>"
            f"{_shown(self.result)}</details></fieldset>"
        )

    def _choices(self) -> str:
        return "".join(self._option(i, text) for i, text in enumerate(self.options))

    def _option(self, i: int, text: str) -> str:
        name = f"{escape(self.name)}-{i}"
        right = " class='op-right'" if text == self.answer else ""
        return (
            f"<input type='radio' name='{escape(self.name)}' id='{name}'{right}>"
            f"<label for='{name}'>{escape(text)}</label>"
        )

    def _typed(self) -> str:
        # A space as the placeholder: CSS sees by it whether something was typed.
        return (
            f"<input type='text' id='{escape(self.name)}' placeholder=' ' autocomplete='off'"
            f" aria-label='Your prediction' data-lm-suppress-shortcuts='true'>"
        )

    def __repr__(self) -> str:
        options = (f"  {chr(97 + i)}) {text}" for i, text in enumerate(self.options or ()))
        return "\n".join([f"Predict. {self.question}", *options])


def _shown(result) -> str:
    if result is None:
        return ""
    if isinstance(result, Device):
        return result.html()
    html = getattr(result, "_repr_html_", None)
    return html() if html else f"<pre>{escape(str(result))}</pre>"
