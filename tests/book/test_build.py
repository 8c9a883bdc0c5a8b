"""The built book: complete, executed, self-contained, and readable in a browser."""

import importlib.util
import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from pages import NOTEBOOKS, PAGES, ROOT, Page, parse

MIN_WORDS = 60  # fewer in its article and a page counts as empty


@pytest.fixture(params=PAGES)
def built_page(request, built_book) -> Page:
    return parse(built_book / f"{request.param}.html")


def test_build_succeeds_without_a_warning(book_build):
    assert book_build.returncode == 0, book_build.stdout[-8000:]
    assert "WARNING: " not in book_build.stdout


def test_root_leads_to_the_first_page(built_book):
    assert 'url=book/index.html"' in (built_book / "index.html").read_text("utf-8")


def test_page_is_not_empty(built_page):
    assert "".join(built_page.text["h1"]).strip("# \n")
    assert len(" ".join(built_page.text["article"]).split()) >= MIN_WORDS


def test_page_loads_nothing_from_elsewhere(built_page):
    loaded = [tag.get("src") for tag in built_page.attributes("script", "img", "iframe", "source")]
    loaded += [tag.get("href") for tag in built_page.attributes("link")]
    elsewhere = [url for url in loaded if url and re.match(r"(?!data:)([a-z]+:)?//", url)]
    assert not elsewhere
    assert "@import" not in built_page.source


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


@pytest.mark.parametrize("name", PAGES)
def test_local_links_lead_somewhere(name, built_book):
    here = built_book / f"{name}.html"
    links = [tag.get("href", "") for tag in parse(here).attributes("a")]
    assert not [link for link in links if not leads_somewhere(link, here)]


def test_page_shows_no_error(built_page):
    text = "".join(built_page.text["article"])
    assert "Traceback (most recent call last)" not in built_page.source
    # Indented, it is the "Raises:" of a docstring that the page shows.
    assert not re.search(r"^\S.*?\w(Error|Warning): |^\w+(Error|Warning): ", text, re.MULTILINE)


def test_page_holds_no_widget_state(built_page):
    assert "application/vnd.jupyter.widget-state" not in built_page.source
    assert "require.js" not in built_page.source
    assert "thebe" not in str(built_page.attributes("script"))


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_notebook_was_executed(notebook, built_book):
    cells = json.loads((ROOT / f"{notebook}.ipynb").read_text("utf-8"))["cells"]
    with_output = sum(bool(cell.get("outputs")) for cell in cells)
    shown = parse(built_book / f"{notebook}.html").source.count("cell_output docutils")
    assert shown >= max(with_output, 1)


def test_formulas_are_rendered(built_page):
    # What prerendering left out would stand in the page as \( ... \) or \[ ... \].
    math = re.findall(r'<(?:span|div) class="math[^"]*"[^>]*>(.{0,300})', built_page.source, re.S)
    assert not [formula for formula in math if 'class="katex' not in formula]
    assert 'class="katex-error"' not in built_page.source


def test_page_is_lean(built_page):
    sources = [tag["src"] for tag in built_page.attributes("script") if tag.get("src")]
    blocking = [tag.get("src") for tag in built_page.attributes("script") if "defer" not in tag]
    sheets = [
        tag["href"] for tag in built_page.attributes("link") if tag.get("rel") == "stylesheet"
    ]
    assert len(sources) == len(set(sources))
    assert not [source for source in sources if "searchindex" in source]
    assert all("documentation_options" in source for source in filter(None, blocking))
    assert re.search(r"book\.css\?v=[0-9a-f]{8}$", sheets[0])
    assert all("katex" in sheet for sheet in sheets[1:])
    assert [tag for tag in built_page.attributes("meta") if tag.get("name") == "description"]


def test_cache_is_named_after_everything_notebooks_read(tmp_path):
    path = ROOT / "book" / "_ext" / "execution_cache.py"
    spec = importlib.util.spec_from_file_location("execution_cache", path)
    cache_module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cache_module)
    weights = tmp_path / "src" / "oneprompt" / "assets" / "reference.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"old")
    (tmp_path / "requirements.txt").write_text("torch==1\n")
    first = cache_module.inputs_hash(tmp_path)

    bytecode = tmp_path / "src" / "oneprompt" / "__pycache__" / "sample.cpython-311.pyc"
    bytecode.parent.mkdir()
    bytecode.write_bytes(b"anything")
    assert cache_module.inputs_hash(tmp_path) == first
    weights.write_bytes(b"new")
    second = cache_module.inputs_hash(tmp_path)
    (tmp_path / "requirements.txt").write_text("torch==2\n")
    assert len({first, second, cache_module.inputs_hash(tmp_path)}) == 3


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_a_phone(name, page, site):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{site}{name}.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("article h1").wait_for()


def test_search_finds_a_page(page, site):
    page.goto(f"{site}book/index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("causal mask")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.click()
    page.locator("article h1").wait_for()


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
