"""Where a notebook of the repository can be run, from the addresses in _config.yml."""

from docutils import nodes


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
