"""The pages of the book, and what the tests check on a built one."""

import html.parser
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
CHAPTERS = [chapter["file"] for part in TOC["parts"] for chapter in part["chapters"]]
PAGES = [TOC["root"], *CHAPTERS]
NOTEBOOKS = [page for page in PAGES if (ROOT / f"{page}.ipynb").exists()]
# The browser lays out what is near the window alone (book.css); this asks for all of a page.
LAID_OUT = "* { content-visibility: visible !important; }"
EMPTY_ELEMENTS = {"br", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Page(html.parser.HTMLParser):
    """What the tests check on a page: its elements, and the text of its article and heading."""

    def __init__(self, path: Path):
        super().__init__()
        self.elements = []  # (tag, attributes) in order
        self.text = {"article": [], "h1": []}
        self.open = []
        self.source = path.read_text("utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY_ELEMENTS:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            for tag in self.text.keys() & set(self.open):
                self.text[tag].append(data)

    def attributes(self, *tags: str) -> list[dict]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    def ids(self) -> set[str]:
        return {attributes["id"] for _, attributes in self.elements if attributes.get("id")}


parse = cache(Page)


def page_width(page) -> int:
    """How wide a page in the browser is, with everything on it laid out."""
    page.add_style_tag(content=LAID_OUT)
    return page.evaluate("document.documentElement.scrollWidth")
