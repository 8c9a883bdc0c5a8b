"""What is measured while a model is trained, and what the shipped history holds."""

import math

import pytest
import torch
from models import small_model

from oneprompt import PROMPT
from oneprompt.heads import HEAD_THRESHOLD, head_scores, repeated_sequences
from oneprompt.training.history import HISTORY, History, in_plane, load_history, words_for_map
from oneprompt.training.recipe import Recipe


@pytest.fixture(scope="module")
def shipped():
    return load_history()


def test_measurements_are_taken_when_the_recipe_says_so():
    history, model = History(), small_model(context_length=64)
    recipe = Recipe(steps=9, watch_every=4, first_tokens=8)
    for step in range(9):
        history.watch(recipe, step, model)
        history.add_loss(float(step))
    found = history.measurements
    assert [m["step"] for m in found] == [0, 4, 8]
    assert [m["loss"] for m in found] == [None, 1.5, 5.5]  # means of 0 to 3 and of 4 to 7
    assert [m["tokens"] for m in found] == [8, 8, 8]
    scores = head_scores(model, repeated_sequences(16, 30, 8))
    for pattern in ("previous", "induction"):
        torch.testing.assert_close(
            torch.tensor(found[2][pattern]), scores[pattern], rtol=0, atol=6e-4
        )


def test_copying_is_counted_from_the_first_induction_head_on():
    history = History()
    assert history.steps_since_copying is None
    for step, score in ((0, 0.0), (10, HEAD_THRESHOLD), (20, 0.6), (30, 0.4)):
        history.measurements.append({"step": step, "induction": [[0.0, 0.1], [score, 0.0]]})
    history.steps = 35
    assert history.steps_since_copying == 15


def test_points_lie_in_the_plane_in_which_the_last_vectors_vary_most():
    torch.manual_seed(0)
    last = torch.randn(50, 8) * torch.tensor([9, 1, 1, 5, 1, 1, 1, 1]) + 3
    first, points = in_plane([last + 7 * torch.eye(8)[5], last])
    assert points.std(0)[0] > points.std(0)[1] > 3
    for axis, column in ((0, 0), (1, 3)):
        turned = torch.corrcoef(torch.stack([points[:, axis], last[:, column]]))[0, 1]
        assert abs(turned) > 0.95
    # One shift of all vectors moves all points alike.
    torch.testing.assert_close((first - points).std(0), torch.zeros(2), rtol=0, atol=1e-5)


def test_the_map_has_the_prompts_tokens_and_frequent_words(tokenizer):
    texts = [tokenizer.encode(" learning " + " model" * 3 + " token token, a a a a")]
    found = words_for_map(texts, tokenizer)
    asked = tokenizer.encode(PROMPT)
    assert found[: len(asked)] == asked
    assert tokenizer.tokens(" model token") == [tokenizer.decode([t]) for t in found[len(asked) :]]


def test_the_shipped_history_is_small_and_whole(shipped, model):
    assert HISTORY.stat().st_size <= 300_000
    assert [name for name, _ in shipped["phases"]] == ["copying", "text", "finish"]
    n_layers, n_heads = model.config.n_layers, model.config.n_heads
    steps = [m["step"] for m in shipped["measurements"]]
    assert steps == sorted(set(steps))
    for m in shipped["measurements"]:
        assert m["loss"] is None or math.isfinite(m["loss"])
        for pattern in ("previous", "induction"):
            assert torch.tensor(m[pattern]).shape == (n_layers, n_heads)
    assert len(shipped["pictures"]) >= 8
    for picture in shipped["pictures"]:
        assert torch.tensor(picture["map"]).shape == (len(shipped["map_tokens"]), 2)


def test_the_shipped_history_ends_with_the_shipped_model(shipped, model, tokenizer):
    last = shipped["measurements"][-1]
    scores = head_scores(model, repeated_sequences(16, 30, model.config.vocab_size))
    for pattern in ("previous", "induction"):
        torch.testing.assert_close(torch.tensor(last[pattern]), scores[pattern], rtol=0, atol=2e-3)
    vectors = model.embedding.detach()[shipped["map_tokens"]]
    found = torch.tensor(shipped["pictures"][-1]["map"])
    torch.testing.assert_close(found, in_plane([vectors])[0], rtol=0, atol=0.02)
    assert tokenizer.encode(PROMPT) == shipped["map_tokens"][:5]


def test_the_abrupt_change_is_in_the_shipped_history(shipped):
    """Before it no head finds earlier copies; after it, within 100 steps, one does."""
    best = [(m["step"], max(map(max, m["induction"]))) for m in shipped["measurements"]]
    before = max(step for step, score in best if step < 500 and score < 0.1)
    after = min(step for step, score in best if score > HEAD_THRESHOLD)
    assert 100 < before < after <= before + 100
