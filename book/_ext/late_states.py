"""A large state of an explorer is loaded when a reader comes near: it is a script of its own.

In a notebook the explorer's HTML holds its whole state. On a page, what is over LARGE characters is
taken out, and kit/twin.js loads it.
"""

import re
from hashlib import sha256
from pathlib import Path

LARGE = 200_000  # characters: the other explorers' states have half of that at most
STATE = re.compile(
    r'(<figure [^>]*data-explorer="(\w+)">.*?<script type="application/json")>(.*?)</script>',
    re.DOTALL,
)


def move_states(app, pagename, templatename, context, doctree):
    """Write each large state as a script that defines a global name, and say where it is."""

    def move(found: re.Match) -> str:
        start, explorer, state = found.groups()
        if len(state) <= LARGE:
            return found[0]
        name = f"{explorer}State"
        folder = Path(app.outdir) / "_static" / "states"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.js").write_text(f"globalThis.{name} = {state};\n", "utf-8")
        version = sha256(state.encode()).hexdigest()[:8]
        return f'{start} data-name="{name}" data-version="{version}"></script>'

    if "data-explorer" in context.get("body", ""):
        context["body"] = STATE.sub(move, context["body"])


def setup(app):
    app.connect("html-page-context", move_states)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
