"""Sources and terms in the margin of a wide page: where they are, and for whom."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from pages import LAID_OUT, NOTEBOOKS, ROOT

SOURCES = yaml.safe_load((ROOT / "book" / "sources.yaml").read_text("utf-8"))
SAMPLE = "book/07_sample"
LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)]+)\)")
# Of each note on the page: its box, that of what follows it, and those of what it may not cover.
BOXES = """() => [...document.querySelectorAll(".op-note")].filter((note) => note.checkVisibility())
  .map((note) => {
    const box = (node) => {
      const { left, top, right, bottom } = node.getBoundingClientRect();
      return { left, top, right, bottom };
    };
    return [box(note), box(note.nextElementSibling)];
  })"""

# Whether the page's contents open when one of their links has the focus.
OPENED = """() => {
  const contents = document.querySelector(".bd-sidebar-secondary");
  contents.querySelector("a").focus();
  return contents.offsetHeight > 60;
}"""


def prose(name: str) -> str:
    cells = json.loads(Path(ROOT, f"{name}.ipynb").read_text("utf-8"))["cells"]
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def test_the_sources_are_those_that_the_chapters_cite():
    links = [link for name in NOTEBOOKS for link in LINK.findall(prose(name))]
    cited = {address for text, address in links if re.search(r"\b20\d\d|\b19\d\d", text)}
    assert cited == SOURCES.keys()


def notes(page, site, width: int) -> list:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{site}{SAMPLE}.html")
    page.add_style_tag(content=LAID_OUT)
    page.locator("details.op-fold").evaluate_all("(all) => all.forEach((each) => each.open = true)")
    return page.evaluate(BOXES)


@pytest.mark.parametrize("width", [1400, 1440, 1920])
def test_a_note_stands_beside_its_paragraph_and_covers_nothing(page, site, width):
    found = notes(page, site, width)
    assert len(found) > 10
    for note, beside in found:
        assert note["left"] >= beside["right"]
        assert note["right"] <= page.evaluate("document.documentElement.clientWidth")
        assert note["top"] < beside["bottom"] + 200  # a note above may push it down
    in_order = [note for note, _ in found]
    for above, below in pairwise(in_order):
        assert above["bottom"] <= below["top"] + 1
    wide = page.locator("article :is(.op-explorer, figure, .cell_input, div.math)")
    rights = wide.evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().right)")
    assert max(rights) <= min(note["left"] for note in in_order)


def test_a_formula_has_the_shapes_that_notation_lists(page, site):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{site}book/04_attention.html")
    page.add_style_tag(content=LAID_OUT)
    formula = page.locator("div.math", has_text="Attention").filter(has_text="softmax").first
    beside = formula.locator("xpath=preceding-sibling::aside[1]")
    assert beside.inner_text().split("\n") == ["Q (B, H, T, d)", "K (B, G, T, d)", "V (B, G, T, d)"]
    notation = (ROOT / "book" / "notation.md").read_text("utf-8")
    assert "| $K$ | `layer.k` | `(B, G, T, d)` |" in notation


def test_a_letter_has_the_shape_of_its_chapter_alone(page, site):
    said = {}
    for name in ("04_attention", "06_logits"):
        page.goto(f"{site}book/{name}.html")
        said[name] = " ".join(page.locator(".op-note").all_text_contents())
    assert "V (B, G, T, d)" in said["04_attention"]  # the values
    assert "WQ (D, d)" in said["04_attention"]
    assert "E (V, D)" in said["06_logits"]
    assert "V (B" not in said["06_logits"]  # the size of the vocabulary


def test_a_narrow_page_and_print_have_no_notes(page, site):
    assert notes(page, site, 1300) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(media="print")
    assert page.evaluate(BOXES) == []


def test_who_listens_gets_the_title_with_the_link_and_no_note(page, site):
    page.goto(f"{site}{SAMPLE}.html")
    links = page.locator("article a[href='https://arxiv.org/abs/1904.09751']:not(.op-note a)")
    assert {link.get_attribute("title") for link in links.all()} == {
        SOURCES["https://arxiv.org/abs/1904.09751"]
    }
    reached = page.locator(".op-note:not([aria-hidden=true]), .op-note a:not([tabindex='-1'])")
    assert reached.count() == 0


def test_the_contents_close_above_the_notes_and_open_for_the_keyboard(page, site):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{site}{SAMPLE}.html")
    contents = page.locator(".bd-sidebar-secondary")
    assert contents.evaluate("(node) => node.offsetHeight") <= 60
    page.wait_for_function(OPENED)  # the theme's scripts may take the focus away once
