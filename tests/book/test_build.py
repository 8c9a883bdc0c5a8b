"""The built book: complete, executed, self-contained, and readable in a browser."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from pages import LAID_OUT, NOTEBOOKS, PAGES, ROOT, Page, parse

MIN_WORDS = 60  # a page with fewer in its article counts as empty


@pytest.fixture(scope="module")
def pages(built_book) -> dict[str, Page]:
    return {name: parse(built_book / f"{name}.html") for name in PAGES}


def what_is_wrong(pages: dict[str, Page], find: Callable[[Page], object]) -> dict:
    """Page -> what `find` finds wrong with it, only for pages where it finds something."""
    return {name: found for name, page in pages.items() if (found := find(page))}


def test_build_succeeds_without_a_warning(book_build):
    assert book_build.returncode == 0, book_build.stdout[-8000:]
    assert "WARNING: " not in book_build.stdout


def test_every_page_has_a_heading_and_text(pages):
    assert what_is_wrong(pages, lambda page: not "".join(page.text["h1"]).strip("# \n")) == {}
    n_words = {name: len(" ".join(page.text["article"]).split()) for name, page in pages.items()}
    assert {name: n for name, n in n_words.items() if n < MIN_WORDS} == {}


def loaded_from_elsewhere(page: Page) -> list[str]:
    loaded = [tag.get("src") for tag in page.attributes("script", "img", "iframe", "source")]
    links = [tag for tag in page.attributes("link") if tag.get("rel") != "canonical"]  # only a name
    loaded += [tag.get("href") for tag in links]
    elsewhere = [url for url in loaded if url and re.match(r"(?!data:)([a-z]+:)?//", url)]
    return elsewhere + re.findall("@import.*", page.source)


def test_pages_load_nothing_from_other_sites(pages):
    assert what_is_wrong(pages, loaded_from_elsewhere) == {}


def test_style_sheets_load_only_local_files(built_book):
    static = built_book / "_static"
    for sheet in (static / "book.css", static / "katex" / "katex.min.css"):
        urls = re.findall(r"url\(['\"]?(?!data:)([^)'\"]+)", sheet.read_text("utf-8"))
        assert not [url for url in urls if not (sheet.parent / url).exists()]


def leads_somewhere(link: str, here: Path) -> bool:
    """Whether a link of a page leads to an existing file and an existing anchor in it."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True  # another site: for the reader to follow
    target = (here.parent / unquote(parts.path)).resolve() if parts.path else here
    if not target.is_file():
        return False
    anchor = unquote(parts.fragment)
    return not anchor or target.suffix != ".html" or anchor in parse(target).ids()


def test_links_within_the_book_have_a_target(pages, built_book):
    dead = [
        (name, tag["href"])
        for name, page in pages.items()
        for tag in page.attributes("a")
        if not leads_somewhere(tag.get("href", ""), built_book / f"{name}.html")
    ]
    assert dead == []


def errors_shown(page: Page) -> list[str]:
    # Indented, "ValueError: ..." is the "Raises:" of a docstring that the page shows.
    error = r"^\S.*?\w(?:Error|Warning): .*|^\w+(?:Error|Warning): .*"
    return re.findall(error, "".join(page.text["article"]), re.MULTILINE)


def test_no_page_shows_an_error(pages):
    assert what_is_wrong(pages, errors_shown) == {}
    traceback = "Traceback (most recent call last)"
    assert what_is_wrong(pages, lambda page: traceback in page.source) == {}


def test_no_page_holds_the_state_of_live_widgets(pages):
    for words in ("application/vnd.jupyter.widget-state", "require.js"):
        assert what_is_wrong(pages, lambda page, words=words: words in page.source) == {}
    assert what_is_wrong(pages, lambda page: "thebe" in str(page.attributes("script"))) == {}


def test_every_notebook_was_executed(built_book):
    missing = {}
    for notebook in NOTEBOOKS:
        cells = json.loads((ROOT / f"{notebook}.ipynb").read_text("utf-8"))["cells"]
        with_output = sum(bool(cell.get("outputs")) for cell in cells)
        shown = parse(built_book / f"{notebook}.html").source.count("cell_output docutils")
        if shown < max(with_output, 1):
            missing[notebook] = f"{with_output} cells with outputs, {shown} shown"
    assert missing == {}


def unrendered_formulas(page: Page) -> list[str]:
    # What prerendering left out would be on the page as \( ... \) or \[ ... \].
    math = re.findall(r'<(?:span|div) class="math[^"]*"[^>]*>(.{0,300})', page.source, re.S)
    return [formula for formula in math if 'class="katex' not in formula] + re.findall(
        r'class="katex-error".{0,100}', page.source
    )


def test_formulas_are_rendered(pages):
    assert what_is_wrong(pages, unrendered_formulas) == {}


def what_is_not_lean(page: Page) -> list[str]:
    scripts = page.attributes("script")
    sources = [tag["src"] for tag in scripts if tag.get("src")]
    blocking = [tag["src"] for tag in scripts if tag.get("src") and "defer" not in tag]
    sheets = [tag["href"] for tag in page.attributes("link") if tag.get("rel") == "stylesheet"]
    descriptions = [tag for tag in page.attributes("meta") if tag.get("name") == "description"]
    rules = {
        "a script is loaded twice": len(sources) != len(set(sources)),
        "the search index is loaded": any("searchindex" in source for source in sources),
        "a script blocks": not all("documentation_options" in source for source in blocking),
        "book.css is not first": not re.search(r"book\.css\?v=[0-9a-f]{8}$", sheets[0]),
        "another style sheet": not all("katex" in sheet for sheet in sheets[1:]),
        "no description": not descriptions,
    }
    return [rule for rule, broken in rules.items() if broken]


def test_pages_load_only_what_they_use(pages):
    assert what_is_wrong(pages, what_is_not_lean) == {}


def test_the_keyboard_reaches_what_scrolls_and_nothing_else(page, site):
    """A page reads all widths at once: read and change by turns, and a phone needs seconds."""
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{site}book/instructors.html")
    page.add_style_tag(content=LAID_OUT)  # what scrolls is found when it is laid out
    page.wait_for_function("document.querySelector('pre[tabindex]')")
    page.wait_for_function("""Array.from(document.querySelectorAll("article pre")).every(
        (e) => (e.scrollWidth > e.clientWidth) === (e.tabIndex === 0))""")


def test_an_address_leads_to_its_section_though_what_is_above_was_not_laid_out(page, site, pages):
    """The sections above have a height that is guessed until they come near the window."""
    name = "book/04_attention"
    sections = [tag["id"] for tag in pages[name].attributes("section") if tag.get("id")]
    for section in sections[3:-3:5]:
        page.goto("about:blank")
        page.goto(f"{site}{name}.html#{section}")
        page.wait_for_function(
            """(id) => {
              const { top } = document.getElementById(id).getBoundingClientRect();
              return top >= 0 && top < 120; // below the bar at the top
            }""",
            arg=section,
        )


def test_theme_follows_the_system_until_it_is_chosen(page, site):
    page.emulate_media(color_scheme="dark")
    page.goto(f"{site}book/index.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.emulate_media(color_scheme="light")
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.locator(".theme-switch-button:visible").first.click()
    chosen = page.evaluate("document.documentElement.dataset.theme")
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == chosen


def test_page_opens_from_a_folder(page, built_book):
    page.goto((built_book / "book" / "index.html").as_uri())
    page.locator(".prev-next-footer a").last.click()
    page.locator("article h1").wait_for()
