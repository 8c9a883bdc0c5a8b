"""The logits explorer: what it reads against the package, its controls, prompts, and limits."""

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
    cell_texts,
    change_from_python,
    give_model,
    page_pair,
    page_tokenizer,
)
from explorer_page import show as show_explorer
from explorer_stand_ins import StandInTokenizer
from models import small_model
from pages import LAID_OUT

import oneprompt as op
from oneprompt.checkpoints.quantize import rounded
from oneprompt.explorers import LogitsExplorer
from oneprompt.explorers.shared import MAX_TOKENS
from oneprompt.explorers.texts import token_text
from oneprompt.js.page_model import packed
from oneprompt.logits import lens
from oneprompt.notebook import visible
from oneprompt.sample import entropy
from oneprompt.tuned_lens import fit, glossary_lens

PROMPT = "a word of several letters"  # five tokens: the lengths of the words
L, T, V = 2, 5, 31
CLOSE = 1e-3  # the model in the page adds in another order; tests/js allows as much


def make_explorer(prompt=PROMPT, model=None, **settings):
    return LogitsExplorer(model or small_model(), StandInTokenizer(), prompt, **settings)


def lens_maps(model):
    """Maps fitted on a few texts."""
    return fit(model, [[1, 2, 3, 4, 5], [7, 5, 3, 1], [20, 10, 0, 30]])


def read(explorer):
    """The logits at every depth and position, (1 + L, T, V), by the lens that reads."""
    ids = explorer.tokenizer.encode(explorer.prompt)
    trace = explorer.model.trace(torch.tensor([ids]))
    streams = [trace.embedding, *(layer.output for layer in trace.layers)]
    if explorer.tuned:
        pairs = zip(streams[:-1], explorer.lens_maps.maps, strict=True)
        streams = [*(x @ one.weight.T + one.bias for x, one in pairs), streams[-1]]
    table = explorer.model.output_table
    return torch.cat([explorer.model.final_norm(x) @ table.T for x in streams]).detach()


@pytest.fixture(scope="module")
def reference():
    return op.load_model("reference"), op.load_tokenizer()


# In Python


@pytest.mark.parametrize("tied", [True, False])
def test_the_lens_of_the_last_block_gives_the_models_own_logits(tied):
    model = small_model(tie_embeddings=tied)
    trace = model.trace(torch.tensor([[3, 1, 4]]))
    assert torch.equal(lens(model, trace.layers[-1].output), trace.logits)
    assert not torch.allclose(lens(model, trace.layers[0].output), trace.logits, atol=1)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("tuned", [True, False])
def test_the_state_holds_what_is_read_at_every_depth(tied, tuned):
    model = small_model(tie_embeddings=tied)
    explorer = make_explorer(model=model, lens_maps=lens_maps(model), tuned=tuned)
    state, logits = explorer.data, read(explorer)
    cells = state["tuned" if tuned else "cells"]
    assert (len(cells), len(state["tokens"]), state["vocab_size"]) == (1 + L, T, V)
    for depth in range(1 + L):
        for t, cell in enumerate(cells[depth]):
            row = logits[depth, t]
            values, ids = row.topk(10)
            assert [token for token, _ in cell["top"]] == [f" word{i}" for i in ids]
            shown = torch.tensor([logit for _, logit in cell["top"]], dtype=torch.double)
            assert torch.allclose(shown, values.double(), rtol=0, atol=6e-5)  # four decimals
            p = op.probabilities(row, op.Sampling())
            assert torch.allclose((shown - cell["log_sum"]).exp(), p[ids], rtol=2e-4)
            assert cell["entropy"] == pytest.approx(entropy(p), abs=6e-5)
            followed = [int(text.removeprefix(" word")) for text in state["followed"][t]]
            for i, (logit, rank) in zip(followed, cell["followed"], strict=True):
                assert logit == pytest.approx(row[i].item(), abs=6e-5)
                assert rank == 1 + (row > row[i]).sum()


def test_the_models_choices_and_all_that_lead_somewhere_can_be_followed():
    model = small_model()
    explorer = make_explorer(model=model, lens_maps=lens_maps(model))
    plain = read(explorer)
    explorer.tuned = True
    both = torch.cat([plain, read(explorer)])
    for t, texts in enumerate(explorer.data["followed"]):
        assert texts[:4] == [f" word{i}" for i in plain[-1, t].topk(4).indices]
        assert {f" word{i}" for i in both[:, t].argmax(dim=-1)} <= set(texts)
        assert len(set(texts)) == len(texts)


