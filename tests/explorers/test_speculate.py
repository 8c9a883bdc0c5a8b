"""The speculation explorer: its blocks against the package, its page against its Python."""

import pytest
import torch
from explorer_page import (
    answer_to,
    ask,
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
from models import noisy_copy, small_model

import oneprompt as op
from oneprompt.draft import ModelDraft
from oneprompt.explorers import SpeculationExplorer
from oneprompt.explorers.shared import (
    SPECULATE_GAMMAS,
    SPECULATE_MAX_NEW,
    SPECULATE_SEEDS,
)
from oneprompt.explorers.texts import token_text
from oneprompt.notebook import visible
from oneprompt.sample import probabilities, uniforms
from oneprompt.speculate import expected_tokens_per_pass, residual

PROMPT = "one three six"
HOSTILE = "</script><img src=x onerror=console.error(1)><!--"
IDS = StandInTokenizer().encode(PROMPT)
TARGET = small_model(context_length=18)
DRAFT = noisy_copy(TARGET, 0.15, seed=1)
CHOICES = [("greedy", 1, gamma) for gamma in (1, 5, 10)] + [
    ("sampled", seed, gamma) for seed in SPECULATE_SEEDS for gamma in (1, 3, 10)
]


def make_explorer(prompt=PROMPT, draft=DRAFT, tokenizer=None, **settings):
    tokenizer = tokenizer or StandInTokenizer()
    return SpeculationExplorer(TARGET, draft, tokenizer, prompt=prompt, **settings)


@pytest.fixture(scope="module")
def one_for_all():
    return make_explorer()


@pytest.fixture
def explorer(one_for_all):
    """One explorer, made once and reset to its start."""
    start = {"mode": "greedy", "seed": 1, "gamma": 5, "cost": 0.1, "step": 1}
    for name, value in start.items():
        setattr(one_for_all, name, value)
    return one_for_all


@pytest.fixture(scope="module")
def hostile():
    """One whose prompt and tokens would be elements if they were not text."""
    return make_explorer(HOSTILE, tokenizer=StandInTokenizer(*[HOSTILE] * 31))


def select(explorer, mode, seed, gamma, step=1):
    for name, value in (("mode", mode), ("seed", seed), ("gamma", gamma), ("step", step)):
        setattr(explorer, name, value)


def sampling_of(mode):
    return op.GREEDY if mode == "greedy" else op.Sampling()


def places(explorer):
    """Token text -> id; every token of the stand-in is `word` and its id."""
    texts = explorer.data["tokens"]
    ids = [0 if text == "EOS" else int(text.removeprefix(" word")) for text in texts]
    return dict(enumerate(ids))


def new_ids(explorer, blocks):
    """The ids that the blocks add to the text."""
    id_of = places(explorer)
    added = []
    for block in blocks:
        added += [id_of[place] for place in block["drafted"][: block["kept"]]]
        added += [] if block["own"] is None else [id_of[block["own"]]]
    return added


def alone(text, model, sampling):
    """The model's next distribution, without a cache."""
    with torch.no_grad():
        return probabilities(model(torch.tensor([text]))[0, -1], sampling)


# In Python


@pytest.mark.parametrize(("mode", "seed", "gamma"), CHOICES)
def test_the_text_equals_the_decoders(explorer, mode, seed, gamma):
    select(explorer, mode, seed, gamma)
    decoder = op.SpeculativeDecoder(TARGET, ModelDraft(DRAFT, uniforms(-seed)))
    sampling = sampling_of(mode)
    expected = decoder.generate(IDS, SPECULATE_MAX_NEW, sampling, gamma=gamma, seed=seed)
    assert new_ids(explorer, explorer.run) == expected.ids
    assert len(explorer.run) == expected.target_passes
    assert sum(block["kept"] for block in explorer.run) == expected.accepted
    assert sum(len(block["drafted"]) for block in explorer.run) == expected.drafted


def test_the_greedy_text_is_the_targets_for_every_gamma(explorer):
    expected = op.generate(TARGET, IDS, SPECULATE_MAX_NEW).ids
    for gamma in SPECULATE_GAMMAS:
        select(explorer, "greedy", 1, gamma)
        assert new_ids(explorer, explorer.run) == expected


@pytest.mark.parametrize(("mode", "seed", "gamma"), CHOICES)
def test_numbers_and_verdicts_follow_from_both_models(explorer, mode, seed, gamma):
    """A greedy model is shown with its probabilities, not with 1 and 0."""
    select(explorer, mode, seed, gamma)
    id_of, text = places(explorer), list(IDS)
    for number, block in enumerate(explorer.run):
        for i, place in enumerate(block["drafted"]):
            before = text + [id_of[each] for each in block["drafted"][:i]]
            q = alone(before, DRAFT, op.Sampling())[id_of[place]]
            assert block["q"][i] == pytest.approx(q.item(), rel=1e-3, abs=1e-6)
            if i < len(block["u"]):
                ps = alone(before, TARGET, op.Sampling())
                p = ps[id_of[place]]
                assert block["p"][i] == pytest.approx(p.item(), rel=1e-3, abs=1e-6)
                likeliest = ps.argmax() == id_of[place]
                kept = likeliest if mode == "greedy" else block["u"][i] * q < p
                assert kept == (i < block["kept"])
        assert len(block["p"]) == len(block["u"]) <= block["kept"] + 1
        text = IDS + new_ids(explorer, explorer.run[: number + 1])


def test_candidates_are_those_of_the_residual_or_of_p(explorer):
    rejections = bonuses = 0
    for mode, seed, gamma in CHOICES:
        select(explorer, mode, seed, gamma)
        id_of, sampling, text = places(explorer), sampling_of(mode), list(IDS)
        for number, block in enumerate(explorer.run):
            text += [id_of[place] for place in block["drafted"][: block["kept"]]]
            p = alone(text, TARGET, sampling)
            rejected = block["drafted"][block["kept"] : block["kept"] + 1]
            if block["own"] is None:
                assert block["candidates"] == []
                continue
            q = alone(text, DRAFT, sampling) if rejected else None
            chance = residual(p, q) if rejected else p
            if mode == "greedy":  # certain, and shown with the probabilities all the same
                p = alone(text, TARGET, op.Sampling())
                q = alone(text, DRAFT, op.Sampling()) if rejected else None
            rejections, bonuses = rejections + bool(rejected), bonuses + (not rejected)
            shown = {place: numbers for place, *numbers in block["candidates"]}
            assert block["own"] in shown
            assert set(rejected) <= set(shown)
            for place, numbers in shown.items():
                expected = [p[id_of[place]].item(), chance[id_of[place]].item()]
                assert [numbers[0], numbers[2]] == pytest.approx(expected, rel=2e-3, abs=1e-5)
                if rejected:
                    expected = q[id_of[place]].item()
                    assert numbers[1] == pytest.approx(expected, rel=2e-3, abs=1e-5)
                else:
                    assert numbers[1] is None
            assert shown[block["own"]][2] > 0
            assert all(shown[place][2] == 0 for place in rejected)
            text = IDS + new_ids(explorer, explorer.run[: number + 1])
    assert rejections > 5
    assert bonuses > 5  # both kinds were looked at


def test_expected_tokens_come_from_the_share_of_kept_guesses(explorer):
    blocks = [block for run in explorer.data["runs"][0] for block in run]
    kept = sum(block["kept"] for block in blocks)
    acceptance = explorer.data["acceptance"]
    assert acceptance["greedy"] == kept / sum(len(block["u"]) for block in blocks)
    assert 0.2 < acceptance["sampled"] < 1
    for mode, share in acceptance.items():
        expected = [expected_tokens_per_pass(share, gamma) for gamma in SPECULATE_GAMMAS]
        assert explorer.data["expected"][mode] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("trait", "value"), [("gamma", 2), ("mode", "sampled"), ("seed", 2)])
