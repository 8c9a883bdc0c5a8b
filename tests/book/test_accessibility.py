"""Every page and every state of its explorers, looked at by axe-core in both themes."""

from importlib.resources import files

import pytest
from explorer_page import EXPLORERS, visit
from pages import PAGES

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
THEMES = {"light": 1280, "dark": 360}  # each with a width
RUN = """async (part) => {
  const { violations } = await axe.run(part, { resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => {
    const { target, any, all, none } = nodes[0];
    return `${id}: ${target} (${nodes.length} in all): ${[...any, ...all, ...none][0]?.message}`;
  });
}"""
# Most elements of a page are words of its code, its formulas and its glossary, and the contrast of
# each takes axe milliseconds. Of those that are colored alike, one is looked at. (Single characters
# axe does not judge.)
SKIP_ALIKE = """() => {
  const seen = new Set();
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
# An explorer with nothing beside it in the article: axe reads all of a page each time.
ALONE = """(explorer) => {
  for (let part = explorer; part.localName !== "article"; part = part.parentElement) {
    part.parentElement.replaceChildren(part);
  }
}"""


# Two classes, so that two processes can share them.


class TestPages:
    @pytest.mark.parametrize("theme", THEMES)
    @pytest.mark.parametrize("name", PAGES)
    def test_axe_finds_nothing(self, name, theme, page, site):
        page.set_viewport_size({"width": THEMES[theme], "height": 800})
        page.emulate_media(color_scheme=theme)
        page.goto(f"{site}{name}.html")
        page.evaluate(AXE)
        page.evaluate(SKIP_ALIKE)
        assert page.evaluate(RUN, "html") == []

    def test_a_badly_colored_word_is_still_found(self, page, site):
        page.goto(f"{site}book/glossary.html")
        page.evaluate(AXE)
        page.add_style_tag(content="dl.glossary strong { color: #999 !important; }")
        page.evaluate(SKIP_ALIKE)
        (line,) = page.evaluate(RUN, "html")
        assert line.startswith("color-contrast: ")
        assert "(1 in all)" in line


class TestExplorers:
    @pytest.mark.parametrize("name", EXPLORERS)
    def test_axe_finds_nothing_in_any_state(self, name, page, site):
        page.goto(f"{site}{name}.html")
        explorer = page.locator(".op-explorer").first
        explorer.evaluate(ALONE)
        page.evaluate(AXE)
        found = []

        def look(state):
            for theme, width in THEMES.items():
                page.set_viewport_size({"width": width, "height": 800})
                page.evaluate(
                    "(theme) => { document.documentElement.dataset.theme = theme; }", theme
                )
                lines = page.evaluate(RUN, ".op-explorer")
                found.extend(f"{state}, {theme}: {line}" for line in lines)

        visit(explorer, look)
        assert found == []
