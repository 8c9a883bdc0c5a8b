"""Assignments in the book: the page that lists them, and a link at the end of their chapter.

What is said of an assignment stands in the metadata of the notebook that students get.
"""

import json
from functools import cache
from pathlib import Path

from docutils import nodes
from launch import launch_line, launch_links
from sphinx.util.docutils import SphinxDirective

RELEASED = "assignments/release"


@cache
def assignments(root: str) -> dict[str, dict]:
    """Stem -> metadata of every released assignment: by chapter, the shorter one first."""
    found = {}
    for path in Path(root, RELEASED).glob("*/*.ipynb"):
        found[path.stem] = json.loads(path.read_text())["metadata"]["oneprompt"]
    return dict(sorted(found.items(), key=lambda item: (item[1]["chapter"], item[1]["minutes"])))


class Assignments(SphinxDirective):
    """Every assignment: title, minutes and points, goals, and where it can be opened."""

    def run(self) -> list[nodes.Node]:
        listed = []
        for stem, about in assignments(self.env.srcdir).items():
            self.env.note_dependency(f"{RELEASED}/{stem}/{stem}.ipynb")
            section = nodes.section("", nodes.title("", about["title"]), ids=[stem])
            section += nodes.paragraph("", f"{about['minutes']} minutes, {about['points']} points.")
            section += nodes.paragraph("", "Afterwards you will have")
            goals = [nodes.list_item("", nodes.paragraph("", goal)) for goal in about["goals"]]
            section += nodes.bullet_list("", *goals)
            section += where(self.config.html_theme_options, stem)
            listed.append(section)
        return listed


def where(options: dict, stem: str) -> nodes.paragraph:
    """Where an assignment can be opened."""
    name = f"{RELEASED}/{stem}/{stem}"
    links = launch_links(options, name)
    if repository := options.get("repository_url"):
        branch = options.get("repository_branch") or "main"
        links["the file"] = f"{repository}/blob/{branch}/{name}.ipynb"
    return launch_line("Open it", links)


def link_from_chapter(app, doctree):
    """A chapter ends with its assignments."""
    for stem, about in assignments(app.srcdir).items():
        if about["chapter"] != app.env.docname:
            continue
        title = nodes.title("", f"Assignment: {about['title']}")
        said = f"{about['minutes']} minutes, with tests that say what may be wrong."
        section = nodes.section("", title, ids=[f"assignment-{stem}"])
        section += nodes.paragraph("", said)
        section += where(app.config.html_theme_options, stem)
        next(doctree.findall(nodes.section)).append(section)


def setup(app):
    app.add_directive("assignments", Assignments)
    app.connect("doctree-read", link_from_chapter)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
