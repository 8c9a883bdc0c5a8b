"""The steps that open each chapter link to notebooks; on the site they link to the pages."""

import re

STEP_LINK = re.compile(r'(<a class="op-step" href="\w+)\.ipynb"')


def link_to_pages(app, pagename, templatename, context, doctree):
    if "body" in context:
        context["body"] = STEP_LINK.sub(r'\1.html"', context["body"])


def setup(app):
    app.connect("html-page-context", link_to_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
