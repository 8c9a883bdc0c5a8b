"""The playground of the first page: its state, its answers on the built page, hostile prompts."""

import itertools
import json
import re

import pytest
import torch
from explorer_page import (
    answer_to,
    assert_ends_cleanly,
    assert_fits,
    assert_hostile_prompts_do_no_harm,
    assert_table_without_javascript,
    give_model,
    page_pair,
    page_tokenizer,
    show,
)

import oneprompt as op
from oneprompt.explorers import Playground
from oneprompt.explorers.playground.explorer import names_a_term
from oneprompt.explorers.shared import (
    EMPTY_PROMPT,
    PLAYGROUND_MAX_NEW,
    PLAYGROUND_MAX_TOKENS,
    PLAYGROUND_SHOWN,
)
from oneprompt.sample import Sampling, probabilities

PROMPT = op.PROMPT
OWN = "What is a causal mask?"
NEAR_TIE = 1e-3


@pytest.fixture(scope="module")
def parts():
    return op.load_model("reference"), op.load_model("draft"), op.load_tokenizer()


def make(parts, prompt=PROMPT, **settings):
    return Playground(*parts, prompt, **settings)


def greedy(parts, prompt):
    model, _, tokenizer = parts
    return op.generate(model, tokenizer.encode(prompt), PLAYGROUND_MAX_NEW)


def has_a_near_tie(parts, prompt) -> bool:
    """Whether the page's float32 sums could choose another token than Python's."""
    model, _, tokenizer = parts
    ids = tokenizer.encode(prompt)
    logits = model(torch.tensor([[*ids, *greedy(parts, prompt).ids[:-1]]]))[0, len(ids) - 1 :]
    best = logits.detach().topk(2).values
    return float((best[:, 0] - best[:, 1]).min()) < NEAR_TIE


# In Python


def test_the_state_holds_the_models_results(parts):
    model, _, tokenizer = parts
    explorer = make(parts, OWN)
    ids = tokenizer.encode(OWN)
    trace = model.trace(torch.tensor([ids]))
    assert explorer.data["ids"] == ids
    torch.testing.assert_close(
        torch.tensor(explorer.data["logits"]), trace.logits[0, -1], rtol=0, atol=1e-4
    )
    torch.testing.assert_close(
        torch.tensor(explorer.data["embedding"]), trace.embedding[0], rtol=0, atol=1e-3
    )
    row = trace.layers[2].weights[0, 3, 4, :5]
    torch.testing.assert_close(
        torch.tensor(explorer.data["weights"][2][3][4]), row, rtol=0, atol=1e-3
    )


def test_the_answer_is_greedy_and_the_draft_changes_nothing(parts):
    explorer, expected = make(parts), greedy(parts, PROMPT)
    answer = explorer.answer
    assert answer["ids"] == expected.ids
    assert answer["text"] == parts[2].decode(expected.ids)
    assert answer["stop"] == expected.stop_reason
    assert [token for each in answer["passes"] for token in each["new"]] == expected.ids
    for each in answer["passes"]:
        assert each["drafted"][: each["accepted"]] == each["new"][: each["accepted"]]
    assert len(answer["passes"]) < len(expected.ids)


def test_a_request_makes_a_new_answer_with_the_settings(parts):
    explorer = make(parts)
    explorer.temperature, explorer.top_k, explorer.seed = 1.5, 20, 3
    assert explorer.answer["made"] == [0.0, 0, 1.0, 0]  # a setting alone answers nothing
    explorer.requests += 1
    ids = parts[2].encode(PROMPT)
    sampling = Sampling(temperature=1.5, top_k=20)
    expected = op.generate(parts[0], ids, PLAYGROUND_MAX_NEW, sampling, seed=3)
    assert explorer.answer["ids"] == expected.ids
    assert explorer.answer["made"] == [1.5, 20, 1.0, 3]


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("", EMPTY_PROMPT),
        ("  \n ", EMPTY_PROMPT),
        ("word " * 60, f"at most {PLAYGROUND_MAX_TOKENS} fit here: shorten"),
    ],
)
def test_a_prompt_that_does_not_fit_is_refused_and_changes_nothing(parts, prompt, message):
    explorer = make(parts)
    before = explorer.state()
    with pytest.raises(ValueError, match=message):
        explorer.prompt = prompt
    assert explorer.state() == before
    explorer.asked = "a"
    explorer.asked = prompt  # as a reader does: a message, not an exception
    assert prompt == "" or re.search(message, explorer.notice)  # the page itself refuses ""
    assert explorer.prompt == "a"


