"""The position explorer: its scores against the model, its controls."""

import json
import math

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
from explorer_stand_ins import StandInTokenizer
from models import small_model

import oneprompt as op
from oneprompt.explorers import PositionExplorer
from oneprompt.explorers.position.explorer import SCHEMES, N
from oneprompt.notebook import visible
from oneprompt.position import alibi_slopes, rope_frequencies, rotate, sinusoidal

PROMPT = "a word of several letters"  # the key is the token "of", the query the token "several"
QUERY_ID, KEY_ID = 7, 2
H, D, d = 4, 32, 8


def make_model(**fields):
    return small_model(d_model=D, n_heads=H, **fields)


def make_explorer(prompt=PROMPT, model=None, **settings):
    return PositionExplorer(model or make_model(), StandInTokenizer(), prompt, **settings)


def score_in_the_model(model, head: int, position: int, distance: int) -> float:
    """The score in a whole pass: the two are among other tokens, and position 0 is real."""
    ids = torch.full((1, N), 5)
    ids[0, position], ids[0, position - distance] = QUERY_ID, KEY_ID
    layer = model.trace(ids).layers[0]
    return layer.masked[0, head, position, position - distance].item()


# In Python


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_models_own_scores_are_those_of_a_pass(scheme):
    model = make_model(position=scheme)
    if scheme == "sinusoidal":  # the package adds to the embeddings as they are, see `factor`
        model.embedding.data *= D**0.5
        plain = make_model(position=scheme)
        scores = make_explorer(model=plain).data["scores"][scheme]
    else:
        scores = make_explorer(model=model).data["scores"][make_explorer(model=model).own]
    for head, position, distance in [(0, 1, 1), (1, 9, 4), (2, 31, 31), (3, 20, 1)]:
        rows = scores[head]
        row = rows[0] if len(rows) == 1 else rows[position]
        expected = score_in_the_model(model, head, position, distance)
        assert row[distance] == pytest.approx(expected, abs=2e-3), (head, position, distance)


def test_the_other_pairing_is_what_a_model_of_that_pairing_computes():
    scores = make_explorer().data["scores"]["rope interleaved"]
    model = make_model(rope_pairing="interleaved")
    expected = score_in_the_model(model, head=1, position=9, distance=4)
    assert scores[1][0][4] == pytest.approx(expected, abs=2e-3)


def test_only_additive_schemes_have_a_row_per_position():
    for name, heads in make_explorer().data["scores"].items():
        assert {len(rows) for rows in heads} == {N if name in ("learned", "sinusoidal") else 1}
        for rows in heads:
            assert [len(row) for row in rows] == ([N] if len(rows) == 1 else [*range(1, N + 1)])


def test_the_state_equals_the_packages():
    explorer = make_explorer()
    assert torch.equal(torch.tensor(explorer.frequencies), rope_frequencies(d, 100_000.0))
    assert torch.equal(torch.tensor(explorer.slopes), alibi_slopes(H))
    assert (explorer.own, explorer.data["tokens"]) == ("rope halves", [" word7", " word2"])


def test_learned_vectors_are_the_models_own_where_it_has_them():
    model = make_model(position="learned")
    explorer = make_explorer(model=model)
    shown = torch.tensor(explorer.learned)
    assert explorer.own == "learned"
    assert torch.allclose(shown, model.position_embedding[:N], rtol=0, atol=0.0051)


def test_setting_the_prompt_computes_the_scores_again():
    explorer = make_explorer()
    explorer.prompt = "now another three words"
    assert explorer.data["tokens"] == [" word5", " word7"]
    assert explorer.data["scores"] == make_explorer("now another three words").data["scores"]
    assert explorer.data["scores"] != make_explorer().data["scores"]


def test_a_prompt_that_is_too_short_is_refused_and_changes_nothing():
    explorer = make_explorer()
    before = explorer.state()
    with pytest.raises(ValueError, match="has 2 of the 3 tokens that are needed: lengthen"):
        explorer.prompt = "two words"
    assert explorer.state() == before
    explorer.asked = "two words"  # asked by a reader, who gets a message
    assert explorer.state() == before | {"asked": "two words", "notice": explorer.notice}
    assert "has 2" in explorer.notice


