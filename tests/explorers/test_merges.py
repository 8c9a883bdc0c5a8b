"""The explorer of merges: what Python's training finds, round by round, on the page."""

from itertools import takewhile

import pytest
from explorer_page import (
    answer_to,
    assert_ends_cleanly,
    assert_fits,
    assert_hostile_prompts_do_no_harm,
    assert_table_without_javascript,
    cell_texts,
    show,
)

import oneprompt as op
from oneprompt.explorers import MergesExplorer
from oneprompt.tokenize import rounds

TOY = "learn learn earn ear art"
TEXTS = (TOY, op.PROMPT, "aaaa aaa ababab", "你好 你好 😀😀", "don't don't")


def repeated(text: str) -> list:
    return list(takewhile(lambda step: step.counts[step.pair] > 1, rounds(text)))


@pytest.mark.parametrize("text", TEXTS)
def test_the_first_pair_of_each_round_is_the_one_that_training_joins(text):
    found, expected = MergesExplorer(text).data["rounds"], repeated(text)
    assert len(found) == len(expected)
    for each, step in zip(found, expected, strict=True):
        counts = [count for *_, count in each["pairs"]]
        assert counts[0] == step.counts[step.pair]
        assert counts == sorted(counts, reverse=True)
        assert sum(map(len, each["tokens"])) == sum(
            len(step.words[piece]) for piece in op.tokenize.pre_tokenize(text)
        )


def test_a_long_text_is_refused_and_changes_nothing():
    explorer = MergesExplorer(TOY)
    before = explorer.state()
    with pytest.raises(ValueError, match="301 characters, and at most 300 fit here"):
        explorer.prompt = "a" * 301
    assert explorer.state() == before


# On the page, without a model


@pytest.fixture
def region(page):
    return show(page, MergesExplorer(TOY), "Merges explorer")


def test_the_toy_is_learned_round_by_round_with_the_keyboard(region):
    winners = []
    for _ in range(4):
        pair, _, count = cell_texts(region)[0]
        winners.append((pair, count))
        region.get_by_role("button", name="Next merge").press("Enter")
    assert winners == [("a + r", "5 ×"), ("e + ar", "4 ×"), ("ear + n", "3 ×"), ("l + earn", "2 ×")]
    assert cell_texts(region) == []
    assert region.get_by_role("button", name="Next merge").is_disabled()
    assert "Learned so far: ar, ear, earn, learn" in region.inner_text()
    assert region.locator(".op-box-made").all_inner_texts() == ["learn", "learn"]
    region.get_by_role("button", name="Back").press("Enter")
    assert cell_texts(region)[0] == ["l + earn", "", "2 ×"]


def test_a_readers_text_needs_no_model(page, region):
    for text in TEXTS:
        assert answer_to(region, text) == ""
        merges = region.get_by_role("button", name="All merges")
        if merges.is_enabled():  # not where no pair occurs twice
            merges.click()
        last = repeated(text)[-1]
        n_tokens = sum(len(last.words[piece]) for piece in op.tokenize.pre_tokenize(text))
        assert region.locator(".op-learned-text bdi").count() == n_tokens
    assert "at most 300 fit" in answer_to(region, "a" * 301)
    assert page.evaluate("window.onePromptLoading") is None
    assert_hostile_prompts_do_no_harm(page, region)


def test_nothing_listens_once_the_explorer_has_ended(page):
    assert_ends_cleanly(page, MergesExplorer(TOY))


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_not_too_wide(page, region, width):
    page.set_viewport_size({"width": width, "height": 900})
    assert answer_to(region, "supercalifragilistic" * 5) == ""
    region.get_by_role("button", name="All merges").click()
    assert_fits(region)


def test_a_page_without_javascript_shows_the_table(browser, tmp_path):
    assert_table_without_javascript(browser, tmp_path, MergesExplorer(TOY), 4 + 1)