def test_without_maps_the_plain_lens_reads():
    explorer = make_explorer(depth=1, tuned=True)
    assert explorer.data["tuned"] is None
    plain = make_explorer(depth=1)
    assert torch.equal(explorer.probabilities, plain.probabilities)


def test_the_tuned_lens_is_closer_on_texts_that_it_was_not_fitted_on(reference):
    explorer = LogitsExplorer(*reference, lens_maps=glossary_lens(*reference))
    entry = op.load_glossary()[1]  # the odd ones were kept for this
    explorer.prompt = " ".join(entry.definition.split()[:12])
    final = read(explorer)[-1].log_softmax(dim=-1)
    far = {}
    for explorer.tuned in (False, True):
        rows = read(explorer).log_softmax(dim=-1)
        far[explorer.tuned] = (final.exp() * (final - rows)).sum(dim=-1).mean(dim=-1)
    assert (far[True][:-1] < far[False][:-1]).all()
    assert far[True][-1] == far[False][-1] == 0


def test_a_shift_moves_no_probability():
    explorer = make_explorer(depth=1, position=2)
    expected = op.probabilities(read(explorer)[1, 2], op.Sampling())
    for shift in (0, -100, 37.5):
        explorer.shift = shift
        # adding 100 in float32 rounds logits to multiples of 2^-17
        assert torch.allclose(explorer.probabilities, expected, rtol=1e-4)


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


def test_a_reader_is_answered_or_told_why_not(reference):
    explorer = make_explorer(depth=1, position=0)
    explorer.asked = "word " * (MAX_TOKENS + 1)
    assert (explorer.prompt, explorer.position) == (PROMPT, 0)
    assert "25 tokens, and at most 24 fit" in explorer.notice
    explorer.asked = "now three words"
    assert (explorer.prompt, explorer.notice) == ("now three words", "")
    assert (explorer.position, explorer.depth) == (2, 1)
    assert len(explorer.data["cells"][0]) == 3
    real = LogitsExplorer(*reference)
    real.asked = "half a character: \ud800"
    assert real.prompt == "What is machine learning?"
    assert real.notice


@pytest.mark.parametrize(
    ("setting", "value"),
    [("position", T), ("position", -1), ("depth", L + 1), ("depth", -1), ("shift", 101),
     ("shift", math.nan), ("shift", -math.inf)],
)  # fmt: skip
def test_a_bad_setting_is_refused_and_changes_nothing(setting, value):
    explorer = make_explorer()
    before = getattr(explorer, setting)
    with pytest.raises(ValueError, match=setting):
        setattr(explorer, setting, value)
    assert getattr(explorer, setting) == before
    with pytest.raises(ValueError, match=setting):
        make_explorer(**{setting: value})


def test_the_twin_depends_on_the_state_alone_and_is_small(reference):
    assert make_explorer().twin() == make_explorer().twin()
    explorer = LogitsExplorer(*reference)
    assert explorer.depth == 6  # it opens on the model's own output
    explorer = LogitsExplorer(*reference, lens_maps=glossary_lens(*reference))
    assert len(json.dumps(explorer.state())) < 40_000
    explorer.prompt = "a" + " a" * (MAX_TOKENS - 1)
    assert len(json.dumps(explorer.state())) < 180_000


def test_without_javascript_there_is_a_table():
    explorer = make_explorer(model=small_model(vocab_size=300))
    explorer.tokenizer = StandInTokenizer(*["<b>x"] * 300)
    explorer.prompt = "one two"
    share = op.probabilities(read(explorer)[0, 1], op.Sampling()).max()
    assert f"{share:.0%}</td></tr></tbody>" in explorer.fallback()  # the embedding is the last row
    assert "<b>" not in explorer.fallback()
    assert explorer.fallback().count("<tr>") == 1 + 1 + L


# On the page


def show(page, explorer):
    return show_explorer(page, explorer, "Logits explorer")


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def share(text: str) -> float:
    return 0 if text == "<0.1 %" else float(text.removesuffix(" %")) / 100


SHARE = 5.5e-4  # texts show tenths of a percent