@pytest.mark.parametrize(
    ("setting", "value"), [("temperature", -1.0), ("top_p", 0.0), ("layer", 6), ("head", -1)]
)
def test_a_bad_setting_is_refused(parts, setting, value):
    explorer = make(parts)
    before = getattr(explorer, setting)
    with pytest.raises(ValueError, match=setting):
        setattr(explorer, setting, value)
    assert getattr(explorer, setting) == before


def test_a_question_about_the_glossary_is_recognized(parts):
    terms = make(parts).terms
    for text in (PROMPT, OWN, "why do TOKENS matter", "What is a KV-cache?"):
        assert names_a_term(text, terms), text
    for text in ("What is a volcano?", "Who was Napoleon?", "hello", "", "שלום"):
        assert not names_a_term(text, terms), text


def test_the_suggested_questions_fit(parts):
    suggestions = make(parts).suggestions
    assert PROMPT in suggestions
    assert OWN in suggestions
    assert all(len(parts[2].encode(text)) <= PLAYGROUND_MAX_TOKENS for text in suggestions)


def test_the_twin_is_small_and_depends_on_the_state_alone(parts):
    explorer = make(parts)
    assert explorer.twin() == make(parts).twin()
    assert len(json.dumps(explorer.state())) < 100_000


def test_without_javascript_there_is_the_answer(parts):
    fallback = make(parts, "<b> token").fallback()
    assert "<b>" not in fallback
    assert make(parts).answer["text"] in make(parts).fallback()


# On a page with small models, and on the built page

IDLE = """() => [".op-ask", ".op-hero"].every((part) =>
  document.querySelector(`.op-playground ${part}`).getAttribute("aria-busy") === "false")"""


@pytest.fixture(scope="module")
def small_parts():
    """A small pair and its tokenizer, in the order of `parts`."""
    return *page_pair(context_length=64), page_tokenizer()


@pytest.fixture
def small(page, small_parts):
    """The playground of the small pair, alone on a page."""
    region = show(page, make(small_parts), "Playground")
    target, draft, tokenizer = small_parts
    give_model(page, tokenizer, target, draft)
    return region


@pytest.fixture(params=["server", "file"])
def opened(request, page, site, built_book):
    """The first page, from a server and from a folder."""
    folder = f"{built_book.as_uri()}/"
    page.goto(f"{site if request.param == 'server' else folder}book/index.html")
    page.set_default_timeout(90_000)
    return page


@pytest.fixture
def served(page, site):
    page.goto(f"{site}book/index.html")
    page.set_default_timeout(90_000)
    return page


def playground(page):
    return page.get_by_role("region", name="Playground")


def texts(page, label: str) -> list[str]:
    chips = page.get_by_role("list", name=label).locator("li .op-token")
    return [text.replace("␣", " ") for text in chips.all_inner_texts()]


def ask(page, text: str) -> str:
    """Ask and wait until the answer is complete: the message at the end."""
    notice = answer_to(playground(page), text)
    page.wait_for_function(IDLE)
    return notice


def percent(p: float) -> str:
    return "0 %" if p == 0 else "<0.1 %" if p < 0.0005 else f"{100 * p:.1f} %"


def assert_shows(page, parts, prompt):
    """Tokens, ids, next tokens, the answer and its ending are Python's."""
    explorer = make(parts, prompt)
    vocabulary, ids = explorer.vocabulary, explorer.data["ids"]
    assert texts(page, "Tokens and ids") == [vocabulary[token_id] for token_id in ids]
    shown = page.get_by_role("list", name="Tokens and ids").locator(".op-share").all_inner_texts()
    assert shown == [str(token_id) for token_id in ids]
    likely = probabilities(torch.tensor(explorer.data["logits"]), Sampling()).topk(PLAYGROUND_SHOWN)
    rows = playground(page).locator("tbody tr")
    found = [text.replace("␣", " ") for text in rows.locator("th").all_inner_texts()]
    assert found == [vocabulary[token_id] for token_id in likely.indices.tolist()]
    for cell, p in zip(rows.locator(".op-before-cell").all(), likely.values.tolist(), strict=True):
        # The page's logits differ by up to 1e-3: the last digit may differ.
        value = float(cell.inner_text().rstrip(" %").lstrip("<"))
        assert value == pytest.approx(100 * p, abs=0.11), percent(p)
    assert playground(page).locator(".op-answer").inner_text() == explorer.answer["text"].strip()
    assert texts(page, "Tokens of the answer") == [
        vocabulary[token_id] for token_id in explorer.answer["ids"]
    ]
    assert texts(page, "Drafted") == texts(page, "Tokens of the answer")
    kinds = page.get_by_role("list", name="Drafted").locator("li .op-share").all_inner_texts()
    expected = [
        "drafted" if i < each["accepted"] else "own"
        for each in explorer.answer["passes"] for i in range(len(each["new"]))
    ]  # fmt: skip
    assert kinds == expected
    assert "It ended the text itself" in playground(page).inner_text()