def test_another_text_starts_at_its_first_pass(explorer, trait, value):
    explorer.step = 2
    setattr(explorer, trait, value)
    assert explorer.step == 1


def test_no_page_is_told_of_a_pass_after_the_last(explorer):
    """Traits reach it one by one: whatever is set, every intermediate state can be drawn."""
    seen = []

    def look(change):
        seen.append(explorer.step <= len(explorer.run))

    explorer.observe(look)
    for trait, value in (("gamma", 1), ("step", 10), ("gamma", 10), ("mode", "sampled")):
        setattr(explorer, trait, value)
    explorer.unobserve(look)
    assert len(seen) > 4
    assert all(seen)


@pytest.mark.parametrize(
    ("trait", "value"),
    [("gamma", 0), ("gamma", 11), ("mode", "both"), ("seed", 0), ("step", 0), ("step", 99)],
)
def test_an_unknown_choice_is_refused(explorer, trait, value):
    before = explorer.state()
    with pytest.raises(ValueError, match=f"{trait}={value!r} is not available; choose from"):
        setattr(explorer, trait, value)
    assert explorer.state() == before


def test_bad_numbers_and_prompts_are_refused_and_change_nothing(explorer):
    before = explorer.state()
    with pytest.raises(ValueError, match="between 0 and 1, got 2"):
        explorer.cost = 2
    with pytest.raises(ValueError, match='set mode to "greedy"'):
        explorer.temperature = 0
    with pytest.raises(ValueError, match="temperature"):
        explorer.temperature = -1
    with pytest.raises(ValueError, match="empty"):
        explorer.prompt = ""
    with pytest.raises(ValueError, match="25 tokens, and at most 24 fit here"):
        explorer.prompt = "word " * 25
    assert explorer.state() == before


