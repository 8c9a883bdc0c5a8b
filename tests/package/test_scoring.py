"""The log-probabilities of a text equal those of single passes."""

import math

import pytest
import torch
from models import small_model

import oneprompt as op
from oneprompt.scoring import score, top_logprobs

IDS = [3, 1, 4, 1, 5, 9, 2, 6]


def test_each_token_has_its_probability_given_those_before():
    model = small_model()
    scored = score(model, IDS, top_n=3)
    assert [each.token_id for each in scored] == IDS
    assert scored[0].logprob is None
    for t in range(1, len(IDS)):
        with torch.no_grad():
            p = model(torch.tensor([IDS[:t]]))[0, -1].double().softmax(-1)
        # Logits from passes of other lengths differ by float32 rounding.
        assert scored[t].logprob == pytest.approx(math.log(p[IDS[t]]), abs=1e-4)
        best = p.topk(3)
        assert [token_id for token_id, _ in scored[t].top] == best.indices.tolist()
        assert [x for _, x in scored[t].top] == pytest.approx(best.values.log().tolist(), abs=1e-4)


def test_after_a_start_token_the_first_token_has_a_probability_too():
    model = small_model()
    after_start = score(model, IDS, start_id=0)
    assert after_start[0].logprob is not None
    whole = score(model, [0, *IDS])
    assert [each.logprob for each in after_start] == [each.logprob for each in whole[1:]]


def test_the_sum_is_the_loss_of_the_text():
    model = small_model()
    total = -sum(each.logprob for each in score(model, IDS)[1:])
    with torch.no_grad():
        logits = model(torch.tensor([IDS[:-1]]))
    loss = op.logits.cross_entropy(logits, torch.tensor([IDS[1:]]))
    assert total / (len(IDS) - 1) == pytest.approx(loss.item(), abs=1e-5)


def test_asking_for_more_tokens_than_exist_gives_all_of_them():
    assert len(top_logprobs(torch.zeros(7), 100)) == 7


def test_a_text_that_the_model_cannot_read_is_refused():
    with pytest.raises(ValueError, match="outside the vocabulary"):
        score(small_model(), [1, 99])
    with pytest.raises(TypeError, match="the prompt is text"):
        score(small_model(), "What?")
    with pytest.raises(ValueError, match="one text at a time can be scored, got 2"):
        score(small_model(), [[1, 2], [3, 4]])


def test_every_form_of_a_text_is_scored_alike():
    expected = score(small_model(), IDS)
    assert score(small_model(), torch.tensor([IDS])) == expected == score(small_model(), tuple(IDS))
