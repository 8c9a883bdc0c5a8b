"""The sampling explorer: what it shows against the package, and its controls.

The mathematics on its page is tested in tests/js/test_sample.py.
"""

from dataclasses import replace

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
)
from explorer_page import show as show_explorer
from explorer_stand_ins import StandInModel, StandInTokenizer, V, make_explorer
from scipy import stats

from oneprompt.explorers import SamplingExplorer
from oneprompt.explorers.shared import SAMPLE_ENGINES, SAMPLE_ORDERS, SAMPLE_STARTS
from oneprompt.notebook import visible
from oneprompt.sample import Sampling, entropy, probabilities

# In Python


def test_the_probabilities_equal_the_packages():
    explorer = make_explorer(temperature=0.7, top_k=20, top_p=0.9, min_p=0.01)
    logits = StandInModel()(torch.zeros(1, 4))[0, -1]
    assert explorer.sampling == Sampling(temperature=0.7, top_k=20, top_p=0.9, min_p=0.01)
    assert torch.equal(explorer.probabilities, probabilities(logits, explorer.sampling))


def test_neutral_values_turn_the_filters_off():
    assert make_explorer().sampling == Sampling()


def test_setting_the_prompt_runs_the_model():
    explorer = make_explorer()
    explorer.draws = [1, 2]
    explorer.prompt = "What is"
    expected = StandInModel()(torch.zeros(1, 2))[0, -1]
    assert torch.equal(torch.tensor(explorer.data["logits"]), expected)
    assert explorer.draws == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [("temperature", -1.0), ("top_p", 0.0), ("top_p", 1.5), ("min_p", 2.0), ("top_k", -3)],
)
def test_a_bad_setting_is_refused_and_changes_nothing(setting, value):
    explorer = make_explorer()
    with pytest.raises(ValueError, match=setting):
        setattr(explorer, setting, value)
    assert explorer.sampling == Sampling()


def test_a_bad_prompt_is_refused_and_changes_nothing():
    explorer = make_explorer(prompt="one two")
    data = explorer.data
    with pytest.raises(ValueError, match="empty"):
        explorer.prompt = ""
    assert (explorer.prompt, explorer.data) == ("one two", data)


def test_a_new_setting_forgets_the_draws():
    explorer = make_explorer()
    explorer.draws = [1, 2]
    explorer.top_k = 5
    assert explorer.draws == []


def test_an_explorer_starts_as_an_engine_does():
    explorer = make_explorer(repetition_penalty=1.5)
    explorer.start_as("llama.cpp")
    order = ("repetition_penalty", "top_k", "top_p", "min_p", "temperature")
    assert explorer.sampling == Sampling(0.8, top_k=40, top_p=0.95, min_p=0.05, order=order)
    with pytest.raises(ValueError, match=r"choose from transformers, vLLM, llama\.cpp"):
        explorer.start_as("ollama")


def test_without_javascript_there_is_a_table():
    fallback = make_explorer("<b>").fallback()
    assert fallback.count("<tr>") == 13
    assert "<b>" not in fallback


# On the page


def percent(p: float) -> str:
    return "0 %" if p == 0 else "<0.1 %" if p < 0.0005 else f"{100 * p:.1f} %"


def show(page, explorer):
    return show_explorer(page, explorer, "Sampling explorer")


def column(region, name: str) -> list[str]:
    return region.locator(f"tbody .op-{name}-cell").all_inner_texts()


def assert_page_shows(region, explorer):
    """Bars, numbers, reasons and statistics are those of the Python explorer."""
    before, after = (
        torch.tensor(explorer.data["logits"]).double().softmax(dim=-1),
        explorer.probabilities,
    )
    ids = before.argsort(descending=True, stable=True)[:12].tolist()
    shown = column(region, "after")[:12]
    assert [text for i, text in zip(ids, shown, strict=True) if after[i] > 0] == [
        percent(after[i]) for i in ids if after[i] > 0
    ]
    assert column(region, "before")[:12] == [percent(before[i]) for i in ids]
    widths = region.locator(".op-bar-after").evaluate_all(
        "bars => bars.map((bar) => parseFloat(bar.style.inlineSize) / 100)"
    )
    assert widths[:12] == pytest.approx(after[ids].tolist(), abs=1e-5)
    bits, kept, cut, cut_hot = region.locator("dd .op-value").all_inner_texts()
    assert bits == f"{abs(entropy(after)):.2f} bits"
    assert kept == str(int((after > 0).sum()))
    assert cut == percent(float(before[after == 0].sum()))
    assert cut_hot == percent(float(unfiltered(explorer)[after == 0].sum()))


def unfiltered(explorer) -> torch.Tensor:
    """The distribution that the filters see: after the penalty and the temperature."""
    logits = torch.tensor(explorer.data["logits"])
    settings = replace(explorer.sampling, top_k=None, top_p=None, min_p=None)
    return probabilities(logits, settings, explorer.data["history"])


