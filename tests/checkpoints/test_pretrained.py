"""Checkpoints of every family give the logits and texts of `transformers`."""

import pytest
import torch
from checkpoints import SHAPES, TOLERANCE, differences, random_ids, saved_model

import oneprompt as op


@pytest.fixture(scope="module", params=SHAPES, ids=", ".join)
def pair(request, tmp_path_factory):
    """A random `transformers` model and what we load from it."""
    folder = tmp_path_factory.mktemp("checkpoint")
    theirs = saved_model(folder, *SHAPES[request.param])
    ours, tokenizer = op.load_pretrained(folder)
    assert tokenizer is None  # the folder has none
    return theirs, ours


def test_logits_are_those_of_transformers(pair):
    """One text and several, with and without a cache, past every sliding window of the shapes."""
    theirs, ours = pair
    found = differences(theirs, ours)
    assert max(found.values()) <= TOLERANCE, found
    assert theirs(random_ids(1, 20)).logits.std() > 1  # logits that a mistake would change


def test_the_trace_has_the_logits_of_transformers(pair):
    """This covers the hand-written attention too."""
    theirs, ours = pair
    ids = random_ids(2, 30)
    with torch.no_grad():
        torch.testing.assert_close(
            ours.trace(ids).logits, theirs(ids).logits, atol=TOLERANCE, rtol=0
        )


@torch.no_grad()
def test_greedy_text_is_that_of_transformers(pair):
    """Over 64 tokens; where it differs, the two best logits must be closer than the tolerance."""
    theirs, ours = pair
    prompt = random_ids(1, 7)
    expected = theirs.generate(
        prompt, attention_mask=torch.ones_like(prompt), do_sample=False, max_new_tokens=64,
        eos_token_id=None, pad_token_id=0,
    )[0]  # fmt: skip
    ids = prompt[0].tolist()
    found = torch.tensor(ids + op.generate(ours, ids, 64, stop_ids=()).ids)
    assert len(expected) == len(found) == 71
    if (different := (expected != found).nonzero()).numel():
        first = int(different[0])
        best = theirs(expected[None, :first]).logits[0, -1].topk(2).values
        assert best[0] - best[1] <= TOLERANCE, f"token {first} differs, and not by a near-tie"
