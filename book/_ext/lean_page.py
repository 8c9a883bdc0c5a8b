"""Each page loads only what it uses, and nothing from another site.

Sphinx, its extensions and the themes add their scripts to every page. This drops what the page's
body has no use for and defers the rest. The templates beside it (`_templates/`) override
sphinx-book-theme 1.3.0 and pydata-sphinx-theme 0.17.1.
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx.builders.html._assets import _JavaScript

TEMPLATES = Path(__file__).resolve().parent.parent / "_templates"

# What a script's name or text contains -> what the page's body must contain for it to be kept.
NEEDED_FOR = {
    "design-tabs": r'class="[^"]*\bsd-tab',
    "togglebutton": r'class="([^"]* )?(toggle|dropdown)[ "]',
    "toggleHint": r'class="([^"]* )?(toggle|dropdown)[ "]',
    "toggleOpenOnPrint": r'class="([^"]* )?(toggle|dropdown)[ "]',
    "copybutton": r'class="[^"]*\bhighlight\b',
    "clipboard": r'class="[^"]*\bhighlight\b',
}
# Thebe loads a kernel from elsewhere; widget state repeats what an explorer's own HTML holds.
NEVER = ("thebe", "THEBE", "application/vnd.jupyter.widget-state+json")
# Each device of a notebook brings the style sheet that is part of the book's (lean_style.py).
STYLE_COPY = re.compile(r'<style class="op-style">.*?</style>', re.DOTALL)


def add_templates(app, config):
    config.templates_path.insert(0, str(TEMPLATES))


def is_used(script, body: str) -> bool:
    """Whether a page with this body needs this script."""
    text = f"{script.filename or ''} {script.attributes}"
    if any(name in text for name in NEVER):
        return False
    return all(re.search(use, body) for name, use in NEEDED_FOR.items() if name in text)


def drop_kernel_settings(app, doctree, docname):
    """Remove the two scripts that sphinx-thebe appends to every page even where it is off."""
    for raw in list(doctree.findall(nodes.raw)):
        if "x-thebe-config" in raw.astext() or raw.astext().startswith("<script>kernelName"):
            raw.parent.remove(raw)


def deferred(script):
    """The script, run only once the page has been parsed.

    Inline scripts stay as they are, and so does the small file that defines the
    DOCUMENTATION_OPTIONS they use. The copy matters: all pages share the original.
    """
    name = str(script.filename or "")
    if not name or "documentation_options" in name:
        return script
    attributes = {**script.attributes, "defer": "defer"}
    return _JavaScript(script.filename, priority=script.priority, **attributes)


def slim(app, pagename, templatename, context, doctree):
    body = STYLE_COPY.sub("", context.get("body") or "")
    if body:
        context["body"] = body
    scripts = dict.fromkeys(context["script_files"])  # without repetitions, in order
    scripts = [script for script in scripts if is_used(script, body)]
    context["script_files"] = [deferred(script) for script in scripts]
    # All other style sheets are merged into one by lean_style.py.
    context["css_files"] = [
        sheet
        for sheet in context["css_files"]
        if "katex.min.css" in str(sheet.filename) and 'class="katex' in body
    ]


def setup(app):
    app.connect("config-inited", add_templates)
    app.connect("doctree-resolved", drop_kernel_settings, priority=900)  # after sphinx-thebe
    app.connect("html-page-context", slim, priority=950)  # after every extension that adds scripts
    return {"parallel_read_safe": True, "parallel_write_safe": True}
