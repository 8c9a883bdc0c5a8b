"""The attention explorer: its state against the trace, its controls, its limits."""

import json

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
)
from explorer_page import show as show_explorer
from explorer_stand_ins import StandInTokenizer
from models import small_model

import oneprompt as op
from oneprompt.attention import causal_mask, repeat_kv
from oneprompt.explorers import AttentionExplorer
from oneprompt.explorers.shared import MAX_TOKENS
from oneprompt.notebook import visible

PROMPT = "a word of several letters stands here"  # seven tokens: the lengths of the words
L, H, G, T = 2, 4, 2, 7


def make_model(**fields):
    return small_model(d_model=32, n_layers=L, n_heads=H, n_kv_heads=G, **fields)


def make_explorer(prompt=PROMPT, model=None, **settings):
    return AttentionExplorer(model or make_model(), StandInTokenizer(), prompt, **settings)


CLOSE = {"rtol": 0, "atol": 1e-5}  # the state has the dot products to five decimals


def traced(model, prompt=PROMPT):
    return model.trace(torch.tensor([StandInTokenizer().encode(prompt)]))


# In Python


def test_the_weights_equal_those_of_the_trace():
    explorer, trace = make_explorer(), traced(make_model())
    for layer in range(L):
        for head in range(H):
            explorer.layer, explorer.head = layer, head
            expected = trace.layers[layer].weights[0, head]
            assert torch.allclose(explorer.weights, expected, **CLOSE)


def test_the_state_holds_the_dot_products_and_values_of_the_trace():
    state, trace = make_explorer().data, traced(make_model())
    assert len(state["tokens"]) == T
    for i, layer in enumerate(trace.layers):
        dots = layer.scores[0] * layer.q.shape[-1] ** 0.5
        assert torch.allclose(torch.tensor(state["dots"][i]), dots, rtol=0, atol=1e-4)
        assert torch.allclose(torch.tensor(state["values"][i]), layer.v[0], rtol=0, atol=6e-5)


def test_a_window_gives_the_first_layers_weights_of_a_windowed_model():
    explorer = make_explorer(window=3, head=1)
    windowed = make_model(sliding_window=3)  # the same weights: the seed is the same
    expected = traced(windowed).layers[0].weights[0, 1]
    assert torch.allclose(explorer.weights, expected, **CLOSE)
    assert make_explorer(model=windowed).window == 3


def test_without_scale_and_mask_the_weights_are_the_softmax_of_the_dot_products():
    explorer, layer = (
        make_explorer(head=1, scaled=False, causal=False),
        traced(make_model()).layers[0],
    )
    dots = layer.scores[0, 1] * layer.q.shape[-1] ** 0.5
    assert torch.allclose(explorer.weights, dots.softmax(dim=-1), **CLOSE)
    explorer.window = 2  # later keys stay visible, earlier ones do not
    assert (explorer.weights[4] > 0).tolist() == [False] * 3 + [True] * 4


def test_the_state_holds_the_next_tokens_with_and_without_heads():
    explorer, model = make_explorer(), make_model()
    expected = traced(model).logits[0, -1].softmax(dim=-1).topk(3).values
    found = [p for _, p in explorer.data["next"]]
    assert found == pytest.approx(expected.tolist(), abs=1e-4)
    model.blocks[1].attention.output.weight.data[:, :] = 0
    expected = traced(model).logits[0, -1].softmax(dim=-1).topk(3).values
    found = [p for _, p in explorer.data["without"][1][H]]
    assert found == pytest.approx(expected.tolist(), abs=1e-4)


def test_heads_have_the_names_that_they_earn_on_repeats():
    model = op.load_model("reference")
    names = AttentionExplorer(model, op.load_tokenizer()).names
    assert {"previous-token", "induction", ""} == {name for layer in names for name in layer}
    assert {name for layer in make_explorer().names for name in layer} == {""}


def test_setting_the_prompt_runs_the_model_and_makes_the_last_token_the_query():
    explorer = make_explorer()
    assert explorer.query == T - 1
    explorer.prompt = "now three words"
    assert explorer.query == 2
    assert make_explorer(query=1).query == 1
    expected = traced(make_model(), "now three words").layers[0].weights[0, 0]
    assert torch.allclose(explorer.weights, expected, **CLOSE)


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


