"""The built book as one PDF with links, bookmarks and page numbers: _build/one-prompt.pdf.

    python tools/pdf.py

Chromium prints each page of the table of contents with the rules of book/_ext/print.css, in the
light theme, and without what these leave out. Explorers stand as they do at first. Of what is
folded on a page, the topics of "Deeper", notes and the package's source are printed; the code of
figures and of checks is not, nor are a glossary entry's other wordings, and nothing remains of
their folds. Solutions and the answers to predictions and quizzes are taken off the chapters
(pdf.js) and stand at the end. A printed page number is the number of the page in the file.
"""

import io
import json
from html import escape
from pathlib import Path
from typing import NamedTuple

import chromium
import yaml
from pdf_links import add_outline, lead_links
from playwright.sync_api import Page, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, TextStringObject
from tqdm import tqdm

TOOLS = Path(__file__).parent
OUT = chromium.BUILT.parent / "one-prompt.pdf"
CONFIG = yaml.safe_load((TOOLS.parent / "_config.yml").read_text("utf-8"))
TOC = yaml.safe_load((TOOLS.parent / "_toc.yml").read_text("utf-8"))
FIRST_TITLE = "About this book"  # of the site's first page, whose own title is the book's
CONTENTS, ANSWERS = "Contents", "Answers and solutions"
SHEET = {"width": 642, "height": 971}  # CSS pixels of A4 between the margins of print.css
CAPTIONS = {part["chapters"][0]["file"]: part["caption"] for part in TOC["parts"]}
NAMES = [TOC["root"], *(page["file"] for part in TOC["parts"] for page in part["chapters"])]


class Part(NamedTuple):
    """A page of the site in print, or one of the three that only the PDF has.

    Attributes:
        name: the page's path on the site, without ".html".
        headings: (level, text, id) of each.
    """

    name: str
    title: str
    pdf: PdfReader
    headings: list[tuple[int, str, str]]


def open_page(page: Page, site: str, name: str) -> None:
    """Open a page with everything on it that a reader would have to scroll to."""
    page.set_viewport_size(SHEET)  # explorers measure the window that they are drawn in
    page.emulate_media(media="print")
    page.goto(f"{site}{name}.html")
    for explorer in page.locator("[data-explorer]").all():
        explorer.scroll_into_view_if_needed()  # a large one starts when a reader comes near
        explorer.locator(".op-root > .op-explorer").wait_for()
    page.add_style_tag(path=TOOLS / "pdf.css")
    page.add_script_tag(path=TOOLS / "pdf.js")
    page.evaluate("settle()")


def print_part(page: Page, name: str, title: str, n_before: int) -> Part:
    """Print the open page; `n_before` pages of the book come before it."""
    foot = json.dumps(title, ensure_ascii=False)  # as a string of CSS
    page.add_style_tag(
        content=f"html {{ counter-reset: page {n_before} }}"
        f"@page {{ @bottom-left {{ content: {foot} }} }}"
    )
    page.evaluate("namePlaces()")
    data = page.pdf(prefer_css_page_size=True, print_background=True)
    return Part(name, title, PdfReader(io.BytesIO(data)), page.evaluate("headings()"))


def print_chapter(page: Page, site: str, name: str, n_before: int) -> tuple[Part, str]:
    """A page of the site without its answers, and these as HTML."""
    open_page(page, site, name)
    if name == TOC["root"]:
        page.evaluate("retitle", FIRST_TITLE)
    page.evaluate("openFolds()")
    answers = page.evaluate("takeAnswers()")
    title = page.evaluate("headings()")[0][1]
    return print_part(page, name, title, n_before), answers


def print_own(page: Page, site: str, title: str, html: str, n_before: int) -> Part:
    """What the site does not have, in its looks."""
    open_page(page, site, TOC["root"])
    page.evaluate("replaceArticle", html)
    return print_part(page, title, title, n_before)


def cover(page: Page, site: str) -> Part:
    """A page around the picture that opens the site."""
    open_page(page, site, TOC["root"])
    picture = page.locator("article .op-title").evaluate("(picture) => picture.outerHTML")
    title, author, year = (escape(CONFIG[key]) for key in ("title", "author", "copyright"))
    address, license_line = CONFIG["html"]["baseurl"], CONFIG["html"]["extra_footer"]
    html = (
        "<style>@page { @bottom-right { content: none } }</style>"
        f"<section class='op-cover'><header><h1>{title}</h1>"
        f"<p>One question through a language model, in nine steps</p></header>{picture}"
        f"<footer><p>{author}, {year}<br><a href='{address}'>{address}</a><br>{license_line}</p>"
        "</footer></section>"
    )
    return print_own(page, site, "", html, 0)


def contents(page: Page, site: str, rows: list[tuple[str, str, int]]) -> Part:
    """The table of contents: (name, title, page number) of each part."""
    lines = []
    for name, title, number in rows:
        if name in CAPTIONS:
            lines.append(f"<p>{escape(CAPTIONS[name])}</p>")
        lines.append(f"<a href='{site}{name}.html'><span>{number}</span>{escape(title)}</a>")
    html = f"<section class='op-contents'><h1>{CONTENTS}</h1>{''.join(lines)}</section>"
    return print_own(page, site, CONTENTS, html, 1)


def answers_part(page: Page, site: str, answers: dict[str, str], n_before: int) -> Part:
    """The answers of all chapters: title -> HTML."""
    sections = (
        f"<section id='answers-{i}'><h2>{escape(title)}</h2>{html}</section>"
        for i, (title, html) in enumerate(answers.items())
    )
    html = f"<section id='answers'><h1>{ANSWERS}</h1>{''.join(sections)}</section>"
    return print_own(page, site, ANSWERS, html, n_before)


def print_parts(page: Page, site: str) -> list[Part]:
    """Everything in order: the contents are printed again once the page numbers are known."""
    parts = [cover(page, site), contents(page, site, [(name, name, 0) for name in NAMES])]
    answers = {}
    for name in tqdm(NAMES, desc="printing", unit="page"):
        part, found = print_chapter(page, site, name, n_pages(parts))
        parts.append(part)
        if found:
            answers[part.title] = found
    parts.append(answers_part(page, site, answers, n_pages(parts)))
    rows = [(part.name, part.title, n_pages(parts[:i]) + 1) for i, part in enumerate(parts)]
    parts[1] = contents(page, site, rows[2:])
    return parts


def n_pages(parts: list[Part]) -> int:
    return sum(len(part.pdf.pages) for part in parts)


def join(parts: list[Part], site: str) -> PdfWriter:
    """One file of all parts."""
    book = PdfWriter()
    for part in parts:
        for sheet in part.pdf.pages:
            book.add_page(sheet)
    lead_links(book, parts, site, CONFIG["html"]["baseurl"])
    add_outline(book, parts)
    book.add_metadata({"/Title": CONFIG["title"], "/Author": CONFIG["author"]})
    book.root_object[NameObject("/Lang")] = TextStringObject("en")
    book.page_mode = "/UseOutlines"
    book.compress_identical_objects()  # each part brings the same faces
    return book


def main() -> None:
    with chromium.served(chromium.BUILT) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(playwright), args=list(chromium.FLAGS)
        )
        parts = print_parts(browser.new_page(), site)
        browser.close()
    join(parts, site).write(OUT)
    print(f"The book, {n_pages(parts)} pages: {OUT.relative_to(TOOLS.parent)}")


if __name__ == "__main__":
    main()
