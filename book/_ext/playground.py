"""The directive `{playground}`: the first page's explorer, its example computed by the build."""

from importlib.resources import files

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import oneprompt as op
from oneprompt.explorers import Playground


class PlaygroundDirective(SphinxDirective):
    """The static twin of `Playground`: the page loads the model itself when a reader asks."""

    def run(self) -> list[nodes.Node]:
        for folder in ("assets", "explorers"):
            for file in files("oneprompt").joinpath(folder).iterdir():
                if not file.name.startswith("__pycache__"):
                    self.env.note_dependency(str(file))
        playground = Playground(op.load_model(), op.load_model("draft"), op.load_tokenizer())
        return [nodes.raw("", playground.twin(), format="html")]


def setup(app):
    app.add_directive("playground", PlaygroundDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
