"""What the theme lacks for readers who use a screen reader or the keyboard."""

import re
from pathlib import Path

from sphinx.util import logging

LOGGER = logging.getLogger(__name__)

EMPTY_HEAD = re.compile(r'<th class="head[^"]*"><p></p></th>')
# The Tab key reaches what scrolls sideways: wide formulas, code and tables. How much room they have
# changes with the window, and again once the theme has moved its sidebars: so each is observed. All
# are read before any is changed, or the browser would compute its layout once for each.
SCROLLING = "div.math, pre, .cell_output > .output, .pst-scrollable-table-container"
REACH_WHAT_SCROLLS = f"""
<script>
  addEventListener("load", () => {{
    const observer = new ResizeObserver((changes) => {{
      const wide = new Set(changes.map(({{ target }}) => target)
        .filter((part) => part.scrollWidth > part.clientWidth));
      for (const {{ target }} of changes) {{
        if (wide.has(target)) target.tabIndex = 0;
        else target.removeAttribute("tabindex");
      }}
    }});
    document.querySelectorAll("{SCROLLING}").forEach((part) => observer.observe(part));
  }});
</script>
"""
# The theme's script does the same for code, but reads and changes one after the other, whenever the
# page changes: most of the time that a phone needs to show a chapter. It is given nothing to do.
THEME_SCRIPT = "_static/scripts/pydata-sphinx-theme.js"
THEME_LOOKS_AT = (
    'document.querySelectorAll(["pre",".nboutput > .output_area",".cell_output > .output",'
    '".jp-RenderedHTMLCommon",".pst-scrollable-table-container"].join(", "))'
)


def complete(app, pagename, templatename, context, doctree):
    body = context.get("body")
    if not body:
        return
    body = EMPTY_HEAD.sub("<td></td>", body)  # an empty corner is not a header
    context["body"] = body + REACH_WHAT_SCROLLS


def relieve_theme(app, exception):
    if exception or app.builder.format != "html":
        return
    path = Path(app.outdir, THEME_SCRIPT)
    script = path.read_text("utf-8")
    if THEME_LOOKS_AT in script:
        path.write_text(script.replace(THEME_LOOKS_AT, "[]"), "utf-8")
    elif "[].forEach" not in script:
        LOGGER.warning("the theme's script has changed: see accessible_page.py")


def setup(app):
    app.connect("html-page-context", complete)
    app.connect("build-finished", relieve_theme)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
