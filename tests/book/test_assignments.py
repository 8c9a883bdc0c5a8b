"""The assignments' page and the chapters' ends lead to the notebooks that students get."""

import json
import re

import pytest
from pages import ROOT, Page, parse

ABOUT = {
    path.stem: json.loads(path.read_text("utf-8"))["metadata"]["oneprompt"]
    for path in sorted(ROOT.glob("assignments/release/*/*.ipynb"))
}
OPENED_AT = {"github.com", "colab.research.google.com", "mybinder.org"}


def hosts(page: Page, stem: str) -> set[str]:
    """Where the page's links open an assignment."""
    links = [attributes.get("href", "") for attributes in page.attributes("a")]
    return {link.split("/")[2] for link in links if f"release/{stem}/{stem}.ipynb" in link}


@pytest.mark.book
@pytest.mark.parametrize("stem", ABOUT)
def test_its_chapter_and_the_page_of_assignments_open_it(built_book, stem):
    chapter, page = (
        parse(built_book / f"{name}.html") for name in (ABOUT[stem]["chapter"], "book/assignments")
    )
    assert hosts(chapter, stem) == hosts(page, stem) == OPENED_AT
    said = " ".join(" ".join(page.text["article"]).split())
    assert f"{ABOUT[stem]['minutes']} minutes" in said
    assert all(goal.replace("'", "’") in said for goal in ABOUT[stem]["goals"])


def test_instructors_find_every_assignment_beside_its_chapter():
    page = (ROOT / "book" / "instructors.md").read_text("utf-8")
    goals = page.partition("## Learning goals")[2].partition("## Syllabus")[0]
    rows = re.findall(r"^\| (?:all|\[.*\]\((\w+)\.ipynb\)) \|.*\| `(\w+)` \|$", goals, re.MULTILINE)
    listed = {stem: f"book/{chapter}" for chapter, stem in rows if chapter}
    assert listed == {stem: ABOUT[stem]["chapter"] for stem in listed}
    assert {stem for _, stem in rows} == set(ABOUT)
