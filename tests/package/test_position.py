"""Position schemes against the same formulas written in another form."""

import cmath
import math

import pytest
import torch

from oneprompt.position import (
    PAIRINGS,
    alibi_bias,
    alibi_slopes,
    interleaved_to_halves,
    rope_frequencies,
    rotate,
    sinusoidal,
    turn,
    turns_of,
)

LLAMA3 = {
    "type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_context_length": 8192,
}


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_sinusoidal_positions_equal_the_formula():
    d_model, positions = 10, [0, 1, 2, 100, 255]
    expected = [
        [
            (math.sin if j % 2 == 0 else math.cos)(t / 10_000 ** (2 * (j // 2) / d_model))
            for j in range(d_model)
        ]
        for t in positions
    ]
    found = sinusoidal(torch.tensor(positions), d_model)
    # The angle goes up to 255, where float32 has a spacing of 1.5e-5.
    torch.testing.assert_close(found, torch.tensor(expected), atol=5e-5, rtol=0)


def complex_rotation(x: list[float], position: int, theta: float, n_rotated: int, pairing: str):
    """RoPE of one head at one position: each pair a + ib times e^(i · position · frequency)."""
    turned, n_pairs = list(x), n_rotated // 2
    for i in range(n_pairs):
        first, second = (i, i + n_pairs) if pairing == "halves" else (2 * i, 2 * i + 1)
        angle = position * theta ** (-2 * i / n_rotated)
        z = complex(x[first], x[second]) * cmath.exp(1j * angle)
        turned[first], turned[second] = z.real, z.imag
    return turned


@pytest.mark.parametrize("pairing", PAIRINGS)
@pytest.mark.parametrize("n_rotated", [8, 4, 2])
def test_rotation_equals_complex_multiplication(pairing, n_rotated):
    x, positions, theta = randn(2, 3, 5, 8), [0, 1, 2, 50, 255], 10_000.0
    angles = torch.tensor(positions)[:, None] * rope_frequencies(n_rotated, theta)
    found = rotate(x, angles, pairing)
    expected = [
        [
            [complex_rotation(v.tolist(), t, theta, n_rotated, pairing)
             for v, t in zip(head, positions, strict=True)]
            for head in row
        ]
        for row in x
    ]  # fmt: skip
    # Angles up to 255 in float32 are right to 1.5e-5, and |x| reaches about 3.
    torch.testing.assert_close(found, torch.tensor(expected), atol=1e-4, rtol=0)
    assert torch.equal(found[..., n_rotated:], x[..., n_rotated:])  # the rest is unchanged


@pytest.mark.parametrize("pairing", PAIRINGS)
@pytest.mark.parametrize("n_rotated", [8, 4, 2])
def test_the_rotation_that_the_model_runs_equals_the_formula(pairing, n_rotated):
    x, angles = randn(2, 3, 300, 8), torch.arange(300)[:, None] * rope_frequencies(n_rotated)
    found = turn(x, turns_of(angles, pairing), pairing)
    # The same products, added in another order: one rounding of numbers up to about 5.
    torch.testing.assert_close(found, rotate(x, angles, pairing), atol=1e-6, rtol=0)


@pytest.mark.parametrize("pairing", PAIRINGS)
def test_scores_depend_on_the_distance_alone(pairing):
    q, k = randn(1, 1, 1, 16, seed=1), randn(1, 1, 1, 16, seed=2)
    frequencies = rope_frequencies(16)

    def score(query_position, key_position):
        turned = (
            rotate(x, torch.tensor([[float(t)]]) * frequencies, pairing)
            for x, t in ((q, query_position), (k, key_position))
        )
        return math.prod(turned).sum().item()

    # 16 products of size about 1, at angles right to 1.5e-5.
    assert score(7, 3) == pytest.approx(score(204, 200), abs=5e-4)
    assert abs(score(7, 3) - score(7, 4)) > 0.01
    assert score(5, 5) == pytest.approx((q * k).sum().item(), abs=1e-4)


def test_a_permutation_turns_one_pairing_into_the_other():
    x, angles = randn(2, 3, 6, 12), torch.arange(6.0)[:, None] * rope_frequencies(12)
    order = interleaved_to_halves(12)
    found = rotate(x[..., order], angles, "halves")
    assert torch.equal(rotate(x, angles, "interleaved")[..., order], found)
    assert not torch.allclose(rotate(x, angles, "halves")[..., order], found, atol=0.1)


def llama3_frequency(frequency: float) -> float:
    """Llama 3.1's rule in terms of wavelengths, for one pair."""
    wavelength = 2 * math.pi / frequency
    n, low, high = 8192, LLAMA3["low_freq_factor"], LLAMA3["high_freq_factor"]
    if wavelength < n / high:
        return frequency
    if wavelength > n / low:
        return frequency / LLAMA3["factor"]
    smooth = (n / wavelength - low) / (high - low)
    return (1 - smooth) * frequency / LLAMA3["factor"] + smooth * frequency


def test_frequencies_and_their_scaling():
    plain = [500_000.0 ** (-2 * i / 64) for i in range(32)]
    scaled = [llama3_frequency(f) for f in plain]
    ratios = {round(s / f, 6) for s, f in zip(scaled, plain, strict=True)}
    assert {1.0, 0.125} < ratios  # all three branches occur
    # float32 powers are right to about 1e-6 of their size.
    for scaling, expected in (
        (None, plain),
        ({"type": "linear", "factor": 4.0}, [f / 4 for f in plain]),
        (LLAMA3, scaled),
    ):
        found = rope_frequencies(64, 500_000.0, scaling)
        torch.testing.assert_close(found, torch.tensor(expected), rtol=3e-6, atol=0)


def slopes_of_the_paper(n: int) -> list[float]:
    """The recursion of the ALiBi authors' code: a geometric series, or two of them."""
    exponent = math.log2(n)
    if exponent.is_integer():
        start = 2 ** (-(2 ** -(exponent - 3)))
        return [start * start**i for i in range(n)]
    closest = 2 ** math.floor(exponent)
    return slopes_of_the_paper(closest) + slopes_of_the_paper(2 * closest)[::2][: n - closest]


def test_alibi_slopes_are_the_papers_for_any_number_of_heads():
    expected = {n_heads: slopes_of_the_paper(n_heads) for n_heads in range(1, 34)}
    assert {n: alibi_slopes(n).tolist() for n in expected} == {
        n: pytest.approx(slopes, rel=1e-6) for n, slopes in expected.items()
    }


def test_known_alibi_slopes():
    eight = [2.0**-i for i in range(1, 9)]
    assert alibi_slopes(8).tolist() == eight
    twelve = [*eight, 2.0**-0.5, 2.0**-1.5, 2.0**-2.5, 2.0**-3.5]
    torch.testing.assert_close(alibi_slopes(12), torch.tensor(twelve))


def test_alibi_bias_grows_with_the_distance():
    bias = alibi_bias(2, torch.tensor([3, 4]), torch.arange(5))
    expected = [[[-s * (t - j) for j in range(5)] for t in (3, 4)] for s in (1 / 16, 1 / 256)]
    assert bias.tolist() == expected  # powers of two times small integers are exact


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sinusoidal(torch.arange(3), 7), "even d_model, got 7"),
        (lambda: rope_frequencies(7), "even number of coordinates, not 7"),
        (
            lambda: rope_frequencies(8, scaling={"type": "yarn"}),
            "'yarn'.*'linear' with .*'llama3' with",
        ),
        (lambda: rotate(randn(1, 1, 1, 4), randn(1, 2), "pairs"), "'pairs'; choose one .*halves"),
    ],
)
def test_meaningless_arguments_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
