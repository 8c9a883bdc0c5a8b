"""The feed-forward explorer: its state against the trace, its controls, its limits."""

import json
from itertools import pairwise

import pytest
import torch
from explorer_page import (
    answer_to,
    assert_ends_cleanly,
    assert_fits,
    assert_hostile_prompts_do_no_harm,
    assert_table_without_javascript,
    change_from_python,
    give_model,
    page_pair,
    page_tokenizer,
    visible,
)
from explorer_page import show as show_explorer
from explorer_stand_ins import StandInTokenizer
from models import small_model

import oneprompt as op
from oneprompt.explorers import FeedForwardExplorer
from oneprompt.explorers.feedforward.explorer import FUNCTIONS
from oneprompt.explorers.shared import FEEDFORWARD_TOP, MAX_TOKENS

PROMPT = "a word of several letters stands here"  # seven tokens: the lengths of the words
L, F, T = 2, 100, 7  # 100 units fill one row of the grid and a part of the next


def make_model(**fields):
    return small_model(d_model=16, n_layers=L, d_ff=F, **{"activation": "gelu_tanh"} | fields)


def make_explorer(prompt=PROMPT, model=None, **settings):
    return FeedForwardExplorer(model or make_model(), StandInTokenizer(), prompt, **settings)


def reference_explorer(prompt="What is machine learning?", **settings):
    return FeedForwardExplorer(op.load_model("reference"), op.load_tokenizer(), prompt, **settings)


def measured(explorer):
    """z, h and lengths written (F,) of the chosen layer and position, and the layer's trace."""
    ids = explorer.tokenizer.encode(explorer.prompt)
    layer = explorer.model.trace(torch.tensor([ids])).layers[explorer.layer]
    network = explorer.model.blocks[explorer.layer].feedforward
    with torch.no_grad():
        z = network.up(layer.norm2)[0, explorer.position]
        h = layer.hidden[0, explorer.position]
        return z, h, h.abs() * network.down.weight.norm(dim=0)


# In Python


@pytest.mark.parametrize(("layer", "position"), [(0, 0), (1, 4)])
@pytest.mark.parametrize("activation", ["gelu_tanh", "gelu", "relu"])
def test_the_units_equal_those_of_the_trace(activation, layer, position):
    model = make_model(activation=activation)
    explorer = make_explorer(model=model, layer=layer, position=position)
    z, h, written = measured(explorer)
    units = explorer.units
    assert units["active"] == int((z > 0).sum())
    assert sum(units["inputs"]) == F
    assert sum(units["inputs"][64:]) == int((z >= 0).sum())
    assert units["inputs"][65] == int(((z >= 0.5) & (z < 1)).sum())  # bins of 0.5 from -32
    largest = written.sort(descending=True).values
    assert largest[: units["needed"]].sum() >= 0.9 * largest.sum()
    assert largest[: units["needed"] - 1].sum() < 0.9 * largest.sum()
    levels = torch.tensor([int(level, 21) for level in units["levels"]])
    assert torch.equal(levels, (20 * written / written.max()).round().long())
    for j, *numbers in units["units"]:
        assert numbers == pytest.approx([float(z[j]), float(h[j]), float(written[j])], abs=6e-4)
    rows = [j for j, *_ in units["units"]]
    assert torch.equal(written[rows[:FEEDFORWARD_TOP]], largest[:FEEDFORWARD_TOP])
    assert (h[rows[FEEDFORWARD_TOP]], z[rows[FEEDFORWARD_TOP + 1]]) == (h.min(), z.min())


def test_the_streams_equal_those_of_the_trace():
    explorer, trace = make_explorer(), make_model().trace(torch.tensor([[1, 4, 2, 7, 7, 6, 4]]))
    for t, stream in enumerate(explorer.data["streams"]):
        sums = [trace.embedding, *(x for y in trace.layers for x in (y.middle, y.output))]
        lengths = [float(x[0, t].norm()) for x in sums]
        assert stream["lengths"] == pytest.approx(lengths, abs=6e-4)
        added = [float((after - before)[0, t].norm()) for before, after in pairwise(sums)]
        assert stream["added"] == pytest.approx(added, abs=6e-4)
        for (before, after), a, cosine in zip(
            pairwise(lengths), added, stream["cosines"], strict=True
        ):
            assert after**2 == pytest.approx(before**2 + a**2 + 2 * before * a * cosine, rel=5e-3)


def test_a_unit_that_writes_nothing_has_no_color():
    model = make_model(activation="relu")
    model.blocks[0].feedforward.up.weight.data.zero_()
    model.blocks[0].feedforward.up.bias.data.fill_(-100.0)  # also beyond the last bin
    units = make_explorer(model=model).units
    assert (units["active"], set(units["levels"]), units["inputs"][0]) == (0, {"0"}, F)


def test_setting_the_prompt_runs_the_model_and_chooses_the_last_token():
    explorer = make_explorer(layer=1, row=2)
    assert explorer.position == T - 1
    explorer.prompt = "now three words"
    assert (explorer.position, explorer.layer, explorer.row) == (2, 1, 2)
    assert explorer.units["active"] == int((measured(explorer)[0] > 0).sum())