@pytest.mark.parametrize(
    ("setting", "value"),
    [("scheme", "rotary"), ("pairing", "both"), ("position", N), ("distance", -1), ("head", H),
     ("pair", d // 2)],
)  # fmt: skip
def test_a_bad_setting_is_refused_and_changes_nothing(setting, value):
    explorer = make_explorer()
    before = getattr(explorer, setting)
    with pytest.raises(ValueError, match=setting):
        setattr(explorer, setting, value)
    assert getattr(explorer, setting) == before


def test_without_javascript_there_is_a_table():
    explorer = make_explorer(pairing="interleaved", head=2)
    fallback = explorer.fallback()
    assert fallback.count("<tr>") == 9
    assert f"<td>{explorer.data['scores']['rope interleaved'][2][0][4]:.2f}</td>" in fallback


def test_the_twin_depends_on_the_state_alone_and_is_small():
    assert make_explorer().twin() == make_explorer().twin()
    explorer = PositionExplorer(op.load_model("reference"), op.load_tokenizer())
    assert len(json.dumps(explorer.state(), separators=(",", ":"))) < 85_000


# On the page


def show(page, explorer):
    """The explorer with its panel open."""
    region = show_explorer(page, explorer, "Position explorer")
    region.locator("summary").click()
    return region


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def fact(region, name: str) -> str:
    """The value under a name in a list of facts that can be seen."""
    item = region.locator("dl > div").filter(has=region.page.get_by_text(name, exact=True))
    return item.locator(".op-value").filter(visible=True).inner_text()


def assert_page_shows(region, explorer):
    """The numbers of the chosen scheme, and the score, are Python's."""
    e = explorer
    distance = min(e.distance, e.position)
    rows = e.data["scores"][f"rope {e.pairing}" if e.scheme == "rope" else e.scheme][e.head]
    score = (rows[0] if len(rows) == 1 else rows[e.position])[distance]
    plain = e.data["scores"]["none"][e.head][0][0]
    assert number(fact(region, "Score")) == pytest.approx(score, abs=0.0051)
    assert number(fact(region, "No position")) == pytest.approx(plain, abs=0.0051)
    assert number(fact(region, "Difference")) == pytest.approx(score - plain, abs=0.0051)
    if e.scheme in ("learned", "sinusoidal"):
        text = region.get_by_text("numbers)").inner_text()
        shown = [number(word) for word in text.split("…")[0].split()]
        table = e.learned if e.scheme == "learned" else sinusoidal(torch.arange(N), D).tolist()
        assert shown == pytest.approx(table[e.position][:6], abs=0.00501)
        assert f"({D} numbers)" in text
    if e.scheme == "rope":
        angle, frequency = e.position * e.frequencies[e.pair], e.frequencies[e.pair]
        assert number(fact(region, "Angle (rad)")) == pytest.approx(angle, rel=6e-3)
        wavelength = 2 * math.pi / frequency
        assert number(fact(region, "Full turn")) == pytest.approx(wavelength, rel=6e-3)
        first, second = map(int, fact(region, "Coordinates").split(" and "))
        pairs = len(e.frequencies)
        expected = (0, pairs) if e.pairing == "halves" else (0, 1)
        step = 1 if e.pairing == "halves" else 2
        assert (first, second) == (expected[0] + step * e.pair, expected[1] + step * e.pair)
    if e.scheme == "alibi":
        slope = e.slopes[e.head]
        assert number(fact(region, "Slope of the head")) == pytest.approx(slope, rel=6e-3)
        shift = number(fact(region, "Added to the score"))
        assert shift == pytest.approx(-slope * distance, rel=6e-3)


def test_the_keyboard_moves_everything(page):
    explorer = make_explorer()
    region = show(page, explorer)
    assert_page_shows(region, explorer)

    region.get_by_label("Pair", exact=True).press("ArrowRight")
    explorer.pair = 1
    assert_page_shows(region, explorer)
    pairings = region.get_by_role("radiogroup", name="Pairing")
    pairings.get_by_role("radio", checked=True).press("ArrowRight")
    explorer.pairing = "interleaved"
    assert_page_shows(region, explorer)

    schemes = region.get_by_role("radiogroup", name="Position scheme")
    schemes.get_by_role("radio", checked=True).press("Home")
    for scheme in SCHEMES:
        explorer.scheme = scheme
        assert schemes.get_by_role("radio", checked=True).inner_text().lower() == scheme
        assert_page_shows(region, explorer)
        position = region.get_by_label("Position of the query")
        position.press("ArrowRight")
        explorer.position += 1
        region.get_by_label("Head").press("ArrowRight")
        explorer.head = min(explorer.head + 1, H - 1)
        region.get_by_label("Distance").press("ArrowLeft")
        explorer.distance -= explorer.distance > 0
        assert_page_shows(region, explorer)
        schemes.get_by_role("radio", checked=True).press("ArrowRight")


def test_the_key_cannot_be_before_the_text(page):
    explorer = make_explorer(distance=20, position=25, scheme="learned")
    region = show(page, explorer)
    region.get_by_label("Position of the query").press("Home")
    explorer.position = 0
    assert region.get_by_label("Distance").get_attribute("aria-valuetext") == "0"
    assert_page_shows(region, explorer)
    region.get_by_label("Position of the query").press("End")
    explorer.position = 31
    assert region.get_by_label("Distance").get_attribute("aria-valuetext") == "20"
    assert_page_shows(region, explorer)


def turned_arrows(explorer, head: int) -> dict:
    """Of the query and the key, what RoPE makes of them at their positions, (d,) each."""
    frequencies = torch.tensor(explorer.frequencies)[None]
    places = {"query": explorer.position, "key": explorer.position - explorer.distance}
    vectors = {"query": explorer.data["queries"], "key": explorer.data["keys"]}
    return {
        name: rotate(torch.tensor(vectors[name])[None, None, [head]], t * frequencies)[0, 0, 0]
        for name, t in places.items()
    }


def test_both_arrows_point_where_rope_turns_them(page):
    explorer = make_explorer(position=9, distance=4, pair=1, head=2)
    region = show(page, explorer)
    pairs = {name: x[[1, 1 + d // 2]] for name, x in turned_arrows(explorer, head=2).items()}
    longest = max(pair.norm() for pair in pairs.values())
    for name, pair in pairs.items():
        path = region.locator(f".op-arrow-{name}.op-arrow-after").get_attribute("d")
        x, y = map(float, path.split("L")[1].split("M")[0].split())
        assert (x, -y) == pytest.approx((40 * pair / longest).tolist(), abs=0.02), name
    assert region.get_by_text("query at 9").is_visible()
    assert region.get_by_text("key at 5").is_visible()


def test_the_parts_of_the_pairs_add_up_to_the_score(page):
    explorer = make_explorer(position=9, distance=4, head=2)
    region = show(page, explorer)
    query, key = turned_arrows(explorer, head=2).values()
    parts = (query * key).unflatten(0, (2, d // 2)).sum(0) / math.sqrt(d)  # by halves
    shown = []
    for part in parts.tolist():
        shown.append(number(fact(region, "Part of the score")))
        assert shown[-1] == pytest.approx(part, abs=0.006)
        region.get_by_label("Pair", exact=True).press("ArrowRight")
    assert sum(shown) == pytest.approx(number(fact(region, "Score")), abs=0.03)
    assert region.locator(".op-parts rect").count() == d // 2


def test_all_schemes_have_one_scale(page):
    explorer = make_explorer()
    region = show(page, explorer)
    seen = set()
    for scheme in ("learned", "sinusoidal", "RoPE", "ALiBi", "none"):
        region.get_by_role("radio", name=scheme, exact=True).click()
        seen.add(region.locator(".op-chart-y").first.inner_text())
    assert len(seen) == 1
    high, low = map(number, seen.pop().split())
    scores = [x for heads in explorer.data["scores"].values() for row in heads[0] for x in row]
    assert low <= min(scores) < max(scores) <= high


def test_the_lines_of_relative_schemes_coincide(page):
    """One gray line where all query positions have the same scores, 32 where they differ."""
    for scheme, lines in (("sinusoidal", N), ("rope", 1), ("alibi", 1), ("none", 1)):
        region = show(page, make_explorer(scheme=scheme))
        chart = region.locator(".op-chart").first
        assert chart.locator(".op-line-other").count() == lines
        assert chart.locator(".op-line-now").get_attribute("points").count(",") == 4


def test_the_label_is_honest_about_what_is_trained(page):
    region = show(page, make_explorer(scheme="learned"))
    assert "random, not trained" in region.locator(".op-remark").inner_text()
    region = show(page, make_explorer(scheme="learned", model=make_model(position="learned")))
    assert "the model itself" in region.locator(".op-remark").inner_text()
    region = show(page, make_explorer(pairing="interleaved"))
    assert "other pairing" in region.locator(".op-remark").inner_text()


def test_a_readers_prompts_are_computed_by_the_model_in_the_page(page):
    tokenizer, (model, draft) = page_tokenizer(), page_pair(d_model=D, n_heads=H)
    explorer = PositionExplorer(model, tokenizer, "a field is")
    region = show(page, explorer)
    give_model(page, tokenizer, model, draft)
    explorer.prompt = "What is machine learning?"
    assert answer_to(region, explorer.prompt) == ""
    assert_page_shows(region, explorer)
    assert "has 2" in answer_to(region, "is a")
    assert_page_shows(region, explorer)  # what was refused changes nothing
    assert_hostile_prompts_do_no_harm(page, region)


def test_nothing_listens_once_the_explorer_has_ended(page):
    assert_ends_cleanly(page, make_explorer())


def test_hostile_tokens_are_text(page):
    hostile = "</script><img src=x onerror=console.error(1)><!--"
    tokenizer = StandInTokenizer(*[hostile] * 31)
    region = show(page, PositionExplorer(make_model(), tokenizer, PROMPT))
    assert page.locator("img").count() == 0
    assert visible(hostile) in region.inner_text()


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_not_too_wide_and_does_not_jump(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    explorer = PositionExplorer(op.load_model("reference"), op.load_tokenizer(), scheme="learned")
    region = show(page, explorer)
    height = region.bounding_box()["height"]
    schemes = region.get_by_role("radiogroup", name="Position scheme")
    for scheme in SCHEMES:
        for key in ("Home", "End"):
            region.get_by_label("Position of the query").press(key)
            region.get_by_label("Head").press(key)
            if scheme == "rope":
                region.get_by_label("Pair", exact=True).press(key)
                region.get_by_role("radio", name="interleaved").click()
            assert region.bounding_box()["height"] == pytest.approx(height, abs=1), scheme
            assert_fits(region)
        schemes.get_by_role("radio", checked=True).press("ArrowRight")


def test_a_page_without_javascript_shows_the_table(browser, tmp_path):
    assert_table_without_javascript(browser, tmp_path, make_explorer(), n_rows=9)


class TestInTheBook:
    def test_the_chapter_has_the_explorer(self, page, site):
        """The scores of the book's model under each scheme."""
        explorer = PositionExplorer(op.load_model("reference"), op.load_tokenizer())
        page.goto(f"{site}book/03_position.html")
        region = page.get_by_role("region", name="Position explorer").first
        region.get_by_label("Position of the query").press("End")
        explorer.position = 31
        assert explorer.own == "rope halves"
        for scheme, label in (("alibi", "ALiBi"), ("none", "none"), ("rope", "RoPE")):
            explorer.scheme = scheme
            region.get_by_role("radio", name=label).click()
            name = "rope halves" if scheme == "rope" else scheme
            shown = number(fact(region, "Score"))
            assert shown == pytest.approx(explorer.data["scores"][name][0][0][1], abs=0.0051)
        page.set_default_timeout(60_000)  # the model is loaded first
        explorer.prompt = "What is a causal mask?"
        assert answer_to(region, explorer.prompt) == ""
        shown = number(fact(region, "Score"))
        assert shown == pytest.approx(explorer.data["scores"]["rope halves"][0][0][1], abs=0.0061)
