"""The shapes of the tensors in a formula, from the tables of notation.md.

A letter means what it means in the chapter's step: V is the matrix of values in step 4 alone.
"""

import re
from functools import cache
from pathlib import Path

from figures import CHAPTER

NOTATION = Path(__file__).resolve().parent.parent / "notation.md"
# A row that begins with symbols, holds shapes in code, and ends with steps.
ROW = re.compile(r"^\| \$([^$]+)\$.*?\|(.*) \| ([\d, ]+) \|$", re.MULTILINE)
SYMBOL, SHAPE = re.compile(r"[A-Za-z](_\w)?"), re.compile(r"`(\([BTSDHGdFV, ]+\))`")


@cache
def shapes() -> list[tuple[str, str, set[int]]]:
    """(symbol as in LaTeX, shape, the steps in which it means that) of each."""
    found = []
    for symbols, row, steps in ROW.findall(NOTATION.read_text("utf-8")):
        names, given = symbols.split(", "), SHAPE.findall(row)
        if given and all(map(SYMBOL.fullmatch, names)):
            each = given * len(names) if len(given) == 1 else given
            in_steps = {int(step) for step in steps.split(",")}
            found += [(*pair, in_steps) for pair in zip(names, each, strict=True)]
    return found


def shapes_in(formula: str, docname: str) -> str:
    """As HTML, a line for each tensor of a chapter's formula whose shape is known, or nothing."""
    chapter = CHAPTER.match(Path(docname).name)
    lines = []
    for symbol, shape, steps in shapes():
        stands = rf"(?<![A-Za-z\\_{{]){re.escape(symbol)}(?![A-Za-z])"
        if chapter and int(chapter[1]) in steps and re.search(stands, formula):
            letter, _, index = symbol.partition("_")
            lower = f"<sub>{index}</sub>" if index else ""
            lines.append(f"<i>{letter}</i>{lower} <code>{shape}</code>")
    return f"<p>{'<br>'.join(lines)}</p>" if lines else ""
