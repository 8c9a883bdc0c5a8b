"""The feed-forward explorer: its state against the trace, its controls, its limits."""

import gzip
import html
from copy import deepcopy
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
    come_near,
    give_model,
    page_pair,
    page_tokenizer,
)
from explorer_page import show as show_explorer
from explorer_stand_ins import StandInTokenizer
from models import small_model

import oneprompt as op
from oneprompt.explorers import FeedForwardExplorer
from oneprompt.explorers.feedforward.lines import FUNCTIONS, REACHES
from oneprompt.explorers.shared import (
    DIGIT_BASE,
    FEEDFORWARD_PLACES,
    FEEDFORWARD_TOP,
    MAX_TOKENS,
)
from oneprompt.explorers.texts import token_text
from oneprompt.heads import glossary_openings
from oneprompt.notebook import visible

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
    assert explorer.data["inputs"][layer][position] == pytest.approx(z.tolist(), abs=5.1e-3)
    assert len(explorer.units) == FEEDFORWARD_TOP
    for j, *numbers in explorer.units:
        assert numbers == pytest.approx([float(z[j]), float(h[j]), float(written[j])], abs=0.02)
    rows = [j for j, *_ in explorer.units]
    largest = written.sort(descending=True).values[:FEEDFORWARD_TOP]
    assert torch.allclose(written[rows], largest, atol=0.02)
    assert explorer.unit == rows[0]  # the one that writes most comes first


def places_of(explorer, layer: int, unit: int) -> list[int]:
    """The places of a unit, of three digits each."""
    start = 3 * FEEDFORWARD_PLACES * unit
    digits = explorer.places[layer][start : start + 3 * FEEDFORWARD_PLACES]
    return [int(digits[i : i + 3], DIGIT_BASE) for i in range(0, len(digits), 3)]


def test_the_places_are_where_a_unit_is_most_active():
    explorer = make_explorer()
    book = glossary_openings(StandInTokenizer(), explorer.model.config.context_length)
    layers = explorer.model.trace(book).layers
    for layer, unit in ((0, 0), (1, F - 1)):
        activity = layers[layer].hidden[..., unit].flatten()
        found = activity[places_of(explorer, layer, unit)]
        assert torch.allclose(found, activity.sort(descending=True).values[: len(found)], atol=1e-5)
    assert [len(text) for text in explorer.openings] == [book.shape[1]] * len(book)
    text, t = divmod(places_of(explorer, 1, 7)[0], book.shape[1])
    assert explorer.places_of(1, 7)[0].endswith(f"[{explorer.openings[text][t]}]")


def test_what_comes_next_without_a_unit_or_a_block_is_measured():
    explorer = make_explorer(layer=1)
    ids = torch.tensor(StandInTokenizer().encode(PROMPT))
    first = explorer.unit
    assert {"0", "1", f"1:{first}"} <= explorer.without.keys()  # known before anyone asks
    for unit in (first, (first + 1) % F):
        explorer.unit, explorer.silence = unit, "unit"
        silenced = deepcopy(explorer.model)
        silenced.blocks[1].feedforward.down.weight.data[:, unit] = 0
        assert explorer.without[f"1:{unit}"] == likeliest(silenced, ids)
    silenced.blocks[1].feedforward.down.weight.data.zero_()
    assert explorer.without["1"] == likeliest(silenced, ids)
    assert explorer.data["next"] == likeliest(explorer.model, ids)


def likeliest(model, ids) -> list:
    """The three likeliest next tokens, as the explorer has them."""
    best = model(ids[None])[0, -1].softmax(dim=-1).topk(3)
    texts = [token_text(StandInTokenizer(), i) for i in best.indices.tolist()]
    return [
        [text, pytest.approx(p, abs=1e-4)]
        for text, p in zip(texts, best.values.tolist(), strict=True)
    ]


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


def test_setting_the_prompt_runs_the_model_and_chooses_the_last_token():
    explorer = make_explorer(layer=1, unit=2)
    assert explorer.position == T - 1
    explorer.silence = "unit"
    explorer.prompt = "now three words"
    assert (explorer.position, explorer.layer, explorer.unit) == (2, 1, 2)
    z = measured(explorer)[0].tolist()
    assert explorer.data["inputs"][1][2] == pytest.approx(z, abs=5.1e-3)
    assert "1:2" in explorer.without  # the unit that is silenced, on the new prompt


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
        ("unit", F),
        ("activation", "swiglu"),
        ("silence", "everything"),
        ("view", "units"),
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
    assert fallback.count("<tr>") == 1 + FEEDFORWARD_TOP + 1 + 1 + 2 * L
    assert f"<td>{explorer.units[0][3]:.2f}</td>" in fallback
    assert html.escape(explorer.places_of(1, explorer.units[0][0])[0]) in fallback
    assert f"<td>{explorer.data['streams'][3]['lengths'][-1]:.1f}</td>" in fallback
    assert "<b>" not in fallback


