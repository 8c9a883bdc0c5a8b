"""What holds for all explorers of the built book."""

import re

import pytest
from explorer_page import EXPLORERS, WITHOUT_PROMPT, answer_to, come_near, visit
from pages import PAGES, page_width, parse

PROMPT = "What is a token?"
STATE_ELSEWHERE = re.compile(r' data-name="(\w+)" data-version="\w+">')
TWIN = re.compile(r"<figure [^>]*data-explorer=.*?</figure>", re.DOTALL)
# Of all elements of an explorer, itself included: those that move or fade.
MOVING = """(explorer) => [explorer, ...explorer.querySelectorAll("*")].filter((node) => {
  const { transitionDuration, animationDuration } = getComputedStyle(node);
  return [transitionDuration, animationDuration].some((each) => /[1-9]/.test(each));
}).map((node) => node.outerHTML.slice(0, 80))"""
# Per explorer, what it shows: its elements and the state of its controls.
SHOWN = """(roots) => roots.map((root) => root.innerHTML + Array.from(
  root.querySelectorAll("input, button, details"),
  ({ value, disabled, open }) => `${value} ${disabled} ${open}`).join())"""
# The style sheet of the explorer comes last on the page, where it takes precedence over the others.
OWN_STYLE_LAST = """(explorer) => {
  document.body.append(explorer.closest("[data-explorer]").querySelector("style"));
}"""
SIZES = """(explorer) => Array.from(explorer.querySelectorAll("*"), (node) => {
  const { width, height } = node.getBoundingClientRect();
  return [node.localName, node.getAttribute("class"), Math.round(width), Math.round(height)];
})"""


def test_these_pages_hold_an_explorer(built_book):
    pages = {name: parse(built_book / f"{name}.html").elements for name in PAGES}
    found = [name for name in PAGES if any("data-explorer" in attrs for _, attrs in pages[name])]
    assert found == [*EXPLORERS, *WITHOUT_PROMPT]


@pytest.mark.parametrize("name", EXPLORERS)
def test_an_explorer_opened_from_a_folder_answers_on_a_narrow_still_page(name, page, built_book):
    page.set_viewport_size({"width": 360, "height": 800})
    page.emulate_media(reduced_motion="reduce")
    page.set_default_timeout(120_000)  # the model is loaded first
    page.goto((built_book / f"{name}.html").as_uri())
    explorer = come_near(page)

    def tokens():
        assert page_width(page) <= 360
        assert explorer.evaluate(MOVING) == []
        return explorer.locator(".op-token").all_inner_texts()

    before = tokens()
    assert answer_to(explorer, PROMPT) == ""
    explorer.locator("[aria-busy=true]").wait_for(state="detached")
    assert tokens() != before


@pytest.fixture(scope="module")
def twins(built_book) -> dict[str, str]:
    """The HTML of every explorer in the book."""
    names = [*EXPLORERS, *WITHOUT_PROMPT]
    sources = {name: (built_book / f"{name}.html").read_text("utf-8") for name in names}

    def state(found):
        script = (built_book / "_static" / "states" / f"{found[1]}.js").read_text("utf-8")
        return ">" + script.partition(" = ")[2].rstrip(";\n")

    found = {name: TWIN.search(source)[0] for name, source in sources.items()}
    whole = {name: STATE_ELSEWHERE.sub(state, twin) for name, twin in found.items()}
    return {name: re.sub(' id="figure-[^"]*"', "", twin) for name, twin in whole.items()}


def test_a_large_state_is_loaded_when_a_reader_comes_near(page, site):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site}book/05_feedforward.html", wait_until="networkidle")
    assert [url for url in asked if "/states/" in url] == []
    assert come_near(page).is_visible()
    assert len([url for url in asked if "/states/" in url]) == 1


def test_an_explorer_says_that_its_state_did_not_come(page, site, page_problems):
    page.route("**/states/*", lambda route: route.abort())
    page.goto(f"{site}book/05_feedforward.html")
    host = page.locator("[data-explorer]")
    host.scroll_into_view_if_needed()
    host.get_by_text("could not be loaded").wait_for()
    assert all(re.search("ERR_FAILED|could not be loaded", problem) for problem in page_problems)
    page_problems.clear()


def test_explorers_on_one_page_do_not_disturb_each_other(page, built_book, twins):
    """All of them twice: each looks as it does alone, and using one changes only that one."""
    alone = {}
    for name, twin in twins.items():
        page.set_content(f"<!doctype html>{twin}")
        alone[name] = page.locator(".op-explorer").evaluate(SIZES)
    page.set_content("<!doctype html>" + 2 * "".join(twins.values()))
    for script, name in (("page_model.js", "onePrompt"), ("page_lens.js", "onePromptLens")):
        page.add_script_tag(path=built_book / "_static" / script)
        page.evaluate(f"window.{name}Loading = Promise.resolve({name})")
    explorers = page.locator(".op-explorer").all()[: len(twins)]
    together = {}
    for name, explorer in zip(twins, explorers, strict=True):
        explorer.evaluate(OWN_STYLE_LAST)
        together[name] = explorer.evaluate(SIZES)
    assert [name for name in twins if together[name] != alone[name]] == []

    roots = page.locator(".op-root")
    for i, (name, explorer) in enumerate(zip(twins, explorers, strict=True)):
        before = roots.evaluate_all(SHOWN)
        visit(explorer)
        explorer.locator("[aria-busy=true]").wait_for(state="detached")
        after = roots.evaluate_all(SHOWN)
        assert len(after) == 2 * len(twins)
        moved = [j for j, shown in enumerate(before) if after[j] != shown]
        assert moved == [i], f"what {name} moved"
    ids = page.locator("[id]").evaluate_all("(all) => all.map((each) => each.id)")
    assert len(ids) == len(set(ids))
