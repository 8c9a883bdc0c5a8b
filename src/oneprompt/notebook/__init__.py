"""What a chapter imports in one line: from oneprompt.notebook import drawing, pipeline, ..."""

from ..checks import check
from . import drawing, style
from .answer import Answer
from .legend import legend
from .pipeline import pipeline
from .predict import Predict
from .quiz import Quiz
from .show import show
from .visible import visible

__all__ = [
    "Answer", "Predict", "Quiz", "check", "drawing", "legend", "pipeline", "show", "style",
    "visible",
]  # fmt: skip
