"""Logits are dot products with the rows of the table; the loss is -log p of what came."""

import math

import pytest
import torch

from oneprompt.logits import cross_entropy, perplexity, to_logits


def test_logits_are_dot_products():
    x, table = torch.randn(2, 3, 4), torch.randn(5, 4)
    logits = to_logits(x, table)
    assert logits.shape == (2, 3, 5)
    expected = sum(a * b for a, b in zip(x[1, 2].tolist(), table[3].tolist(), strict=True))
    assert logits[1, 2, 3].item() == pytest.approx(expected, abs=1e-5)  # four float32 products


def test_the_loss_is_the_mean_of_minus_log_p():
    p = torch.tensor([[[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]])
    expected = -(math.log(0.25) + math.log(0.6)) / 2
    # The second target is left out, and a constant added to the logits changes nothing.
    loss = cross_entropy(p.log() + 3, torch.tensor([[1, -100, 2]]))
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_the_perplexity_of_equally_likely_tokens_is_their_number():
    loss = cross_entropy(torch.zeros(1, 4, 10), torch.arange(4)[None])
    assert perplexity(loss.item()) == pytest.approx(10, rel=1e-5)


def test_a_loss_without_a_target_is_refused():
    with pytest.raises(ValueError, match="every target is -100"):
        cross_entropy(torch.zeros(1, 2, 5), torch.full((1, 2), -100))


def test_a_loss_too_large_for_exp_has_an_infinite_perplexity():
    assert perplexity(1000) == math.inf
