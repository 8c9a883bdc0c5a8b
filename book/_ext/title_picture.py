"""The directive `{title-picture}`: the picture of the first page."""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from oneprompt.notebook.title_picture import TitlePicture


class TitlePictureDirective(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        return [nodes.raw("", TitlePicture().html(), format="html")]


def setup(app):
    app.add_directive("title-picture", TitlePictureDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
