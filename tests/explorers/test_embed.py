"""The embed explorer: rows, neighbors and map against the package, in Python and on the page."""

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
    page_pair,
    page_tokenizer,
)
from explorer_page import show as show_explorer
from explorer_stand_ins import StandInTokenizer
from models import small_model

import oneprompt as op
from oneprompt.embed import flatten, nearest
from oneprompt.explorers import EmbedExplorer
from oneprompt.explorers.embed.explorer import LANDMARKS, digits, nearest_by_chance
from oneprompt.explorers.shared import EMBED_NEIGHBORS, EMBED_SHADES, MAX_TOKENS
from oneprompt.notebook import visible

PROMPT = "a word of several letters a word"  # the ids are the lengths of the words
IDS = [1, 4, 2, 7, 7, 1, 4]
HOSTILE = "</script><img src=x onerror=console.error(1)><!--"


def make_explorer(prompt=PROMPT, texts=(), **settings):
    return EmbedExplorer(small_model(), StandInTokenizer(*texts), prompt, **settings)


@pytest.fixture(scope="module")
def reference():
    """The book's explorer; each test sets what it needs."""
    return EmbedExplorer(op.load_model("reference"), op.load_tokenizer())


def cosines(table):
    unit = (table / table.norm(dim=1, keepdim=True)).double()
    return unit @ unit.T


def spread(explorer) -> torch.Tensor:
    """The places on the map, read from their digits."""
    points = explorer.map["points"]
    places = [int(points[i : i + 2], 36) for i in range(0, len(points), 2)]
    return torch.tensor(places).reshape(-1, 2).double()


# In Python


def test_the_state_holds_the_nearest_rows_by_cosine():
    explorer = make_explorer()
    assert explorer.data["ids"] == IDS
    square = cosines(explorer.table)
    for token, near in explorer.data["nearest"].items():
        row = square[int(token)].clone()
        row[int(token)] = -2
        values, others = row.topk(EMBED_NEIGHBORS)
        assert [other for other, _ in near] == others.tolist()
        assert [cosine for _, cosine in near] == pytest.approx(values.tolist(), abs=6e-5)


def test_the_state_knows_every_neighbor_one_step_on():
    data = make_explorer().data
    shown = {str(other) for token in IDS for other, _ in data["nearest"][str(token)]}
    assert shown | {str(token) for token in IDS} == data["nearest"].keys()
    named = {str(other) for near in data["nearest"].values() for other, _ in near}
    assert named | data["nearest"].keys() == data["texts"].keys() == data["rows"].keys()


def test_rows_are_stored_to_within_half_a_level():
    explorer = make_explorer()
    for token, row in explorer.data["rows"].items():
        levels = torch.tensor([int(digit, 36) - EMBED_SHADES for digit in row]) / EMBED_SHADES
        expected = (explorer.table[int(token)] / explorer.largest).clamp(-1, 1)
        assert torch.allclose(levels, expected, rtol=0, atol=0.5 / EMBED_SHADES + 1e-6)
    assert digits(torch.tensor([-9.0, 0.0, 1.0, 9.0]), 2.0) == "0hpy"  # 8.5 goes to the even 8


def test_the_map_is_the_flattened_table(reference):
    points, kept = flatten(reference.table)
    assert reference.map["kept"] == kept
    places = spread(reference)
    assert places.amin(dim=0).tolist() == [0, 0]
    assert places.amax(dim=0).tolist() == [reference.map["width"], reference.map["height"]]
    scale = places.amax() / (points.amax(dim=0) - points.amin(dim=0)).max()
    moved = (points - points.amin(dim=0)).double() * scale
    assert torch.allclose(places, moved, rtol=0, atol=0.51)  # of 1000: rounded to whole places


def test_the_chance_level_is_the_chapters_and_landmarks_are_tokens(reference):
    assert reference.chance == pytest.approx(0.30, abs=0.005)
    noise = torch.randn(2048, 192, generator=torch.Generator().manual_seed(0))
    # 0.245 on average over all rows of such tables; over 256 rows it deviates by less than 0.001.
    assert nearest_by_chance(noise) == pytest.approx(0.245, abs=0.002)
    shared = noise + 3  # the mean is in every row, so that all of them are alike
    assert nearest_by_chance(shared) > 0.9
    assert [text for _, text in reference.landmarks] == list(LANDMARKS)
    assert reference.tokenizer.encode(" of") == reference.landmarks[0][:1]


