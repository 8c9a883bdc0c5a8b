"""The steps that open each chapter: their links in a notebook and on the site."""

import re
from pathlib import Path

import pytest

from oneprompt.notebook.pipeline import STEPS, chapter, pipeline

BOOK = Path(__file__).resolve().parents[2] / "book"


@pytest.mark.parametrize("step", STEPS)
def test_a_step_links_to_the_chapters_of_the_others(step):
    html = pipeline(step)._repr_html_()
    links = re.findall(r'href="([^"]+)"', html)
    assert links == [chapter(other) for other in STEPS if other != step]
    assert all((BOOK / link).is_file() for link in links)
    assert html.count('aria-current="step"') == 1
    assert f"[{step}]" in repr(pipeline(step))


def test_without_a_step_all_are_links():
    html = pipeline()._repr_html_()
    assert html.count("href=") == len(STEPS)
    assert 'aria-current="step"' not in html
    assert "[" not in repr(pipeline())


def test_an_unknown_step_is_refused():
    with pytest.raises(ValueError, match=r"'norm'; choose from tokenize, embed"):
        pipeline("norm")


def test_on_the_site_the_steps_lead_from_chapter_to_chapter(page, site):
    page.goto(f"{site}book/01_tokenize.html")
    for step in (*list(STEPS)[1:], "tokenize"):
        way = page.get_by_role("navigation", name="The pipeline")
        way.get_by_role("link", name=step).click()
        page.wait_for_url(f"**/{chapter(step).replace('.ipynb', '.html')}")
        assert step in way.locator('[aria-current="step"]').inner_text()
