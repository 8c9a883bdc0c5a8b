"""Where a notebook of the repository can be run, from the addresses in _config.yml.

The directive `{launch} book/00_overview` says it on a page that is no notebook.
"""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


def launch_line(words: str, links: dict[str, str]) -> nodes.paragraph:
    """A quiet line: the words, and links by their labels."""
    items = [nodes.Text(f"{words}: ")]
    for label, address in links.items():
        items += [nodes.reference("", label, refuri=address), nodes.Text(" · ")]
    return nodes.paragraph("", "", *items[:-1], classes=["op-launch"])


def launch_links(options: dict, name: str) -> dict[str, str]:
    """Label -> address for the notebook `name`, without its suffix, from the theme's options."""
    _, _, repository = options.get("repository_url", "").partition("github.com/")
    branch, launch = options.get("repository_branch") or "main", options.get("launch_buttons", {})
    links = {}
    if repository and (colab := launch.get("colab_url")):
        links["Colab"] = f"{colab}/github/{repository}/blob/{branch}/{name}.ipynb"
    if repository and (binder := launch.get("binderhub_url")):
        links["Binder"] = f"{binder}/v2/gh/{repository}/{branch}?urlpath=lab/tree/{name}.ipynb"
    return links


class Launch(SphinxDirective):
    """A line with links that open the named notebook."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        links = launch_links(self.config.html_theme_options, self.arguments[0])
        return [launch_line("Open the notebooks", links)] if links else []


def setup(app):
    app.add_directive("launch", Launch)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
