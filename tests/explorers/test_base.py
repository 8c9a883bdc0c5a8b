"""The base of the explorers: live widget and static twin, safe and deterministic."""

import json
import re
from types import SimpleNamespace

import pytest
import traitlets
from explorer_page import answer_to, give_model, page_pair, page_tokenizer
from IPython.core.formatters import DisplayFormatter
from ipywidgets import Widget

from oneprompt.explorers import (
    AttentionExplorer,
    EmbedExplorer,
    FeedForwardExplorer,
    LogitsExplorer,
    PositionExplorer,
    TokenizeExplorer,
    base,
)
from oneprompt.explorers.base import Explorer, PromptExplorer, fallback_table, script_json
from oneprompt.notebook import style
from oneprompt.notebook.markup import stylesheet
from oneprompt.notebook.style import PALETTE

HOSTILE = "</script><!--<img src=x onerror=alert(1)>&\u2028'\""
TOKENIZER = page_tokenizer()
TARGET, DRAFT = page_pair()
MAKE = {
    "attention": lambda: AttentionExplorer(TARGET, TOKENIZER),
    "embed": lambda: EmbedExplorer(TARGET, TOKENIZER),
    "feedforward": lambda: FeedForwardExplorer(TARGET, TOKENIZER),
    "logits": lambda: LogitsExplorer(TARGET, TOKENIZER),
    "position": lambda: PositionExplorer(TARGET, TOKENIZER),
    "tokenize": lambda: TokenizeExplorer(TOKENIZER),
}
# Keeps in `drawn` what it would draw.
ENDS_VIEW = f"""
import {{ promptLine }} from "{base.KIT}/prompt.js";
import {{ valuesOf, watch }} from "{base.KIT}/traits.js";

const STATE = ["data", "first", "last"];

function compute(lm, text) {{
  if (text === "no") throw new RangeError("No.");
  return {{ data: {{ text }}, first: text.at(0), last: text.at(-1) }};
}}

export default {{
  compute,
  render({{ model: widget, el }}) {{
    window.drawn = [];
    const redraw = () => window.drawn.push(valuesOf(widget, STATE));
    redraw();
    watch(widget, STATE, redraw);
    el.append(promptLine(widget).node);
  }},
}};
"""


def in_folder(folder, view: str):
    (folder / "view.js").write_text(view, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def text_explorer(tmp_path_factory):
    """The class of the smallest explorer: one trait."""

    class TextExplorer(Explorer):
        folder = in_folder(tmp_path_factory.mktemp("text"), "export default { render() {} };\n")
        text = traitlets.Unicode().tag(sync=True)
        private = traitlets.Unicode("not synced")

        def fallback(self):
            return fallback_table("Texts", ["text"], [[self.text]])

    return TextExplorer


@pytest.fixture(scope="module")
def ends_explorer(tmp_path_factory):
    """The class of a small explorer with a prompt: its first and its last letter."""

    class EndsExplorer(PromptExplorer):
        folder = in_folder(tmp_path_factory.mktemp("ends"), ENDS_VIEW)
        first = traitlets.Unicode().tag(sync=True)
        last = traitlets.Unicode().tag(sync=True)

        @traitlets.validate("last")
        def _check(self, proposal):
            if proposal.value != self.data["text"][-1]:
                raise ValueError("not the last letter")
            return proposal.value

        def compute(self, text):
            if text == "no":
                raise ValueError("No.")
            return {"data": {"text": text}, "first": text[0], "last": text[-1]}

        def fallback(self):
            return ""

    return EndsExplorer


def test_the_twin_depends_only_on_the_state(text_explorer):
    assert text_explorer(text="a").twin() == text_explorer(text="a").twin()
    assert text_explorer(text="a").twin() != text_explorer(text="b").twin()


def test_the_state_holds_only_the_explorers_own_traits(text_explorer):
    assert text_explorer(text="a").state() == {"text": "a"}


def test_a_cell_shows_the_widget_and_the_twin(text_explorer):
    explorer = text_explorer(text="a")
    data, _ = explorer._repr_mimebundle_()
    assert data["text/html"] == explorer.twin()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"] == "TextExplorer()"


def test_a_cell_shows_the_twin_under_ipywidgets_7_too(text_explorer, monkeypatch):
    """Its widgets have a method of their own that displays them, which IPython prefers."""
    explorer = text_explorer(text="a")
    monkeypatch.setattr(Widget, "_ipython_display_", lambda self: None, raising=False)
    data, _ = DisplayFormatter().format(explorer)
    assert data["text/html"] == explorer.twin()


def test_hostile_text_stays_inside_its_elements(text_explorer):
    twin = text_explorer(text=HOSTILE).twin()
    assert "<img" not in twin
    assert twin.count("</script") == twin.count("<script") == 2
    state = re.search(r'<script type="application/json">(.*)</script>', twin).group(1)
    assert json.loads(state) == {"text": HOSTILE}


def test_a_state_that_json_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        script_json({"logit": float("nan")})


# Prompts


def test_a_prompt_sets_all_its_traits_at_once(ends_explorer):
    explorer, seen = ends_explorer(prompt="abc"), []
    explorer.observe(lambda _: seen.append((explorer.data["text"], explorer.first, explorer.last)))
    explorer.prompt = "xyz"
    assert set(seen) == {("xyz", "x", "z")}


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "The prompt is empty"), ("a" * 1001, "has 1,001 characters"), ("a\udfffb", "surrogate"),
     ("no", "No.")],
)  # fmt: skip
def test_a_prompt_that_is_refused_changes_nothing(ends_explorer, text, words):
    explorer = ends_explorer(prompt="abc")
    before = explorer.state()
    with pytest.raises(ValueError, match=words):
        explorer.prompt = text
    assert explorer.state() == before


