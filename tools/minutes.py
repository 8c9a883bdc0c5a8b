"""Count how long a reader needs for a chapter and its parts, and write it into the chapter.

    python tools/minutes.py book/*.ipynb

A line such as `*12 minutes*` directly below a heading speaks of all that the heading covers. A test
fails where it says another number than `counted`.
"""

import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

WORDS_A_MINUTE = 200
MINUTES_A_LINE = 4 / 60  # of visible code
MINUTES_AN_EXPLORER = 2
HEADING = re.compile(r"^(#{1,2}) +(.+)$", re.MULTILINE)
STATED = re.compile(r"^\*(\d+) minutes?\*$", re.MULTILINE)
FENCED = re.compile(r"```.*?```", re.DOTALL)
# What is read otherwise than word by word: formulas, code, addresses. As in the form's own count.
NO_WORDS = re.compile(r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`|\(https?:[^)]*\)|<[^>]*>", re.DOTALL)
WORD = re.compile(r"\b\w[\w'’-]*")
EXPLORER = re.compile(r"\b(\w+Explorer|Playground)\(")


class Part(NamedTuple):
    """A heading that says its minutes: its title, what it says, and what there is to read."""

    title: str
    stated: int
    counted: int


def minutes(cells: list[dict]) -> float:
    """What a reader needs for some cells, in minutes."""
    total = 0.0
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            total += len(WORD.findall(NO_WORDS.sub(" ", FENCED.sub("", source)))) / WORDS_A_MINUTE
        elif cell["cell_type"] == "code":
            if "show" in cell["metadata"].get("tags", []):
                total += MINUTES_A_LINE * sum(bool(line.strip()) for line in source.splitlines())
            total += MINUTES_AN_EXPLORER * len(EXPLORER.findall(source))
    return total


def by_heading(cells: list[dict]) -> list[list[dict]]:
    """The cells in stretches, each of which begins with a heading of level 1 or 2."""
    stretches: list[list[dict]] = []
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] != "markdown":
            stretches[-1].append(cell)
            continue
        starts = [0, *(m.start() for m in HEADING.finditer(FENCED.sub(_blank, source)))]
        for start, end in zip(starts, [*starts[1:], len(source)], strict=True):
            piece = cell | {"source": source[start:end]}
            if HEADING.match(piece["source"]):
                stretches.append([piece])
            elif piece["source"] and stretches:
                stretches[-1].append(piece)
    return stretches


def parts(notebook: dict) -> list[Part]:
    """The headings of a notebook that say their minutes."""
    stretches, found = by_heading(notebook["cells"]), []
    for i, stretch in enumerate(stretches):
        heading = HEADING.match(stretch[0]["source"])
        stated = STATED.match(stretch[0]["source"][heading.end() :].lstrip())
        if stated:
            covered = stretches[i:] if heading[1] == "#" else [stretch]
            needed = minutes([cell for each in covered for cell in each])
            found.append(Part(heading[2].strip(), int(stated[1]), max(1, round(needed))))
    return found


def fill_in(path: Path) -> list[Part]:
    """Write the counted minutes into a notebook."""
    notebook = json.loads(path.read_text("utf-8"))
    found = parts(notebook)
    waiting = iter(found)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = STATED.sub(lambda _: _statement(next(waiting)), "".join(cell["source"]))
            cell["source"] = text.splitlines(keepends=True)
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    path.write_text(text, "utf-8")
    return found


def _statement(part: Part) -> str:
    return f"*{part.counted} minute{'' if part.counted == 1 else 's'}*"


def _blank(fenced: re.Match) -> str:
    return re.sub(r"[^\n]", " ", fenced[0])


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for part in fill_in(Path(name)):
            print(f"{Path(name).stem:18} {part.counted:3} minutes  {part.title}")
