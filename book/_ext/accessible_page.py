"""What the theme lacks for readers who use a screen reader or the keyboard."""

import re

EMPTY_HEAD = re.compile(r'<th class="head[^"]*"><p></p></th>')
# The theme lets the Tab key reach wide code cells in the same way, but not formulas. The room for a
# formula changes with the window, and again once the theme has moved its sidebars: so each formula
# is observed.
SCROLLING_FORMULAS = """
<script>
  addEventListener("load", () => {
    const reach = ({ target: formula }) => {
      if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
      else formula.removeAttribute("tabindex");
    };
    const observer = new ResizeObserver((changes) => changes.forEach(reach));
    document.querySelectorAll("div.math").forEach((formula) => observer.observe(formula));
  });
</script>
"""


def complete(app, pagename, templatename, context, doctree):
    body = context.get("body")
    if not body:
        return
    body = EMPTY_HEAD.sub("<td></td>", body)  # an empty corner is not a header
    context["body"] = body + SCROLLING_FORMULAS if '<div class="math' in body else body


def setup(app):
    app.connect("html-page-context", complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
