"""A single-choice question that works without a script: radio buttons, and a CSS rule that shows
the feedback of the chosen one."""

from html import escape

CSS = """
.op-quiz{border:1px solid var(--pst-color-border,var(--jp-border-color1,#999));border-radius:.4rem;
 padding:.6rem 1rem;margin:1rem 0}
.op-quiz legend{float:none;width:auto;font-size:1rem;font-weight:600;padding:0 .3rem;margin:0}
.op-quiz-option{display:grid;grid-template-columns:auto 1fr;gap:.2rem .6rem;padding:.4rem 0}
.op-quiz input{margin-top:.25rem;inline-size:1.2rem;block-size:1.2rem}
.op-quiz-feedback{grid-column:2;margin:0;border-left:.25rem solid;padding-left:.5rem}
.op-quiz input:not(:checked)~.op-quiz-feedback{display:none}
@media print{.op-quiz-feedback{display:block!important}}
"""


class Quiz:
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

    def _repr_html_(self) -> str:
        rows = "".join(self._option(i, *option) for i, option in enumerate(self.options))
        return (
            f"<style>{CSS}</style><fieldset class='op-quiz'>"
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
