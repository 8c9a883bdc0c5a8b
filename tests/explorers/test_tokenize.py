"""The tokenize explorer: every merge as the package makes it, in Python and on the page."""

from itertools import pairwise

import pytest
from explorer_page import (
    answer_to,
    assert_ends_cleanly,
    assert_fits,
    assert_hostile_prompts_do_no_harm,
    assert_table_without_javascript,
    give_model,
    page_pair,
    show,
)

import oneprompt as op
from oneprompt.explorers import TokenizeExplorer
from oneprompt.notebook import visible

TEXTS = (
    "What is machine learning?",
    "  two  spaces ",
    "héllo 机器 😀 don't",
    "<b>&amp;</b>",
    "שלום",
)


@pytest.fixture(scope="module")
def tokenizer():
    return op.load_tokenizer()


@pytest.mark.parametrize("text", TEXTS)
def test_the_pieces_equal_the_tokenizers(tokenizer, text):
    pieces = TokenizeExplorer(tokenizer, text).data["pieces"]
    assert [token_id for piece in pieces for token_id in piece["ids"][-1]] == tokenizer.encode(text)
    data = bytes.fromhex(" ".join(" ".join(piece["bytes"]) for piece in pieces))
    assert data == text.encode()
    for piece in pieces:
        assert len(piece["ranks"]) == len(piece["steps"]) - 1
        assert [len(tokens) for tokens in piece["steps"]] == sorted(
            {len(tokens) for tokens in piece["steps"]}, reverse=True
        )


def test_ranks_name_the_merge_of_each_step(tokenizer):
    merges = tokenizer.byte_pair_encoding().merges
    piece = TokenizeExplorer(tokenizer, " learning").data["pieces"][0]
    steps = pairwise(piece["steps"])
    for (before, after), rank in zip(steps, piece["ranks"], strict=True):
        left, right = (part.decode() for part in merges[rank])
        assert left + right in after
        assert left in before
        assert right in before


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "The prompt is empty"), ("a " * 300, "at most 256 fit here: shorten it")],
)
def test_a_text_that_cannot_be_shown_is_refused_and_changes_nothing(tokenizer, text, words):
    explorer = TokenizeExplorer(tokenizer, "one two")
    before = explorer.state()
    with pytest.raises(ValueError, match=words):
        explorer.prompt = text
    assert explorer.state() == before


def test_a_reader_is_told_why_a_text_cannot_be_shown(tokenizer):
    explorer = TokenizeExplorer(tokenizer, "one two")
    explorer.asked = "a " * 300
    assert "at most 256 fit here: shorten it" in explorer.notice
    explorer.asked = " "
    assert (explorer.prompt, explorer.notice) == (" ", "")


def test_an_unknown_piece_is_refused(tokenizer):
    explorer = TokenizeExplorer(tokenizer, "one two", piece=1)
    with pytest.raises(ValueError, match="piece must be 0 to 1"):
        explorer.piece = 2


def test_without_javascript_there_is_a_table(tokenizer):
    fallback = TokenizeExplorer(tokenizer, "<b").fallback()
    assert "&lt;" in fallback
    assert "3c" in fallback


# On the page


@pytest.fixture
def region(page, tokenizer):
    region = show(page, TokenizeExplorer(tokenizer, piece=3), "Tokenize explorer")
    give_model(page, tokenizer, *page_pair())  # the models are not asked
    return region


def rows(region) -> list[list[str]]:
    return region.locator(".op-merges li").evaluate_all(
        "(all) => all.map((li) => Array.from(li.querySelectorAll('bdi'), (t) => t.innerText))"
    )


def shown(tokens: list[str]) -> list[str]:
    return [visible(token) for token in tokens]


def test_merges_one_by_one_by_keyboard(region, tokenizer):
    steps = TokenizeExplorer(tokenizer).data["pieces"][3]["steps"]
    assert rows(region) == [shown(steps[0])]
    region.get_by_role("button", name="Next merge").press("Enter")
    assert rows(region) == [shown(tokens) for tokens in steps[:2]]
    assert region.locator(".op-made").count() >= 1
    region.get_by_role("button", name="All merges").press("Enter")
    assert rows(region) == [shown(tokens) for tokens in steps]
    assert region.get_by_role("button", name="Next merge").is_disabled()
    region.get_by_role("button", name="Back").press("Enter")
    assert len(rows(region)) == len(steps) - 1
    region.get_by_role("radio").nth(3).press("ArrowLeft")
    assert rows(region) == [shown(TokenizeExplorer(tokenizer).data["pieces"][2]["steps"][0])]