def test_a_walk_adds_rows_and_a_prompt_starts_over():
    explorer = make_explorer("aaa")
    far = next(i for i in range(31) if str(i) not in explorer.data["nearest"])
    explorer.token = far
    assert explorer.data["nearest"][str(far)][0][0] == nearest(explorer.table, far, 1)[0].item()
    explorer.prompt = "now three words"
    assert (explorer.data["ids"], explorer.token) == ([3, 5, 5], 3)
    assert make_explorer(token=9).token == 9


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [("prompt", "", "empty"), ("prompt", "word " * 25, "25 tokens, and at most 24 fit"),
     ("token", 31, "token=31 is outside of 0 to 30"), ("token", -1, "outside")],
)  # fmt: skip
def test_a_prompt_or_token_that_cannot_be_shown_is_refused_and_changes_nothing(
    setting, value, words
):
    explorer = make_explorer()
    before = explorer.state()
    with pytest.raises(ValueError, match=words):
        setattr(explorer, setting, value)
    assert explorer.state() == before
    if setting == "prompt" and value:
        explorer.asked = value
        assert (explorer.prompt, explorer.token) == (PROMPT, IDS[0])
        assert "25 tokens, and at most 24 fit" in explorer.notice


def test_without_javascript_there_is_a_table():
    explorer = make_explorer(texts=["<b>"] * 31)
    _, cosine = explorer.data["nearest"]["1"][0]
    token = "&#x27;&lt;b&gt;&#x27;"
    assert f"<tr><td>{token}</td><td>1</td><td>{token} {cosine:.2f}, " in explorer.fallback()
    assert explorer.fallback().count("<tr>") == len(set(IDS)) + 1


def test_the_twin_depends_on_the_state_alone_and_is_small(reference):
    reference.prompt = "What is machine learning?"
    assert make_explorer().twin() == make_explorer().twin()
    assert len(json.dumps(reference.state())) < 80_000
    assert len(reference.twin()) < 135_000


# On the page


def show(page, explorer):
    return show_explorer(page, explorer, "Embed explorer")


def assert_page_shows(region, explorer, tolerance=0.0051):
    """The prompt's rows, the chosen token and its neighbors are Python's."""
    data, token = explorer.data, explorer.token
    texts = [visible(data["texts"][str(each)]) for each in data["ids"]]
    prompt = region.get_by_role("radiogroup", name="Token")
    assert prompt.locator(".op-token").all_inner_texts() == texts
    assert prompt.locator(".op-embed-end").all_inner_texts() == [str(each) for each in data["ids"]]
    assert region.locator("p.op-embed-chosen .op-embed-end").inner_text() == str(token)
    near = data["nearest"][str(token)]
    rows = region.get_by_role("list", name="Nearest rows").get_by_role("button")
    expected = [visible(data["texts"][str(other)]) for other, _ in near]
    assert rows.locator(".op-token").all_inner_texts() == expected
    shown = [float(text.replace("−", "-")) for text in rows.locator(".op-value").all_inner_texts()]
    assert shown == pytest.approx([cosine for _, cosine in near], abs=tolerance)
    noise = [c <= explorer.chance for _, c in near]
    muted = "(rows) => rows.map((row) => row.classList.contains('op-embed-noise'))"
    assert rows.evaluate_all(muted) == noise
    facts = region.locator(".op-statistics .op-value").all_inner_texts()
    kept = explorer.map["kept"]
    assert facts == [f"{near[0][1]:.2f}", f"{explorer.chance:.2f}", f"{100 * kept:.1f} %"]


def test_the_keyboard_moves_everything(page):
    explorer = make_explorer()
    region = show(page, explorer)
    assert_page_shows(region, explorer)
    rows = region.get_by_role("radiogroup", name="Token")
    rows.get_by_role("radio", checked=True).press("ArrowDown")
    page.keyboard.press("ArrowDown")
    explorer.token = IDS[2]
    assert_page_shows(region, explorer)
    page.keyboard.press("End")  # the last row is a token that is also at position 1
    explorer.token = IDS[-1]
    checked = rows.get_by_role("radio", checked=True)
    assert checked.get_attribute("aria-label") == "position 6: ␣word4, id 4"
    assert_page_shows(region, explorer)
    region.get_by_role("list", name="Nearest rows").get_by_role("button").nth(3).press("Enter")
    explorer.token = explorer.data["nearest"]["4"][3][0]
    assert_page_shows(region, explorer)
    focused = page.evaluate("document.activeElement.closest('li') !== null")
    assert focused  # the next step needs no search for the button


