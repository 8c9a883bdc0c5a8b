"""The book as one PDF, made once from the built pages by a reader with the dark theme."""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

import pdf
import pytest
from pages import PAGES, parse
from pypdf import PdfReader

ATTENTION, MOST_PAGES = "book/04_attention", 20
DARK = "localStorage.setItem('mode', 'dark'); localStorage.setItem('theme', 'dark')"
CODE = ":is(.tag_show, .tag_exercise) .cell_input pre"
# Paragraphs without a formula, which is printed in another order than it is written.
SOLUTIONS = """() => [...document.querySelectorAll("article details")]
  .filter((fold) => fold.querySelector("summary").textContent.match(/^(Solution|Commit)/))
  .flatMap((fold) => [...fold.querySelectorAll("p:not(:has(.katex))")])
  .map((paragraph) => [...paragraph.childNodes]
    .filter((node) => !node.className?.match(/op-(hit|miss)/)).map((n) => n.textContent).join(""))
  .filter((text) => text.length > 60)"""


class Printed(NamedTuple):
    parts: list[pdf.Part]
    book: PdfReader
    texts: dict[str, str]  # of the parts, without white space
    requested: list[str]
    site: str

    def sheets(self) -> dict[str, range]:
        """A part's pages in the book."""
        first, found = 0, {}
        for part in self.parts:
            found[part.name] = range(first, first + len(part.pdf.pages))
            first += len(part.pdf.pages)
        return found


def squeezed(text: str) -> str:
    """Without white space: a line that wraps is the same."""
    return re.sub(r"\s", "", text)


def text(book: PdfReader) -> str:
    return squeezed("".join(sheet.extract_text() for sheet in book.pages))


@pytest.fixture(scope="module")
def printed(browser, site) -> Iterator[Printed]:
    context = browser.new_context(color_scheme="dark")
    context.add_init_script(DARK)
    page, requested = context.new_page(), []
    page.on("request", lambda request: requested.append(request.url))
    parts = pdf.print_parts(page, site)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    file = BytesIO()
    pdf.join(parts, site).write(file)
    texts = {part.name: text(part.pdf) for part in parts}
    yield Printed(parts, PdfReader(file), texts, requested, site)
    context.close()


def test_the_parts_are_in_order_and_have_bookmarks(printed, built_book):
    titles = [parse(built_book / f"{name}.html").text["h1"][0] for name in PAGES[1:]]
    bookmarks = [item for item in printed.book.outline if not isinstance(item, list)]
    assert [mark.title for mark in bookmarks] == [
        "Cover",
        "Contents",
        pdf.FIRST_TITLE,
        *titles,
        pdf.ANSWERS,
    ]
    leads = [printed.book.get_destination_page_number(mark) for mark in bookmarks]
    assert leads == [sheets[0] for sheets in printed.sheets().values()]
    assert len(printed.book.pages) == sum(len(sheets) for sheets in printed.sheets().values())


def test_the_contents_name_the_page_on_which_a_chapter_begins(printed):
    contents = printed.texts[pdf.CONTENTS]
    for part in printed.parts[2:]:
        number, title = printed.sheets()[part.name][0] + 1, squeezed(part.title)
        assert f"{title}{number}" in contents
        page = squeezed(printed.book.pages[number - 1].extract_text())
        assert page.startswith(
            f"{number}{title}{title}"
        )  # the foot, which comes first, the heading


def test_chapter_4_is_short_and_no_line_of_its_code_is_cut(printed, page):
    assert len(printed.sheets()[ATTENTION]) <= MOST_PAGES
    page.goto(f"{printed.site}{ATTENTION}.html")
    lines = "\n".join(page.locator(CODE).all_text_contents()).split("\n")
    lines = [squeezed(line) for line in lines if line.strip()]
    assert len(lines) > 50
    found = printed.texts[ATTENTION]
    assert [line for line in lines if line not in found] == []


