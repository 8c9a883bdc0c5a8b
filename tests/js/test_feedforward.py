"""explorers/feedforward/state.js: what is shown for one token's units, in edge cases."""

import pytest
import torch

from oneprompt.explorers.feedforward.explorer import token_units

MODULE = "explorers/feedforward/state.js"


@pytest.mark.parametrize(
    ("z", "hidden"),
    [
        ([-100.0] * 9, [0.0] * 9),  # no unit writes anything, and all inputs are beyond the bins
        ([-3.0, 99, 0, 0.5, 31.9, 32, -32, -32.1, 1], [0.0, 99, 0, 0.5, 31.9, 32, 0, 0, 1]),
        ([1.0] * 9, [2.0] * 9),  # all write the same
    ],
)
def test_units_at_the_edges_are_shown_as_python_shows_them(node, z, hidden):
    lengths = [1.0, 0.5, 2, 1, 1, 1, 1, 1, 1]
    found = node.run(
        "({ z, hidden, lengths }) => tokenUnits(z, hidden, lengths)",
        MODULE,
        argument={"z": z, "hidden": hidden, "lengths": lengths},
    )
    expected = token_units(*map(torch.tensor, (z, hidden, lengths)))
    units = found.pop("units"), expected.pop("units")
    assert found == expected
    for one, other in zip(*units, strict=True):
        assert one == pytest.approx(other, abs=1e-3)