def test_strips_and_dots_match_the_state(page, reference):
    """Per row as many colored cells as digits that are not zero; a dot for every row."""
    reference.prompt = "What is machine learning?"
    region = show(page, reference)
    strips = region.locator(".op-embed-strip").all()
    near = reference.data["nearest"][str(reference.token)]
    ids = [*reference.data["ids"], reference.token, *(other for other, _ in near)]
    for token_id, strip in zip(ids, strips, strict=True):
        paths = strip.locator("path").evaluate_all("(all) => all.map((p) => p.getAttribute('d'))")
        row = reference.data["rows"][str(token_id)]
        assert sum(path.count("M") for path in paths) == len(row) - row.count("h")
    cloud = region.locator("path.op-embed-cloud").get_attribute("d")
    assert cloud.count("M") == 2048
    x, y = spread(reference)[reference.token].int().tolist()
    assert region.locator("path.op-embed-chosen").get_attribute("d") == f"M{x} {y}h0"
    boxes = [n.bounding_box() for n in region.locator(".op-embed-map div span").all()]
    assert len(boxes) > 12  # names, of which no two touch
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            apart = a["x"] >= b["x"] + b["width"] - 1 or b["x"] >= a["x"] + a["width"] - 1
            assert apart or a["y"] >= b["y"] + b["height"] - 1 or b["y"] >= a["y"] + a["height"] - 1


def test_the_model_in_the_page_answers_a_prompt_and_walks_beyond_what_is_stored(page):
    tokenizer, (model, draft) = page_tokenizer(), page_pair()
    explorer = EmbedExplorer(model, tokenizer)
    region = show(page, explorer)
    give_model(page, tokenizer, model, draft)
    explorer.prompt = "a"
    assert answer_to(region, "a") == ""
    stored = set(explorer.data["nearest"])
    for step in (7, 7, 7, 7):
        near = region.get_by_role("list", name="Nearest rows").get_by_role("button")
        near.nth(step).press("Enter")
        explorer.token = explorer.data["nearest"][str(explorer.token)][step][0]
        region.locator("p.op-embed-chosen").get_by_text(str(explorer.token), exact=True).wait_for()
    assert stored < explorer.data["nearest"].keys()
    assert_page_shows(region, explorer)
    assert f"at most {MAX_TOKENS} fit" in answer_to(region, "a " * 100)
    assert_page_shows(region, explorer)  # what was refused changes nothing
    assert_hostile_prompts_do_no_harm(page, region)


def test_without_the_model_a_long_walk_ends_with_a_message(page):
    region = show(page, make_explorer("aaa"))
    page.evaluate(
        """() => {
          window.onePromptLoading = Promise.reject(new Error("could not be loaded"));
          window.onePromptLoading.catch(() => {});
        }"""
    )
    near = region.get_by_role("list", name="Nearest rows").get_by_role("button")
    before = None
    for _ in range(31):  # the walk leaves what is stored at some point
        if region.get_by_role("status").inner_text():
            break
        before = region.locator("p.op-embed-chosen").inner_text()
        near.nth(7).press("Enter")
    assert region.get_by_role("status").inner_text() == "could not be loaded"
    assert region.locator("p.op-embed-chosen").inner_text() == before


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_not_too_wide_and_does_not_jump(page, width, reference):
    reference.prompt = "What is machine learning?"
    page.set_viewport_size({"width": width, "height": 900})
    region = show(page, reference)
    height = region.bounding_box()["height"]
    rows = region.get_by_role("radiogroup", name="Token").get_by_role("radio")
    for row in rows.all():
        row.press("Enter")
        assert region.bounding_box()["height"] == pytest.approx(height, abs=1)
    region.get_by_role("list", name="Nearest rows").get_by_role("button").nth(5).press("Enter")
    assert region.bounding_box()["height"] == pytest.approx(height, abs=1)
    assert_fits(region)


def test_a_new_prompt_from_python_redraws_everything(page):
    explorer = make_explorer("aaa")
    assert_page_shows(change_from_python(page, explorer, prompt=PROMPT), explorer)


def test_nothing_listens_once_the_explorer_has_ended(page):
    assert_ends_cleanly(page, make_explorer())


def test_hostile_tokens_are_text(page):
    region = show(page, make_explorer(texts=[HOSTILE] * 31))
    assert page.locator("img").count() == 0
    assert visible(HOSTILE) in region.inner_text()


def test_a_page_without_javascript_shows_the_table(browser, tmp_path):
    assert_table_without_javascript(browser, tmp_path, make_explorer(), len(set(IDS)) + 1)


class TestInTheBook:
    def test_the_chapter_has_the_explorer(self, page, site, reference):
        reference.prompt = "What is machine learning?"
        page.goto(f"{site}book/02_embed.html")
        region = page.get_by_role("region", name="Embed explorer")
        region.get_by_role("radio").nth(3).press("Enter")
        reference.token = reference.data["ids"][3]
        assert_page_shows(region, reference)