def test_no_page_is_shrunk_to_fit_what_is_too_wide(printed):
    """A chapter's title is the largest text of its first page, and as large as any other."""
    sizes = {}
    for part in printed.parts[1:]:
        found = []
        part.pdf.pages[0].extract_text(
            visitor_text=lambda text, cm, tm, font, size, found=found: found.append(
                round(abs(cm[3] * tm[3] * size), 1) if text.strip() else 0
            )
        )
        sizes[part.name] = max(found)
    assert len(set(sizes.values())) == 1, sizes


def test_answers_are_at_the_end_only_and_nothing_is_judged(printed, page):
    texts = printed.texts
    page.goto(f"{printed.site}{ATTENTION}.html")
    answers = [squeezed(answer) for answer in page.evaluate(SOLUTIONS)]
    assert len(answers) > 8
    assert [answer for answer in answers if answer not in texts[pdf.ANSWERS]] == []
    assert [answer for answer in answers if answer in texts[ATTENTION]] == []
    for verdict in ("Notquite.", "Asyousaid.", "Commitandsee"):
        assert not any(verdict in text for text in texts.values())


def fills(book: PdfReader) -> set[tuple[int, ...]]:
    """The colors, 0 to 255, in which anything is drawn on the first pages."""
    found = set()

    def visit(operator, operands, *_):
        if operator == b"rg":
            found.add(tuple(round(float(share) * 255) for share in operands))

    for sheet in book.pages[:3]:
        sheet.extract_text(visitor_operand_before=visit)
    return found


@pytest.fixture
def text_color(page, site) -> dict[str, tuple[int, ...]]:
    """The color of the text in each theme."""
    page.goto(f"{site}{ATTENTION}.html")
    found = {}
    for theme in ("light", "dark"):
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
        color = page.locator("article").evaluate("(article) => getComputedStyle(article).color")
        found[theme] = tuple(map(int, re.findall(r"\d+", color)))
    return found


def test_the_palette_is_light_though_the_reader_has_chosen_dark(printed, text_color):
    for part in printed.parts[2:]:
        colors = fills(part.pdf)
        assert text_color["light"] in colors, part.name
        assert text_color["dark"] not in colors, part.name


def test_links_within_the_book_lead_to_its_pages_and_others_stay(printed):
    addresses, inward = set(), set()
    for number, sheet in enumerate(printed.book.pages):
        for link in (each.get_object() for each in sheet.get("/Annots", [])):
            if "/Dest" in link:
                target = printed.book.get_page_number(link["/Dest"][0].get_object())
                inward.add((number, target))
            else:
                addresses.add(link["/A"]["/URI"])
    assert not any(address.startswith(printed.site) for address in addresses)
    assert "https://arxiv.org/abs/1706.03762" in addresses
    attention, glossary = printed.sheets()[ATTENTION], printed.sheets()["book/glossary"]
    led = {to for start, to in inward if start in attention and to in glossary}
    assert any("causalmask" in squeezed(printed.book.pages[to].extract_text()) for to in led)
    assert len(led) > 2  # to the terms, not to the glossary's first page
    assert {to for start, to in inward if start == 1} == {
        sheets[0] for sheets in list(printed.sheets().values())[2:]
    }


def test_printing_asks_for_nothing_outside(printed):
    assert printed.requested
    local = (printed.site, "data:", "blob:")
    assert [url for url in printed.requested if not url.startswith(local)] == []


def test_a_page_printed_from_the_browser_is_light_and_then_as_it_was(page, site, text_color):
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    topics = page.locator("details.op-fold[open]")
    assert topics.count() == 0
    colors = fills(PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))))
    assert text_color["light"] in colors
    assert text_color["dark"] not in colors
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert topics.count() == 0
    page.emulate_media(media="print")
    gone = ".bd-sidebar, .bd-header-article, .op-launch, .op-explorer input, .op-quiz-feedback"
    assert page.locator(gone).count() > 10
    assert page.locator(f":is({gone}):visible").count() == 0
