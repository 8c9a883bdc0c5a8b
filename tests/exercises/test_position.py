"""The checks of chapter 3's exercises: right, not attempted, and wrong with the cause named."""

import math

import pytest
import torch
from exercises import assert_wrong

from oneprompt.checks import diagnose
from oneprompt.position import rope_frequencies, rotate


def test_untouched_exercises_are_not_attempted():
    assert diagnose("position.by_hand", ...).status == "not attempted"
    assert diagnose("position.turn_pairs", lambda x, angles: ...).status == "not attempted"
    assert diagnose("position.partial_rope", lambda x, t, n, theta: None).status == "not attempted"


# By hand


@pytest.mark.parametrize(
    "answer", [[-3, -2, 1, -4], (-3.0, -2, 1, -4), torch.tensor([-3, -2, 1, -4])]
)
def test_a_right_answer_by_hand_is_accepted(answer):
    assert diagnose("position.by_hand", answer).status == "right"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([-2, 1, -3, -4], "neighbors were paired"),
        ([3, -2, -1, -4], "turned the other way"),
        ([-1, -4, -3, 2], "the angles are exchanged"),
        ([-3, -4, 1, 2], "both pairs were turned by 90"),
        ([-1, -2, -3, -4], "both pairs were turned by 180"),
        ([-3, 2, 1, 4], "pair 1 was left"),
        ([1, -2, 3, -4], "pair 0 was left"),
        ([3, -2, 1, -4], "has to change its sign"),
        ([-3, 1, -2, -4], "back to its own place"),
        ([-3, -2, 1], "the shape is (3,) and should be (4,)"),
        ([0, 0, 0, 0], "got:      [0, 0, 0, 0]"),
    ],
)
def test_a_wrong_answer_by_hand_is_told_why(answer, words):
    assert_wrong("position.by_hand", answer, words)


def test_an_exercise_by_hand_does_not_reveal_the_answer():
    assert "-3, -2, 1, -4" not in diagnose("position.by_hand", [0, 0, 0, 0]).message


# Rebuild


def by_loops(x, angles):
    n = angles.shape[1]
    result = torch.zeros_like(x)
    for t in range(len(x)):
        for i in range(n):
            a, b, angle = x[t, i], x[t, i + n], angles[t, i]
            result[t, i] = a * math.cos(angle) - b * math.sin(angle)
            result[t, i + n] = a * math.sin(angle) + b * math.cos(angle)
    return result


def by_complex_numbers(x, angles):
    n = angles.shape[1]
    turned = torch.complex(x[:, :n], x[:, n:]) * torch.exp(1j * angles)
    return torch.cat((turned.real, turned.imag), dim=-1)


def by_rotate_half(x, angles):
    """As transformers does it."""
    a, b = x.chunk(2, dim=-1)
    both = torch.cat((angles, angles), dim=-1)
    return x * both.cos() + torch.cat((-b, a), dim=-1) * both.sin()


@pytest.mark.parametrize("solution", [by_loops, by_complex_numbers, by_rotate_half])
def test_a_right_turn_pairs_is_accepted(solution):
    assert diagnose("position.turn_pairs", solution).status == "right"


def overwriting(x, angles):
    n = angles.shape[1]
    a, b = x[:, :n], x[:, n:]
    a = a * angles.cos() - b * angles.sin()
    return torch.cat((a, a * angles.sin() + b * angles.cos()), dim=-1)


def without_a_sign(x, angles):
    a, b = x.chunk(2, dim=-1)
    first, second = a * angles.cos() + b * angles.sin(), a * angles.sin() + b * angles.cos()
    return torch.cat((first, second), dim=-1)


def joined_in_turn(x, angles):
    return torch.stack(by_loops(x, angles).chunk(2, dim=-1), dim=-1).flatten(-2)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, angles: rotate(x, angles, "interleaved"), "the interleaved pairing"),
        (lambda x, angles: rotate(x, -angles), "wrong way"),
        (joined_in_turn, "right but interleaved"),
        (lambda x, angles: by_loops(x, angles).roll(3, dims=-1), "changed places"),
        (overwriting, "both use the old numbers"),
        (without_a_sign, "a sign is missing"),
        (lambda x, angles: rotate(x, torch.deg2rad(angles)), "radians already"),
        (lambda x, angles: rotate(x, angles[0]), "position t has angles[t]"),
        (lambda x, angles: list(by_loops(x, angles)), "torch.stack"),
        (lambda x, angles: rotate(x, angles)[:, :3], "the shape is (5, 3) and should be (5, 6)"),
        (lambda x, angles: x * angles, "raised RuntimeError"),
        (lambda x, angles: x, "got:"),
    ],
)
def test_a_wrong_turn_pairs_is_told_why(answer, words):
    assert_wrong("position.turn_pairs", answer, words)


# Extend


def partial_by_package(x, positions, n_rotated, theta):
    return rotate(x, positions[:, None] * rope_frequencies(n_rotated, theta))


def partial_by_loops(x, positions, n_rotated, theta):
    angles = [
        [float(t) * theta ** (-2 * i / n_rotated) for i in range(n_rotated // 2)] for t in positions
    ]
    turned = by_loops(x[:, :n_rotated], torch.tensor(angles))
    return torch.cat((turned, x[:, n_rotated:]), dim=-1)


@pytest.mark.parametrize("solution", [partial_by_package, partial_by_loops])
def test_a_right_partial_rope_is_accepted(solution):
    assert diagnose("position.partial_rope", solution).status == "right"


def with_exponent_of_the_head(x, positions, n_rotated, theta):
    frequencies = rope_frequencies(x.shape[-1], theta)[: n_rotated // 2]
    return rotate(x, positions[:, None] * frequencies)


def at_the_end(x, positions, n_rotated, theta):
    start = x.shape[-1] - n_rotated
    turned = partial_by_package(x[:, start:], positions, n_rotated, theta)
    return torch.cat((x[:, :start], turned), dim=-1)


def across_the_head(x, positions, n_rotated, theta):
    half, n_pairs = x.shape[-1] // 2, n_rotated // 2
    pairs = [*range(n_pairs), *range(half, half + n_pairs)]
    result = x.clone()
    result[:, pairs] = partial_by_package(x[:, pairs], positions, n_rotated, theta)
    return result


def with_zeros(x, positions, n_rotated, theta):
    result = partial_by_package(x, positions, n_rotated, theta)
    result[:, n_rotated:] = 0
    return result


def interleaved(x, positions, n_rotated, theta):
    return rotate(x, positions[:, None] * rope_frequencies(n_rotated, theta), "interleaved")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, t, n, theta: partial_by_package(x, t, 8, theta), "the last numbers stay"),
        (with_exponent_of_the_head, "here it is n_rotated"),
        (lambda x, t, n, theta: partial_by_package(x, t, n, theta)[:, :n], "put them back"),
        (at_the_end, "and not the first"),
        (across_the_head, "pairs do not reach outside"),
        (interleaved, "neighbors were paired"),
        (lambda x, t, n, theta: partial_by_package(x, t - t[0], n, theta), "counted from 0"),
        (with_zeros, "became 0"),
        (lambda x, t, n, theta: partial_by_package(x, -t, n, theta), "wrong way"),
        (lambda x, t, n, theta: partial_by_package(x, t, n, 10_000.0), "use theta"),
        (lambda x, t, n, theta: x.tolist(), "one tensor"),
        (lambda x, t, n, theta: x @ x, "raised RuntimeError"),
        (lambda x, t, n, theta: x, "got:"),
    ],
)
def test_a_wrong_partial_rope_is_told_why(answer, words):
    assert_wrong("position.partial_rope", answer, words)