def test_the_stored_example_is_shown_before_anything_is_loaded(opened, parts):
    assert_shows(opened, parts, PROMPT)
    assert opened.evaluate("window.onePrompt === undefined")
    links = playground(opened).locator(".op-step a")
    stems = [link.get_attribute("href") for link in links.all()]
    assert stems == [
        "01_tokenize.html", "02_embed.html", "03_position.html", "04_attention.html",
        "05_feedforward.html", "06_logits.html", "07_sample.html", "08_autoregress.html",
        "09_speculate.html",
    ]  # fmt: skip


def test_a_readers_prompt_is_answered_as_python_does(opened, parts):
    ask(opened, OWN)
    assert not has_a_near_tie(parts, OWN)
    assert_shows(opened, parts, OWN)
    assert not playground(opened).locator(".op-doubt").is_visible()
    ask(opened, OWN)  # the same once more
    assert_shows(opened, parts, OWN)


def test_a_suggestion_outside_the_glossary_comes_with_a_caveat(served):
    served.get_by_role("button", name="What is a volcano?").press("Enter")
    served.wait_for_timeout(50)
    served.wait_for_function(IDLE)
    assert served.get_by_label("Your prompt").input_value() == "What is a volcano?"
    assert "names no term of the glossary" in served.locator(".op-doubt").inner_text()
    ask(served, PROMPT)
    assert not served.locator(".op-doubt").is_visible()


def test_everything_works_by_keyboard(served, parts):
    temperature = served.get_by_role("slider", name="Temperature")
    temperature.focus()
    for _ in range(20):
        served.keyboard.press("ArrowRight")
    assert temperature.get_attribute("aria-valuetext") == "1.00"
    rows = playground(served).locator("tbody tr")
    assert rows.locator(".op-after-cell").all_inner_texts() == (
        rows.locator(".op-before-cell").all_inner_texts()
    )
    assert "The settings have changed" in playground(served).inner_text()
    served.get_by_role("slider", name="Top-k").press("Home")
    first, *others = rows.locator(".op-after-cell").all_inner_texts()
    assert (first, others) == ("100.0 %", ["0 %"] * (PLAYGROUND_SHOWN - 1))

    chosen = playground(served).get_by_role("radio", checked=True)
    chosen.press("ArrowDown")
    chosen.press("ArrowRight")
    assert "Layer 1, head 1: the last token gives" in playground(served).inner_text()

    served.get_by_role("slider", name="Top-k").press("End")
    served.get_by_role("slider", name="Seed").press("ArrowRight")
    served.get_by_role("button", name="Generate").press("Enter")
    served.wait_for_function(IDLE)
    assert "temperature 1.00, seed 1." in playground(served).inner_text()
    first = texts(served, "Tokens of the answer")
    served.get_by_role("button", name="Generate").press("Enter")
    served.wait_for_function(IDLE)
    assert texts(served, "Tokens of the answer") == first  # the same seed


def test_stop_ends_the_answer(served):
    ask(served, "שלום עולם")  # the answer has more than three tokens
    button = served.get_by_role("button", name="Stop")
    assert button.is_disabled()
    # Stop as soon as some tokens are there; in the page, because a test would come too late.
    served.evaluate(
        """() => {
          const list = document.querySelector("ol[aria-label='Tokens of the answer']");
          const named = (text) => [...document.querySelectorAll(".op-playground button")]
            .find((each) => each.textContent === text);
          new MutationObserver((_, observer) => {
            if (list.children.length !== 3) return;
            observer.disconnect();
            named("Stop").click();
          }).observe(list, { childList: true });
          named("Generate").click();
        }"""
    )
    served.wait_for_function(IDLE)
    assert len(texts(served, "Tokens of the answer")) == 3
    assert texts(served, "Drafted") == []
    assert "3 tokens, greedy. Stopped." in playground(served).inner_text()
    assert button.is_disabled()


def test_a_new_prompt_ends_the_running_answer(served, parts):
    ask(served, PROMPT)
    served.get_by_label("Your prompt").fill("שלום עולם")
    served.get_by_label("Your prompt").press("Enter")
    ask(served, OWN)
    assert_shows(served, parts, OWN)


