"""js/position.js: the position schemes on a page, against oneprompt/position.py."""

import math

import pytest
import torch

from oneprompt.position import (
    PAIRINGS,
    alibi_bias,
    alibi_slopes,
    rope_frequencies,
    rotate,
    sinusoidal,
)

MODULE = "js/position.js"


def test_sinusoids_equal_pythons(node):
    found = torch.tensor(node.run("([N, D]) => sinusoidal(N, D)", MODULE, argument=[32, 192]))
    assert torch.allclose(found, sinusoidal(torch.arange(32), 192), rtol=0, atol=1e-5)


@pytest.mark.parametrize("pairing", PAIRINGS)
def test_pairs_turn_as_in_python(node, pairing):
    x = torch.randn(1, 1, 300, 8, generator=torch.Generator().manual_seed(0)).double()
    frequencies = rope_frequencies(8, 1000.0).double()
    expected = rotate(x, torch.arange(300)[:, None] * frequencies, pairing)[0, 0]
    found = node.run(
        """({ x, frequencies, pairing }) => x.map((row, position) => {
          const result = new Array(row.length);
          frequencies.forEach((frequency, i) => {
            const [a, b] = pairCoordinates(i, frequencies.length, pairing);
            [result[a], result[b]] = turn([row[a], row[b]], angleAt(position, frequency));
          });
          return result;
        })""",
        MODULE,
        argument={"x": x[0, 0].tolist(), "frequencies": frequencies.tolist(), "pairing": pairing},
    )
    assert torch.allclose(torch.tensor(found, dtype=torch.double), expected, rtol=0, atol=1e-9)


def test_a_wavelength_is_one_whole_turn(node):
    frequencies = rope_frequencies(32, 100_000.0).tolist()
    turns = node.run(
        "(all) => all.map((w) => angleAt(wavelength(w), w))", MODULE, argument=frequencies
    )
    assert turns == pytest.approx([2 * math.pi] * 16)


def test_scores_are_shifted_as_alibi_shifts_them(node):
    bias = alibi_bias(6, torch.tensor([31]), torch.arange(32))[:, 0].flip(-1)
    found = node.run(
        "(slopes) => slopes.map((m) => Array.from({ length: 32 }, (_, d) => alibiShift(m, d)))",
        MODULE,
        argument=alibi_slopes(6).tolist(),
    )
    assert torch.equal(torch.tensor(found), bias)