def test_a_reader_is_told_why_a_prompt_does_not_fit():
    explorer = make_explorer()
    explorer.asked = "word " * (MAX_TOKENS + 1)
    assert (explorer.prompt, explorer.query) == (PROMPT, T - 1)
    assert "25 tokens, and at most 24 fit" in explorer.notice
    explorer.asked = "now three words"
    assert (explorer.prompt, explorer.query, explorer.notice) == (explorer.asked, 2, "")


@pytest.mark.parametrize(
    ("setting", "value"),
    [("silence", "all"), ("stage", "softmax"), ("layer", L), ("head", -1), ("query", T),
     ("window", -1), ("groups", 3), ("groups", 0)],
)  # fmt: skip
def test_a_bad_setting_is_refused_and_changes_nothing(setting, value):
    explorer = make_explorer()
    before = getattr(explorer, setting)
    with pytest.raises(ValueError, match=setting):
        setattr(explorer, setting, value)
    assert getattr(explorer, setting) == before
    with pytest.raises(ValueError, match=setting):
        make_explorer(**{setting: value})


def test_a_model_whose_scores_are_shifted_is_refused():
    with pytest.raises(ValueError, match="ALiBi"):
        make_explorer(model=make_model(position="alibi"))


def test_without_javascript_there_is_a_table():
    explorer = make_explorer("<b> and a word", stage="dots")
    fallback = explorer.fallback()
    assert fallback.count("<tr>") == 5
    assert f"<td>{explorer.weights[3, 1]:.2f}</td>" in fallback
    assert "<b>" not in fallback


def test_the_twin_depends_on_the_state_alone_and_is_small():
    assert make_explorer().twin() == make_explorer().twin()
    explorer = AttentionExplorer(op.load_model("reference"), op.load_tokenizer())
    assert len(json.dumps(explorer.state())) < 70_000  # six heads in each of six layers
    assert len(explorer.twin()) < 125_000


# On the page


def weight_text(weight: float, decimals: int = 2) -> str:
    if weight == 0:
        return "0"
    if weight < 0.5 * 10**-decimals:
        return f"<{10**-decimals:.{decimals}f}".replace("0.", ".", 1)
    return f"{weight:.{decimals}f}"


def number(text: str) -> float:
    return float(text.replace("−", "-").replace("∞", "inf").replace(",", ""))


def show(page, explorer):
    """The explorer with its switches open."""
    region = show_explorer(page, explorer, "Attention explorer")
    region.locator("summary").click()
    return region


def map_rows(region) -> list[list[str]]:
    rows = region.locator(".op-map tbody tr").all()
    return [row.locator("td").all_inner_texts() for row in rows]


def assert_page_shows(region, explorer):
    """The map, the shares under the prompt, the query's numbers and its mix are Python's."""
    weights = explorer.weights
    if explorer.stage == "weights":
        texts = [[weight_text(w) for w in row] for row in weights.tolist()]
        assert map_rows(region) == texts
    row = weights[explorer.query]
    seen = causal_mask(len(row), window=explorer.window or None)[explorer.query]
    shares = [weight_text(w) if s else "–" for w, s in zip(row.tolist(), seen, strict=True)]
    assert region.locator(".op-share").all_inner_texts() == shares
    column = region.locator(".op-query tbody td:nth-child(5)").all_inner_texts()
    assert column == [weight_text(w, 3) for w in row.tolist()]

    trace = traced(explorer.model, explorer.prompt).layers[explorer.layer]
    dots = trace.scores[0, explorer.head, explorer.query] * trace.q.shape[-1] ** 0.5
    column = region.locator(".op-query tbody td:nth-child(2)").all_inner_texts()
    assert [number(text) for text in column] == pytest.approx(dots.tolist(), rel=6e-3, abs=2e-3)
    values = repeat_kv(trace.v, H)[0, explorer.head]
    mixed = (row @ values).tolist()
    handed = region.locator(".op-query .op-status").inner_text()
    assert f"{len(mixed)} numbers" in handed
    numbers = [number(word) for word in handed.split()[4:10]]
    assert numbers == pytest.approx(mixed[:6], abs=0.006)


