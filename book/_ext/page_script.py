"""Give every page page.js, which is written beside the built pages as `page_model.py` does."""

from pathlib import Path

SCRIPT = Path(__file__).with_name("page.js")


def write(app, exception) -> None:
    if exception is None and app.builder.format == "html":
        (Path(app.outdir) / "_static" / "page.js").write_text(SCRIPT.read_text("utf-8"), "utf-8")


def setup(app):
    app.add_js_file("page.js")
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
