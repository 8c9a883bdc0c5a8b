"""What a link to the glossary leads to, beside the link: page.js shows it.

Chapters link a term as `[causal mask](glossary.md#causal-mask)`, which a notebook shows as a link.
The page holds the definitions of the terms that it links, and nothing of the others.
"""

import re

from oneprompt.corpus import load_glossary, slug
from oneprompt.notebook.markup import script_json

GLOSSARY = "book/glossary"
LINK = re.compile(r'href="(?:[\w./-]*/)?glossary\.html#([\w-]+)"')


def name_targets(app, doctree):
    """Let MyST find the terms, which are no headings, as anchors of the glossary's file."""
    if app.env.docname == GLOSSARY:
        slugs = app.env.metadata[GLOSSARY].setdefault("myst_slugs", {})
        for entry in load_glossary():
            for name in (entry.term, *entry.aliases):
                slugs.setdefault(slug(name), (0, entry.slug, entry.term))


def add_definitions(app, pagename, templatename, context, doctree):
    linked = set(LINK.findall(context.get("body") or ""))
    if not linked or pagename == GLOSSARY:
        return
    terms = {e.slug: [e.term, e.definition] for e in load_glossary() if e.slug in linked}
    data = f'<script type="application/json" id="op-terms">{script_json(terms)}</script>'
    context["body"] += data


def setup(app):
    app.connect("doctree-read", name_targets)
    app.connect("html-page-context", add_definitions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
