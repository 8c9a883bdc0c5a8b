"""The opening of each chapter: the whole model as one picture whose steps are links.

What it shows is the book's prompt on its way through the reference model, as `passage.py` finds it.
"""

from html import escape

from .markup import Device
from .passage import Passage, passage
from .passage_marks import chips, clocks, heads, spindle, strips, towers

# The nine steps in the order of the chapters. Other files that list them (_toc.yml, the first page,
# the playground) are checked against this by a test.
STEPS = (
    "tokenize",
    "embed",
    "position",
    "attention",
    "feed-forward",
    "logits",
    "sample",
    "autoregress",
    "speculate",
)
BLOCK = ("position", "attention", "feed-forward")  # what each block of the model does


def chapter(step: str) -> str:
    """The file name of a step's chapter.

    >>> chapter("feed-forward")
    '05_feedforward.ipynb'
    """
    return f"{STEPS.index(step) + 1:02}_{step.replace('-', '')}.ipynb"


class Pipeline(Device):
    """The nine steps, one of them lit, or none.

    Raises:
        ValueError: there is no such step.
    """

    def __init__(self, step: str | None = None):
        if step is not None and step not in STEPS:
            raise ValueError(f"unknown step {step!r}; choose from {', '.join(STEPS)}")
        self.step = step

    def html(self) -> str:
        seen = passage()
        shown = pictures(seen)
        items = "".join(
            self._item(n, step, *shown[step])
            + (f"<li class='op-again'>{_again(seen.n_layers)}</li>" if step == BLOCK[-1] else "")
            for n, step in enumerate(STEPS, start=1)
        )
        return (
            f"<nav class='op-device op-model' aria-label='The pipeline'>"
            f"<p class='op-model-end'>{escape(seen.prompt)}</p><ol>{items}</ol></nav>"
        )

    def _item(self, number: int, step: str, about: str, picture: str) -> str:
        kind = " class='op-in-block'" if step in BLOCK else ""
        content = (
            f"<span class='op-number'>{number}</span><span class='op-name'>{step.capitalize()}"
            f"<small>{escape(about)}</small></span><span class='op-data'>{picture}</span>"
        )
        if step == self.step:
            return f'<li{kind} aria-current="step"><span class="op-here">{content}</span></li>'
        # On the site these links lead to the pages: book/_ext/pipeline_links.py.
        return f'<li{kind}><a class="op-step" href="{chapter(step)}">{content}</a></li>'

    def __repr__(self) -> str:
        return " → ".join(f"[{name}]" if name == self.step else name for name in STEPS)


def pictures(seen: Passage) -> dict[str, tuple[str, str]]:
    """Step -> (what there is after it, in a few words; the same as a small picture)."""
    T, D = len(seen.ids), seen.d_model
    return {
        "tokenize": (f"{T} ids", chips(list(zip(seen.tokens, map(str, seen.ids), strict=True)))),
        "embed": (f"{T} rows of {D}", strips(seen.embedding)),
        "position": ("turned by its place", clocks(T)),
        "attention": (f"{len(seen.heads)} heads a block", heads(seen.heads)),
        "feed-forward": ("each row alone", spindle(D, seen.d_ff)),
        "logits": (f"{seen.vocab_size:,} scores", towers(seen.logits)),
        "sample": ("one is chosen", chips([(seen.chosen, f"{seen.chance:.0%}")])),
        "autoregress": ("and the same again", chips([(token, "") for token in seen.answer])),
        "speculate": ("a draft guesses", chips([(t, mark) for t, mark in seen.drafted])),
    }


def _again(n_layers: int) -> str:
    return f"Steps 3 to 5 are one block. There are {n_layers}, each with numbers of its own."


def pipeline(step: str | None = None) -> Pipeline:
    """The whole model: `pipeline("attention")` with that step lit, `pipeline()` with none."""
    return Pipeline(step)
