"""The nine steps: their order, and their links in a notebook and on the site."""

import re
from pathlib import Path

import pytest
import yaml

import oneprompt as op
from oneprompt.notebook import SHORT_TOKENS
from oneprompt.notebook.pipeline import STEPS, chapter, pipeline

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"
PLAYGROUND = (ROOT / "src/oneprompt/explorers/playground/view.js").read_text("utf-8")
NAMES = {Path(chapter(step)).stem: step.capitalize() for step in STEPS}  # "01_tokenize": "Tokenize"


def test_short_tokens_are_the_prompts_in_order(tokenizer):
    tokens = [token.strip() for token in tokenizer.tokens(op.PROMPT)]
    pairs = zip(tokens, SHORT_TOKENS, strict=True)
    assert [t for t, s in pairs if s != t and not (s[-1] == "." and t.startswith(s[:-1]))] == []


# The order of the chapters is that of STEPS, wherever it is written.


def test_the_table_of_contents_has_the_steps_in_order():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    files = [chapter["file"] for chapter in toc["parts"][0]["chapters"]]
    before = ["book/prerequisites", "book/00_overview"]
    assert files == [*before, *(f"book/{stem}" for stem in NAMES)]


def test_the_playground_names_chapters_by_their_steps():
    linked = dict(re.findall(r'"(\d\d_\w+)": "([\w-]+)"', PLAYGROUND))
    assert linked == NAMES
    assert list(linked) == sorted(linked)


def test_each_step_links_to_the_chapters_of_the_others():
    for step in STEPS:
        html = pipeline(step)._repr_html_()
        links = re.findall(r'href="([^"]+)"', html)
        assert links == [chapter(other) for other in STEPS if other != step]
        assert all((BOOK / link).is_file() for link in links)
        assert html.count('aria-current="step"') == 1
        assert f"[{step}]" in repr(pipeline(step))


def test_without_a_current_step_all_steps_are_links():
    html = pipeline()._repr_html_()
    assert html.count("href=") == len(STEPS)
    assert 'aria-current="step"' not in html
    assert "[" not in repr(pipeline())


def test_an_unknown_step_is_refused():
    with pytest.raises(ValueError, match=r"'norm'; choose from tokenize, embed"):
        pipeline("norm")


def test_on_the_site_the_links_lead_from_chapter_to_chapter(page, site):
    page.goto(f"{site}book/01_tokenize.html")
    for step in (*list(STEPS)[1:], "tokenize"):
        way = page.get_by_role("navigation", name="The pipeline")
        way.get_by_role("link", name=step).click()
        page.wait_for_url(f"**/{chapter(step).replace('.ipynb', '.html')}")
        assert step in way.locator('[aria-current="step"]').inner_text().lower()