def test_the_twin_depends_on_the_state_alone_and_is_small():
    assert make_explorer().twin() == make_explorer().twin()
    explorer = reference_explorer()
    assert len(explorer.twin()) < 400_000
    assert len(gzip.compress(explorer.twin().encode())) < 130_000


# On the page


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def show(page, explorer):
    return show_explorer(page, explorer, "Feed-forward explorer")


def values(region, part: str) -> list[str]:
    return region.locator(f"{part} dd .op-value").all_inner_texts()


def assert_page_shows(region, explorer):
    """The grid, the list, the places, the curve and the stream are those of the package."""
    z, h, written = measured(explorer)
    colored = region.locator(".op-ff-grid path").evaluate_all(
        "(all) => all.map((path) => path.getAttribute('d')).join('').split('M').length - 1"
    )
    levels = 20 * written / written.max()
    assert (levels > 0.6).sum() <= colored <= (levels > 0.4).sum()
    figures = values(region, ".op-ff-grid + dl")
    assert abs(number(figures[0]) - int((z > 0).sum())) <= int((z.abs() < 5.1e-3).sum())
    largest = written.sort(descending=True).values
    needed = int(number(figures[1]))
    assert largest[:needed].sum() >= 0.899 * largest.sum()
    assert largest[: needed - 1].sum() < 0.901 * largest.sum()

    texts = region.locator(".op-ff-list .op-ff-line span").all_text_contents()
    rows = torch.tensor([number(text) for text in texts], dtype=torch.double).reshape(-1, 4)
    listed = rows[:, 0].long()
    expected = torch.stack([z, h, written], dim=1)[listed].double()
    assert torch.allclose(rows[:, 1:3], expected[:, :2], rtol=0, atol=0.0106)
    assert torch.allclose(rows[:, 3], expected[:, 2], rtol=0, atol=0.07)
    assert torch.allclose(written[listed], largest[: len(listed)], atol=0.02)
    places = region.locator(".op-ff-place mark").all_text_contents()
    marked = [
        place.split("[")[-1][:-1] for place in explorer.places_of(explorer.layer, explorer.unit)
    ]
    assert places == marked
    assert region.get_by_label("Unit number").input_value() == f"{explorer.unit}"

    # Two decimals of two decimals, and a curve read between points 0.05 apart at the bends
    x = z[explorer.unit]
    output, own = float(FUNCTIONS[explorer.activation](x)), float(h[explorer.unit])
    shown = [number(text) for text in values(region, ".op-ff-curve")]
    assert shown == pytest.approx([float(x), output, own], abs=0.0106)

    stream = explorer.data["streams"][explorer.position]
    for column, expected in (("stream", stream["lengths"]), ("adds", stream["added"])):
        texts = region.locator(f"tbody .op-ff-{column}").all_text_contents()
        shown = [number(text) for text in texts if text]
        assert shown == pytest.approx(expected, abs=0.051)
    chosen = region.locator(".op-ff-stream .op-chosen th").text_content()
    assert chosen == f"FFN {explorer.layer}"


def press(region, group: str, *keys: str):
    for key in keys:
        radios = region.get_by_role("radiogroup", name=group, exact=True).get_by_role("radio")
        radios.and_(region.locator("[aria-checked=true]")).press(key)


def test_the_keyboard_moves_everything(page):
    explorer = make_explorer()
    region = show(page, explorer)
    assert_page_shows(region, explorer)
    press(region, "Block", "ArrowRight", "ArrowRight")  # there is no block 2
    explorer.layer = 1
    explorer.unit = explorer.units[0][0]  # the one that writes most there
    assert_page_shows(region, explorer)
    press(region, "Token", "ArrowLeft", "ArrowLeft")
    explorer.position = T - 3
    region.get_by_label("Unit number").fill("1000")  # beyond the last
    region.get_by_label("Unit number").press("Enter")
    explorer.unit = F - 1
    assert_page_shows(region, explorer)
    first = (
        region.get_by_role("radiogroup", name="Units that write most").get_by_role("radio").first
    )
    first.press("Enter")
    explorer.unit = explorer.units[0][0]
    press(region, "Units that write most", "ArrowDown")
    explorer.unit = explorer.units[1][0]
    assert_page_shows(region, explorer)
    press(region, "Show", "ArrowRight")
    assert region.locator(".op-ff-curve").is_visible()
    for activation in ("gelu", "relu"):
        press(region, "Activation function", "ArrowLeft")
        explorer.activation = activation
        assert_page_shows(region, explorer)
    press(region, "Show", "End")
    assert region.locator("div.op-ff-stream").is_visible()
    assert not region.locator(".op-ff-curve").is_visible()


