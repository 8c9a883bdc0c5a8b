"""What a chapter imports in one line: from oneprompt.notebook import drawing, pipeline, ..."""

from ..checks import check
from . import drawing, style
from .answer import Answer
from .legend import legend
from .passage import SHORT_TOKENS
from .pipeline import pipeline
from .predict import Predict
from .quiz import Quiz
from .show import show
from .visible import visible

__all__ = [
    "SHORT_TOKENS", "Answer", "Predict", "Quiz", "check", "drawing", "legend", "pipeline", "show",
    "style", "visible",
]  # fmt: skip
