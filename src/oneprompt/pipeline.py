"""The picture that opens each chapter: the nine steps, with the current one lit."""

from html import escape

from .style import PALETTE

# step -> (what goes in, what comes out), in the order of the book.
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
.op-pipeline li{{flex:1 1 6.2rem;margin:0;padding:.35rem .5rem;border-radius:.4rem;
 border:1px solid var(--pst-color-border,var(--jp-border-color1,#999));font-size:.85rem;
 line-height:1.3}}
.op-pipeline li[aria-current]{{border-width:2px;border-color:{PALETTE["blue"]};font-weight:700;
 background:color-mix(in srgb,{PALETTE["blue"]} 14%,transparent)}}
.op-pipeline small{{display:block;font-weight:400}}
"""


class Pipeline:
    """The nine steps, one of them lit, or none."""

    def __init__(self, step: str | None = None):
        if step is not None and step not in STEPS:
            raise ValueError(f"unknown step {step!r}; choose from {', '.join(STEPS)}")
        self.step = step

    def _repr_html_(self) -> str:
        items = "".join(
            f"<li{' aria-current=step' if name == self.step else ''}>"
            f"{number}. {escape(name)}<small>{escape(given)} → {escape(made)}</small></li>"
            for number, (name, (given, made)) in enumerate(STEPS.items(), start=1)
        )
        return f"<style>{CSS}</style><ol class='op-pipeline' aria-label='The pipeline'>{items}</ol>"

    def __repr__(self) -> str:
        return " → ".join(f"[{name}]" if name == self.step else name for name in STEPS)


def pipeline(step: str | None = None) -> Pipeline:
    """`pipeline("attention")` shows where a chapter stands; without a step, the whole way."""
    return Pipeline(step)
