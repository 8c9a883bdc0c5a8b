"""Bars go to their side of zero; axes keep their names and their steps apart."""

import re

import pytest

from oneprompt.notebook import drawing
from oneprompt.notebook.drawing.marks import text_width


def axis_labels(x_name: str) -> dict[str, tuple[float, float]]:
    """The texts under the axis: where they begin or end or have their middle, and how deep."""
    svg = drawing.curves(
        {"a": [0, 1, 3]}, x=[1, 2, 10], x_name=x_name, alt="Rises."
    )._repr_mimebundle_()
    texts = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)<', svg["image/svg+xml"])
    return {text: (float(x), float(y)) for x, y, text in texts}


@pytest.mark.parametrize("x_name", ["step", "tenth of the pairs, by how alike their places are"])
def test_the_name_of_the_x_axis_stands_free(x_name):
    labels = axis_labels(x_name)
    middle, depth = labels[x_name]
    (first, line), (last, _) = labels["1"], labels["10"]
    between = first + text_width("1") < middle - text_width(x_name) / 2 and middle + text_width(
        x_name
    ) / 2 < last - text_width("10")
    assert between if depth == line else depth > line + 14
    assert labels["a"][1] > depth + 14


def test_by_factors_each_tenfold_is_one_step():
    """The dots of three named points lie on the line, and so do thin lines at 10 and at 100."""
    points = {"a": (1, 2), "b": (10, 20), "c": (1000, 2000)}
    picture = drawing.curves({"": [2, 2000]}, x=[1, 1000], log=True, names=points, alt="A line.")
    dots = [
        (float(x), float(y)) for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', picture.body)
    ]
    (x1, y1), (x2, y2), (x3, y3) = dots
    assert x3 - x1 == pytest.approx(3 * (x2 - x1), abs=0.2)
    assert y3 - y1 == pytest.approx(3 * (y2 - y1), abs=0.2)
    thin = re.findall(r'points="([\d.]+),([\d.]+) ([\d.]+),([\d.]+)"[^>]*width="0.5"', picture.body)
    upright = [float(x) for x, _, end, _ in thin if x == end]
    assert upright == pytest.approx([x2, x2 + (x2 - x1)], abs=0.2)
    assert len(thin) - len(upright) == 3  # at 10, 100 and 1,000


def bar_spans(picture) -> list[tuple[float, float]]:
    """Where each bar begins and ends."""
    found = re.findall(r'<rect x="([\d.]+)"[^>]* width="([\d.]+)"', picture.body)
    return [(float(x), float(x) + float(width)) for x, width in found]


@pytest.mark.parametrize("lit", [[], ["less"]])
def test_a_negative_bar_goes_to_the_left_of_zero(lit):
    picture = drawing.bars({"more": 3, "less": -1, "same": 1}, lit=lit, alt="Bars.")
    more, less, same = bar_spans(picture)
    assert less[1] == more[0] == same[0]
    lengths = [end - begin for begin, end in (more, less, same)]
    assert lengths == pytest.approx([135, 45, 45], abs=0.2)
    zero = re.findall(r'<polyline points="([\d.]+),[\d.]+ ([\d.]+),', picture.body)
    assert [float(x) for x in zero[0]] == [more[0]] * 2


def test_bars_without_a_negative_begin_behind_their_names():
    picture = drawing.bars({"a": 2, "bb": 0}, length=100, alt="Bars.")
    (left, end), (start, _) = bar_spans(picture)
    assert left == start == pytest.approx(text_width("bb") + 8, abs=0.1)
    assert end - left == 100
    assert "<polyline" not in picture.body
