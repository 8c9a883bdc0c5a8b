"""The position experiment: the committed results are current, and the script still works."""

import dataclasses
import importlib.util
import json
import math
from pathlib import Path

import pytest
import torch

import oneprompt as op
from oneprompt.checkpoints.own import ASSETS, read_metadata
from oneprompt.config import CHOICES
from oneprompt.corpus.documents import text_hash, training_documents

SCRIPT = Path(__file__).parents[2] / "experiments" / "position.py"
SCHEMES = CHOICES["position"]


def load_script():
    spec = importlib.util.spec_from_file_location("position_experiment", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


script = load_script()
COMMITTED = json.loads(script.RESULTS.read_text(encoding="utf-8"))
TINY = script.Settings(
    steps=2, batch_size=2, trained_length=16, tested_length=32, test_documents=40, seeds=(0,)
)


def assert_structure(results: dict, settings) -> None:
    """All schemes and seeds, and as many means as fit; the learned table has no more rows."""
    expected = json.loads(json.dumps(dataclasses.asdict(settings)))
    found = dict(results["settings"])
    assert found.pop("test_rows") > 0
    assert found == expected
    short, long = (
        n // settings.positions_per_mean for n in (settings.trained_length, settings.tested_length)
    )
    for name, sizes in (
        ("losses", {scheme: short if scheme == "learned" else long for scheme in SCHEMES}),
        ("restarted", dict.fromkeys(SCHEMES, long - short)),
    ):
        assert results[name].keys() == set(SCHEMES)
        for scheme, runs in results[name].items():
            assert [len(run) for run in runs] == [sizes[scheme]] * len(settings.seeds)
            assert all(math.isfinite(x) and x > 0 for run in runs for x in run)


def test_committed_results_are_a_full_run_of_the_script():
    assert_structure(COMMITTED, script.Settings())


def test_committed_results_belong_to_the_shipped_models_text():
    shipped = read_metadata(ASSETS / "reference.safetensors")["training_text"]
    assert COMMITTED["training_text"] == shipped


@pytest.mark.slow
def test_a_tiny_run_has_the_same_structure_and_repeats_itself():
    documents, tokenizer = training_documents(200), op.load_tokenizer()
    results = script.experiment(documents, tokenizer, TINY)
    assert results.keys() == COMMITTED.keys()
    assert_structure(json.loads(json.dumps(results)), TINY)
    assert results["training_text"] == text_hash(documents)
    assert script.experiment(documents, tokenizer, TINY) == results


class Uniform:
    """A model that finds every token of a vocabulary of 8 equally likely, but never token 0."""

    def __call__(self, ids):
        logits = torch.zeros(*ids.shape, 9)
        logits[..., 0] = -math.inf
        return logits


class Counting:
    """A model whose loss says how many tokens it has read: -log p(next) is the position."""

    def __call__(self, ids):
        log_p = -torch.arange(1.0, ids.shape[1] + 1)  # log-probability of token 1
        rest = torch.log1p(-log_p.exp())
        return torch.stack((rest, log_p), dim=-1).expand(len(ids), -1, -1)


def test_loss_by_position_worked_by_hand():
    rows = torch.ones(70, 5, dtype=torch.int64)  # more rows than one batch of the function
    assert script.loss_by_position(Uniform(), rows).tolist() == pytest.approx([math.log(8)] * 4)
    assert script.loss_by_position(Counting(), rows).tolist() == pytest.approx([1, 2, 3, 4])


def test_restarted_windows_score_their_second_half():
    rows = torch.ones(3, 17, dtype=torch.int64)  # positions 0 to 15
    found = script.restarted(Counting(), rows, length=8)
    # Positions 8 to 15: windows from 4 and from 8, in each the 5th to the 8th token.
    assert found.tolist() == pytest.approx([5, 6, 7, 8] * 2)


def test_means_are_taken_over_neighboring_positions():
    assert script.rounded_means(torch.tensor([1.0, 2.0, 3.0, 5.0]), 2) == [1.5, 4.0]