def test_an_explorer_computes_its_first_prompt_once(monkeypatch):
    """At its temperature, which is set before the prompt."""
    asked = []
    monkeypatch.setattr(SpeculationExplorer, "_generate", lambda *args: asked.append(args[1:]) or {
        "data": {"runs": [[[{}]] * 10] * 4, "tokens": []}, "step": 1})  # fmt: skip
    make_explorer(temperature=0.3, gamma=2)
    assert asked == [(PROMPT, 0.3)]


def test_prompt_and_temperature_run_both_models():
    explorer = make_explorer(step=2)
    assert explorer.step == 2
    greedy, sampled = explorer.data["runs"][0], explorer.data["runs"][1:]
    explorer.temperature = 0.3
    assert (explorer.step, explorer.data["runs"][0]) == (1, greedy)
    assert explorer.data["runs"][1:] != sampled
    explorer.prompt = "seven letters"
    expected = op.generate(TARGET, StandInTokenizer().encode("seven letters"), SPECULATE_MAX_NEW)
    assert new_ids(explorer, explorer.run) == expected.ids


def test_a_reader_is_told_why_a_prompt_is_refused(explorer):
    before = explorer.state()
    explorer.asked = "word " * 25
    assert "at most 24" in explorer.notice
    explorer.notice = ""
    assert explorer.state() == before | {"asked": explorer.asked}


def test_a_draft_without_a_network_gives_the_same_twin_every_time():
    lookup = op.PromptLookup(TARGET.config.vocab_size)
    explorer = make_explorer(prompt="a bb a bb a", draft=lookup)
    assert make_explorer(prompt="a bb a bb a", draft=lookup).twin() == explorer.twin()
    assert [len(run) for run in explorer.data["runs"][0]] == sorted(
        (len(run) for run in explorer.data["runs"][0]), reverse=True
    )
    assert all(q == 1 for block in explorer.run for q in block["q"])
    assert any(not block["drafted"] for run in explorer.data["runs"][1] for block in run)


def test_the_end_token_is_shown_as_eos():
    model = small_model(context_length=18)
    model.eos_id = op.generate(TARGET, IDS, 3, stop_ids=()).ids[2]
    explorer = SpeculationExplorer(model, DRAFT, StandInTokenizer(), prompt=PROMPT)
    last = explorer.run[-1]
    end = last["drafted"][last["kept"] - 1] if last["own"] is None else last["own"]
    assert explorer.data["tokens"][end] == "EOS"


def test_without_javascript_there_is_a_table(explorer, hostile):
    assert explorer.fallback().count("<tr>") == len(explorer.run) + 1
    assert "<img" not in hostile.fallback()


# On the page


def show(page, explorer):
    return show_explorer(page, explorer, "Speculation explorer")


def share(p):
    return "–" if p is None else "≈0" if 0 < p < 0.005 else f"{p:.2f}"


def n_added(blocks):
    return sum(block["kept"] + (block["own"] is not None) for block in blocks)


def rows_of(table):
    """The texts of the visible rows, without the column of bars."""
    return table.locator("tbody tr:not([hidden]):not(.op-unseen)").evaluate_all(
        "rows => rows.map((r) => [...r.cells].filter((c) => !c.matches('.op-bar-cell'))"
        ".map((c) => c.textContent))"
    )


