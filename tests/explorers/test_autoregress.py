"""The generation explorer: its counts against the package, its controls, its limits."""

import json

import pytest
import torch
from explorer_page import (
    answer_to,
    assert_ends_cleanly,
    assert_fits,
    assert_hostile_prompts_do_no_harm,
    assert_table_without_javascript,
    cell_texts,
    change_from_python,
    give_model,
    page_pair,
    page_tokenizer,
)
from explorer_page import show as show_explorer
from explorer_stand_ins import StandInTokenizer
from models import counting_model, small_model

import oneprompt as op
from oneprompt.checkpoints.own import ASSETS
from oneprompt.costs import multiply_adds
from oneprompt.explorers import AutoregressExplorer
from oneprompt.explorers.shared import AUTOREGRESS_MAX_NEW, MAX_TOKENS
from oneprompt.notebook import visible

PROMPT = "a word of several letters stands here"  # seven tokens: the lengths of the words
P = 7
LONG = ("one two three four " * 5).strip()  # to which the reference writes 40 ids
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e<!--"


def make_model(eos_id=None, **fields):
    model = small_model(**fields)
    model.eos_id = eos_id
    return model


def make_explorer(prompt=PROMPT, model=None, tokenizer=None, **settings):
    return AutoregressExplorer(
        model or make_model(), tokenizer or StandInTokenizer(), prompt, **settings
    )


@pytest.fixture(scope="module")
def reference():
    return op.load_model("reference"), op.load_tokenizer()


# In Python


def test_the_run_equals_the_packages(reference):
    model, tokenizer = reference
    explorer = AutoregressExplorer(model, tokenizer)
    ids = tokenizer.encode(explorer.prompt)
    result = op.generate(model, ids, AUTOREGRESS_MAX_NEW)
    texts = [tokenizer.decode([i]) for i in ids + result.ids[:-1]]
    assert explorer.data["tokens"] == [*texts, "EOS"]
    assert explorer.data["prompt"] == len(ids)
    assert explorer.data["stop_reason"] == result.stop_reason == "stop"
    expected = torch.tensor(result.logprobs).exp().tolist()
    assert explorer.data["chances"] == pytest.approx(expected, abs=6e-5)  # four decimals


@pytest.mark.parametrize("use_cache", [False, True])
def test_the_work_is_that_of_a_real_run(use_cache):
    """Positions as the first block gets them; a hand count of the reference's bytes is below."""
    model, read = make_model(), []
    explorer = make_explorer(model=model)
    model.blocks[0].register_forward_pre_hook(lambda _, x: read.append(x[0].shape[1]))
    op.generate(model, StandInTokenizer().encode(PROMPT), 12, use_cache=use_cache)
    for n in (1, 2, 12):
        work = explorer.work(use_cache, n)
        looked_at = range(P, P + n)  # S of each pass
        passes = zip(read[:n], looked_at, strict=True)
        assert work["positions"] == sum(read[:n])
        expected = sum(multiply_adds(model.config, T, S, n_logits=1) for T, S in passes)
        assert work["multiply_adds"] == expected
        assert work["weights"] == n * 4 * model.n_parameters
        assert work["stored"] == n * explorer.costs["stored"]
        assert work["cache"] == (2 * 2 * 16 * looked_at[-1] * 4 if use_cache else 0)  # 2 L H d S 4


def test_the_costs_give_the_multiply_adds_of_the_package(reference):
    explorer = AutoregressExplorer(*reference)
    for T, S in ((1, 1), (1, 256), (5, 9), (256, 256)):
        costs = explorer.costs
        found = T * (costs["position"] + S * costs["pair"]) + costs["logits"]
        assert found == multiply_adds(reference[0].config, T, S, n_logits=1)
    assert explorer.costs["weights"] == 4 * 3_062_784
    assert 3_062_784 < explorer.costs["stored"] < 1.03 * 3_062_784  # a byte each, and scales
    file = ASSETS / "reference.safetensors"
    assert 0 < file.stat().st_size - explorer.costs["stored"] < 16_000  # the file's header
    assert explorer.costs["kept"] == 2 * 6 * 6 * 32 * 4


def test_settings_stay_inside_the_run():
    explorer = make_explorer(step=30, use_cache=False)
    assert (explorer.step, explorer.n_passes) == (30, 34)  # 34: 7 + 34 is one more than the context
    explorer.max_new_tokens = 12
    assert (explorer.step, explorer.n_passes) == (12, 12)
    explorer.prompt = "two words"
    assert (explorer.step, explorer.n_passes, explorer.data["prompt"]) == (1, 12, 2)
    assert explorer.data["chances"] == make_explorer("two words").data["chances"]