def test_a_reader_is_answered_or_told_why_not(ends_explorer):
    explorer, busy = ends_explorer(prompt="abc"), []
    explorer.observe(lambda change: busy.append(change.new), "busy")
    explorer.asked = "no"
    assert (explorer.prompt, explorer.notice, explorer.busy) == ("abc", "No.", False)
    explorer.asked = "xyz"
    assert (explorer.prompt, explorer.notice, explorer.busy) == ("xyz", "", False)
    explorer.asked = ""  # by the page, so that the same text, run again, is a change
    assert (explorer.prompt, explorer.notice) == ("xyz", "")
    assert busy == [True, False] * 2


def test_a_page_draws_a_new_prompt_once_and_whole(page, ends_explorer):
    page.set_content(f"<!doctype html>{ends_explorer(prompt='abc').twin()}")
    page.evaluate("window.onePromptLoading = Promise.resolve({})")
    body = page.locator("body")
    before = {"data": {"text": "abc"}, "first": "a", "last": "c"}
    assert page.evaluate("drawn") == [before]
    assert answer_to(body, "no") == "No."
    assert page.evaluate("drawn") == [before]
    assert answer_to(body, "xyz") == ""
    assert page.evaluate("drawn") == [before, {"data": {"text": "xyz"}, "first": "x", "last": "z"}]
    body.locator("form[aria-busy=false]").wait_for()


# The state of an explorer whenever it reads the data of its prompt, while a new prompt's traits
# are set one after the other; and the state at the end.
DRAWN = """async ([module, state, text]) => {
  const explorer = new Function(module.replace("export default", "return"))();
  const [listeners, seen] = [[], []];
  explorer.render({ el: document.body, model: {
    get(name) {
      if (name === "data") seen.push(JSON.stringify(state));
      return state[name];
    },
    set() {}, save_changes() {}, off() {},
    on: (event, callback) => listeners.push([event, callback]),
  } });
  seen.length = 0;
  const traits = await explorer.compute(onePrompt, text, (name) => state[name], () => true);
  for (const [name, value] of Object.entries({ ...traits, prompt: text })) {
    state[name] = value;
    listeners.filter(([event]) => event === `change:${name}`).forEach(([, draw]) => draw());
  }
  await new Promise((done) => { setTimeout(done); });
  return [seen, JSON.stringify(state)];
}"""


