"""The opening of each chapter: the nine steps as a picture with links, the current one lit."""

from html import escape

from .style import PALETTE

# step -> (what goes in, what comes out), in the order of the chapters. Other files that list the
# steps (_toc.yml, the first page, the playground) are checked against this by a test.
STEPS = {
    "tokenize": ("text", "(T,) ids"),
    "embed": ("(T,) ids", "(T, D)"),
    "position": ("(T, D)", "(T, D)"),
    "attention": ("(T, D)", "(T, D)"),
    "feed-forward": ("(T, D)", "(T, D)"),
    "logits": ("(T, D)", "(T, V)"),
    "sample": ("(V,)", "one id"),
    "autoregress": ("T ids", "T + 1 ids"),
    "speculate": ("T ids", "up to T + γ + 1 ids"),
}

CSS = f"""
.op-pipeline{{display:flex;flex-wrap:wrap;gap:.3rem;list-style:none;padding:0;margin:1rem 0}}
.op-pipeline li{{display:flex;flex:1 1 6.2rem;margin:0;border-radius:.4rem;
 border:1px solid var(--pst-color-border,var(--jp-border-color1,#999));font-size:.85rem;
 line-height:1.3}}
.op-pipeline li>*{{flex:1;padding:.35rem .5rem}}
.op-pipeline a{{color:inherit;text-decoration:none}}
.op-pipeline a:hover{{text-decoration:underline}}
.op-pipeline li[aria-current]{{border-width:2px;border-color:{PALETTE["blue"]};font-weight:700;
 background:color-mix(in srgb,{PALETTE["blue"]} 14%,transparent)}}
.op-pipeline small{{display:block;font-weight:400}}
"""


def chapter(step: str) -> str:
    """The file name of a step's chapter.

    >>> chapter("feed-forward")
    '05_feedforward.ipynb'
    """
    return f"{list(STEPS).index(step) + 1:02}_{step.replace('-', '')}.ipynb"


class Pipeline:
    """The nine steps, one of them lit, or none.

    Raises:
        ValueError: there is no such step.
    """

    def __init__(self, step: str | None = None):
        if step is not None and step not in STEPS:
            raise ValueError(f"unknown step {step!r}; choose from {', '.join(STEPS)}")
        self.step = step

    def _item(self, number: int, step: str) -> str:
        given, made = (escape(shape) for shape in STEPS[step])
        text = f"{number}. {escape(step)}<small>{given} → {made}</small>"
        if step == self.step:
            return f'<li aria-current="step"><span>{text}</span></li>'
        # On the site these links lead to the pages: book/_ext/pipeline_links.py.
        return f'<li><a class="op-step" href="{chapter(step)}">{text}</a></li>'

    def _repr_html_(self) -> str:
        items = "".join(self._item(number, step) for number, step in enumerate(STEPS, start=1))
        return (
            f"<style>{CSS}</style><nav aria-label='The pipeline'>"
            f"<ol class='op-pipeline'>{items}</ol></nav>"
        )

    def __repr__(self) -> str:
        return " → ".join(f"[{name}]" if name == self.step else name for name in STEPS)


def pipeline(step: str | None = None) -> Pipeline:
    """The nine steps: `pipeline("attention")` with that one lit, `pipeline()` with none."""
    return Pipeline(step)