def test_no_page_is_told_of_a_pass_after_the_last():
    """Traits reach it one by one: whatever is set, every intermediate state can be drawn."""
    explorer, seen = make_explorer(step=30), []
    explorer.observe(lambda change: seen.append(explorer.step <= explorer.n_passes))
    explorer.max_new_tokens = 5
    explorer.prompt = "two words"
    assert len(seen) > 3
    assert all(seen)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("step", 0, "step=0 is outside of 1 to 12"),
        ("step", 13, "step=13"),
        ("max_new_tokens", 0, "outside of 1 to 40"),
        ("max_new_tokens", AUTOREGRESS_MAX_NEW + 1, "outside of 1 to 40"),
        ("prompt", "", "empty"),
        ("prompt", "word " * (MAX_TOKENS + 1), "25 tokens, and at most 24 fit"),
    ],
)
def test_a_bad_setting_is_refused_and_changes_nothing(setting, value, message):
    explorer = make_explorer(max_new_tokens=12, step=3)
    before = explorer.state()
    with pytest.raises(ValueError, match=message):
        setattr(explorer, setting, value)
    assert explorer.state() == before
    if setting != "prompt":
        with pytest.raises(ValueError, match=message):
            make_explorer(**{"max_new_tokens": 12, setting: value})


def test_a_reader_is_told_why_a_prompt_does_not_fit(reference):
    explorer = AutoregressExplorer(*reference, step=4)
    before = explorer.state()
    for prompt, message in (
        ("a\ud800", "lone surrogate"), ("word " * 30, "at most 24 fit"),
        ("word " * 2000, "10,000 characters, and at most 1,000 fit"),
    ):  # fmt: skip
        explorer.asked = prompt
        assert message in explorer.notice
        assert explorer.state() == before | {"asked": prompt, "notice": explorer.notice}
    explorer.asked = "   "
    assert (explorer.prompt, explorer.notice, explorer.step) == ("   ", "", 1)


def test_without_javascript_there_is_a_table():
    explorer = make_explorer(tokenizer=StandInTokenizer(*[HOSTILE] * 31), max_new_tokens=5)
    fallback = explorer.fallback()
    assert fallback.count("<tr>") == 6
    assert "<td>45</td><td>11</td></tr></tbody>" in fallback  # 7 + 8 + 9 + 10 + 11, and 7 + 4
    assert "<img" not in fallback


def test_the_twin_depends_on_the_state_alone_and_is_small(reference):
    assert make_explorer().twin() == make_explorer().twin()
    explorer = AutoregressExplorer(*reference, prompt=LONG)
    assert len(json.dumps(explorer.state())) < 3_000
    assert len(explorer.twin()) < 60_000


# On the page


def show(page, explorer):
    return show_explorer(page, explorer, "Generation explorer")


def three_digits(value: float) -> float:
    return float(f"{value:.3g}")


def assert_page_shows(region, explorer, generation=None):
    """The text, the sentence, both pictures and the table are Python's."""
    data, n, start = explorer.data, explorer.step, explorer.data["prompt"]
    S = start + n - 1
    computed = 1 if explorer.use_cache and n > 1 else S
    kinds = ["op-reused"] * (S - computed) + ["op-computed"] * computed + ["op-new"]
    items = region.locator(".op-text-so-far li")
    found = items.evaluate_all("all => all.map((li) => li.className)")
    assert found == kinds + ["op-away"] * (len(data["tokens"]) - S - 1)

    status = region.locator(".op-status").inner_text().replace("\n", " ")
    assert f"Pass {n} computes {computed} position" in status
    assert (f"reuses {S - computed}." in status) == (computed < S)
    assert visible(data["tokens"][S]) in status
    if n < explorer.n_passes:
        assert "the next pass follows" in status
    elif generation:
        assert f"stop reason “{generation.stop_reason}”" in status

    ways = [explorer.work(use_cache, n) for use_cache in (False, True)]
    units = {"positions": 1, "multiply_adds": 1e6, "weights": 1e6, "stored": 1e6, "cache": 1e3}
    for (_, *row), (name, unit) in zip(cell_texts(region), units.items(), strict=True):
        values = [way[name] / unit for way in ways]
        shown = [float(text.replace(",", "")) for text in row[:2]]
        assert shown == [v if name == "positions" else three_digits(v) for v in values]
        ratio = "–" if name == "cache" else f"{three_digits(values[0] / values[1])}"
        assert row[2].startswith(ratio.removesuffix(".0"))

    seen = sum(range(start, start + n))  # squares and dots of all rows
    for picture, way in zip(region.locator(".op-staircase").all(), ways, strict=True):
        squares = [picture.locator(f"path.op-{kind}").get_attribute("d").count("M")
                   for kind in ("computed", "reused")]  # fmt: skip
        assert squares == [way["positions"], seen - way["positions"]]
        assert float(picture.locator(".op-out").get_attribute("x")) == pytest.approx(S + 0.14)