def test_the_keyboard_moves_everything(page):
    explorer = make_explorer()
    region = show(page, explorer)
    assert_page_shows(region, explorer)

    heads = region.get_by_role("radiogroup", name="Head", exact=True)
    heads.get_by_role("radio", name="layer 0, head 0").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    explorer.layer, explorer.head = 1, 2
    assert heads.get_by_role("radio", checked=True).get_attribute("aria-label") == "layer 1, head 2"
    assert_page_shows(region, explorer)
    page.keyboard.press("ArrowDown")  # there is no layer 2
    assert_page_shows(region, explorer)

    queries = region.get_by_role("radiogroup", name="Query")
    queries.get_by_role("radio", checked=True).press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    explorer.query = T - 3
    assert_page_shows(region, explorer)

    region.get_by_label("Window").press("Home")
    explorer.window = 1
    assert_page_shows(region, explorer)
    region.get_by_label("Window").press("ArrowRight")
    region.get_by_label("Window").press("ArrowRight")
    explorer.window = 3
    assert_page_shows(region, explorer)
    region.get_by_label("Window").press("End")
    explorer.window = 0
    assert region.get_by_label("Window").get_attribute("aria-valuetext") == "off"
    assert_page_shows(region, explorer)

    queries.get_by_role("radio", checked=True).press("Home")
    explorer.query = 0
    assert_page_shows(region, explorer)


def test_a_click_on_a_row_chooses_its_query(page):
    explorer = make_explorer()
    region = show(page, explorer)
    region.locator(".op-map tbody tr").nth(2).click()
    explorer.query = 2
    assert_page_shows(region, explorer)


def test_the_map_shows_each_stage(page):
    explorer = make_explorer(layer=1, head=3, window=4)
    region = show(page, explorer)
    trace = traced(explorer.model).layers[1]
    scores = trace.scores[0, 3]
    masked = scores.masked_fill(~causal_mask(T, window=4), -torch.inf)
    dots = scores * trace.q.shape[-1] ** 0.5
    stages = region.get_by_role("radiogroup", name="Stage")
    stages.get_by_role("radio", checked=True).focus()
    for stage in (masked, scores, dots):
        page.keyboard.press("ArrowLeft")
        shown = torch.tensor([[number(text) for text in row] for row in map_rows(region)])
        assert torch.allclose(shown, stage, rtol=0, atol=0.052)
    assert "Dot products" in region.locator(".op-meaning").inner_text()


def test_scale_and_mask_can_be_switched_off(page):
    explorer = make_explorer(layer=1, head=2, query=3)
    region = show(page, explorer)
    for name, trait in (("undivided", "scaled"), ("unmasked", "causal")):
        region.get_by_role("radio", name=name).click()
        setattr(explorer, trait, False)
        texts = [[weight_text(w) for w in row] for row in explorer.weights.tolist()]
        assert map_rows(region) == texts
    assert "–" not in region.locator(".op-share").all_inner_texts()


def test_silencing_a_head_or_its_layer_changes_what_comes_next(page):
    explorer = make_explorer(layer=1, head=2)
    region, data = show(page, explorer), explorer.data
    silence = region.get_by_role("radiogroup", name="Silence")
    silence.get_by_role("radio", checked=True).focus()
    for top in (data["without"][1][2], data["without"][1][H], data["next"]):
        page.keyboard.press("ArrowRight" if top is not data["next"] else "Home")
        said = region.locator(".op-silenced").inner_text()
        for text, probability in top:
            assert f"{visible(text)} {weight_text(probability)}" in said


def test_a_narrow_page_shows_the_lengths_too(page):
    page.set_viewport_size({"width": 360, "height": 900})
    region = show(page, make_explorer())
    assert region.locator("tbody .op-length-cell").first.is_visible()


def test_query_heads_share_key_value_heads(page):
    region = show(page, make_explorer(head=3))
    status = region.locator(".op-more .op-status")
    assert "Query head 3 reads key/value head 1; the cache keeps 2 of 4" in status.inner_text()
    sizes = region.get_by_role("radiogroup", name="Key/value heads")
    sizes.get_by_role("radio", checked=True).press("End")
    assert "Query head 3 reads key/value head 0; the cache keeps 1 of 4" in status.inner_text()
    assert sizes.get_by_role("radio").all_inner_texts() == ["4 (MHA)", "2", "1 (MQA)"]


