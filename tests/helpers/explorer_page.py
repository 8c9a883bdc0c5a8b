"""What the tests of explorers do on a page: mount the twin, ask, measure, turn off JavaScript."""

import re
from pathlib import Path

from models import noisy_copy, small_model

from oneprompt.checkpoints.quantize import rounded
from oneprompt.js.page_model import page_script
from oneprompt.notebook.pipeline import STEPS, chapter
from oneprompt.tokenize import Tokenizer

# The pages of the book that hold an explorer: the first one, and the chapter of every step.
EXPLORERS = ["book/index", *(f"book/{Path(chapter(step)).stem}" for step in STEPS)]
WITHOUT_PROMPT = ["book/at_scale"]  # pages with an explorer that takes none
# Prompts, and the message that the reader gets: "^$" means an answer without a message.
HOSTILE = {
    "<img onerror=f()>": "^$",  # short, so that it fits everywhere and is drawn
    "</script><script>alert(1)</script>": "^$|at most",
    "שלום שוב": "^$",  # written from right to left
    "     ": "^$|empty",
    "": "empty",
    "word " * 2000: "at most",
    "a \ud800 b": "surrogate",  # half a character
}


def show(page, explorer, name: str):
    """The explorer's twin as the only thing on the page."""
    page.set_content(f"<!doctype html><html lang=en><body>{explorer.twin()}</body></html>")
    return page.get_by_role("region", name=name)


def ask(region, text: str) -> None:
    """Type a prompt and press Run; as UTF-16, since a lone surrogate cannot be typed otherwise."""
    data = text.encode("utf-16-le", "surrogatepass")
    units = [int.from_bytes(data[i : i + 2], "little") for i in range(0, len(data), 2)]
    region.get_by_label("Your prompt").evaluate(
        """(input, units) => {
          input.value = units.map((unit) => String.fromCharCode(unit)).join("");
          input.form.requestSubmit();
        }""",
        units,
    )


def answer_to(region, text: str) -> str:
    """Ask and wait: the message at the end, "" where there is an answer."""
    ask(region, text)
    region.locator(".op-ask[aria-busy=false]").wait_for()
    return region.locator(".op-notice").inner_text()


# A pair for the model in the page, and its tokenizer, that answer within milliseconds.


def page_tokenizer() -> Tokenizer:
    return Tokenizer.train(["What is machine learning? Machine learning is a field. " * 3], 280)


def page_pair(**fields):
    """Small models with rounded weights, as the page has them."""
    target = small_model(**{"vocab_size": 280, "context_length": 18} | fields)
    pair = target, noisy_copy(target, 1.0, seed=1)
    for model in pair:
        rounded(model)
    return pair


def give_model(page, tokenizer, target, draft) -> None:
    """Put the model into the page, which a built page loads by its address."""
    page.add_script_tag(content=page_script(tokenizer, {"reference": target, "draft": draft}))
    page.evaluate("window.onePromptLoading = Promise.resolve(onePrompt)")


def change_from_python(page, explorer, **traits):
    """The explorer as a live widget whose traits Python has changed after it was drawn."""
    before = explorer.state()
    for name, value in traits.items():
        setattr(explorer, name, value)
    page.set_content("<!doctype html><html lang=en><body><div></div></body></html>")
    page.add_style_tag(content=explorer._css)
    page.evaluate(
        """([module, state, next]) => {
          const explorer = new Function(module.replace("export default", "return"))();
          const listeners = [];
          explorer.render({ el: document.querySelector("div"), model: {
            get: (name) => state[name], set() {}, save_changes() {}, off() {},
            on: (event, callback) => listeners.push([event, callback]),
          } });
          const same = (name) => JSON.stringify(state[name]) === JSON.stringify(next[name]);
          const changed = Object.keys(next).filter((name) => !same(name));
          Object.assign(state, next); // all of them, and only then the events
          for (const name of changed) {
            listeners.filter(([event]) => event === `change:${name}`).forEach(([, f]) => f());
          }
        }""",
        [explorer._esm, before, explorer.state()],
    )
    return page.locator(".op-explorer")


def cell_texts(region) -> list[list[str]]:
    """The texts of every row in the bodies of the tables."""
    return region.locator("tbody tr").evaluate_all(
        "(rows) => rows.map((row) => Array.from(row.cells, (cell) => cell.innerText))"
    )


def come_near(page):
    """Scroll to every explorer, since one with a large state loads it only then: the first one."""
    for host in page.locator("[data-explorer]").all():
        host.scroll_into_view_if_needed()
        host.locator(".op-explorer").wait_for()
    return page.locator(".op-explorer").first


def visit(explorer, look=lambda state: None) -> None:
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


# What holds for every explorer.


def assert_fits(region, texts="dd") -> None:
    """Nothing is wider than the page or than its cell, and every control can be touched."""
    page = region.page
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    too_wide = "all => all.filter((c) => c.scrollWidth > c.clientWidth).map((c) => c.innerText)"
    assert region.locator(texts).filter(visible=True).evaluate_all(too_wide) == []
    for control in region.locator("a, button, input, summary").filter(visible=True).all():
        box = control.bounding_box()
        assert min(box["height"], box["width"]) >= 43.5, control.inner_text()


def assert_table_without_javascript(browser, tmp_path, explorer, n_rows: int) -> None:
    (tmp_path / "page.html").write_text(explorer.twin(), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    assert page.get_by_role("row").count() == n_rows
    assert page.locator("noscript p").is_visible()
    context.close()


def assert_ends_cleanly(page, explorer) -> None:
    """What `render` returns removes every listener that it has added."""
    counts = page.evaluate(
        """([module, state]) => {
          const explorer = new Function(module.replace("export default", "return"))();
          const listeners = [];
          const off = (...ended) => {
            const at = listeners.findIndex((each) => each.every((part, i) => part === ended[i]));
            if (at >= 0) listeners.splice(at, 1);
          };
          window.ResizeObserver = class extends ResizeObserver {
            observe(node) { super.observe(node); listeners.push([this]); }
            disconnect() { super.disconnect(); off(this); }
          };
          const end = explorer.render({ el: document.createElement("div"), model: {
            get: (name) => state[name], set() {}, save_changes() {},
            on: (...started) => listeners.push(started), off,
          } });
          const during = listeners.length;
          end();
          return [during, listeners.length];
        }""",
        [explorer._esm, explorer.state()],
    )
    assert counts[0] > 0
    assert counts[1] == 0


def assert_hostile_prompts_do_no_harm(page, region) -> None:
    """Each gets an answer or a message, and none becomes part of the page."""
    for text, message in HOSTILE.items():
        assert re.search(message, answer_to(region, text)), text
        assert page.locator("img").count() == 0
