"""The directive `{playground}`: the first page's explorer, its example computed by the build."""

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import oneprompt as op
from oneprompt.explorers import Playground

PACKAGE = Path(op.__file__).parent


class PlaygroundDirective(SphinxDirective):
    """The static twin of `Playground`: the page loads the model itself when a reader asks."""

    def run(self) -> list[nodes.Node]:
        for folder in ("assets", "explorers", "js"):
            for path in (PACKAGE / folder).rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts:
                    self.env.note_dependency(str(path))
        playground = Playground(op.load_model(), op.load_model("draft"), op.load_tokenizer())
        return [nodes.raw("", playground.twin(), format="html")]


def setup(app):
    app.add_directive("playground", PlaygroundDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
