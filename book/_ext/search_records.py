"""What the search knows: each section of a page by itself, and each entry of the glossary.

Only prose counts. Code, what cells print, explorers, buttons and the picture of a formula are left
out; a formula is searched, and quoted, as plain text.
"""

from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

# How much a word counts beside prose, which has 1: the glossary's terms where the book introduces
# them, which is where they are linked, and other names of a term in its entry.
TERM, ALIAS = 8, 8
COURSE_PAGES = ("book/assignments.html", "book/instructors.html")
HEADINGS = {"h1", "h2", "h3", "h4"}
EMPTY = {"br", "hr", "img", "input", "link", "meta", "source", "wbr"}
BLOCKS = {"p", "li", "div", "dd", "dt", "td", "th", "section", "summary", "figcaption", *HEADINGS}
NO_PROSE = {"script", "style", "noscript", "svg", "button", "annotation"}
NO_PROSE_CLASSES = {
    *("headerlink", "cell_input", "cell_output", "highlight", "footnote-reference", "katex-html"),
    *("op-code", "op-device", "op-explorer", "op-launch", "op-note"),
}
FORMULA_SIGNS = {"mfrac": "/", "msub": "_", "msup": "^"}  # between the two parts of the element


@dataclass
class Record:
    """One result: where it leads, what it is called, the page it is on, and its text as HTML."""

    url: str
    page: str = ""
    title: str = ""
    body: list[str] = field(default_factory=list)

    @property
    def html(self) -> str:
        course = self.url.startswith(COURSE_PAGES) or "#assignment-" in self.url
        facts = {"address": self.url, "page": self.page, "heading": self.title}
        if not course:  # whose headings repeat those of the chapters; a "title" is searched first
            facts["title"] = self.title
        metas = "".join(
            f'<meta data-pagefind-meta="{name}[content]" content="{escape(text)}">'
            for name, text in facts.items()
        )
        return f"<html><head>{metas}</head><body><p>{''.join(self.body)}</p></body></html>"


class Sections(HTMLParser):
    """Reads a built page into its records."""

    def __init__(self, html: str, url: str):
        super().__init__()
        self.url, self.records = url, []
        self.tags: list[list] = []  # of each open element: its tag, and how many children it has
        self.sections: list[Record] = []  # the open sections, outermost first
        self.skipped = 0  # how many elements were open where what is no prose began
        self.in_title = False
        start = html.find("<article")
        self.feed(html[start : html.find("</article>")])

    def handle_starttag(self, tag, attrs):
        if tag in EMPTY:
            return
        if self.tags:
            self.tags[-1][1] += 1
            parent, children = self.tags[-1]
            if children == 2 and parent in FORMULA_SIGNS:
                self.handle_data(FORMULA_SIGNS[parent])
        self.tags.append([tag, 0])
        if not self.skipped:
            self.begin(tag, {name: value or "" for name, value in attrs})

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in NO_PROSE or NO_PROSE_CLASSES & set(attributes.get("class", "").split()):
            self.skipped = len(self.tags)
        elif tag == "section" and "id" in attributes:
            self.open(attributes["id"])
        elif tag == "dt" and "id" in attributes:  # an entry of the glossary goes on to the next
            self.close_entry()
            self.open(attributes["id"])
            self.in_title = True
        elif tag in HEADINGS:
            self.in_title = True
        elif tag == "a" and "glossary.html#" in attributes.get("href", ""):
            self.write(f'<span data-pagefind-weight="{TERM}">')
        elif "op-alias" in attributes.get("class", ""):
            self.write(f'<span data-pagefind-weight="{ALIAS}">')
        elif tag == "msqrt":
            self.handle_data("√")

    def handle_endtag(self, tag):
        if tag in EMPTY or not any(tag == name for name, _ in self.tags):
            return
        while self.tags.pop()[0] != tag:
            pass
        if self.skipped:
            if len(self.tags) < self.skipped:
                self.skipped = 0
            return
        if tag in HEADINGS or tag == "dt":
            self.in_title = False
        elif tag == "dl":
            self.close_entry()
        elif tag == "section":
            self.sections.pop()
        elif tag in ("a", "span") and self.sections and self.is_open_term():
            self.write("</span>")
        if tag in BLOCKS:
            self.write(" ")

    def is_open_term(self) -> bool:
        body = "".join(self.sections[-1].body)
        return body.count("<span") > body.count("</span")

    def handle_data(self, data):
        if self.skipped or not self.sections:
            return
        if self.in_title:
            self.sections[-1].title = f"{self.sections[-1].title}{data}".strip()
        else:
            self.write(escape(" ".join(data.split(" "))))

    def write(self, html: str) -> None:
        if self.sections:
            self.sections[-1].body.append(html)

    def open(self, anchor: str) -> None:
        first = not self.records
        self.sections.append(Record(self.url if first else f"{self.url}#{anchor}"))
        self.records.append(self.sections[-1])

    def close_entry(self) -> None:
        """End the glossary's entry that is open, if one is: it is no section's own element."""
        depth = sum(name == "section" for name, _ in self.tags)
        while len(self.sections) > depth:
            self.sections.pop()


def records(html: str, url: str) -> list[Record]:
    """The records of one built page."""
    found = Sections(html, url).records
    for record in found:
        record.page = found[0].title
    return [record for record in found if "".join(record.body).strip()]