def test_a_tap_on_the_grid_chooses_a_unit(page):
    explorer = make_explorer()
    region = show(page, explorer)
    grid = region.locator(".op-ff-grid")
    box = grid.bounding_box()
    columns, rows = 32, -(-F // 32)
    for unit in (0, 33, F - 1):
        y, x = divmod(unit, columns)
        grid.click(position={
            "x": (x + 0.5) * box["width"] / columns, "y": (y + 0.5) * box["height"] / rows,
        })  # fmt: skip
        explorer.unit = unit
        assert_page_shows(region, explorer)
    grid.click(position={"x": box["width"] - 3, "y": box["height"] - 3})  # no unit is there
    assert_page_shows(region, explorer)


def test_the_mark_lies_on_the_curve(page):
    """Its place on the picture, for the unit in GELU's dip and the one far out to the left."""
    explorer = reference_explorer(layer=3, view="curve")
    z, h, _ = measured(explorer)
    region = show(page, explorer)
    for unit in (int(h.argmin()), int(z.argmin())):
        region.get_by_label("Unit number").fill(str(unit))
        region.get_by_label("Unit number").press("Enter")
        x, y = float(z[unit]), float(h[unit])
        reach = next(reach for reach in REACHES if abs(x) <= reach)
        left, top = region.locator(".op-chart-plot .op-bar-mark").evaluate(
            "(mark) => [mark.style.insetInlineStart, mark.style.insetBlockStart].map(parseFloat)"
        )
        assert left == pytest.approx(50 * (x / reach + 1), abs=0.08)
        assert top == pytest.approx(100 * (reach - y) / (reach * 9 / 8), abs=0.12)
        assert region.locator(".op-chart-x").inner_text().split() == [
            f"−{reach}", "match", "z", f"{reach}",
        ]  # fmt: skip
        assert region.locator(".op-chart-y").inner_text().split() == [
            f"{reach}", f"−{reach / 8:g}",
        ]  # fmt: skip
        bars = region.locator(".op-ff-counts rect")
        heights = bars.evaluate_all("(all) => all.map((bar) => +bar.getAttribute('height'))")
        assert len(heights) == 4 * reach
        near = int(((z >= -reach) & (z < reach)).sum())
        assert abs(sum(heights) - near) <= 2


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


def next_tokens(region) -> list[tuple[str, float]]:
    """What is said to come next without what is silenced."""
    texts = region.locator(".op-ff-next td:last-child").all_inner_texts()
    return [(text.rsplit(" ", 1)[0], float(text.rsplit(" ", 1)[1])) for text in texts]


def test_the_page_silences_a_block_and_any_unit(page, answered_in_page):
    *parts, explorer = answered_in_page
    region = show(page, explorer)
    give_model(page, *parts)
    assert answer_to(region, "a field") == ""
    explorer.prompt, explorer.layer = "a field", 0
    silence = region.get_by_role("radiogroup", name="Silence")
    for unit in (3, F - 1):
        region.get_by_label("Unit number").fill(str(unit))
        region.get_by_label("Unit number").press("Enter")
        silence.get_by_role("radio", name="unit").click()
        explorer.unit, explorer.silence = unit, "unit"
        region.locator(".op-ff-next td:last-child").get_by_text("…").first.wait_for(
            state="detached"
        )
        expected = [(visible(text), p) for text, p in explorer.without[f"0:{unit}"]]
        assert next_tokens(region) == [(text, pytest.approx(p, abs=0.0056)) for text, p in expected]
    silence.get_by_role("radio", name="block").click()
    expected = [(visible(text), pytest.approx(p, abs=0.0056)) for text, p in explorer.without["0"]]
    assert next_tokens(region) == expected
    silence.get_by_role("radio", name="nothing").click()
    assert region.locator(".op-ff-next td:last-child").all_inner_texts() == ["", "", ""]


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
          if (radio.closest(".op-ff-views")) return null;
          radio.click();
          return radio.closest(".op-explorer").getBoundingClientRect().height;
        }).filter((height) => height)"""
    )
    assert len(heights) >= 5 + 6 + FEEDFORWARD_TOP + 3
    assert heights == pytest.approx([height] * len(heights), abs=1)
    for view in ("the unit", "its curve", "the stream"):
        region.get_by_role("radio", name=view).click()
        assert_fits(region, "td:not(.op-ff-next td), dd, .op-ff-line > span")
        assert region.bounding_box()["height"] < 2 * 844


def test_a_page_without_javascript_shows_both_tables(browser, tmp_path):
    rows = 1 + FEEDFORWARD_TOP + 1 + 1 + 2 * L
    assert_table_without_javascript(browser, tmp_path, make_explorer(), rows)


class TestInTheBook:
    def test_the_chapter_has_the_explorer(self, page, site):
        page.goto(f"{site}book/05_feedforward.html")
        come_near(page)
        region = page.get_by_role("region", name="Feed-forward explorer")
        explorer = reference_explorer()
        for layer in (0, 2):
            region.get_by_role("radio", name=f"block {layer}").click()
            if layer != explorer.layer:
                explorer.layer = layer
                explorer.unit = explorer.units[0][0]
            assert_page_shows(region, explorer)