@pytest.mark.parametrize(
    ("prompt", "message"),
    [("", "empty"), ("word " * (MAX_TOKENS + 1), "25 tokens, and at most 24 fit")],
)
def test_a_prompt_that_does_not_fit_is_refused_and_changes_nothing(prompt, message):
    explorer = make_explorer()
    before = explorer.state()
    with pytest.raises(ValueError, match=message):
        explorer.prompt = prompt
    assert explorer.state() == before


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("layer", L),
        ("layer", -1),
        ("position", T),
        ("row", FEEDFORWARD_TOP + 2),
        ("activation", "swiglu"),
    ],
)
def test_a_bad_setting_is_refused_and_changes_nothing(setting, value):
    explorer = make_explorer()
    before = getattr(explorer, setting)
    with pytest.raises(ValueError, match=setting):
        setattr(explorer, setting, value)
    assert getattr(explorer, setting) == before
    with pytest.raises(ValueError, match=setting):
        make_explorer(**{setting: value})


def test_a_gated_network_is_refused():
    with pytest.raises(ValueError, match="without a gate, not 'swiglu'"):
        make_explorer(model=make_model(activation="swiglu"))


def test_without_javascript_there_are_tables():
    explorer = make_explorer("<b> and a word", layer=1)
    fallback = explorer.fallback()
    assert fallback.count("<tr>") == 1 + FEEDFORWARD_TOP + 2 + 1 + 1 + 2 * L
    assert f"<td>{explorer.units['units'][0][3]:.2f}</td>" in fallback
    assert f"<td>{explorer.data['streams'][3]['lengths'][-1]:.1f}</td>" in fallback
    assert "<b>" not in fallback


def test_the_twin_depends_on_the_state_alone_and_is_small():
    assert make_explorer().twin() == make_explorer().twin()
    explorer = reference_explorer()
    assert len(json.dumps(explorer.state())) < 70_000
    assert len(explorer.twin()) < 120_000


# On the page


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def show(page, explorer):
    return show_explorer(page, explorer, "Feed-forward explorer")


def values(region, part: str) -> list[str]:
    return region.locator(f"{part} dd .op-value").all_inner_texts()


def assert_page_shows(region, explorer):
    """Shares, the grid, the list, the curve's numbers and the stream are those of the package."""
    ids = explorer.tokenizer.encode(explorer.prompt)
    layers = explorer.model.trace(torch.tensor([ids])).layers
    z, h, written = measured(explorer)
    shares = (layers[explorer.layer].hidden[0] > 0).float().mean(dim=-1)
    shown = [number(text[:-2]) for text in region.locator(".op-share").all_inner_texts()]
    assert shown == pytest.approx((100 * shares).tolist(), abs=0.501)

    colored = region.locator(".op-ff-grid path").evaluate_all(
        "(all) => all.map((path) => path.getAttribute('d')).join('').split('M').length - 1"
    )
    assert colored == sum(level != "0" for level in explorer.units["levels"])
    texts = region.locator(".op-ff-list .op-ff-line span").all_inner_texts()
    rows = torch.tensor([number(text) for text in texts], dtype=torch.double).reshape(-1, 4)
    listed = rows[:, 0].long()
    expected = torch.stack([z, h, written], dim=1)[listed].double()
    assert torch.allclose(rows[:, 1:], expected, rtol=0, atol=0.0056)
    unit = int(listed[explorer.row])
    chosen = region.get_by_role("radiogroup", name="Unit").get_by_role("radio", checked=True)
    assert chosen.get_attribute("aria-label").startswith(f"unit {unit}: input")

    # 0.0056: two decimals, and a curve read between points that are 0.05 apart at the bends
    x = z[unit]
    output, own = float(FUNCTIONS[explorer.activation](x)), float(h[unit])
    shown = [number(text) for text in values(region, ".op-ff-curve")]
    assert shown == pytest.approx([float(x), output, own], abs=0.0056)

    stream = explorer.data["streams"][explorer.position]
    for column, expected in (("stream", stream["lengths"]), ("adds", stream["added"])):
        texts = region.locator(f"tbody .op-ff-{column}").all_inner_texts()
        shown = [number(text) for text in texts if text]
        assert shown == pytest.approx(expected, abs=0.051)
    chosen = region.locator(".op-ff-stream .op-chosen th").inner_text()
    assert chosen == f"FFN {explorer.layer}"


