"""The drawing of points: where they stand, which color they have, and what the legend names."""

import re

import pytest
import torch

from oneprompt.notebook import drawing

SQUARE = [(0, 0), (2, 0), (0, 1)]


def circles(picture, radius=3) -> list[tuple[float, float, str]]:
    """(x, y, color) of each dot of this radius."""
    paths = rf'd="([^"]*)" stroke="var\(--op-(\w+)\)" stroke-width="{2 * radius}"'
    return [
        (float(x), float(y), paint)
        for path, paint in re.findall(paths, picture.body)
        for x, y in re.findall(r"M(\S+) (\S+)h0", path)
    ]


def test_points_keep_their_proportions_and_y_grows_upward():
    drawn = circles(drawing.dots({"a": torch.tensor(SQUARE)}, size=216, alt="a triangle"))
    assert drawn == [(8, 108, "blue"), (208, 108, "blue"), (8, 8, "blue")]


def test_one_frame_makes_maps_comparable():
    frame = ((-1, -1), (3, 3))
    alone, shared = (
        circles(drawing.dots({"a": points}, size=216, frame=frame, alt="a map"))
        for points in (SQUARE[:1], SQUARE)
    )
    assert alone == shared[:1] == [(58, 158, "blue")]


def test_each_group_has_a_color_and_a_line_of_the_legend_unless_it_is_hidden():
    groups = {"things": SQUARE[:1], "_others": SQUARE[1:]}
    picture = drawing.dots(groups, colors={"_others": "gray"}, alt="two groups")
    assert [paint for *_, paint in circles(picture)] == ["blue", "gray", "gray"]
    assert "things" in picture.body
    assert "_others" not in picture.body
    assert [paint for *_, paint in circles(picture, radius=4)] == ["blue"]


def test_a_name_stands_where_there_is_room_for_it():
    names = {"left": (0, 0), "right": (2, 0)}
    body = drawing.dots({"a": SQUARE}, size=216, names=names, alt="named").body
    assert re.search(r'x="14.0" y="113.0"[^>]*>left<', body)
    assert re.search(r'x="202.0" y="113.0"[^>]*text-anchor="end">right<', body)


@pytest.mark.parametrize("links", [[], [((0, 0), (2, 0))]])
def test_links_are_lines_below_the_dots(links):
    body = drawing.dots({"a": SQUARE}, links=links, alt="linked").body
    assert body.count("<polyline") == 1 + len(links)
    assert body.rindex("<polyline") < body.index("<path")
