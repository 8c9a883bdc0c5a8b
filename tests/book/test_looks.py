"""How the built pages look: faces, lines, widths, weight, and the cards."""

import gzip
import json
import re

import pytest
from explorer_page import come_near
from minutes import parts
from pages import LAID_OUT, NOTEBOOKS, PAGES, ROOT, Page

from oneprompt.notebook.pipeline import STEPS, chapter

FONTS = ROOT / "book" / "_vendor" / "fonts"
CHAPTERS = [f"book/{chapter(step).removesuffix('.ipynb')}" for step in STEPS]
SAMPLE = CHAPTERS[3]
WIDE = {"width": 1440, "height": 900}
ALL_FONTS, FIRST_VIEW = 90_000, 350_000  # bytes, the latter gzipped
# Other scripts, which show what a tokenizer does to them; emoji; and two signs that the original of
# the text face lacks.
FOREIGN = re.compile(r"[⅙▸\s\u0400-\u1cff\u200b-\u200d\u2061\u3040-\u9fff\uff00-\U0001faff]")
PROBE = """(text) => {
  const line = Object.assign(document.createElement("p"), { id: "probe", textContent: text });
  document.querySelector("article section").prepend(line);
  return document.fonts.ready.then(() => true);
}"""
# The characters in each full line of the paragraphs: the last line of each is shorter.
LINES = """() => {
  const prose = document.querySelectorAll("article section:not(.op-explorer) > p");
  return [...prose].flatMap((paragraph) => {
    const walker = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
    const [counts, range] = [new Map(), document.createRange()];
    if (!paragraph.checkVisibility() || paragraph.querySelector(".katex")) return [];
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      for (let i = 0; i < text.length; i += 1) {
        range.setStart(text, i);
        range.setEnd(text, i + 1);
        const line = Math.round(range.getBoundingClientRect().bottom / 12);
        counts.set(line, (counts.get(line) ?? 0) + 1);
      }
    }
    return [...counts.values()].slice(0, -1);
  });
}"""
SHIFT = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) sum += value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 200);
})"""


class Prose(Page):
    """The characters of a page's article outside code, formulas and drawings."""

    def __init__(self, path):
        self.kinds, self.characters = [], set()
        super().__init__(path)

    def handle_starttag(self, tag, attrs):
        n_open = len(self.open)
        super().handle_starttag(tag, attrs)
        if len(self.open) > n_open:
            self.kinds.append(f"{tag} {dict(attrs).get('class') or ''}")

    def handle_endtag(self, tag):
        super().handle_endtag(tag)
        del self.kinds[len(self.open) :]

    def handle_data(self, data):
        other = re.compile(r"^(pre|code|svg|script|style|math|table)\b|katex|op-|output")
        if "article" in self.open and not any(map(other.search, self.kinds)):
            self.characters |= set(data)


def faces(page, selector: str) -> dict[str, bool]:
    """The faces in which the browser draws an element -> whether they came from the page."""
    client = page.context.new_cdp_session(page)
    for domain in ("DOM", "CSS"):
        client.send(f"{domain}.enable")
    root = client.send("DOM.getDocument")["root"]["nodeId"]
    node = client.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
    fonts = client.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    return {font["familyName"]: font["isCustomFont"] for font in fonts}


def test_the_fonts_are_small_and_come_with_their_license():
    assert sum(font.stat().st_size for font in FONTS.glob("*.woff2")) <= ALL_FONTS
    licenses = [file.read_text("utf-8") for file in FONTS.glob("LICENSE-*.md")]
    assert ["SIL OPEN FONT LICENSE" in text for text in licenses] == [True, True]


def test_the_text_face_has_every_character_of_the_prose(page, site, built_book):
    found = set().union(*(Prose(built_book / f"{name}.html").characters for name in PAGES))
    text = FOREIGN.sub("", "".join(sorted(found)))
    assert len(text) > 100
    page.goto(f"{site}{SAMPLE}.html")
    missing = {}
    page.evaluate(PROBE, text)
    if set(faces(page, "#probe").values()) != {True}:  # then one by one, to name them
        for character in text:
            page.locator("#probe").evaluate(
                "(line, text) => { line.textContent = text }", character
            )
            drawn = faces(page, "#probe")
            if set(drawn.values()) != {True}:
                missing[character] = list(drawn)
    assert missing == {}, "add them in tools/fonts.py"


def open_whole(page, address: str) -> None:
    """Open a page and wait until all of it is laid out in its own faces."""
    page.goto(address)
    page.add_style_tag(content=LAID_OUT)
    page.evaluate("document.fonts.ready.then(() => true)")


def test_a_page_opened_from_a_folder_has_its_faces(page, page_problems, built_book):
    open_whole(page, (built_book / f"{SAMPLE}.html").as_uri())
    assert page_problems == []
    for selector in ("article h1", "article section > p", ".tag_exercise .n"):
        assert set(faces(page, selector).values()) == {True}, selector
    page.close()
    # Asked for faces, the browser's inspector loads a local page anew, and is refused.
    page_problems[:] = [line for line in page_problems if "Unsafe attempt to load" not in line]


@pytest.mark.parametrize("name", [SAMPLE, "book/index", "book/at_scale", "book/instructors"])
def test_a_line_has_about_seventy_characters(page, site, name):
    page.set_viewport_size(WIDE)
    open_whole(page, f"{site}{name}.html")
    lines = page.evaluate(LINES)
    assert len(lines) > 5
    assert 60 <= sum(lines) / len(lines) <= 70
    assert max(lines) <= 85


