"""The devices of a chapter as readers use them: by keyboard, on a phone, without JavaScript."""

from importlib.resources import files

import pytest
from pages import page_width

from oneprompt.notebook import Answer, Predict, Quiz, drawing, legend, pipeline
from oneprompt.notebook.markup import style_element

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
QUESTION = "Five tokens, so how many dot products?"
PREDICT = Predict(
    "count", QUESTION, ["5", "10", "25"], answer="25", reason="Each query meets each key.",
    result=drawing.cells([[1, 2]], alt="the result"),
)  # fmt: skip
TYPED = Predict("typed", "What follows?", answer="Machine", reason="It is the likeliest.")
DRAWINGS = [
    drawing.arrows({"query": (2, 1), "key": (-1, 3)}, alt="arrows"),
    drawing.cells([[0.25, -1.5], [None, 3]], row_names=["␣is", "?"], title="scores", alt="cells"),
    drawing.boxes({"a": (0, 0), "b": (1, 1)}, [("a", "b", "so")], around=[("a", "b")], alt="boxes"),
    drawing.bars({"␣Machine": 0.4, "␣It": 0.1}, lit=["␣It"], alt="bars"),
    drawing.curves({"up": [0, 1, 4], "down": [4, 1, 0]}, x_name="position", alt="curves"),
    drawing.beside(drawing.cells([1] * 8), "×", drawing.cells([[2]] * 3), alt="beside"),
    drawing.slices({"blue": 16, "gray": 9, "clear": 4, "cheese": 1}, at=0.6, alt="slices"),
]
DEVICES = [
    pipeline("attention"), legend("T", "D", "H"), PREDICT, TYPED, Answer("attention.by_hand"),
    Answer("autoregress.by_hand"), Quiz("quiz", "Which?", [("a", True, "y"), ("b", False, "n")]),
    *DRAWINGS,
]  # fmt: skip
CELL = "<div class='cell'>{}</div><div class='cell tag_answer'><p>printed</p></div>"
THEMES = {"light": ("#fff", "#222832"), "dark": ("#15181c", "#d6dade")}
TEXT_SIZES = """() => [...document.querySelectorAll(".op-device svg")].map((svg) => {
  const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  const sizes = [...svg.querySelectorAll("text")].map(
    (text) => scale * parseFloat(getComputedStyle(text).fontSize));
  return Math.min(...sizes, 99);
})"""
SMALL_TEXTS = """() => [...document.querySelectorAll(".op-device *")].filter((node) =>
  !node.closest("svg") && node.checkVisibility() && node.textContent.trim()
  && parseFloat(getComputedStyle(node).fontSize) < 11).map((node) => node.outerHTML)"""


def html_of(*devices, theme="light", body="{}") -> str:
    """The devices alone on a page, as a notebook's outputs are."""
    ground, text = THEMES[theme]
    look = f"body {{ background: {ground}; --pst-color-text-base: {text}; color: {text} }}"
    shown = body.format("".join(device.html() for device in devices))
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>devices</title>"
        f"<style>{look}</style>"
        f"{style_element()}<main><h1>Devices</h1>{shown}</main></html>"
    )


def show(page, *devices, **how) -> None:
    page.set_content(html_of(*devices, **how))


def test_a_prediction_is_answered_only_after_it_was_made(page):
    show(page, PREDICT, body=CELL)
    answer, printed = page.get_by_text("Each query meets each key."), page.get_by_text("printed")
    assert not page.get_by_text("Commit and see").is_visible()
    page.get_by_label("5", exact=True).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    assert not answer.is_visible()
    assert not printed.is_visible()
    page.keyboard.press("Enter")
    assert answer.is_visible()
    assert printed.is_visible()
    assert page.get_by_role("img", name="the result").is_visible()
    assert page.get_by_text("Not what you said.").is_visible()
    assert not page.get_by_text("As you said.").is_visible()


def test_a_typed_prediction_waits_for_a_text(page):
    show(page, TYPED)
    assert not page.get_by_text("Commit and see").is_visible()
    page.get_by_label("Your prediction").fill("learning")
    page.get_by_text("Commit and see").click()
    assert page.get_by_text("It is the likeliest.").is_visible()