def assert_page_shows(region, explorer, close=0.0):
    """The chosen cell, its row of logits, what belongs to the row, and the path are Python's."""
    logits = read(explorer)
    depth, t = explorer.depth, explorer.position
    row, p = logits[depth, t], op.probabilities(logits[depth, t], op.Sampling())
    values, ids = row.topk(10)
    tokens = [visible(token_text(explorer.tokenizer, i)) for i in ids.tolist()]
    grid = region.get_by_role("radiogroup", name="Position and depth")
    cell = grid.get_by_role("radio", checked=True)
    assert f"position {t}," in cell.get_attribute("aria-label")
    assert cell.inner_text() == tokens[0]

    found = cell_texts(region)
    assert [name for name, *_ in found] == [*tokens, f"{len(row) - 10:,} others"]
    shown = [number(logit) for _, logit, _, _ in found[:-1]]
    assert shown == pytest.approx((values + explorer.shift).tolist(), abs=0.0052 + close)
    rest = max(0, 1 - p[ids].sum().item())
    assert [share(each[-1]) for each in found] == pytest.approx(
        [*p[ids].tolist(), rest], abs=SHARE + close
    )

    facts = [each.split()[0] for each in region.locator("dd").all_inner_texts()]
    log_sum, lead = row.logsumexp(dim=-1) + explorer.shift, values[0] - values[1]
    expected = [log_sum.item(), lead.item(), entropy(p)]
    assert [number(fact) for fact in facts] == pytest.approx(expected, abs=0.0052 + 2 * close)

    lines = region.locator("li").evaluate_all(
        "(all) => all.map((li) => Array.from(li.querySelectorAll('.op-fare'), (fare) =>"
        " Array.from(fare.children, (part) => part.innerText)))"
    )[::-1]
    texts = explorer.data["followed"][t]
    second = max(1, texts.index(explorer.follow) if explorer.follow in texts else 1)
    for which, text in enumerate((texts[0], texts[second])):
        i = next(i for i in range(len(row)) if token_text(explorer.tokenizer, i) == text)
        fares = [line[which] for line in lines]
        shares = op.probabilities(logits[:, t], op.Sampling())[:, i].tolist()
        assert [share(each[-2]) for each in fares] == pytest.approx(shares, abs=SHARE + close)
        if not close:
            ranks = [1 + int((row > row[i]).sum()) for row in logits[:, t]]
            assert [each[-1] for each in fares] == [f"rank {rank:,}" for rank in ranks]


def test_the_keyboard_moves_everything(page):
    explorer = make_explorer()
    region = show(page, explorer)
    assert_page_shows(region, explorer)
    region.locator(".op-lens-map").get_by_role("radio", checked=True).focus()
    for key, depth, position in [
        ("ArrowDown", 1, T - 1), ("ArrowLeft", 1, T - 2), ("ArrowDown", 0, T - 2),
        ("ArrowDown", 0, T - 2), ("Home", L, 0), ("End", 0, T - 1),
    ]:  # fmt: skip
        page.keyboard.press(key)
        explorer.depth, explorer.position = depth, position
        assert_page_shows(region, explorer)
    shifted = region.get_by_label("Add to every logit")
    for key, shift in [("End", 100), ("Home", -100), ("ArrowRight", -95)]:
        shifted.press(key)
        explorer.shift = shift
        assert_page_shows(region, explorer)
    assert shifted.get_attribute("aria-valuetext") == "−95.0"


def test_the_map_shows_the_first_tokens_and_how_likely_they_are(page):
    explorer = make_explorer()
    region = show(page, explorer)
    logits = read(explorer).flip(0)  # the embedding at the bottom
    p, first = op.probabilities(logits, op.Sampling()).max(dim=-1)
    radios = region.locator(".op-lens-map").get_by_role("radio")
    assert radios.all_inner_texts() == [f"␣word{i}" for i in first.flatten()]
    found = radios.evaluate_all(
        "(all) => all.map((each) => [Number(each.style.getPropertyValue('--op-weight')),"
        " each.classList.contains('op-own')])"
    )
    assert [weight for weight, _ in found] == pytest.approx(p.flatten().tolist(), abs=1e-4)
    settled = (first == first[0]).flatten().tolist()
    assert [own for _, own in found] == settled
    assert not all(settled)


def test_a_second_token_is_followed_where_it_is_among_those_that_lead(page):
    explorer = make_explorer()
    region = show(page, explorer)
    texts = explorer.data["followed"][T - 1]
    chosen = region.get_by_label("A second token to follow")
    assert chosen.input_value() == texts[1]
    chosen.select_option(value=texts[-1])
    explorer.follow = texts[-1]
    assert_page_shows(region, explorer)
    for position in range(T):  # elsewhere the second choice, if it does not lead there
        region.get_by_role("radio", name=f"layer 0, position {position},").click()
        explorer.depth, explorer.position = 1, position
        assert_page_shows(region, explorer)


