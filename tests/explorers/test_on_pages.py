"""What holds for all explorers of the built book."""

import re

import pytest
from explorer_page import EXPLORERS, answer_to, visit
from pages import PAGES, parse

PROMPT = "What is a token?"
TWIN = re.compile(r"<div data-explorer=.*?</script>\s*<script>.*?</script>\s*</div>", re.DOTALL)
# Of all elements of an explorer, itself included: those that move or fade.
MOVING = """(explorer) => [explorer, ...explorer.querySelectorAll("*")].filter((node) => {
  const { transitionDuration, animationDuration } = getComputedStyle(node);
  return [transitionDuration, animationDuration].some((each) => /[1-9]/.test(each));
}).map((node) => node.outerHTML.slice(0, 80))"""
# Per explorer, what it shows: its elements and the state of its controls.
SHOWN = """(roots) => roots.map((root) => root.innerHTML + Array.from(
  root.querySelectorAll("input, button, details"),
  ({ value, disabled, open }) => `${value} ${disabled} ${open}`).join())"""
SIZES = """(explorer) => Array.from(explorer.querySelectorAll("*"), (node) => {
  const { width, height } = node.getBoundingClientRect();
  return [node.localName, node.getAttribute("class"), Math.round(width), Math.round(height)];
})"""


def test_these_pages_hold_an_explorer(built_book):
    pages = {name: parse(built_book / f"{name}.html").elements for name in PAGES}
    found = [name for name in PAGES if any("data-explorer" in attrs for _, attrs in pages[name])]
    assert found == EXPLORERS


@pytest.mark.parametrize("name", EXPLORERS)
def test_from_a_folder_it_answers_on_a_narrow_and_quiet_page(name, page, built_book):
    page.set_viewport_size({"width": 360, "height": 800})
    page.emulate_media(reduced_motion="reduce")
    page.set_default_timeout(120_000)  # the model is loaded first
    page.goto((built_book / f"{name}.html").as_uri())
    explorer = page.locator(".op-explorer").first

    def tokens():
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert explorer.evaluate(MOVING) == []
        return explorer.locator(".op-token").all_inner_texts()

    before = tokens()
    assert answer_to(explorer, PROMPT) == ""
    explorer.locator("[aria-busy=true]").wait_for(state="detached")
    assert tokens() != before


@pytest.fixture(scope="module")
def twins(built_book) -> dict[str, str]:
    """Every explorer as it stands in the book."""
    sources = {name: (built_book / f"{name}.html").read_text("utf-8") for name in EXPLORERS}
    return {name: TWIN.search(source)[0] for name, source in sources.items()}


@pytest.mark.parametrize("name", EXPLORERS)
def test_explorers_on_one_page_do_not_disturb_each_other(name, page, built_book, twins):
    """One beside all the others and a second of its kind: all its controls move it alone."""
    page.set_content(f"<!doctype html>{twins[name]}")
    alone = page.locator(".op-explorer").evaluate(SIZES)
    others = [twin for other, twin in twins.items() if other != name]
    page.set_content("<!doctype html>" + "".join([*others, twins[name], twins[name]]))
    page.add_script_tag(path=built_book / "_static" / "page_model.js")
    page.evaluate("window.onePromptLoading = Promise.resolve(onePrompt)")
    roots = page.locator(".op-root")
    explorer = page.locator(".op-explorer").last
    assert explorer.evaluate(SIZES) == alone  # no style rule of the others reaches it

    before = roots.evaluate_all(SHOWN)
    visit(explorer)
    explorer.locator("[aria-busy=true]").wait_for(state="detached")
    after = roots.evaluate_all(SHOWN)
    assert len(after) == len(EXPLORERS) + 1
    assert after[:-1] == before[:-1]
    assert after[-1] != before[-1]
    ids = page.locator("[id]").evaluate_all("(all) => all.map((each) => each.id)")
    assert len(ids) == len(set(ids))
