"""What the built site says of itself: heads, the root, the page for lost readers, the lists."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import chromium
import pytest
import yaml
from pages import PAGES, ROOT, Page, parse
from PIL import Image

CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
SITE = CONFIG["html"]["baseurl"]
FIRST = "book/index"
ALL = ["index", "404", "search", *PAGES]


@pytest.fixture(scope="module")
def heads(built_book) -> dict[str, Page]:
    return {name: parse(built_book / f"{name}.html") for name in ALL}


def metas(page: Page, key: str) -> list[str]:
    tags = page.attributes("meta")
    return [tag["content"] for tag in tags if key in (tag.get("name"), tag.get("property"))]


def title(page: Page) -> str:
    return re.search(r"<title>(.*?)</title>", page.source, re.DOTALL)[1].strip()


def own_address(name: str) -> str:
    return SITE if name in ("index", FIRST) else f"{SITE}{name}.html"


def canonical(page: Page) -> list[str]:
    return [tag["href"] for tag in page.attributes("link") if tag.get("rel") == "canonical"]


def test_every_page_has_one_viewport_and_a_title_and_a_description_of_its_own(heads):
    assert {name for name, page in heads.items() if len(metas(page, "viewport")) != 1} == set()
    limits = {title: (15, 60), lambda page: metas(page, "description")[0]: (30, 160)}
    for said, (shortest, longest) in limits.items():
        texts = [said(page) for name, page in heads.items() if name != "index"]
        assert len(set(texts)) == len(texts)
        assert [text for text in texts if not shortest <= len(text) <= longest] == []
        assert not any("not set" in text for text in texts)
    assert title(heads["index"]) == title(heads[FIRST])


def test_every_page_names_its_address_and_a_card(heads, built_book):
    for name in ("index", *PAGES):
        page = heads[name]
        assert canonical(page) == metas(page, "og:url") == [own_address(name)]
        assert metas(page, "twitter:card") == ["summary_large_image"]
        assert metas(page, "og:title") == [re.sub("&#39;", "'", title(page))]
        assert metas(page, "og:description") == metas(page, "description")
        (picture,) = metas(page, "og:image")
        with Image.open(built_book / picture.removeprefix(SITE)) as image:
            size = [metas(page, f"og:image:{side}")[0] for side in ("width", "height")]
            assert list(map(str, image.size)) == size


def test_search_and_lost_page_name_no_address(heads):
    for name in ("search", "404"):
        assert canonical(heads[name]) == metas(heads[name], "og:url") == []


def test_no_page_is_kept_from_search_engines(heads):
    assert [name for name, page in heads.items() if metas(page, "robots")] == []


def test_phones_find_an_icon_and_colors(heads, built_book):
    for name, page in heads.items():
        assert len(metas(page, "theme-color")) == 2
        (icon,) = [t["href"] for t in page.attributes("link") if t["rel"] == "apple-touch-icon"]
        path = urlsplit(urljoin(f"{SITE}{name}.html", icon)).path
        with Image.open(built_book / path.removeprefix(urlsplit(SITE).path)) as image:
            assert image.size == (180, 180)


def test_the_site_map_lists_every_page_once(built_book):
    tree = ElementTree.parse(built_book / "sitemap.xml")
    listed = [location.text for location in tree.iter() if location.tag.endswith("}loc")]
    assert listed == list(dict.fromkeys(map(own_address, PAGES)))
    assert f"Sitemap: {SITE}sitemap.xml" in (built_book / "robots.txt").read_text()
    assert (built_book / ".nojekyll").exists()


def test_the_root_shows_the_first_page(page, site):
    page.goto(site)
    assert page.locator("article h1").inner_text().startswith("One Prompt")
    page.locator(".op-playground").first.wait_for()
    page.locator('article a[href$="04_attention.html"]').first.click()
    page.wait_for_url(f"{site}book/04_attention.html")


def test_all_links_of_the_root_lead_somewhere(heads, built_book):
    links = [tag["href"] for tag in heads["index"].attributes("a", "link") if tag.get("href")]
    local = [link for link in links if not re.match(r"[a-z]+:|#", link)]
    assert len(local) > 20
    assert [at for at in local if not (built_book / urlsplit(at).path).is_file()] == []


@pytest.fixture
def hosted(built_book, tmp_path) -> Path:
    """The site below the path of its address, as GitHub Pages serves it."""
    place = tmp_path / urlsplit(SITE).path.strip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(built_book)
    return tmp_path


@pytest.mark.parametrize("address", ["nothing.html", "book/no/such/page.html"])
def test_a_lost_reader_finds_all_pages(page, hosted, address):
    with chromium.served(hosted) as host:
        home = urljoin(host, urlsplit(SITE).path)
        lost = (hosted / urlsplit(SITE).path.strip("/") / "404.html").read_text("utf-8")
        answer = {"status": 200, "body": lost, "content_type": "text/html"}
        page.route(f"{home}{address}", lambda route: route.fulfill(**answer))
        page.goto(f"{home}{address}")
        assert page.locator("article li a").count() == len(PAGES)
        page.locator('article li a[href$="07_sample.html"]').click()
        page.wait_for_url(f"{home}book/07_sample.html")


def test_the_first_page_opens_notebooks(heads):
    links = {tag.get("href", "") for tag in heads[FIRST].attributes("a")}
    opened = [link for link in links if "00_overview.ipynb" in link and "://" in link]
    assert {urlsplit(link).hostname for link in opened} == {
        "colab.research.google.com",
        "mybinder.org",
    }