def test_hostile_prompts_do_no_harm(page, small, small_parts):
    page.on("dialog", lambda dialog: pytest.fail("a script of the prompt ran"))
    asked = small.locator(".op-asked")
    for prompt in ("<img onerror=f()>", "</script><!--", "\u202eשלום عالم", "\x00\ufffe\ufeff"):
        assert ask(page, prompt) == ""
        # A control character is shown as such in the token, and the asked text is the text typed.
        assert asked.text_content() == prompt
        assert texts(page, "Tokens of the answer")
    for refused, message in [
        ("x" * 10_000, "10,000 characters"),
        ("word " * 60, f"at most {PLAYGROUND_MAX_TOKENS} fit here"),
        ("    ", "empty"),
    ]:
        assert message in ask(page, refused)
        assert asked.text_content() == prompt  # what was there stays
    assert_hostile_prompts_do_no_harm(page, small)
    assert small.locator("script").count() == 0
    assert ask(page, PROMPT) == ""  # and it goes on working
    expected = greedy(small_parts, PROMPT).ids
    vocabulary = make(small_parts).vocabulary
    assert texts(page, "Tokens of the answer") == [vocabulary[token_id] for token_id in expected]


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("prompt", [PROMPT, "supercalifragilistic" * 4])
def test_the_page_is_not_too_wide(page, parts, width, prompt):
    page.set_viewport_size({"width": width, "height": 800})
    region = show(page, make(parts, prompt), "Playground")
    assert_fits(region)
    # A rule that was lost once made the overview of all heads a column of small maps.
    overview = region.get_by_role("radiogroup", name="Head").bounding_box()
    assert overview["height"] <= overview["width"] + 1  # six rows of six square maps
    model_column = region.get_by_role("columnheader", name="Model")
    assert model_column.is_visible()  # with best tokens, the column "Now" says only 100 and 0 %


def test_nothing_listens_once_the_explorer_has_ended(page, parts):
    assert_ends_cleanly(page, make(parts))


def test_the_page_is_drawn_between_all_passes(served):
    """`make bench-web` measures the milliseconds; here no frame may show two new tokens."""
    ask(served, OWN)
    served.evaluate(
        """() => {
          const list = document.querySelector("ol[aria-label='Tokens of the answer']");
          window.lengths = [];
          const note = () => {
            lengths.push(list.children.length);
            requestAnimationFrame(note);
          };
          [...document.querySelectorAll(".op-playground button")]
            .find((each) => each.textContent === "Generate").click();
          requestAnimationFrame(note);
        }"""
    )
    served.wait_for_function(IDLE)
    served.wait_for_function(f"lengths.at(-1) === {len(texts(served, 'Tokens of the answer'))}")
    lengths = served.evaluate("lengths")
    assert max(b - a for a, b in itertools.pairwise([0, *lengths])) == 1


def test_a_model_that_fails_to_load_is_reported(page, site, page_problems):
    page.route("**/page_model.js", lambda route: route.abort())
    page.goto(f"{site}book/index.html")
    ask(page, OWN)
    assert "could not be loaded" in page.locator(".op-playground .op-notice").inner_text()
    page.get_by_role("button", name="Generate").press("Enter")
    page.wait_for_function(IDLE)
    assert "could not be loaded" in page.locator(".op-playground .op-notice").inner_text()
    assert all("ERR_FAILED" in problem for problem in page_problems)
    page_problems.clear()


def test_the_loading_notice_gives_the_size(page, site, parts):
    held = []
    page.route("**/page_model.js", lambda route: held.append(route))
    page.goto(f"{site}book/index.html")
    page.set_default_timeout(90_000)
    progress = page.get_by_role("progressbar", name="Loading the model")
    assert not progress.is_visible()
    page.get_by_role("button", name=OWN).press("Enter")
    progress.wait_for()
    assert "about 5 MB" in page.locator(".op-playground .op-notice").inner_text()
    held.pop().continue_()
    page.wait_for_function(IDLE)
    assert not progress.is_visible()
    assert_shows(page, parts, OWN)


LIVE = """([module, state]) => {
  const explorer = new Function(module.replace("export default", "return"))();
  const saved = [];
  const model = {  // of a notebook: without `page`
    get: (name) => state[name], set: (name, value) => { state[name] = value; }, on() {}, off() {},
    save_changes: () => saved.push([state.asked, state.requests]),
  };
  const el = document.createElement("div");
  document.body.append(el);
  explorer.render({ model, el });
  el.querySelector("input").value = "one";
  el.querySelector("form").requestSubmit();
  [...el.querySelectorAll("button")].find((each) => each.textContent === "Generate").click();
  const loading = window.onePromptLoading !== undefined;
  return { saved, links: el.querySelectorAll("a").length, loading };
}"""


def test_in_a_notebook_python_is_asked_and_nothing_is_loaded(page, parts):
    explorer = make(parts)
    found = page.evaluate(LIVE, [explorer._esm, explorer.state()])
    assert found == {"saved": [["one", 0], ["one", 1]], "links": 0, "loading": False}


def test_a_page_without_javascript_shows_the_table(browser, tmp_path, parts):
    assert_table_without_javascript(browser, tmp_path, make(parts), n_rows=5)