def test_the_keyboard_moves_every_slider(page):
    explorer = make_explorer()
    region = show(page, explorer)
    assert_page_shows(region, explorer)

    page.get_by_role("slider", name="Temperature").focus()
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    explorer.temperature = 0.7
    assert page.get_by_role("slider", name="Temperature").get_attribute("aria-valuetext") == "0.70"
    assert_page_shows(region, explorer)

    page.get_by_role("slider", name="Min-p").press("ArrowRight")
    explorer.min_p = 0.01
    assert_page_shows(region, explorer)

    page.get_by_role("slider", name="Top-p").press("ArrowLeft")
    explorer.top_p = 0.99
    assert_page_shows(region, explorer)

    page.get_by_role("slider", name="Top-k").press("Home")
    page.get_by_role("slider", name="Top-k").press("ArrowRight")
    explorer.top_k = 2
    assert_page_shows(region, explorer)
    assert column(region, "after")[2:] == ["top-k"] * 11

    page.get_by_role("slider", name="Repetition penalty").press("End")
    explorer.repetition_penalty = 2.0
    assert_page_shows(region, explorer)

    page.get_by_role("slider", name="Temperature").press("Home")
    explorer.temperature = 0.0
    assert_page_shows(region, explorer)
    assert column(region, "after") == ["100.0 %"] + ["greedy"] * 12

    page.get_by_role("button", name="Reset").press("Enter")
    assert_page_shows(region, make_explorer())


def test_the_order_of_the_steps_is_a_control(page):
    explorer = make_explorer(temperature=0.5, top_p=0.6)
    region = show(page, explorer)
    buttons = region.get_by_role("list", name="Order of the steps").get_by_role("button")
    assert buttons.all_inner_texts() == ["penalty", "temperature", "top-k", "top-p", "min-p"]
    for _ in range(2):  # top-p before the temperature
        buttons.filter(has_text="top-p").press("Enter")
    explorer.order = ["repetition_penalty", "top_p", "temperature", "top_k", "min_p"]
    assert buttons.all_inner_texts() == ["penalty", "top-p", "temperature", "top-k", "min-p"]
    assert page.evaluate("document.activeElement.textContent") == "top-p"
    assert_page_shows(region, explorer)
    buttons.first.press("Enter")  # the first goes to the end
    assert buttons.all_inner_texts() == ["top-p", "temperature", "top-k", "min-p", "penalty"]


def test_what_is_cut_is_said_of_the_models_own_and_of_the_heated_distribution(page):
    """At temperature 2 a filter cuts little of the one and much of the other."""
    explorer = make_explorer(temperature=2.0, top_p=0.6)
    region = show(page, explorer)
    assert_page_shows(region, explorer)
    cut, cut_hot = region.locator("dd .op-value").all_inner_texts()[2:]
    assert float(cut.split()[0]) < float(cut_hot.split()[0])
    details = region.locator("dd .op-detail").all_inner_texts()[2:]
    assert details == ["of the model’s own", "after temperature"]


def test_each_engine_says_how_many_tokens_its_order_keeps(page):
    explorer = make_explorer(temperature=2.0, top_p=0.6, min_p=0.2)
    region = show(page, explorer)
    engines = region.get_by_role("radiogroup", name="Order of an engine").get_by_role("radio")
    for i, (name, order) in enumerate(zip(SAMPLE_ENGINES, SAMPLE_ORDERS, strict=True)):
        explorer.order = order
        kept = int((explorer.probabilities > 0).sum())
        assert engines.nth(i).inner_text().split() == [name, str(kept), "kept"]
    engines.filter(has_text="llama.cpp").press("Enter")
    assert_page_shows(region, explorer)  # llama.cpp's order was the last
    assert engines.nth(2).get_attribute("aria-checked") == "true"


def test_an_engine_starts_with_its_own_numbers(page):
    region = show(page, make_explorer())
    start = region.get_by_role("button", name="Its start values")
    region.get_by_role("radio", name="llama.cpp").click()
    start.click()
    explorer = make_explorer(order=SAMPLE_ORDERS[2], **SAMPLE_STARTS[2])
    assert explorer.sampling.top_k == 40
    assert_page_shows(region, explorer)
    order = region.get_by_role("list", name="Order of the steps").get_by_role("button")
    order.first.click()  # an order of the reader's own
    assert start.get_attribute("aria-disabled") == "true"
    assert region.get_by_role("radio", checked=True).count() == 0


