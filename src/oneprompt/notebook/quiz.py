"""A single-choice question that works without a script: radio buttons, and a CSS rule that shows
the feedback of the chosen one."""

from html import escape

from .markup import Device


class Quiz(Device):
    """One question.

    Args:
        name: an identifier unique on its page, letters and hyphens.
        question: the text.
        options: (text, is it right, feedback); exactly one is right.

    Raises:
        ValueError: none or several of the options are right.
    """

    def __init__(self, name: str, question: str, options: list[tuple[str, bool, str]]):
        if sum(right for _, right, _ in options) != 1:
            raise ValueError(f"quiz {name!r} needs exactly one right option")
        self.name, self.question, self.options = name, question, options

    def html(self) -> str:
        rows = "".join(self._option(i, *option) for i, option in enumerate(self.options))
        return (
            f"<fieldset class='op-device op-quiz'>"
            f"<legend>{escape(self.question)}</legend>{rows}</fieldset>"
        )

    def _option(self, i: int, text: str, right: bool, feedback: str) -> str:
        name = f"{escape(self.name)}-{i}"
        verdict = "Right." if right else "Not quite."
        return (
            f"<div class='op-quiz-option'>"
            f"<input type='radio' name='{escape(self.name)}' id='{name}'"
            f" aria-describedby='{name}-why'>"
            f"<label for='{name}'>{escape(text)}</label>"
            f"<p class='op-quiz-feedback' id='{name}-why'><strong>{verdict}</strong> "
            f"{escape(feedback)}</p></div>"
        )

    def __repr__(self) -> str:
        letters = (f"  {chr(97 + i)}) {text}" for i, (text, _, _) in enumerate(self.options))
        return "\n".join([self.question, *letters])
