"""In the part "Deeper" every topic, a heading of level 3, is a fold with the heading as its title.

In a notebook it stays a heading, which JupyterLab can fold as well.
"""

from docutils import nodes

PART = "Deeper"


def fold_topics(app, doctree, docname):
    if app.builder.format != "html":
        return
    for part in doctree.findall(nodes.section):
        if part[0].astext().startswith(PART):
            for topic in [child for child in part.children if isinstance(child, nodes.section)]:
                fold(topic)


def fold(topic: nodes.section) -> None:
    def raw(html):
        return nodes.raw("", html, format="html")

    topic.insert(1, raw("</summary>"))
    topic.insert(0, raw('<details class="op-fold"><summary>'))
    topic.append(raw("</details>"))


def setup(app):
    # After the page's contents were made of the headings, which reads a section's first child.
    app.connect("doctree-resolved", fold_topics)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