def test_a_readers_texts_are_tokenized_in_the_page_as_in_python(page, region, tokenizer):
    for text in TEXTS:
        assert answer_to(region, text) == ""
        pieces = TokenizeExplorer(tokenizer, text).data["pieces"]
        ids = [str(token_id) for piece in pieces for token_id in piece["ids"][-1]]
        assert region.locator(".op-pieces .op-share").all_inner_texts() == ids
        longest = max(range(len(pieces)), key=lambda i: len(pieces[i]["ranks"]))
        region.get_by_role("radio").nth(longest).click()
        whole = "".join(pieces[longest]["steps"][-1])
        assert region.locator(".op-title").inner_text() == f"The piece {visible(whole)}"
        merges = region.get_by_role("button", name="All merges")
        if merges.is_enabled():  # not where no learned merge applies
            merges.click()
        assert rows(region) == [shown(tokens) for tokens in pieces[longest]["steps"]]
    assert "at most 256 fit" in answer_to(region, "a " * 300)
    assert region.locator(".op-pieces .op-share").all_inner_texts() == ids
    assert_hostile_prompts_do_no_harm(page, region)


def test_a_smaller_vocabulary_has_only_the_merges_learned_first(page, region, tokenizer):
    bpe = tokenizer.byte_pair_encoding()
    sizes = region.get_by_role("slider", name="Vocabulary")
    sizes.press("End")
    sizes.press("ArrowLeft")
    size = int(sizes.get_attribute("aria-valuetext").removeprefix("V = ").replace(",", ""))
    sizes.press("ArrowLeft")
    assert int(sizes.get_attribute("aria-valuetext").removeprefix("V = ")) < size
    for key, merges in (("Home", []), ("End", bpe.merges)):
        sizes.press(key)
        small = op.BytePairEncoding(merges)
        ids = [str(token_id) for token_id in small.encode(op.PROMPT)]
        assert region.locator(".op-pieces .op-share").all_inner_texts() == ids


@pytest.mark.parametrize("size", [257, 300, 589, 2048])
def test_the_size_of_the_vocabulary_can_be_set_from_python(page, tokenizer, size):
    region = show(page, TokenizeExplorer(tokenizer, size=size), "Tokenize explorer")
    small = op.BytePairEncoding(tokenizer.byte_pair_encoding().merges[: size - 257])
    ids = [str(token_id) for token_id in small.encode(op.PROMPT)]
    assert region.locator(".op-pieces .op-share").all_inner_texts() == ids


def test_a_size_without_all_bytes_is_refused(tokenizer):
    with pytest.raises(ValueError, match="size must be 257 to 2048, got 256"):
        TokenizeExplorer(tokenizer, size=256)


def test_examples_are_shown_without_the_model(page, tokenizer):
    texts = {"ends in a space": "What is ", "Hindi": "मशीन", "signal": "<|endoftext|>"}
    region = show(page, TokenizeExplorer(tokenizer, examples=texts), "Tokenize explorer")
    for name, text in texts.items():
        region.get_by_role("radio", name=name).click()
        ids = [str(token_id) for token_id in tokenizer.encode(text)]
        assert region.locator(".op-pieces .op-share").all_inner_texts() == ids
        assert region.get_by_label("Your prompt").input_value() == text
        assert region.get_by_role("radio", name=name).get_attribute("aria-checked") == "true"
    assert_fits(region)


def test_an_example_opens_the_piece_that_falls_apart_most(page, tokenizer):
    explorer = TokenizeExplorer(tokenizer, examples={"spelling": "How many r are in strawberry?"})
    region = show(page, explorer, "Tokenize explorer")
    region.get_by_role("radio", name="spelling").click()
    assert region.locator(".op-title").inner_text() == "The piece ␣strawberry"


def test_the_pairs_that_compete_are_listed_with_their_merges(region, tokenizer):
    ranks = tokenizer.byte_pair_encoding().ranks
    first = region.locator(".op-rivals > span").first.inner_text()
    best = min((pair for pair in pairwise(bytes([b]) for b in b" learning") if pair in ranks),
               key=ranks.get)  # fmt: skip
    left, right = (visible(part.decode()) for part in best)
    assert first == f"{left} + {right} merge {ranks[best] + 1}"


def test_nothing_listens_once_the_explorer_has_ended(page, tokenizer):
    assert_ends_cleanly(page, TokenizeExplorer(tokenizer))


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_not_too_wide(page, region, width):
    page.set_viewport_size({"width": width, "height": 900})
    assert answer_to(region, "supercalifragilistic" * 5) == ""
    region.get_by_role("button", name="All merges").click()
    assert_fits(region)


def test_a_page_without_javascript_shows_the_table(browser, tmp_path, tokenizer):
    explorer = TokenizeExplorer(tokenizer)
    n_tokens = len(tokenizer.encode(explorer.prompt))
    assert_table_without_javascript(browser, tmp_path, explorer, n_tokens + 1)


class TestInTheBook:
    def test_the_chapter_has_the_explorer(self, page, site, tokenizer):
        page.goto(f"{site}book/01_tokenize.html")
        region = page.get_by_role("region", name="Tokenize explorer").first
        region.get_by_role("button", name="All merges").click()
        steps = TokenizeExplorer(tokenizer).data["pieces"][3]["steps"]
        assert rows(region) == list(map(shown, steps))
