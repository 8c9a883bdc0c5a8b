"""axe-core finds no fault with any page, nor with its explorers in any state, in both themes."""

import contextlib
from importlib.resources import files

import pytest
from explorer_page import EXPLORERS, WITHOUT_PROMPT, come_near, visit
from pages import PAGES, page_width

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
THEMES = {"light": 1280, "dark": 360}  # each with a width
# The rules whose result depends on colors and sizes; all others judge the structure of a page,
# which is the same in both themes.
LOOKS = ("color-contrast", "link-in-text-block", "scrollable-region-focusable")
RUN = """async ({ part, rules }) => {
  const options = { resultTypes: ["violations"] };
  if (rules) options.runOnly = { type: "rule", values: rules };
  const { violations } = await axe.run(part, options);
  return violations.map(({ id, nodes }) => {
    const { target, any, all, none } = nodes[0];
    return `${id}: ${target} (${nodes.length} in all): ${[...any, ...all, ...none][0]?.message}`;
  });
}"""
# Most elements of a page are pieces of its code, its formulas and its glossary, and axe needs
# milliseconds for the contrast of each. Of those with the same colors, it checks only one. (It does
# not judge single characters.)
SKIP_ALIKE = """() => {
  const seen = new Set();
  for (const skipped of document.querySelectorAll("[data-alike]")) delete skipped.dataset.alike;
  for (const word of document.querySelectorAll("pre *, .katex-html *, dl.glossary *")) {
    if (!word.checkVisibility()) continue; // in something folded
    const { color, fontSize, fontWeight } = getComputedStyle(word);
    const look = [color, fontSize, fontWeight];
    for (let part = word; part; part = part.parentElement) {
      const { backgroundColor, opacity } = getComputedStyle(part);
      if (backgroundColor !== "rgba(0, 0, 0, 0)" || opacity !== "1") {
        look.push(backgroundColor, opacity);
      }
    }
    const kind = look.join();
    const text = Array.from(word.childNodes).filter((node) => node.nodeType === Node.TEXT_NODE);
    const judged = text.some((node) => node.data.trim().length > 1);
    if (judged && !seen.has(kind)) seen.add(kind);
    else word.dataset.alike = "";
  }
  const selector = ":not([data-alike], .katex-mathml *)"; // the latter only screen readers see
  axe.configure({ rules: [{ id: "color-contrast", selector }] });
}"""
# The height of a section that is not laid out is guessed (book.css) until page.js has measured it.
MEASURED = """() => [...document.querySelectorAll("article section section")].every((section) =>
  section.querySelector("section")
  || section.lastElementChild.checkVisibility({ contentVisibilityAuto: true })
  || section.getBoundingClientRect().height !== 900)"""
SET_THEME = "(theme) => { document.documentElement.dataset.theme = theme; }"
# In parts that are not drawn, Chromium keeps a transition in the list after it has finished.
COLORS_ARE_SET = """() => !document.getAnimations().some(
  (each) => each instanceof CSSTransition && each.playState !== "finished")"""
# An explorer alone in the article: axe reads all of a page each time.
ALONE = """(explorer) => {
  for (let part = explorer; part.localName !== "article"; part = part.parentElement) {
    part.parentElement.replaceChildren(part);
  }
}"""


# The theme lets the keyboard reach code that scrolls, 300 ms after the last change of the width.
CODE_IS_REACHABLE = """() => Array.from(document.querySelectorAll("pre")).every(
  (code) => code.scrollWidth <= code.clientWidth || code.tabIndex === 0)"""


def show_in(page, theme: str) -> None:
    from playwright import sync_api  # only where a test needs it: it is slow

    page.set_viewport_size({"width": THEMES[theme], "height": 800})
    page.evaluate(SET_THEME, theme)
    page.wait_for_function(COLORS_ARE_SET)
    with contextlib.suppress(sync_api.TimeoutError):  # axe says then which code it is
        page.wait_for_function(CODE_IS_REACHABLE, timeout=5000)


def violations(page, part: str = "html", rules=None) -> list[str]:
    """What axe finds: a line for each rule that is broken. Without `rules`, all are checked."""
    return page.evaluate(RUN, {"part": part, "rules": rules})


# Two classes, so that two processes can share them.


class TestPages:
    @pytest.mark.parametrize("name", PAGES)
    def test_a_page_fits_a_phone_and_axe_finds_nothing(self, name, page, site):
        page.set_viewport_size({"width": THEMES["dark"], "height": 740})
        page.emulate_media(color_scheme="dark")
        page.goto(f"{site}{name}.html")
        page.locator("article h1").wait_for()
        assert page_width(page) <= THEMES["dark"]
        page.evaluate(AXE)
        page.evaluate(SKIP_ALIKE)
        # The buttons that only a narrow page has are the same on all pages.
        assert violations(page, rules=None if name == PAGES[0] else LOOKS) == []
        show_in(page, "light")
        page.evaluate(SKIP_ALIKE)
        assert violations(page) == []

    @pytest.mark.parametrize("name", PAGES)
    def test_what_is_not_laid_out_covers_no_target(self, name, page, site):
        """As Lighthouse looks at a page: on a phone, and nobody has scrolled."""
        page.set_viewport_size({"width": 412, "height": 823})
        page.goto(f"{site}{name}.html")
        page.wait_for_function(MEASURED)
        page.evaluate(AXE)
        assert violations(page, rules=["target-size"]) == []

    def test_a_badly_colored_word_is_still_found(self, page, site):
        page.goto(f"{site}book/glossary.html")
        page.evaluate(AXE)
        page.add_style_tag(content="dl.glossary strong { color: #999 !important; }")
        page.evaluate(SKIP_ALIKE)
        (line,) = violations(page)
        assert line.startswith("color-contrast: ")
        assert "(1 in all)" in line


class TestExplorers:
    @pytest.mark.parametrize("name", [*EXPLORERS, *WITHOUT_PROMPT])
    def test_axe_finds_nothing_in_any_state(self, name, page, site):
        page.goto(f"{site}{name}.html")
        explorer = come_near(page)
        explorer.evaluate(ALONE)
        page.evaluate(AXE)
        found, narrow_rules = [], None  # all rules once, since a narrow explorer hides some parts

        def look(state):
            nonlocal narrow_rules
            for theme, rules in (("light", None), ("dark", narrow_rules)):
                show_in(page, theme)
                lines = violations(page, ".op-explorer", rules)
                found.extend(f"{state}, {theme}: {line}" for line in lines)
            narrow_rules = LOOKS

        visit(explorer, look)
        assert found == []
