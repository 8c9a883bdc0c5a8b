"""The line "*12 minutes*" below a heading gets a class: its looks set it apart from the text."""

import re

from docutils import nodes

MINUTES = re.compile(r"\d+ minutes?")


def mark(app, doctree):
    for paragraph in doctree.findall(nodes.paragraph):
        is_one = len(paragraph) == 1 and isinstance(paragraph[0], nodes.emphasis)
        if is_one and MINUTES.fullmatch(paragraph.astext()):
            paragraph["classes"].append("op-minutes")


def setup(app):
    app.connect("doctree-read", mark)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