def assert_page_shows(region, explorer):
    """Text, tables, statistics and curve are those of the Python explorer."""
    run, step, tokens = explorer.run, explorer.step, explorer.data["tokens"]
    block, seen = run[step - 1], run[:step]

    expected = []
    for i, place in enumerate(block["drafted"]):
        examined = i < len(block["u"])
        verdict = "kept" if i < block["kept"] else "rejected" if examined else "dropped"
        p = block["p"][i] if examined else None
        expected.append([visible(tokens[place]), share(block["q"][i]), share(p), verdict])
    if block["own"] is not None:
        p = next(c[1] for c in block["candidates"] if c[0] == block["own"])
        origin = "bonus" if block["kept"] == len(block["drafted"]) else "residual"
        expected.append([visible(tokens[block["own"]]), "", share(p), origin])
    assert rows_of(region.locator("table").first) == expected
    assert rows_of(region.locator("table").last) == [
        [visible(tokens[place]), share(q), share(p), share(chance)]
        for place, p, q, chance in block["candidates"]
    ]

    added = n_added(seen)
    text = region.locator(".op-prompt span > span:not(.op-unseen)").all_text_contents()
    assert len(text) == added
    per_pass = n_added(run) / len(run)
    formula = explorer.data["expected"][explorer.mode][explorer.gamma - 1]
    cost = explorer.cost * explorer.gamma + 1
    assert region.locator("dd .op-value").all_text_contents() == [
        f"{step} of {len(run)}",
        str(sum(block["kept"] for block in seen)),
        f"{per_pass:.2f}",
        f"{per_pass / cost:.2f} ×",
    ]
    assert region.locator("dd .op-detail").all_text_contents() == [
        "1 token" if added == 1 else f"{added} tokens",
        f"of {sum(len(block['drafted']) for block in seen)} drafted",
        f"in theory {formula:.2f}",
        f"in theory {formula / cost:.2f} ×",
    ]
    label = region.get_by_role("img").get_attribute("aria-label")
    alpha = f"{explorer.data['acceptance'][explorer.mode]:.2f}"
    assert f"c = {explorer.cost:.2f} and alpha = {alpha}. " in label
    assert f"At gamma {explorer.gamma} the formula" in label
    assert region.get_by_text(f"line: theory, α {alpha}; dots: this text").is_visible()
    assert f"expects {formula / cost:.2f}, counted on this text {per_pass / cost:.2f}" in label


def test_every_pass_of_several_texts_is_shown(page, explorer):
    for mode, seed, gamma in CHOICES[::2]:
        select(explorer, mode, seed, gamma)
        region = show(page, explorer)
        for step in range(1, len(explorer.run) + 1):
            explorer.step = step
            assert_page_shows(region, explorer)
            page.get_by_role("button", name="Next pass").press("Enter")
        assert_page_shows(region, explorer)  # there is none after the last pass


def test_the_keyboard_moves_every_control(page, explorer):
    region = show(page, explorer)
    assert_page_shows(region, explorer)

    gamma = page.get_by_label("Gamma, tokens drafted")
    gamma.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    explorer.gamma = 2
    assert gamma.get_attribute("aria-valuetext") == "2"
    assert_page_shows(region, explorer)

    page.get_by_label("c, cost of a draft pass").press("ArrowRight")
    explorer.cost = 0.15
    assert_page_shows(region, explorer)

    page.get_by_role("button", name="To the end").press("Enter")
    explorer.step = len(explorer.run)
    assert_page_shows(region, explorer)
    page.get_by_role("button", name="Back").press("Space")
    explorer.step -= 1
    assert_page_shows(region, explorer)
    page.get_by_label("c, cost of a draft pass").press("Home")
    explorer.cost = 0
    assert_page_shows(region, explorer)  # the cost does not move the pass

    texts = region.get_by_role("radiogroup", name="Text")
    texts.get_by_role("radio", checked=True).press("ArrowRight")
    page.keyboard.press("ArrowRight")
    explorer.mode, explorer.seed = "sampled", 2
    assert explorer.step == 1
    assert_page_shows(region, explorer)
    assert texts.get_by_role("radio", checked=True).inner_text() == "Seed 2"

    texts.get_by_role("radio", checked=True).press("Home")
    explorer.mode = "greedy"
    page.get_by_role("button", name="To the end").press("Enter")
    page.get_by_role("button", name="Reset").press("Enter")
    assert_page_shows(region, explorer)


