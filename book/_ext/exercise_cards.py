"""An exercise with its code and its solution is one card on the page.

Chapters write exercises in two ways: each with a heading of its own, "Exercise 1: by hand", or as
paragraphs below the heading "Exercises", each opened by its number, "**1. By hand.**".
"""

import re

from docutils import nodes

CARD = "op-exercise"
ONE, SEVERAL = re.compile(r"Exercise \d+\b"), "Exercises"
NUMBER = re.compile(r"\d+\.")


def make_cards(app, doctree):
    for section in list(doctree.findall(nodes.section)):
        title = section[0].astext()
        if ONE.match(title):
            section["classes"].append(CARD)
        elif title == SEVERAL:
            cards(section)


def cards(section: nodes.section) -> None:
    """Put what follows an exercise's number, up to the next one, into a card with it."""
    card = None
    for child in section.children[1:]:
        if opens(child):
            card = nodes.container(classes=[CARD])
            section.insert(section.index(child), card)
        if card is not None:
            section.remove(child)
            card += child


def opens(node: nodes.Node) -> bool:
    """Whether an exercise begins here."""
    if not isinstance(node, nodes.paragraph):
        return False
    first = next((child for child in node.children if child.astext()), None)
    return isinstance(first, nodes.strong) and bool(NUMBER.match(first.astext()))


def setup(app):
    app.connect("doctree-read", make_cards, priority=900)  # after the cells have been folded
    return {"parallel_read_safe": True, "parallel_write_safe": True}
