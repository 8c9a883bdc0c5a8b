"""Show the package's own source in a chapter, so that no chapter carries a copy."""

import inspect

from IPython.display import Code


def show(*objects) -> Code:
    """The source of functions or classes, highlighted.

    >>> show(op.probabilities)
    """
    source = "\n\n".join(inspect.getsource(o).rstrip() for o in objects)
    return Code(source, language="python")
