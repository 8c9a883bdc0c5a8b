"""The explorer of serving: its settings, what the page shows of them, and its limits."""

import pytest
from explorer_page import (
    assert_ends_cleanly,
    assert_fits,
    assert_table_without_javascript,
    cell_texts,
    change_from_python,
    show,
)

from oneprompt.costs import Times
from oneprompt.explorers import ScaleExplorer
from oneprompt.published import GPUS, MODELS


def test_the_numbers_of_its_start_are_the_known_ones():
    """Llama 3.1 8B, one text of 100 positions on an H100, without a draft and with one."""
    explorer = ScaleExplorer()
    found = explorer.numbers()
    assert (found["plain"]["limit"], round(1 / found["plain"]["seconds"])) == ("weights", 223)
    assert (found["v"], found["speedup"]) == (1, 1)
    explorer.gamma, explorer.batch = 5, 256
    found = explorer.numbers()
    assert found["v"] == pytest.approx(4.27, abs=0.005)
    assert found["speedup"] == pytest.approx(3.69 / 4.27, abs=0.005)
    assert found["longer"]["limit"] == "arithmetic"


@pytest.mark.parametrize(
    ("trait", "value", "words"),
    [
        ("model", "GPT-9", "model='GPT-9' is not available; choose from this model, SmolLM2"),
        ("gpu", "abacus", "gpu='abacus' is not available; choose from L4, A100"),
        ("bits", 3, "bits=3 is not available; choose from 16, 8, 4"),
        ("gamma", 11, "gamma=11 is not available"),
        ("batch", 0, "batch must be from 1 to 1,048,576, got 0"),
        ("positions", 2**21, "positions must be from 1 to 1,048,576"),
        ("alpha", 1.5, "alpha must be a probability from 0 to 1"),
    ],
)
def test_a_bad_setting_is_refused_and_changes_nothing(trait, value, words):
    explorer = ScaleExplorer()
    before = explorer.state()
    with pytest.raises(ValueError, match=words):
        setattr(explorer, trait, value)
    assert explorer.state() == before


# On the page


@pytest.fixture
def region(page):
    return show(page, ScaleExplorer(), "Scale explorer")


def value_of(region, name: str) -> str:
    return region.locator("dl > div").filter(has_text=name).locator("dd").inner_text()


def bold(region) -> str:
    return region.locator("tr.op-binding th").inner_text()


def test_the_keyboard_finds_all_three_limits(region):
    assert bold(region) == "Weights"
    assert "A plain pass waits for the weights." in region.get_by_role("status").inner_text()
    assert "223/s each" in value_of(region, "Time between tokens")
    batch = region.get_by_label("Batch, texts")
    for _ in range(9):
        batch.press("ArrowRight")
    assert batch.get_attribute("aria-valuetext") == "512"
    assert bold(region) == "Arithmetic"
    positions = region.get_by_label("Positions each")
    for _ in range(6):
        positions.press("ArrowRight")
    assert positions.get_attribute("aria-valuetext") == "8,000"
    assert bold(region) == "Caches"
    assert "does not fit into the memory" in region.get_by_role("status").inner_text()


def test_the_longer_pass_is_drawn_only_where_a_draft_guesses(region):
    ring = region.locator("circle.op-longer")
    entry = region.get_by_text("verifying pass, gamma + 1")
    assert "the draft is taken to cost nothing" in region.inner_text()
    assert not ring.is_visible()
    assert not entry.is_visible()
    region.get_by_label("Gamma, drafted").press("ArrowRight")
    assert ring.is_visible()
    assert entry.is_visible()
    assert "for 2 positions" in value_of(region, "v")


def test_speculation_is_worth_less_in_a_large_batch(region):
    for _ in range(5):
        region.get_by_label("Gamma, drafted").press("ArrowRight")
    assert value_of(region, "Speedup").startswith("3.69 ×")
    assert value_of(region, "v").startswith("1.00")
    for _ in range(8):
        region.get_by_label("Batch, texts").press("ArrowRight")
    assert value_of(region, "Speedup").startswith("0.86 ×")
    said = region.get_by_role("status").inner_text()
    assert "a verifying pass for the arithmetic units" in said


def test_every_model_and_gpu_is_a_choice_with_a_roof_of_its_own(region):
    picture, seen = region.get_by_role("img"), set()
    for name in GPUS:
        region.get_by_role("radio", name=name, exact=True).click()
        seen.add(picture.get_attribute("aria-label"))
    assert len(seen) == len(GPUS)
    region.get_by_role("radio", name="H100", exact=True).click()
    assert "ridge at 295 FLOPs per byte" in picture.get_attribute("aria-label")
    held = []
    for name in MODELS:
        region.get_by_role("radio", name=name, exact=True).click()
        held.append(value_of(region, "Memory"))
    assert held[-1].startswith("141 GB")
    region.get_by_role("radio", name="4", exact=True).click()
    assert value_of(region, "Memory").startswith("35.3 GB")


def test_a_text_beyond_the_context_is_named(region):
    region.get_by_role("radio", name="this model").click()
    region.get_by_label("Positions each").press("End")
    assert "this model reads 256 positions at most" in region.get_by_role("status").inner_text()


def test_a_change_from_python_is_drawn(page):
    explorer = ScaleExplorer()
    region = change_from_python(page, explorer, batch=300, positions=8100, gamma=2)
    assert bold(region) == "Caches"
    times = [f"{1000 * explorer.times()[i]:.3g} ms" for i in range(len(Times._fields))]
    assert [row[-1] for row in cell_texts(region)] == times
    assert region.get_by_label("Batch, texts").get_attribute("aria-valuetext") == "300"


def test_nothing_listens_once_the_explorer_has_ended(page):
    assert_ends_cleanly(page, ScaleExplorer())


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_not_too_wide_and_two_screens_high_at_most(page, region, width):
    page.set_viewport_size({"width": width, "height": 800})
    region.get_by_label("Gamma, drafted").press("End")
    for name in ("Batch, texts", "Positions each"):
        region.get_by_label(name).press("End")
    assert_fits(region)
    assert region.bounding_box()["height"] <= 2 * 800


def test_a_page_without_javascript_shows_the_table(browser, tmp_path):
    assert_table_without_javascript(browser, tmp_path, ScaleExplorer(gamma=5), 1 + 4)