def test_questions_are_as_wide_as_the_text(page, site):
    page.set_viewport_size(WIDE)
    open_whole(page, f"{site}{SAMPLE}.html")
    text = page.locator("article section > p").evaluate_all(
        "(all) => Math.max(...all.map((paragraph) => paragraph.offsetWidth))"
    )
    questions = ":is(.op-quiz, .op-predict, .op-answer):not(details *, .op-exercise *)"
    widths = page.locator(questions).evaluate_all("(all) => all.map((each) => each.offsetWidth)")
    assert len(widths) > 5
    assert set(widths) == {text}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_no_text_of_a_drawing_is_cut_on_a_phone(page, site, name):
    page.set_viewport_size({"width": 390, "height": 844})
    open_whole(page, f"{site}{name}.html")
    cut = page.locator(".cell_output .output > .op-drawing svg text").evaluate_all(
        """(all) => all.filter((text) => {
          if (!text.checkVisibility()) return false;
          const [own, room] = [text, text.closest(".output")].map((e) => e.getBoundingClientRect());
          return own.left < room.left || own.right > Math.max(room.right, innerWidth);
        }).map((text) => text.textContent)"""
    )
    assert cut == []


@pytest.mark.parametrize(("width", "scale"), [(1440, 1.25), (390, 1)])
def test_a_drawing_that_stands_alone_is_as_large_as_fits(page, site, width, scale):
    page.set_viewport_size({"width": width, "height": 900})
    open_whole(page, f"{site}{SAMPLE}.html")
    sizes = page.locator("figure[id] .op-row > svg:only-child").evaluate_all(
        """(all) => all.filter((svg) => svg.checkVisibility()).map((svg) => [
             svg.getBoundingClientRect().width, Number(svg.getAttribute("width")),
             svg.parentElement.getBoundingClientRect().width])"""
    )
    assert len(sizes) > 2
    for drawn, meant, room in sizes:
        assert drawn == pytest.approx(min(meant * scale, room), abs=1)


def test_explorers_are_as_wide_as_the_column(page, site):
    page.set_viewport_size(WIDE)
    for name in [name for name in NOTEBOOKS if name in CHAPTERS]:
        page.goto(f"{site}{name}.html")
        come_near(page)
        widths = page.locator(".op-explorer").evaluate_all(
            """(all) => all.map((each) => [each.offsetWidth,
                 each.closest(".bd-article > section").offsetWidth])"""
        )
        assert [pair for pair in widths if pair[0] != pair[1]] == [], name


def test_nothing_moves_when_the_text_face_comes_late(page, site):
    page.route("**/text.woff2", lambda route: (page.wait_for_timeout(400), route.continue_()))
    page.goto(f"{site}{SAMPLE}.html")
    page.evaluate("document.fonts.ready.then(() => true)")
    assert page.evaluate(SHIFT) < 0.02


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_first_view_of_a_chapter_is_light(page, site, name):
    bodies = {}
    page.on("response", lambda answer: bodies.update({answer.url: answer}))
    page.goto(f"{site}{name}.html", wait_until="networkidle")
    page.evaluate("document.fonts.ready.then(() => true)")
    sizes = {
        url: len(answer.body() if url.endswith("woff2") else gzip.compress(answer.body()))
        for url, answer in list(bodies.items())  # reading one may let another in
    }
    assert any(url.endswith("text.woff2") for url in sizes)
    assert sum(sizes.values()) <= FIRST_VIEW, sizes


def test_the_first_page_has_a_card_per_chapter_in_order(page, site):
    open_whole(page, f"{site}book/index.html")
    cards = page.locator(".op-cards a")
    links = cards.evaluate_all("(all) => all.map((card) => card.getAttribute('href'))")
    assert links == [chapter(step).replace(".ipynb", ".html") for step in STEPS]
    for number, (step, said) in enumerate(zip(STEPS, cards.all_inner_texts(), strict=True), 1):
        *_, title, question, needed = filter(None, map(str.strip, said.splitlines()))
        assert title == f"{number} · {step.capitalize()}"
        assert question.endswith("?")
        notebook = json.loads((ROOT / "book" / chapter(step)).read_text("utf-8"))
        counted = parts(notebook)
        whole = counted[:1] if counted[0].title == title else counted
        assert needed == f"{sum(part.stated for part in whole)} minutes"


def test_a_contract_stands_on_the_line_of_its_folded_code(page, site):
    page.set_viewport_size(WIDE)
    open_whole(page, f"{site}{SAMPLE}.html")
    cell = page.locator(".cell:has(> .op-code:last-child):has(+ .tag_contract)").first
    code = cell.locator("> .op-code > summary")
    contract = cell.locator("+ .tag_contract > .op-contract > summary")
    assert contract.bounding_box()["y"] == pytest.approx(code.bounding_box()["y"], abs=2)
    contract.click()
    assert contract.bounding_box()["y"] == pytest.approx(code.bounding_box()["y"], abs=2)
    code.click()  # neither covers the other
    assert cell.locator("> .op-code").get_attribute("open") is not None
    assert contract.bounding_box()["y"] > code.bounding_box()["y"] + 40


@pytest.mark.parametrize("name", CHAPTERS)
def test_each_exercise_is_a_card_with_its_solution(page, site, name):
    page.goto(f"{site}{name}.html")
    cards = page.locator(".op-exercise")
    assert cards.count() >= 3
    for card in cards.all():
        assert card.get_by_text("Solution", exact=True).count() >= 1
    assert page.locator(".tag_exercise:not(.op-exercise *)").count() == 0