def test_a_small_map_belongs_to_each_head(page):
    """Its colored cells are the weights that are not hidden and do not round to zero."""
    explorer = make_explorer()
    region = show(page, explorer)
    for layer in range(L):
        for head in range(H):
            explorer.layer, explorer.head = layer, head
            button = region.get_by_role("radio", name=f"layer {layer}, head {head}")
            paths = [path.get_attribute("d") for path in button.locator("path").all()]
            assert sum(path.count("M") for path in paths) == int((explorer.weights > 0.025).sum())


def test_a_new_prompt_from_python_redraws_everything(page):
    explorer = make_explorer("one two six")
    assert_page_shows(change_from_python(page, explorer, prompt=PROMPT), explorer)


def test_a_readers_prompt_is_computed_by_the_model_in_the_page(page):
    model, tokenizer = op.load_model("reference"), op.load_tokenizer()
    explorer = AttentionExplorer(model, tokenizer)
    region = show(page, explorer)
    give_model(page, tokenizer, model, op.load_model("draft"))
    for prompt in ("What is a token?", "A B C A B C A B"):
        assert answer_to(region, prompt) == ""
        explorer.prompt = prompt
        last = len(explorer.data["tokens"]) - 1
        region.get_by_role("radio", name=f"position {last}:", checked=True).wait_for()
        for layer, head in ((0, 0), (5, 5)):
            region.get_by_role("radio", name=f"layer {layer}, head {head}").click()
            explorer.layer, explorer.head = layer, head
            shown = region.locator(".op-query tbody td:nth-child(5)").all_inner_texts()
            shares = [number(text.replace("<", "")) for text in shown]
            assert shares == pytest.approx(explorer.weights[-1].tolist(), abs=1.1e-3)
            lengths = region.locator(".op-length-cell").all_inner_texts()[1:-1]
            values = torch.tensor(explorer.data["values"][layer][head])
            parts = (explorer.weights[-1][:, None] * values).norm(dim=-1)
            assert [number(text) for text in lengths] == pytest.approx(parts.tolist(), abs=0.02)
    assert f"at most {MAX_TOKENS} fit" in answer_to(region, "a " * 25)
    assert region.get_by_role("radiogroup", name="Query").get_by_role("radio").count() == last + 1
    assert_hostile_prompts_do_no_harm(page, region)


def test_nothing_listens_once_the_explorer_has_ended(page):
    assert_ends_cleanly(page, make_explorer())


def test_hostile_tokens_are_text(page):
    hostile = "</script><img src=x onerror=console.error(1)><!--"
    explorer = AttentionExplorer(make_model(), StandInTokenizer(*[hostile] * 31), PROMPT)
    region = show(page, explorer)
    assert page.locator("img").count() == 0
    assert visible(hostile) in region.inner_text()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("prompt", ["What is machine learning?", "A training set " * 7])
def test_the_page_is_not_too_wide_and_does_not_jump(page, width, prompt):
    page.set_viewport_size({"width": width, "height": 900})
    explorer = AttentionExplorer(op.load_model("reference"), op.load_tokenizer(), prompt)
    region = show(page, explorer)
    height = region.bounding_box()["height"]
    for name in ("Stage", "Query", "Head"):
        group = region.get_by_role("radiogroup", name=name, exact=True)
        for _ in range(4):
            group.get_by_role("radio", checked=True).press("ArrowLeft")
            assert region.bounding_box()["height"] == pytest.approx(height, abs=1), name
        group.get_by_role("radio", checked=True).press("End")
    region.get_by_label("Window").press("Home")
    assert region.bounding_box()["height"] == pytest.approx(height, abs=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_fits(region)


def test_a_page_without_javascript_shows_the_table(browser, tmp_path):
    assert_table_without_javascript(browser, tmp_path, make_explorer(), n_rows=T + 1)


class TestInTheBook:
    def test_the_chapter_has_the_explorer(self, page, site):
        """The weights of the book's prompt in every layer's first head."""
        explorer = AttentionExplorer(op.load_model("reference"), op.load_tokenizer())
        page.goto(f"{site}book/04_attention.html")
        region = page.get_by_role("region", name="Attention explorer").first
        for layer in range(6):
            explorer.layer = layer
            region.get_by_role("radio", name=f"layer {layer}, head 0").click()
            texts = [[weight_text(w) for w in row] for row in explorer.weights.tolist()]
            assert map_rows(region) == texts
        assert page.get_by_text("from ipywidgets import").count() >= 1  # the live-only cell's code
