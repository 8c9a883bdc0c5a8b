"""From logits to probabilities, draws and random numbers: JavaScript and Python agree."""

import itertools

import pytest
import torch
from sampler_grid import GRID, NAMES, sampling_of
from scipy import stats

from oneprompt import PROMPT
from oneprompt.explorers.shared import SAMPLE_ORDERS
from oneprompt.sample import Sampling, draw, entropy, probabilities

MODULE = "js/sample.js"
HISTORY = [3, 7, 11, 11, 20]
ORDERS = (
    Sampling().order,
    ("top_p", "repetition_penalty", "top_k", "temperature", "min_p"),
    ("repetition_penalty", "top_k", "top_p", "min_p", "temperature"),
    ("min_p", "temperature", "top_p", "top_k", "repetition_penalty"),
)
# Every value of a setting with every value of the others.
ALL_VALUES = [dict(zip(NAMES, values, strict=True)) for values in itertools.product(
    [0.0, 0.05, 1.0, 2.0], [0, 1, 7, 1000], [0.05, 0.6, 1.0], [0.0, 0.1, 1.0], [0.5, 1.0, 1.3],
    ORDERS,
)]  # fmt: skip


def random_logits() -> torch.Tensor:
    logits = 3 * torch.randn(300, generator=torch.Generator().manual_seed(4))
    logits[11] = logits[7]  # of equal logits the lower id comes first
    return logits


def assert_distributions_are_pythons(node, logits, grid, history) -> None:
    """Under each of the settings, to 1e-6, with their entropies."""
    found = node.run(
        """({ logits, grid, history }) => grid.map((settings) => {
          const { probabilities } = distribution(logits, settings, history);
          return [probabilities, entropyBits(probabilities)];
        })""",
        MODULE,
        argument={"logits": logits.tolist(), "grid": grid, "history": history},
    )
    for settings, (in_js, bits) in zip(grid, found, strict=True):
        expected = probabilities(logits, sampling_of(settings), history)
        torch.testing.assert_close(
            torch.tensor(in_js, dtype=torch.float64), expected, rtol=0, atol=1e-6, msg=str(settings)
        )
        assert bits == pytest.approx(entropy(expected), abs=1e-6), settings


def test_probabilities_equal_pythons(node, model, tokenizer):
    ids = tokenizer.encode(PROMPT)
    with torch.no_grad():
        logits = model(torch.tensor([ids]))[0, -1]
    assert_distributions_are_pythons(node, logits, GRID, ids)


def test_probabilities_equal_pythons_for_all_values_of_all_settings(node):
    assert_distributions_are_pythons(node, random_logits(), ALL_VALUES, HISTORY)


def test_engines_keep_as_many_tokens_as_in_python(node):
    settings = dict(zip(NAMES, (2.0, 50, 0.8, 0.1, 1.1), strict=False))
    kept = node.run(
        "({ settings, data }) => keptByEngines({ ...settings, data })",
        "explorers/sample/engines.js",
        argument={
            "settings": settings,
            "data": {"logits": random_logits().tolist(), "history": HISTORY},
        },
    )
    expected = [
        int((probabilities(random_logits(), sampling_of(settings | {"order": order}), HISTORY) > 0)
            .sum())
        for order in SAMPLE_ORDERS
    ]  # fmt: skip
    assert kept == expected
    assert len(set(kept)) == 3


def test_draws_equal_pythons(node):
    p = probabilities(random_logits(), Sampling(top_p=0.9))
    uniforms = node.run("Array.from({ length: 500 }, (_, n) => uniform(3, n))", MODULE)
    script = "([p, us]) => us.map((u) => drawToken(p, u))"
    ids = node.run(script, MODULE, argument=[p.tolist(), uniforms])
    assert all(0 <= u < 1 for u in uniforms)
    assert ids == [draw(p, u) for u in uniforms]


def test_random_numbers_are_uniform(node):
    uniforms = node.run("Array.from({ length: 20000 }, (_, n) => uniform(0, n))", MODULE)
    assert stats.kstest(uniforms, "uniform").pvalue > 0.001
    assert len(set(uniforms)) > 19_990


def test_random_numbers_come_one_per_call(node):
    found = node.run("() => { const next = random(7); return [next(), next()]; }", MODULE)
    assert found == node.run("[uniform(7, 0), uniform(7, 1)]", MODULE)
