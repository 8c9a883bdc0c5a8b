"""What a chapter imports in one line: from oneprompt.notebook import check, pipeline, ..."""

from ..checks import check
from . import style
from .pipeline import pipeline
from .quiz import Quiz
from .show import show

__all__ = ["Quiz", "check", "pipeline", "show", "style"]