@pytest.mark.parametrize("name", MAKE)
def test_an_explorer_draws_a_new_prompt_once_and_whole(page, name):
    explorer = MAKE[name]()
    page.set_content("<!doctype html><body></body>")
    page.add_style_tag(content=explorer._css)
    give_model(page, TOKENIZER, TARGET, DRAFT)
    # Shorter than the previous prompt, whose positions would be beyond its end.
    seen, state = page.evaluate(DRAWN, [explorer._esm, explorer.state(), "a field"])
    assert seen == [state]


# Notebooks


@pytest.fixture
def run_cell(monkeypatch):
    """`run_cell(run, code, cell_id)`: from now on the kernel is running this cell."""
    message = {}
    kernel = SimpleNamespace(get_parent=lambda: message)
    monkeypatch.setattr(base, "get_ipython", lambda: SimpleNamespace(kernel=kernel))
    monkeypatch.setattr(base, "_MADE", {})

    def run_cell(run: str, code: str, cell_id: str | None = None):
        message.update(
            header={"msg_id": run},
            content={"code": code},
            metadata={} if cell_id is None else {"cellId": cell_id},
        )

    return run_cell


def closed(*explorers) -> list[bool]:
    assert all((each.comm is None) == (each.layout.comm is None) for each in explorers)
    return [each.comm is None for each in explorers]


def test_running_a_cell_again_closes_the_explorers_it_made(text_explorer, run_cell):
    run_cell("run 1", "show(a)", "cell 1")
    one, two = text_explorer(), text_explorer()
    run_cell("run 2", "show(a)", "cell 2")
    other = text_explorer()
    assert closed(one, two, other) == [False, False, False]
    run_cell("run 3", "show(b)", "cell 1")  # edited
    again = text_explorer()
    assert closed(one, two, other, again) == [True, True, False, False]


def test_without_cell_ids_running_the_same_code_again_closes_what_it_made(text_explorer, run_cell):
    run_cell("run 1", "show(a)")
    one, two = text_explorer(), text_explorer()
    run_cell("run 2", "show(b)")
    other = text_explorer()
    assert closed(one, two, other) == [False, False, False]
    run_cell("run 3", "show(a)")
    again = text_explorer()
    assert closed(one, two, other, again) == [True, True, False, False]


def test_an_explorer_made_outside_of_a_cell_closes_nothing(text_explorer, run_cell, monkeypatch):
    run_cell("run 1", "show(a)")
    one = text_explorer()
    comm_message = {"header": {"msg_id": "message 2"}, "content": {"data": {}}, "metadata": {}}
    kernel = SimpleNamespace(get_parent=lambda: comm_message)  # made by a button, say
    for shell in (SimpleNamespace(kernel=kernel), SimpleNamespace(), None):
        monkeypatch.setattr(base, "get_ipython", lambda shell=shell: shell)
        assert closed(one, text_explorer()) == [False, False]


# Colors


def test_every_palette_color_is_a_css_variable(text_explorer):
    for name, color in PALETTE.items():
        assert f"--op-{name}: {color};" in text_explorer._css


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("background", ["#ffffff", "#14181e", "#111111"])
def test_the_palette_is_visible_on_light_and_dark_pages(background):
    for color in PALETTE.values():
        dark, light = sorted([luminance(color), luminance(background)])
        assert (light + 0.05) / (dark + 0.05) >= 3


def mixed(color: str, share: float, ground: str) -> str:
    """A share of the color over the ground."""
    pairs = [(int(color[i : i + 2], 16), int(ground[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(
        f"{round(share * over + (1 - share) * below):02x}" for over, below in pairs
    )


@pytest.mark.parametrize(("ground", "text"), [("#ffffff", "#222832"), ("#15181c", "#d6dade")])
@pytest.mark.parametrize("side", [1, -1])
def test_text_in_the_deepest_cell_of_a_heatmap_can_be_read(side, ground, text):
    name, opacity = style.shade(side, under_text=True)
    assert opacity == "calc(1.00 * var(--op-under-text))"
    assert f"--op-under-text: {style.UNDER_TEXT};" in style.shades(".op-device")
    cell = luminance(mixed(PALETTE[name], style.UNDER_TEXT, ground))
    dark, light = sorted([cell, luminance(text)])
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_explorers_and_drawings_have_the_same_heatmap(text_explorer):
    colors = style.shades("").strip()
    assert colors in text_explorer._css
    assert colors in stylesheet()
