"""The tokenize explorer: every merge as the package makes it, in Python and on the page."""

from itertools import pairwise

import pytest

import oneprompt as op
from oneprompt.explorers import TokenizeExplorer

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
def test_pieces_are_the_tokenizers(tokenizer, text):
    pieces = TokenizeExplorer(tokenizer, text).pieces
    assert [id for piece in pieces for id in piece["ids"]] == tokenizer.encode(text)
    data = bytes.fromhex(" ".join(" ".join(piece["bytes"]) for piece in pieces))
    assert data == text.encode()
    for piece in pieces:
        assert len(piece["ranks"]) == len(piece["steps"]) - 1
        assert [len(tokens) for tokens in piece["steps"]] == sorted(
            {len(tokens) for tokens in piece["steps"]}, reverse=True
        )


def test_ranks_name_the_merge_of_each_step(tokenizer):
    merges = tokenizer.byte_pair_encoding().merges
    piece = TokenizeExplorer(tokenizer, " learning").pieces[0]
    steps = pairwise(piece["steps"])
    for (before, after), rank in zip(steps, piece["ranks"], strict=True):
        left, right = (part.decode() for part in merges[rank])
        assert left + right in after
        assert left in before
        assert right in before


@pytest.mark.parametrize(("text", "words"), [("", "type something"), ("a " * 300, "shorten it")])
def test_a_text_that_cannot_be_shown_is_refused_and_changes_nothing(tokenizer, text, words):
    explorer = TokenizeExplorer(tokenizer, "one two")
    before = explorer.pieces
    with pytest.raises(ValueError, match=words):
        explorer.prompt = text
    assert (explorer.prompt, explorer.pieces) == ("one two", before)
    explorer.asked = text or " "
    assert explorer.notice == "" or words in explorer.notice


def test_a_piece_that_is_not_there_is_refused(tokenizer):
    explorer = TokenizeExplorer(tokenizer, "one two", piece=1)
    with pytest.raises(ValueError, match="piece must be 0 to 1"):
        explorer.piece = 2


def test_without_javascript_there_is_a_table(tokenizer):
    fallback = TokenizeExplorer(tokenizer, "<b").fallback()
    assert "&lt;" in fallback
    assert "3c" in fallback


# On the page


@pytest.fixture
def region(page, site):
    page.goto(f"{site}book/01_tokenize.html")
    region = page.get_by_role("region", name="Tokenize explorer")
    region.scroll_into_view_if_needed()
    return region


def rows(region) -> list[list[str]]:
    return [
        row.locator(".op-token").all_inner_texts() for row in region.locator(".op-merges li").all()
    ]


def shown(tokens: list[str]) -> list[str]:
    return [token.replace(" ", "␣") for token in tokens]


def test_merges_one_by_one_by_keyboard(region, tokenizer):
    steps = TokenizeExplorer(tokenizer).pieces[3]["steps"]
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
    assert rows(region) == [shown(TokenizeExplorer(tokenizer).pieces[2]["steps"][0])]


@pytest.mark.parametrize("text", TEXTS)
def test_own_text_is_tokenized_in_the_page_as_in_python(region, tokenizer, text):
    region.get_by_label("Your prompt").fill(text)
    region.get_by_label("Your prompt").press("Enter")
    region.page.set_default_timeout(60_000)  # the model is loaded first
    expected = TokenizeExplorer(tokenizer, text)
    title = region.locator(".op-title")
    title.get_by_text("".join(shown(expected.pieces[0]["steps"][-1])), exact=True).wait_for()
    ids = [str(id) for piece in expected.pieces for id in piece["ids"]]
    assert region.locator(".op-pieces .op-share").all_inner_texts() == ids
    longest = max(range(len(expected.pieces)), key=lambda i: len(expected.pieces[i]["ranks"]))
    region.get_by_role("radio").nth(longest).click()
    merges = region.get_by_role("button", name="All merges")
    if merges.is_enabled():  # not where no learned merge applies
        merges.click()
    assert rows(region) == [shown(tokens) for tokens in expected.pieces[longest]["steps"]]