def test_the_status_says_what_happened(page, explorer):
    select(explorer, "sampled", 1, 3)
    rejecting = [b["own"] is not None and b["kept"] < len(b["drafted"]) for b in explorer.run]
    explorer.step = rejecting.index(True) + 1
    block = explorer.run[explorer.step - 1]
    region = show(page, explorer)
    own = visible(explorer.data["tokens"][block["own"]])
    rejected = visible(explorer.data["tokens"][block["drafted"][block["kept"]]])
    assert region.locator(".op-status").inner_text() == (
        f"Pass {explorer.step}: {len(block['drafted'])} drafted, {block['kept']} kept, "
        f"{rejected} rejected. {own} replaces it."
    )


def test_the_curve_follows_the_formula(page, explorer):
    region = show(page, explorer)
    points = region.locator("polyline").get_attribute("points").split()
    heights = [float(point.split(",")[1]) for point in points]
    zero, one = (float(line.get_attribute("y1")) for line in region.locator("svg line").all())
    drawn = [(zero - height) / (zero - one) for height in heights]
    speedups = [
        tokens / (explorer.cost * gamma + 1)
        for tokens, gamma in zip(explorer.data["expected"]["greedy"], SPECULATE_GAMMAS, strict=True)
    ]
    assert drawn == pytest.approx(speedups, rel=1e-6)


def test_a_kept_guess_has_its_random_number_inside_p(page, explorer):
    select(explorer, "sampled", 1, 10)
    region, marks = show(page, explorer), 0
    for _ in explorer.run:
        rows = region.locator("table").first.locator("tbody tr:not([hidden])")
        for row in rows.all():
            kind = row.get_attribute("class").removeprefix("op-row-")
            if kind not in ("kept", "rejected"):
                continue
            mark, p = row.evaluate(
                "row => ['.op-bar-mark', '.op-bar-after'].map((s) => row.querySelector(s).style)"
                ".map((style) => parseFloat(style.insetInlineStart || style.inlineSize))"
            )
            assert (mark < p) == (kind == "kept")
            marks += 1
        page.get_by_role("button", name="Next pass").press("Enter")
    assert marks > 5


@pytest.fixture(scope="module")
def answered_in_page():
    """A pair, its tokenizer, and an explorer of both, for prompts that the page answers."""
    tokenizer, (target, draft) = page_tokenizer(), page_pair()
    return tokenizer, target, draft, SpeculationExplorer(target, draft, tokenizer)


def test_a_second_prompt_replaces_the_first_while_it_is_computed(page, answered_in_page):
    tokenizer, target, draft, explorer = answered_in_page
    region = show(page, explorer)
    give_model(page, tokenizer, target, draft)
    notices = region.locator(".op-notice").evaluate_handle(
        """(notice) => {
          const texts = [];
          new MutationObserver(() => texts.push(notice.textContent))
            .observe(notice, { childList: true });
          return texts;
        }"""
    )
    region.get_by_label("Your prompt").evaluate(
        """(input) => {
          window.started = 0;
          const { speculate } = onePrompt;
          onePrompt.speculate = (...args) => {
            window.started += 1;
            if (window.started === 1) { // another question, as the first is being computed
              input.value = "What is";
              input.form.requestSubmit();
            }
            return speculate(...args);
          };
        }"""
    )
    assert "at most 24 fit" in answer_to(region, "a field of " * 30)
    assert_page_shows(region, explorer)  # what was refused changes nothing
    assert answer_to(region, "machine learning") == ""
    assert "Computing … 39 of 40 texts" in notices.json_value()
    assert page.evaluate("started") == 41  # the first question was abandoned after one text
    region.get_by_role("button", name="To the end").press("Enter")
    ids = op.generate(target, tokenizer.encode("What is"), SPECULATE_MAX_NEW).ids
    texts = [token_text(tokenizer, token_id, {target.eos_id}) for token_id in ids]
    assert region.locator(".op-prompt").text_content() == "What is" + "".join(texts)
    assert_hostile_prompts_do_no_harm(page, region)


def test_an_empty_prompt_stops_what_is_being_computed(page, answered_in_page):
    tokenizer, target, draft, explorer = answered_in_page
    region = show(page, explorer)
    give_model(page, tokenizer, target, draft)
    ask(region, "machine learning")
    assert region.locator(".op-ask").get_attribute("aria-busy") == "true"
    assert "empty" in answer_to(region, "")
    assert_page_shows(region, explorer)


