"""Every page and every state of its explorers, looked at by axe-core in both themes."""

from importlib.resources import files

import pytest
from test_build import PAGES

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
THEMES = {"light": 1280, "dark": 360}  # each with a width
# A formula stands on the page twice, for eyes and for ears; axe would take long for the letters of
# the first, which are hidden from the second.
RUN = """async (part) => {
  const options = { resultTypes: ["violations"], elementRef: false };
  const { violations } = await axe.run({ include: [part], exclude: [[".katex-html"]] }, options);
  return violations.map(({ id, nodes }) => {
    const { target, any, all, none } = nodes[0];
    return `${id}: ${target} (${nodes.length} in all): ${[...any, ...all, ...none][0]?.message}`;
  });
}"""


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_on_a_page(name, theme, page, site):
    page.set_viewport_size({"width": THEMES[theme], "height": 800})
    page.emulate_media(color_scheme=theme)
    page.goto(f"{site}{name}.html")
    page.evaluate(AXE)
    assert page.evaluate(RUN, "html") == []


def visit(explorer, look):
    """Every kind of control at its ends, then a prompt that is refused."""
    for summary in explorer.locator("summary").all():
        summary.click()
    for key in ("End", "Home"):
        for slider in explorer.locator("input[type=range]:visible").all():
            slider.press(key)
        for group in explorer.get_by_role("radiogroup").all():
            if (chosen := group.locator("[aria-checked=true]:visible")).count():
                chosen.press(key)
        look(f"controls at {key}")
    for button in explorer.locator("button[type=button]:visible:enabled").all():
        if button.is_visible() and button.is_enabled() and button.get_attribute("role") != "radio":
            button.click()
    look("every button pressed")
    if (prompt := explorer.get_by_label("Your prompt")).count():
        prompt.fill("")
        prompt.press("Enter")
        look("prompt refused")


EXPLORERS = [
    "book/index", "book/01_tokenize", "book/02_embed", "book/03_position", "book/04_attention",
    "book/05_feedforward", "book/06_logits", "book/07_sample", "book/08_autoregress",
    "book/09_speculate",
]  # fmt: skip


@pytest.mark.parametrize("name", EXPLORERS)
def test_axe_finds_nothing_in_the_states_of_an_explorer(name, page, site):
    page.goto(f"{site}{name}.html")
    page.evaluate(AXE)
    found = []

    def look(state):
        for theme, width in THEMES.items():
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
            found.extend(f"{state}, {theme}: {line}" for line in page.evaluate(RUN, ".op-explorer"))

    visit(page.locator(".op-explorer").first, look)
    assert found == []