def test_the_lens_can_be_switched(page):
    model = small_model()
    explorer = make_explorer(model=model, lens_maps=lens_maps(model))
    region = show(page, explorer)
    region.get_by_role("radio", name="layer 0, position 2,").click()
    explorer.depth, explorer.position = 1, 2
    for explorer.tuned, name in [(True, "tuned lens"), (False, "plain lens")]:
        region.get_by_role("radio", name=name).click()
        assert_page_shows(region, explorer)
    assert show(page, make_explorer()).get_by_role("radio", name="tuned lens").count() == 0


@pytest.mark.parametrize("with_maps", [True, False])
def test_a_readers_prompt_is_answered_by_the_model_in_the_page(page, with_maps):
    tokenizer, (model, draft) = page_tokenizer(), page_pair(context_length=24)
    maps = rounded(lens_maps(model)) if with_maps else None
    explorer = LogitsExplorer(model, tokenizer, "a field", lens_maps=maps)
    region = show(page, explorer)
    give_model(page, tokenizer, model, draft)
    if with_maps:
        loaded = "(maps) => { window.onePromptLensLoading = Promise.resolve(maps); }"
        page.evaluate(loaded, packed(maps))
        region.get_by_role("radio", name="tuned lens").click()
        explorer.tuned = True
    explorer.prompt = prompt = "שלום 😀"
    assert answer_to(region, prompt) == ""  # the whole way: form, page, map
    assert region.get_by_role("radio", name="tuned lens").count() == int(with_maps)
    assert_page_shows(region, explorer, close=CLOSE)
    assert f"at most {MAX_TOKENS} fit" in answer_to(region, "a " * 100)
    assert_page_shows(region, explorer, close=CLOSE)  # what was refused changes nothing
    assert_hostile_prompts_do_no_harm(page, region)


def test_the_words_of_the_map_stay_on_one_line_on_a_phone(page, reference):
    page.set_viewport_size({"width": 360, "height": 900})
    region = show(page, LogitsExplorer(*reference))
    words = region.locator(".op-lens-map .op-token", has_text="learning")
    heights = words.evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().height)")
    assert len(heights) > 1
    assert max(heights) < 20


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_not_too_wide_and_does_not_jump(page, reference, width):
    page.set_viewport_size({"width": width, "height": 900})
    for prompt in ("What is machine learning?", " training set" * 12):
        region = show(page, LogitsExplorer(*reference, prompt))
        chosen = region.locator(".op-lens-map").get_by_role("radio", checked=True)
        scroll = region.locator(".op-lens-scroll").bounding_box()
        box = chosen.bounding_box()  # the last token's, in view although a long map scrolls
        assert scroll["x"] <= box["x"]
        assert box["x"] + box["width"] <= scroll["x"] + scroll["width"] + 1
        height = region.bounding_box()["height"]
        for key in ("ArrowDown", "End", "ArrowLeft", "ArrowLeft", "Home"):
            chosen.press(key)
            assert region.bounding_box()["height"] == pytest.approx(height, abs=1), key
        region.get_by_label("Add to every logit").press("End")
        assert region.bounding_box()["height"] == pytest.approx(height, abs=1)
        assert_fits(region)


def test_a_new_prompt_from_python_redraws_everything(page):
    explorer = make_explorer("one two")
    assert_page_shows(change_from_python(page, explorer, prompt=PROMPT), explorer)


def test_nothing_listens_once_the_explorer_has_ended(page):
    assert_ends_cleanly(page, make_explorer())


def test_hostile_tokens_are_text(page):
    hostile = "</script><img src=x onerror=console.error(1)><!--"
    region = show(page, LogitsExplorer(small_model(), StandInTokenizer(*[hostile] * V), PROMPT))
    assert page.locator("img").count() == 0
    assert visible(hostile) in region.inner_text()


def test_a_page_without_javascript_shows_the_table(browser, tmp_path):
    assert_table_without_javascript(browser, tmp_path, make_explorer(), n_rows=1 + 1 + L)


class TestInTheBook:
    def test_the_chapter_has_the_explorer(self, page, site, reference):
        """The book's prompt and a reader's, by both lenses."""
        explorer = LogitsExplorer(*reference, lens_maps=glossary_lens(*reference))
        page.goto(f"{site}book/06_logits.html")
        region = page.get_by_role("region", name="Logits explorer")
        page.add_style_tag(content=LAID_OUT)
        assert_page_shows(region, explorer)
        region.get_by_role("radio", name="layer 1, position 3,").click()
        region.get_by_role("radio", name="tuned lens").click()
        explorer.depth, explorer.position, explorer.tuned = 2, 3, True
        assert_page_shows(region, explorer)
        assert answer_to(region, "What is a token?") == ""
        explorer.prompt = "What is a token?"
        assert_page_shows(region, explorer, close=CLOSE)
