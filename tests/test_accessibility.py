"""Every page and every state of its explorers, looked at by axe-core in both themes."""

from importlib.resources import files

import pytest
from explorer_page import EXPLORERS, visit
from test_build import PAGES

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
THEMES = {"light": 1280, "dark": 360}  # each with a width
RUN = """async (part) => {
  const { violations } = await axe.run(part, { resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => {
    const { target, any, all, none } = nodes[0];
    return `${id}: ${target} (${nodes.length} in all): ${[...any, ...all, ...none][0]?.message}`;
  });
}"""
# Half of a page's elements are words of its code, and the contrast of each takes axe a millisecond.
# Of those that are colored alike, one stays an element. (Single characters axe does not judge.)
THIN_CODE = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll("pre span")) {
    const around = ["span", "pre", "[class^=cell]"].map((part) => word.parentElement.closest(part));
    const kind = [word, ...around].map((part) => part?.className).join();
    if (word.textContent.length > 1 && !seen.has(kind)) seen.add(kind);
    else word.replaceWith(...word.childNodes);
  }
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
        page.evaluate(THIN_CODE)
        page.evaluate(AXE)
        assert page.evaluate(RUN, "html") == []


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