def test_the_keyboard_moves_everything(page):
    explorer = make_explorer()
    region = show(page, explorer)
    assert_page_shows(region, explorer)

    for name, step in (("Next pass", 2), ("Next pass", 3), ("Back", 2), ("Reset", 1), ("Back", 1),
                       ("To the end", 34), ("Next pass", 34)):  # fmt: skip
        region.get_by_role("button", name=name).press("Enter")
        explorer.step = step
        assert_page_shows(region, explorer)
    for name, disabled in (("Back", "false"), ("Next pass", "true")):
        assert region.get_by_role("button", name=name).get_attribute("aria-disabled") == disabled

    passes = region.get_by_role("slider", name="Pass")
    passes.press("Home")
    passes.press("ArrowRight")
    explorer.step = 2
    assert passes.get_attribute("aria-valuetext") == "2 of 34"
    assert_page_shows(region, explorer)

    ways = region.get_by_role("radiogroup", name="Way")
    ways.get_by_role("radio", checked=True).press("ArrowLeft")
    explorer.use_cache = False
    assert ways.get_by_role("radio", checked=True).get_attribute("aria-label").startswith("No")
    assert_page_shows(region, explorer)

    most = region.get_by_role("slider", name="Most new ids")
    most.press("Home")
    for _ in range(2):
        most.press("ArrowRight")
    passes.press("End")
    passes.press("ArrowRight")  # there is no pass 4
    explorer.max_new_tokens, explorer.step = 3, 3
    assert passes.get_attribute("aria-valuetext") == "3 of 3"
    assert_page_shows(region, explorer)
    most.press("Home")
    explorer.max_new_tokens = 1
    assert_page_shows(region, explorer)


def test_every_stop_reason_equals_the_packages(page):
    """Also where two of them meet: the last id allowed is EOS, or fills the context."""
    prompt, model = [3], counting_model(context_length=16, eos_id=9)
    endless = counting_model(context_length=6)
    for target, most in ((model, 40), (model, 6), (model, 5), (endless, 40), (endless, 6),
                         (endless, 5)):  # fmt: skip
        generation = op.generate(target, prompt, most)
        explorer = stepper_of(target, most)
        assert explorer.step == len(generation.ids)
        assert_page_shows(show(page, explorer), explorer, generation)


def stepper_of(model, most):
    """At the end; a table has no weights, so the costs come from a model of its config."""
    twin = op.Transformer(model.config)
    twin.eos_id = model.eos_id
    twin.forward = model.__call__
    explorer = make_explorer("one", twin, max_new_tokens=most)
    explorer.step = explorer.n_passes
    return explorer


def test_a_readers_prompts_are_answered_in_the_page(page):
    """With Python's traits, which tests/js/test_explorer_states.py compares."""
    tokenizer, (model, draft) = page_tokenizer(), page_pair(context_length=48)
    explorer = AutoregressExplorer(model, tokenizer, step=3, max_new_tokens=8)
    region = show(page, explorer)
    give_model(page, tokenizer, model, draft)
    assert f"at most {MAX_TOKENS} fit" in answer_to(region, "a " * 300)
    assert_page_shows(region, explorer)  # what was refused changes nothing
    ends = set()
    for prompt in ("What is a token?", "   ", HOSTILE[9:30], "أه 🙂"):
        assert answer_to(region, prompt) == ""
        explorer.prompt = prompt
        ends.add(explorer.data["stop_reason"])
        assert_page_shows(region, explorer)
    assert len(ends) > 1
    assert_hostile_prompts_do_no_harm(page, region)


def test_a_new_prompt_from_python_redraws_everything(page):
    explorer = make_explorer("one two six")
    region = change_from_python(page, explorer, prompt=PROMPT, step=5)
    assert_page_shows(region, explorer)


def test_nothing_listens_once_the_explorer_has_ended(page):
    assert_ends_cleanly(page, make_explorer())


def test_hostile_tokens_are_text(page):
    region = show(page, make_explorer(HOSTILE, tokenizer=StandInTokenizer(*[HOSTILE] * 31)))
    assert page.locator("img").count() == 0
    assert "<img␣src=x␣onerror=alert(1)>\\u202e" in region.locator("li").first.inner_text()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("prompt", [op.PROMPT, LONG])
def test_the_page_is_not_too_wide_and_does_not_jump(page, reference, width, prompt):
    page.set_viewport_size({"width": width, "height": 900})
    region = show(page, AutoregressExplorer(*reference, prompt=prompt))
    found = region.get_by_role("slider", name="Pass").evaluate(
        """(input) => Array.from({ length: Number(input.max) + 1 }, (_, i) => {
          input.value = i;
          input.dispatchEvent(new Event("input"));
          return [document.documentElement.scrollWidth, input.closest("section").offsetHeight];
        })"""
    )
    assert len(found) == (40 if prompt == LONG else 23)
    widths, heights = zip(*found, strict=True)
    assert max(widths) <= width
    assert len(set(heights)) == 1
    region.get_by_role("radio").first.click()
    region.get_by_role("slider", name="Most new ids").press("Home")
    assert region.evaluate("(section) => section.offsetHeight") == heights[0]
    assert_fits(region, "td, dd")


def test_a_page_without_javascript_shows_the_table(browser, tmp_path):
    assert_table_without_javascript(browser, tmp_path, make_explorer(), n_rows=35)


class TestInTheBook:
    def test_the_chapter_has_the_explorer(self, page, site):
        page.goto(f"{site}book/08_autoregress.html")
        region = page.get_by_role("region", name="Generation explorer")
        region.get_by_role("button", name="To the end").click()
        assert "stop reason “stop”" in region.locator(".op-status").inner_text()
        assert region.locator("tbody tr").first.locator("td").all_inner_texts()[:2] == ["368", "27"]
