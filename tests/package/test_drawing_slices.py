"""A line cut into slices: true to scale, the right slice hit, no name on another."""

import re

import pytest

from oneprompt.notebook import drawing


def boxes(picture) -> list[tuple[float, float]]:
    """(start, width) of the slices, from the left."""
    found = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', picture.body)
    return [(float(x), float(width)) for x, width in found]


def test_slices_are_as_wide_as_their_shares():
    picture = drawing.slices({"blue": 16, "gray": 9, "clear": 4, "cheese": 1}, width=300)
    assert boxes(picture) == [(0, 160), (160, 90), (250, 40), (290, 10)]


@pytest.mark.parametrize(("at", "hit"), [(0.0, 0), (0.24, 0), (0.25, 1), (0.99, 2)])
def test_the_slice_that_holds_the_number_is_orange(at, hit):
    """A number on a border belongs to the slice that begins there, as in `sample.draw`."""
    picture = drawing.slices({"a": 1, "b": 2, "c": 1}, at=at)
    colors = re.findall(r'<rect [^>]*fill="var\(--op-(\w+)\)"', picture.body)
    assert [i for i, color in enumerate(colors) if color == "orange"] == [hit]


def test_names_that_would_meet_stand_in_rows_of_their_own():
    picture = drawing.slices({"first": 90, "second": 5, "third": 5})
    tops = re.findall(r'y="([\d.]+)"[^>]*>(first|second|third)<', picture.body)
    assert tops[1][0] != tops[2][0]


def test_shares_of_nothing_are_refused():
    with pytest.raises(ValueError, match="more than 0"):
        drawing.slices({"a": 0})