def test_predictions_and_quizzes_need_no_script(browser, tmp_path):
    file = tmp_path / "page.html"
    devices = PREDICT, DEVICES[6], Answer("attention.by_hand")
    file.write_text(html_of(*devices, body=CELL), "utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    page.get_by_label("25", exact=True).check()
    page.get_by_text("Commit and see").click()
    assert page.get_by_text("As you said.").is_visible()
    assert page.get_by_text("printed").is_visible()
    page.get_by_label("a", exact=True).check()
    assert page.get_by_text("Right.").is_visible()
    assert page.locator("noscript p").is_visible()
    context.close()


def test_an_answer_is_judged_with_its_likely_cause(page):
    show(page, Answer("attention.by_hand", "It takes home"), Answer("autoregress.by_hand"))
    field = page.get_by_label("It takes home")
    verdict = page.get_by_role("status").first
    field.press("Enter")
    assert "Type an answer" in verdict.inner_text()
    field.fill("4.67")
    field.press("Enter")
    assert "plain mean" in verdict.inner_text()
    field.fill("4")
    field.press("Enter")
    assert verdict.inner_text() == "✓ Right."
    page.get_by_label("Positions without a cache").fill("46")
    page.get_by_label("Positions with a cache").fill("4")
    page.get_by_role("button", name="Check").last.click()
    assert "the first pass reads the whole prompt" in page.get_by_role("status").last.inner_text()


def test_on_a_phone_every_device_fits_and_its_texts_can_be_read(page):
    page.set_viewport_size({"width": 360, "height": 740})
    show(page, *DEVICES)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    sizes = page.evaluate(TEXT_SIZES)
    assert min(sizes) >= 11 - 0.05, sizes
    assert page.evaluate(SMALL_TEXTS) == []


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing(theme, page):
    show(page, *DEVICES, theme=theme)
    page.get_by_label("25", exact=True).check()
    page.get_by_text("Commit and see").first.click()
    page.evaluate(AXE)
    found = page.evaluate(
        "async () => (await axe.run()).violations.map(({ id, nodes }) => [id, nodes[0].html])"
    )
    assert found == []


class TestInTheBook:
    def test_one_switch_shows_all_code_and_is_remembered(self, page, site):
        page.goto(f"{site}book/00_overview.html")
        switch = page.get_by_role("button", name="Show all code")
        folded = page.locator("article details.op-code")
        opened = page.locator("article details.op-code[open]")
        assert folded.count() > 5
        assert opened.count() == 0
        switch.press("Enter")
        assert opened.count() == folded.count()
        assert switch.get_attribute("aria-pressed") == "true"
        page.goto(f"{site}book/04_attention.html")
        assert opened.count() == folded.count() > 5
        switch.press("Enter")
        page.reload()
        assert opened.count() == 0

    def test_code_to_be_read_is_open_and_a_contract_is_one_line(self, page, site):
        page.goto(f"{site}book/00_overview.html")
        shown = page.locator("article .tag_show .highlight").first
        assert shown.is_visible()
        contract = page.locator("article .tag_contract").first
        assert contract.inner_text().strip().startswith("✓ checked: ")
        assert contract.bounding_box()["height"] < 60
        contract.locator("summary").press("Enter")
        assert "assert" in contract.inner_text()

    def test_a_contract_does_not_answer_the_question_before_it(self, page, site):
        page.goto(f"{site}book/04_attention.html")
        lines = page.locator("article .tag_contract summary").all_inner_texts()
        assert lines[0] == "✓ checked"  # it follows the first prediction
        assert any(line.startswith("✓ checked: every token but the first") for line in lines)
        assert not [line for line in lines if "with the key (0, 2)" in line]

    def test_a_terms_meaning_is_shown_on_focus_hover_and_tap(self, page, browser, site):
        page.goto(f"{site}book/00_overview.html")
        term, box = page.locator("article a.op-term").first, page.get_by_role("tooltip")
        assert not box.is_visible()
        term.focus()
        assert box.is_visible()
        assert term.get_attribute("aria-describedby") == "op-preview"
        page.keyboard.press("Escape")
        assert not box.is_visible()
        term.hover()
        box.wait_for()
        touch = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True)
        phone = touch.new_page()
        phone.goto(f"{site}book/00_overview.html")
        phone.locator("article a.op-term").first.tap()
        phone.get_by_role("tooltip").wait_for()
        assert page_width(phone) <= 360
        phone.locator("article a.op-term").first.tap()
        phone.wait_for_url("**/glossary.html#*")
        touch.close()

    def test_without_javascript_folded_code_opens_and_terms_are_links(self, browser, site):
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{site}book/00_overview.html")
        assert not page.get_by_role("button", name="Show all code").is_visible()
        fold = page.locator("article details.op-code").first
        fold.locator("summary").click()
        assert fold.locator(".highlight").is_visible()
        assert page.locator('article a[href*="glossary.html#token"]').count() > 0
        context.close()
