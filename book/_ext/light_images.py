"""Pictures are loaded when a reader comes near them, and nothing moves when they arrive.

A picture's size is written beside its address. The first one of a page is loaded at once: it may be
in view.
"""

import re
from pathlib import Path

from PIL import Image

PICTURE = re.compile(
    r'<img (?![^>]*\b(?:loading|width)=)([^>]*?src="[^"]*_images/([^"/]+)"[^>]*?)(/?)>'
)


def add_sizes(app, pagename, templatename, context, doctree):
    sources = {name: Path(app.srcdir, path) for path, name in app.builder.images.items()}
    n_seen = 0

    def complete(match) -> str:
        nonlocal n_seen
        n_seen += 1
        source = sources.get(match[2])
        if source is None or source.suffix == ".svg":
            return match[0]
        with Image.open(source) as picture:
            width, height = picture.size
        lazy = "" if n_seen == 1 else 'loading="lazy" decoding="async" '
        return f'<img {lazy}width="{width}" height="{height}" {match[1].strip()} />'

    context["body"] = PICTURE.sub(complete, context.get("body") or "")


def setup(app):
    app.connect("html-page-context", add_sizes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
