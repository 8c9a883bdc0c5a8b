"""The drawing of who reads whom: a line for each weight that is not small."""

import re

import torch

from oneprompt.notebook import drawing

TOKENS = ["What", "is", "this"]
WEIGHTS = torch.tensor([[1.0, 0.0, 0.0], [0.6, 0.4, 0.0], [0.01, 0.1, 0.9]])


def lines(picture) -> list[tuple[str, float, float]]:
    """(color, width, opacity) of each line."""
    found = re.findall(
        r'stroke="([^"]+)" stroke-width="([^"]+)" stroke-opacity="([^"]+)"', picture.body
    )
    return [(color, float(width), float(opacity)) for color, width, opacity in found]


def test_a_line_is_as_thick_as_its_weight_and_small_weights_have_none():
    drawn = lines(drawing.reads(TOKENS, WEIGHTS, alt="three tokens"))
    assert [width for _, width, _ in drawn] == [6, 4, 3, 1.5, 5.5]


def test_the_lit_row_stands_out():
    drawn = lines(drawing.reads(TOKENS, WEIGHTS, lit=2, alt="three tokens"))
    assert [("orange" in color, opacity) for color, _, opacity in drawn] == (
        [(False, 0.2)] * 3 + [(True, 0.85)] * 2
    )
