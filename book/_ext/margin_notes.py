"""On a wide page, sources and terms stand in the margin beside the paragraph that links them.

And the shapes of its tensors beside a formula. They are there for the eye: for those who listen,
and on a narrow page, the link says the same, since a source's title is the link's and page.js shows
a term's meaning; the shapes stand in notation.md, too.
"""

import re
from functools import cache
from html import escape
from pathlib import Path

import yaml
from docutils import nodes
from formula_shapes import shapes_in
from previews import GLOSSARY, LINK

from oneprompt.corpus import load_glossary

SOURCES = Path(__file__).resolve().parent.parent / "sources.yaml"
YEAR = re.compile(r"\b(19|20)\d\d\b")
BLOCKS = (nodes.paragraph, nodes.bullet_list, nodes.enumerated_list, nodes.math_block)
# These sections name titles, or say what else there is to read.
WITHOUT = re.compile(r"Where to read on|Sources|Afterwards|What is worth keeping")


@cache
def sources() -> dict[str, str]:
    """The address of each source -> its title."""
    return yaml.safe_load(SOURCES.read_text("utf-8"))


def note(link: nodes.reference) -> str:
    """What the margin says of a link, as HTML; nothing if it leads to no source and no term."""
    address, text = link.get("refuri", ""), " ".join(link.astext().split())
    if title := sources().get(address):
        cited = f"{escape(text)}<br>" if YEAR.search(text) else ""
        to = f'<a href="{escape(address)}" tabindex="-1">{cited}<cite>{escape(title)}</cite></a>'
        return f"<p>{to}</p>"
    if found := LINK.fullmatch(f'href="{address}"'):
        entry = next(entry for entry in load_glossary() if entry.slug == found[1])
        return f"<p><b>{escape(entry.term)}</b><br>{escape(entry.definition)}</p>"
    return ""


def add_notes(app, doctree, docname):
    for link in doctree.findall(nodes.reference):
        if title := sources().get(link.get("refuri")):
            link["reftitle"] = title
    if app.builder.format != "html" or docname == GLOSSARY:
        return
    for section in doctree.findall(nodes.section):
        if not WITHOUT.match(section[0].astext()):
            annotate(section, docname, seen=set())


def notes(block: nodes.Element, docname: str) -> list[str]:
    """What the margin says beside a block, as HTML."""
    if isinstance(block, nodes.math_block):
        return [shapes_in(block.astext(), docname)]
    return [note(link) for link in block.findall(nodes.reference)]


def annotate(parent: nodes.Element, docname: str, seen: set[str]) -> None:
    """Put the notes of each block of a section before it, each note once."""
    for child in parent.children[:]:
        if isinstance(child, nodes.container) and "op-exercise" in child["classes"]:
            annotate(child, docname, seen)
        elif isinstance(child, BLOCKS):
            found = [n for n in dict.fromkeys(notes(child, docname)) if n and n not in seen]
            seen.update(found)
            if found:
                html = f'<aside class="op-note" aria-hidden="true">{"".join(found)}</aside>'
                parent.insert(parent.index(child), nodes.raw("", html, format="html"))


def setup(app):
    app.connect("doctree-resolved", add_notes, priority=400)  # before topics are folded
    return {"parallel_read_safe": True, "parallel_write_safe": True}