def test_the_line_shows_the_slice_that_the_random_number_hit(page):
    explorer = make_explorer(temperature=0.7, seed=3)
    region = show(page, explorer)
    slices, mark = region.locator(".op-slice"), region.locator(".op-line .op-bar-mark")
    assert not mark.is_visible()
    wide = [float(p) for p in explorer.probabilities if p >= 0.002]
    widths = slices.evaluate_all("all => all.map((one) => parseFloat(one.style.inlineSize))")
    assert widths == pytest.approx([100 * p for p in wide], rel=1e-3)
    region.get_by_role("button", name="Draw one").click()
    hit, at = region.locator(".op-hit").bounding_box(), mark.bounding_box()
    assert hit["x"] <= at["x"] + at["width"] / 2 <= hit["x"] + hit["width"]


def test_drawing_is_seeded_and_follows_the_probabilities(page):
    explorer = make_explorer(temperature=0.8, top_k=8, seed=5)
    counts = []
    for _ in range(2):
        region = show(page, explorer)
        page.get_by_role("button", name="Draw 1,000").click()
        counts.append([int(c.split(" / ")[0]) for c in column(region, "drawn")[:8]])
    assert counts[0] == counts[1]
    assert sum(counts[0]) == 1000
    expected = 1000 * explorer.probabilities.sort(descending=True).values[:8].numpy()
    assert stats.chisquare(counts[0], expected).pvalue > 0.001

    explorer.seed = 6
    region = show(page, explorer)
    page.get_by_role("button", name="Draw 1,000").click()
    assert [int(c.split(" / ")[0]) for c in column(region, "drawn")[:8]] != counts[0]


def test_draw_one_shows_the_token(page):
    explorer = make_explorer(temperature=0.0)
    region = show(page, explorer)
    page.get_by_role("button", name="Draw one").press("Enter")
    token = visible(explorer.tokens[explorer.probabilities.argmax()])
    assert region.locator(".op-next").inner_text() == token
    assert column(region, "drawn") == ["1 / 1"] + ["–"] * 12
    page.get_by_role("slider", name="Temperature").press("ArrowRight")
    assert column(region, "drawn") == ["–"] * 13


def test_drawing_ends_at_ten_thousand(page):
    region = show(page, make_explorer())
    for _ in range(11):
        page.get_by_role("button", name="Draw 1,000").click()
    assert sum(int(c.split(" / ")[0]) for c in column(region, "drawn")) == 10_000
    assert "Reset" in region.locator(".op-status").inner_text()


def test_a_readers_prompts_are_answered_in_the_page(page):
    """With Python's traits, which tests/js/test_explorer_states.py compares."""
    tokenizer, (model, draft) = page_tokenizer(), page_pair()
    explorer = SamplingExplorer(model, tokenizer)
    region = show(page, explorer)
    give_model(page, tokenizer, model, draft)
    page.get_by_role("button", name="Draw one").click()
    prompt = "héllo 😀"
    assert answer_to(region, prompt) == ""
    assert region.locator(".op-prompt").inner_text() == f"{prompt}?"  # nothing drawn
    explorer.prompt = prompt
    likeliest = explorer.tokens[explorer.probabilities.argmax()]
    assert region.locator("tbody th").first.inner_text() == visible(likeliest)
    assert "at most 18 fit" in answer_to(region, "a field of " * 30)
    assert region.locator("tbody th").first.inner_text() == visible(likeliest)
    assert_hostile_prompts_do_no_harm(page, region)


def test_hostile_tokens_and_prompts_are_text(page):
    hostile = "</script><img src=x onerror=console.error(1)><!--"
    model = StandInModel()
    explorer = SamplingExplorer(model, StandInTokenizer(*[hostile] * V), prompt=hostile)
    region = show(page, explorer)
    page.get_by_role("button", name="Draw one").click()
    assert region.locator(".op-next").inner_text() == visible(hostile)
    assert page.locator("img").count() == 0
    assert hostile in region.inner_text()


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_not_too_wide_and_does_not_jump(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    region = show(page, make_explorer(" Machine"))
    before = region.bounding_box()
    for _ in range(3):
        page.get_by_role("slider", name="Top-p").press("PageDown")
        page.get_by_role("button", name="Draw one").click()
    assert region.bounding_box()["height"] == pytest.approx(before["height"], abs=1)
    for _ in range(10):
        page.get_by_role("button", name="Draw 1,000").click()
    assert_fits(region, "td, dd")


def test_nothing_listens_once_the_explorer_has_ended(page):
    assert_ends_cleanly(page, make_explorer())


class TestInTheBook:
    def test_the_chapter_has_the_explorer(self, page, site):
        page.goto(f"{site}book/07_sample.html")
        region = page.get_by_role("region", name="Sampling explorer").first
        kept = region.locator("dd .op-value").nth(1)
        region.get_by_role("button", name="Reset").click()
        assert kept.inner_text() == "2,048"
        region.get_by_role("slider", name="Top-k").press("Home")
        assert kept.inner_text() == "1"


def test_a_page_without_javascript_shows_the_table(browser, tmp_path):
    assert_table_without_javascript(browser, tmp_path, make_explorer(), n_rows=13)
