"""Dials show angles as their hands, and curves may have gaps and an edge."""

import math
import re

import pytest

from oneprompt.notebook import drawing

# The corners of a hand's head: the first is its tip.
TIPS = re.compile(r'<polygon points="([\d.-]+),([\d.-]+) ')
MIDDLES = re.compile(r'<circle cx="([\d.]+)" cy="([\d.]+)"')


def hands(picture: drawing.Drawing) -> list[float]:
    """The angle of each hand, from where its tip is."""
    pairs = zip(MIDDLES.findall(picture.body), TIPS.findall(picture.body), strict=True)
    return [
        math.atan2(float(y) - float(tip_y), float(tip_x) - float(x))
        for (x, y), (tip_x, tip_y) in pairs
    ]


def test_a_hand_starts_at_the_right_and_turns_against_the_clock():
    angles = [[0.0, 0.5, 1.5], [3.0, -1.0, 2 * math.pi + 1.0]]
    expected = [0.0, 0.5, 1.5, 3.0, -1.0, 1.0]
    assert hands(drawing.dials(angles, alt="Six dials.")) == pytest.approx(expected, abs=0.02)


def test_each_row_and_column_has_its_name():
    picture = drawing.dials([[0, 1]], row_names=["t = 7"], column_names=["fast", "slow"])
    assert all(f">{name}</text>" in picture.body for name in ("t = 7", "fast", "slow"))


def test_a_curve_stops_where_it_has_no_value():
    picture = drawing.curves({"short": [1, 2, None, None], "long": [1, 2, 3, 4]}, alt="Two lines.")
    lines = re.findall(r'points="([^"]+)"[^>]*stroke-width="2.2"', picture.body)
    assert [len(points.split()) for points in lines] == [2, 4]


def test_an_edge_is_a_vertical_line_at_its_place():
    picture = drawing.curves({"": [0, 1, 2]}, alt="A line.", edge=1)
    edge = re.search(r'points="([\d.]+),([\d.]+) ([\d.]+),([\d.]+)"[^>]*op-quiet', picture.body)
    curve = re.search(r'points="([^"]+)"[^>]*stroke-width="2.2"', picture.body)[1].split()
    assert edge[1] == edge[3] == curve[1].split(",")[0]
    assert edge[2] != edge[4]
