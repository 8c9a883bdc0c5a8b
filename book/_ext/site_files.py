"""The files of a site besides its pages: the root, a page for lost readers, lists for engines.

| file | purpose |
|---|---|
| `index.html` | the first page, whose sources are in `book/`, as it reads at the site's root |
| `404.html` | what a static host shows where nothing is; it works at every depth |
| `sitemap.xml`, `robots.txt` | all pages, for search engines |
| `.nojekyll` | GitHub Pages leaves folders alone that begin with `_` |
"""

import re
import shutil
from html import escape
from pathlib import Path
from posixpath import normpath
from urllib.parse import urlsplit

from head_tags import CARD, TOUCH_ICON

PICTURES = Path(__file__).resolve().parent.parent / "_pictures"
# Tags, but not what looks like one within a script.
TAG = re.compile(r"(<script\b[^>]*>).*?</script>|<[a-zA-Z][^>]*>", re.DOTALL)
ADDRESS = re.compile(r'(?<= )(href|src|action|data-content_root)="(?![a-z]+:|[/#"])([^"]+)"')


def seen_from(page: str, folder: str) -> str:
    """A page with its relative addresses joined to the folder in front."""

    def join(match) -> str:
        slash = "/" if match[2].endswith("/") else ""
        return f'{match[1]}="{normpath(folder + match[2])}{slash}"'

    def rewrite(match) -> str:
        opening = match[1] or match[0]
        return ADDRESS.sub(join, opening) + match[0][len(opening) :]

    return TAG.sub(rewrite, page)


def lost_page(app):
    """What a reader finds who followed an address that is none, or no longer: all pages."""
    titles = app.env.titles
    pages = "".join(
        f'<li><a href="{escape(app.builder.get_relative_uri("404", name))}">'
        f"{escape(titles[name].astext())}</a></li>"
        for name in names_in_order(app)
    )
    body = (
        "<h1>There is no such page</h1><p>It may have moved, or the address was cut off. The "
        f"search at the top knows every section, and these are all pages:</p><ul>{pages}</ul>"
    )
    yield "404", {"title": "There is no such page", "body": body}, "page.html"


def names_in_order(app) -> list[str]:
    """The pages, in the order of the table of contents."""
    names, waiting = [], [app.config.root_doc]
    while waiting:
        names.append(name := waiting.pop(0))
        waiting = app.env.toctree_includes.get(name, []) + waiting
    return names


def site_map(app) -> str:
    site, root = app.config.html_baseurl, app.config.root_doc
    pages = [name for name in names_in_order(app) if name != root]
    addresses = [site, *(site + app.builder.get_target_uri(name) for name in pages)]
    listed = "".join(f"<url><loc>{escape(address)}</loc></url>\n" for address in addresses)
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{space}">\n{listed}</urlset>\n'


def write(app, exception) -> None:
    if exception or app.builder.format != "html":
        return
    out, config = Path(app.outdir), app.config
    first = out / app.builder.get_target_uri(config.root_doc)
    folder = f"{first.parent.relative_to(out).as_posix()}/"
    copy = seen_from(first.read_text("utf-8"), folder)
    copy = copy.replace("<html ", f'<html data-pages="{folder}" ', 1)  # for links that scripts make
    (out / "index.html").write_text(copy, "utf-8")
    lost = out / "404.html"
    at = urlsplit(config.html_baseurl).path or "/"
    lost.write_text(seen_from(lost.read_text("utf-8"), at), "utf-8")
    for name in (CARD[0], TOUCH_ICON):
        shutil.copyfile(PICTURES / name, out / "_static" / name)
    (out / "sitemap.xml").write_text(site_map(app), "utf-8")
    robots = f"User-agent: *\nAllow: /\nSitemap: {config.html_baseurl}sitemap.xml\n"
    (out / "robots.txt").write_text(robots, "utf-8")
    (out / ".nojekyll").touch()


def setup(app):
    app.connect("html-collect-pages", lost_page)
    app.connect("build-finished", write, priority=950)  # after the style sheet has its name
    return {"parallel_read_safe": True, "parallel_write_safe": True}