def test_the_shown_text_comes_first_and_the_others_can_wait(page, answered_in_page):
    """It is shown while the other texts are made, which cannot be chosen until they are there."""
    tokenizer, target, draft, explorer = answered_in_page
    region = show(page, explorer)
    give_model(page, tokenizer, target, draft)
    texts = region.get_by_role("radiogroup", name="Text")
    texts.get_by_role("radio", name="Seed 2").click()
    region.evaluate(
        """(region) => {
          window.seen = [];
          const prompt = region.querySelector(".op-prompt");
          new MutationObserver(() => {
            const radios = [...region.querySelectorAll("[role=radio]")];
            radios[3].click(); // which must wait
            window.seen.push([prompt.textContent.startsWith("a field"),
              ...radios.map((each) => each.getAttribute("aria-disabled")),
              ...radios.map((each) => each.getAttribute("aria-checked"))].join(" "));
          }).observe(prompt, { childList: true, subtree: true, characterData: true });
        }"""
    )
    assert answer_to(region, "a field") == ""
    seen = page.evaluate("seen")
    assert "true true true false true false false true false" in seen
    assert texts.locator('[aria-disabled="true"]').count() == 0
    texts.get_by_role("radio", name="Seed 3").click()
    assert texts.get_by_role("radio", checked=True).inner_text() == "Seed 3"


def test_greedy_texts_show_no_random_number(page, explorer):
    region = show(page, explorer)
    assert region.locator("tbody .op-bar-mark:visible").count() == 0
    region.get_by_role("radiogroup", name="Text").get_by_role("radio", name="Seed 1").click()
    assert region.locator("tbody .op-bar-mark:visible").count() > 0


def test_nothing_listens_once_the_explorer_has_ended(page, explorer):
    assert_ends_cleanly(page, explorer)


def test_hostile_tokens_and_prompts_are_text(page, hostile):
    region = show(page, hostile)
    page.get_by_role("button", name="To the end").click()
    assert page.locator("img").count() == 0
    assert region.locator(".op-prompt").inner_text().startswith(HOSTILE + HOSTILE)


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_not_too_wide_and_does_not_jump(page, explorer, width):
    select(explorer, "sampled", 3, 10)
    page.set_viewport_size({"width": width, "height": 900})
    region = show(page, explorer)
    before = region.bounding_box()["height"]
    top = page.get_by_label("Gamma, tokens drafted").bounding_box()["y"]
    for _ in explorer.run:
        page.get_by_label("c, cost of a draft pass").press("ArrowRight")
        page.get_by_role("button", name="Next pass").press("Enter")
        assert region.bounding_box()["height"] == pytest.approx(before, abs=1)
    assert_fits(region, "td, dd")
    for key in ("Home", "End"):  # another gamma has other rows, below what is being moved
        page.get_by_label("Gamma, tokens drafted").press(key)
        assert page.get_by_label("Gamma, tokens drafted").bounding_box()["y"] == top


class TestInTheBook:
    def test_the_chapter_has_the_explorer(self, page, site):
        page.goto(f"{site}book/09_speculate.html")
        region = page.get_by_role("region", name="Speculation explorer").first
        passes = region.locator("dd .op-value").first

        def count():
            return int(passes.inner_text().split(" of ")[1])

        region.get_by_label("Gamma, tokens drafted").press("Home")
        with_one = count()
        region.get_by_label("Gamma, tokens drafted").press("End")
        assert count() < with_one
        region.get_by_role("button", name="To the end").press("Enter")
        text = region.locator(".op-prompt").inner_text()
        assert text.startswith("What is machine learning? Machine learning is a subfield of")
        assert "explicitly programmed." in text
        state = page.locator(
            '[data-explorer="SpeculationExplorer"] script[type="application/json"]'
        )
        assert len(state.text_content()) < 100_000
        page.set_default_timeout(60_000)  # the models are loaded first
        assert "at most 24 fit" in answer_to(region, "What is a token? " * 5)


def test_a_page_without_javascript_shows_the_table(browser, tmp_path, explorer):
    assert_table_without_javascript(browser, tmp_path, explorer, len(explorer.run) + 1)
