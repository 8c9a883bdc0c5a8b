"""Write what a page loads when a reader asks: `_static/page_model.js` and `_static/page_lens.js`.

They are written beside the built pages and not put into an `_static` folder of the sources, because
Jupyter Book loads every script of such a folder on every page.
"""

from pathlib import Path

from oneprompt.js.page_model import page_lens, page_model


def write(app, exception) -> None:
    if exception is None and app.builder.format == "html":
        for name, script in (("page_model.js", page_model), ("page_lens.js", page_lens)):
            (Path(app.outdir) / "_static" / name).write_text(script(), "utf-8")


def setup(app):
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
