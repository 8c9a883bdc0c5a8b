"""What the tests of explorers do on a page: mount the twin, ask, measure, take JavaScript away."""

import statistics

from models import noisy_copy, small_model

from oneprompt.tokenize import Tokenizer
from oneprompt.web import page_script

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "שלום שוב",  # written from right to left
    "     ",
    "",
    "word " * 2000,
    "a \ud800 b",  # half a character
)


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
    """Ask and wait: what the reader is told in the end, "" where there is an answer."""
    ask(region, text)
    notice = region.locator(".op-notice")
    region.page.wait_for_function(
        "(notice) => !/^(Computing|Loading)/.test(notice.textContent)",
        arg=notice.element_handle(),
    )
    return notice.inner_text()


# A pair for the model in the page, and its tokenizer, that answer within milliseconds.


def page_tokenizer() -> Tokenizer:
    return Tokenizer.train(["What is machine learning? Machine learning is a field. " * 3], 280)


def page_pair(**fields):
    """Small models of the weights that the page has: 16-bit numbers."""
    target = small_model(vocab_size=280, context_length=18, **fields)
    pair = target, noisy_copy(target, 1.0, seed=1)
    for model in pair:
        for parameter in model.parameters():
            parameter.data = parameter.data.half().float()
    return pair


def give_model(page, tokenizer, target, draft) -> None:
    """Put the model into the page, which a built page loads by its address."""
    page.add_script_tag(content=page_script(tokenizer, {"reference": target, "draft": draft}))
    page.evaluate("window.onePromptLoading = Promise.resolve(onePrompt)")


def computed_in_page(page, explorer, text: str) -> dict:
    """The traits that the module's `compute` returns."""
    return page.evaluate(
        """([module, state, text]) => {
          const explorer = new Function(module.replace("export default", "return"))();
          return explorer.compute(onePrompt, text, (name) => state[name], () => true);
        }""",
        [explorer._esm, explorer.state(), text],
    )


# What holds for every explorer.


def assert_fits(region, texts="dd") -> None:
    """Nothing is wider than the page or than its cell, and every control can be touched."""
    page = region.page
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    too_wide = "all => all.filter((c) => c.scrollWidth > c.clientWidth).map((c) => c.innerText)"
    assert region.locator(texts).filter(visible=True).evaluate_all(too_wide) == []
    for control in region.locator("button, input, summary").filter(visible=True).all():
        box = control.bounding_box()
        assert min(box["height"], box["width"]) >= 43.5, control.inner_text()


def assert_draws_within_a_frame(slider) -> None:
    milliseconds = slider.evaluate(
        """(input) => Array.from({ length: 40 }, (_, i) => {
          const start = performance.now();
          input.value = i % (Number(input.max) + 1);
          input.dispatchEvent(new Event("input"));
          return performance.now() - start;
        })"""
    )
    assert statistics.median(milliseconds) < 16  # the median: other processes want the CPU too


def assert_table_without_javascript(browser, tmp_path, explorer, n_rows: int) -> None:
    (tmp_path / "page.html").write_text(explorer.twin(), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    assert page.get_by_role("row").count() == n_rows
    assert page.locator("noscript p").is_visible()
    context.close()


def assert_ends_cleanly(page, explorer) -> None:
    """What `render` returns ends everything that it has started to listen to."""
    counts = page.evaluate(
        """([module, state]) => {
          const explorer = new Function(module.replace("export default", "return"))();
          const listeners = [];
          const end = explorer.render({ el: document.createElement("div"), model: {
            get: (name) => state[name], set() {}, save_changes() {},
            on: (event, callback) => listeners.push(callback),
            off: (event, callback) => listeners.splice(listeners.indexOf(callback), 1),
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
    for text in HOSTILE:
        message = answer_to(region, text)
        assert page.locator("img").count() == 0
        assert message or region.get_by_label("Your prompt").input_value() == text
    assert "surrogate" in message
