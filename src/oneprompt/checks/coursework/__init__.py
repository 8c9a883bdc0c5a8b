"""What an assignment's notebook imports: its tests, its numbers by hand, and what it withholds."""

from .parts import require
from .variants import variant
from .withheld import restore, withhold

__all__ = ["require", "restore", "variant", "withhold"]
