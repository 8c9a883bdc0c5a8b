"""js/costs.js and what the explorer of serving shows, against Python."""

from itertools import product

import pytest

from oneprompt.costs import Times
from oneprompt.explorers import ScaleExplorer
from oneprompt.published import GPUS, MODELS

VIEW = "explorers/scale/view.js"
NUMBERS = ("v", "expected", "speedup", "memory")


@pytest.fixture(scope="module")
def states() -> list[tuple[dict, dict]]:
    """The explorer in many states, and what Python says of each."""
    explorer, found = ScaleExplorer(), []
    loads = product((16, 8, 4), (1, 64, 4096), (100, 8000, 128_000), (0, 5))
    machines = list(product(MODELS, GPUS))
    for i, (bits, batch, positions, gamma) in enumerate(loads):
        explorer.model, explorer.gpu = machines[5 * i % len(machines)]
        explorer.bits, explorer.batch, explorer.positions = bits, batch, positions
        explorer.gamma, explorer.alpha = gamma, (i % 5) / 4
        found.append((explorer.state(), explorer.numbers()))
    return found


def test_the_page_computes_what_python_computes(node, states):
    found = node.run("(all) => all.map(measure)", VIEW, argument=[state for state, _ in states])
    for shown, (_, expected) in zip(found, states, strict=True):
        for name in NUMBERS:
            assert shown[name] == pytest.approx(expected[name]), name
        for which in ("plain", "longer"):
            assert shown[which]["limit"] == expected[which]["limit"]
            for name in (*Times._fields, "seconds"):
                assert shown[which][name] == pytest.approx(expected[which][name]), name


def test_the_states_meet_every_limit_and_every_model(states):
    """Otherwise the comparison above would show little."""
    assert {numbers["plain"]["limit"] for _, numbers in states} == {*Times._fields}
    assert {state["model"] for state, _ in states} == {*MODELS}
    assert {state["gpu"] for state, _ in states} == {*GPUS}
    assert (
        min(numbers["speedup"] for _, numbers in states)
        < 1
        < max(numbers["speedup"] for _, numbers in states)
    )


def test_the_point_of_a_pass_lies_on_the_roof(node, states):
    found = node.run("(all) => all.map(measure)", VIEW, argument=[state for state, _ in states])
    for shown in found:
        for which in ("plain", "longer"):
            done, gpu = shown[which], shown["gpu"]
            roof = min(gpu["peak"], gpu["bandwidth"] * done["intensity"])
            assert done["flops"] / done["seconds"] == pytest.approx(roof)
