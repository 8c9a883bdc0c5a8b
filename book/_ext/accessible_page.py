"""What the theme leaves open for readers who listen or use the keyboard."""

import re

EMPTY_HEAD = re.compile(r'<th class="head[^"]*"><p></p></th>')
# The theme lets the Tab key reach wide code cells in the same way, but no formulas.
SCROLLING_FORMULAS = """
<script>
  (() => {
    const reach = () => document.querySelectorAll("div.math").forEach((formula) => {
      if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
      else formula.removeAttribute("tabindex");
    });
    addEventListener("load", reach);
    addEventListener("resize", reach);
  })();
</script>
"""


def complete(app, pagename, templatename, context, doctree):
    body = context.get("body")
    if not body:
        return
    body = EMPTY_HEAD.sub("<td></td>", body)  # a table's corner heads nothing
    context["body"] = body + SCROLLING_FORMULAS if '<div class="math' in body else body


def setup(app):
    app.connect("html-page-context", complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