def test_the_keyboard_moves_everything(page):
    explorer = make_explorer()
    region = show(page, explorer)
    assert_page_shows(region, explorer)

    def press(group: str, *keys: str):
        for key in keys:
            radios = region.get_by_role("radiogroup", name=group, exact=True).get_by_role("radio")
            radios.and_(region.locator("[aria-checked=true]")).press(key)

    press("Block", "ArrowRight", "ArrowRight")  # there is no block 2
    explorer.layer = 1
    assert_page_shows(region, explorer)
    press("Token", "ArrowLeft", "ArrowLeft")
    explorer.position = T - 3
    assert_page_shows(region, explorer)
    for activation in ("gelu", "relu"):
        press("Activation function", "ArrowLeft")
        explorer.activation = activation
        for row, key in ((6, "End"), (7, "ArrowDown"), (0, "Home")):
            press("Unit", *(["End", "ArrowUp"] if row == 6 else [key]))
            explorer.row = row
            assert_page_shows(region, explorer)
    press("Activation function", "End")
    explorer.activation = "silu"
    press("Unit", "ArrowDown")
    explorer.row = 1
    assert_page_shows(region, explorer)


def test_the_mark_lies_on_the_curve(page):
    """Its place on the picture, for the unit in GELU's dip and the one far out to the left."""
    explorer = reference_explorer(layer=3, row=6)
    region = show(page, explorer)
    for row, reach in ((6, 4), (7, 16)):
        region.get_by_role("radiogroup", name="Unit").get_by_role("radio").nth(row).click()
        _, z, h, _ = explorer.units["units"][row]
        left, top = region.locator(".op-chart-plot .op-bar-mark").evaluate(
            "(mark) => [mark.style.insetInlineStart, mark.style.insetBlockStart].map(parseFloat)"
        )
        assert left == pytest.approx(50 * (z / reach + 1), abs=0.01)
        assert top == pytest.approx(100 * (reach - h) / (reach * 9 / 8), abs=0.01)
        assert region.locator(".op-chart-x").inner_text().split() == [
            f"−{reach}", "input", "z", f"{reach}",
        ]  # fmt: skip
        assert region.locator(".op-chart-y").inner_text().split() == [
            f"{reach}", f"−{reach / 8:g}",
        ]  # fmt: skip
        bars = region.locator(".op-ff-counts rect")
        assert bars.count() == 4 * reach
        heights = bars.evaluate_all("(all) => all.map((bar) => +bar.getAttribute('height'))")
        assert heights == explorer.units["inputs"][64 - 2 * reach : 64 + 2 * reach]


def test_a_new_prompt_from_python_redraws_everything(page):
    explorer = make_explorer("one two six", position=2)
    assert_page_shows(change_from_python(page, explorer, prompt=PROMPT), explorer)


def test_nothing_listens_once_the_explorer_has_ended(page):
    assert_ends_cleanly(page, make_explorer())


@pytest.fixture(scope="module")
def answered_in_page():
    """A pair, its tokenizer, and an explorer of both, for prompts that the page answers."""
    tokenizer, (target, draft) = page_tokenizer(), page_pair(context_length=24, d_ff=F)
    return tokenizer, target, draft, FeedForwardExplorer(target, tokenizer)


def test_hostile_tokens_are_text(page):
    hostile = "</script><img src=x onerror=console.error(1)><!--"
    explorer = FeedForwardExplorer(make_model(), StandInTokenizer(*[hostile] * 31), PROMPT)
    region = show(page, explorer)
    assert page.locator("img").count() == 0
    assert visible(hostile) in region.inner_text()


def test_a_readers_prompt_is_answered_in_the_page(page, answered_in_page):
    *parts, explorer = answered_in_page
    explorer.prompt, explorer.layer = "a field", 1
    region = show(page, explorer)
    give_model(page, *parts)
    assert f"at most {MAX_TOKENS} fit" in answer_to(region, "a " * 100)
    assert_page_shows(region, explorer)  # what was refused changes nothing
    for prompt in ("What is a token?", "   ", "</script> שלום"):
        assert answer_to(region, prompt) == ""
        explorer.prompt = prompt
        assert_page_shows(region, explorer)
    assert_hostile_prompts_do_no_harm(page, region)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("prompt", ["What is machine learning?", "A training set " * 7])
def test_the_page_is_not_too_wide_and_does_not_jump(page, width, prompt):
    page.set_viewport_size({"width": width, "height": 900})
    region = show(page, reference_explorer(prompt))
    height = region.bounding_box()["height"]
    heights = region.get_by_role("radio").evaluate_all(
        """(radios) => radios.map((radio) => {
          radio.click();
          return radio.closest(".op-explorer").getBoundingClientRect().height;
        })"""
    )
    assert len(heights) >= 5 + 6 + 8 + 4
    assert heights == pytest.approx([height] * len(heights), abs=1)
    assert_fits(region, "td, dd, .op-ff-line > span")


def test_a_page_without_javascript_shows_both_tables(browser, tmp_path):
    rows = 1 + FEEDFORWARD_TOP + 2 + 1 + 1 + 2 * L
    assert_table_without_javascript(browser, tmp_path, make_explorer(), rows)


class TestInTheBook:
    def test_the_chapter_has_the_explorer(self, page, site):
        page.goto(f"{site}book/05_feedforward.html")
        region = page.get_by_role("region", name="Feed-forward explorer")
        explorer = reference_explorer()
        for layer in (0, 2):
            region.get_by_role("radio", name=f"block {layer}").click()
            explorer.layer = layer
            assert_page_shows(region, explorer)
