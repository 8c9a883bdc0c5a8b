"""Write the model for the page, `_static/page_model.js`; a page loads it when a reader asks.

It is written beside the built pages and not put into an `_static` folder of the sources, because
Jupyter Book loads every script of such a folder on every page.
"""

from pathlib import Path

from oneprompt.js.page_model import page_model


def write(app, exception) -> None:
    if exception is None and app.builder.format == "html":
        (Path(app.outdir) / "_static" / "page_model.js").write_text(page_model(), "utf-8")


def setup(app):
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
