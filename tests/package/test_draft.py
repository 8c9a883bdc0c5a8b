"""What drafts propose, and the distributions that they say they drew from."""

import random
from collections import Counter

import pytest
import torch
from chi_square import SIGNIFICANCE, p_value
from models import TableModel, small_model

import oneprompt as op
from oneprompt.draft import ModelDraft, NGramTable, PromptLookup, certain
from oneprompt.sample import uniforms

SAMPLED = op.Sampling(temperature=0.8, top_p=0.9, repetition_penalty=1.2)


def propose(draft, ids, gamma=3):
    tokens, q = draft.propose(ids, gamma, op.GREEDY)
    assert q.shape == (len(tokens), draft.vocab_size)
    # The draft is certain: all of q is on the tokens.
    assert q.argmax(-1).tolist() == tokens
    assert torch.equal(q.sum(-1), q.amax(-1))
    return tokens


@pytest.mark.parametrize(
    ("ids", "tokens"),
    [
        ([1, 2, 3, 4, 9, 1, 2, 3], [4, 9, 1]),  # what followed 1 2 3
        ([1, 2, 3, 4, 2, 3, 5, 1, 2, 3], [4, 2, 3]),  # three ids decide before two
        ([7, 3, 4, 8, 3, 5, 6, 3], [5, 6, 3]),  # of two copies of 3 the later one
        ([5, 5, 5], [5, 5, 5]),  # the copy runs on into what it has just copied
        ([9, 1, 2, 1, 2], [1, 2, 1]),
        ([1, 2, 3, 4], []),
        ([1], []),
    ],
)
def test_prompt_lookup_worked_by_hand(ids, tokens):
    assert propose(PromptLookup(vocab_size=10), ids) == tokens


def test_prompt_lookup_looks_no_further_than_it_should():
    ids = [1, 2, 3, 4, 2, 3, 5, 1, 2, 3]
    assert propose(PromptLookup(vocab_size=10, longest=2), ids) == [5, 1, 2]
    assert propose(PromptLookup(vocab_size=10), ids, gamma=1) == [4]
    assert propose(PromptLookup(vocab_size=10), ids, gamma=0) == []


def test_the_ngram_table_worked_by_hand():
    documents = [[1, 2, 3, 4], [1, 2, 5], [8, 2, 5], [6, 7, 9], [6, 7, 9], [0, 7, 8], [7, 8]]
    table = NGramTable(documents, vocab_size=10, n=3)
    assert propose(table, [1, 2]) == [3, 4]  # a tie of 3 and 5 after 1 2: the lower id
    assert propose(table, [0, 2]) == [5]  # 0 2 is unknown: after 2 alone, 5 is most frequent
    assert propose(table, [6]) == [7, 9]  # nothing is known after 9
    assert propose(table, [5, 7]) == [8, 2, 5]  # a tie of 8 and 9 after 7, then 2 after 8
    assert propose(table, [0, 6], gamma=1) == [7]
    assert propose(table, [0, 4]) == propose(table, [6], gamma=0) == []


def test_ngram_table_uses_at_most_n_minus_1_ids():
    documents = [[1, 2, 3, 4], [9, 2, 3, 5], [8, 2, 3, 5]]
    assert propose(NGramTable(documents, vocab_size=10, n=4), [1, 2, 3], gamma=1) == [4]
    assert propose(NGramTable(documents, vocab_size=10, n=3), [1, 2, 3], gamma=1) == [5]


def test_certain_is_one_at_each_token():
    tokens, q = certain([2, 0], vocab_size=3)
    assert (tokens, q.tolist()) == ([2, 0], [[0, 0, 1], [1, 0, 0]])


@pytest.mark.parametrize("sampling", [op.GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_a_model_draft_reports_the_distribution_it_drew_from(sampling):
    """q is the draft model's own distribution, whatever became of the earlier proposals.

    The text grows as speculative decoding makes it grow: by none, some or all of the drafted ids
    and one more; now and then it is another text altogether, which the cache must not survive.
    """
    model, rng = small_model(seed=2), random.Random(0)
    draft, text = ModelDraft(model, uniforms(0)), [3, 1]
    for _ in range(30):
        tokens, q = draft.propose(text, rng.randint(1, 5), sampling)
        assert 1 <= len(tokens) <= 5
        for i, token in enumerate(tokens):
            with torch.no_grad():
                logits = model(torch.tensor([text + tokens[:i]]))[0, -1]
            expected = op.probabilities(logits, sampling, text + tokens[:i])
            # float32 logits; top-p could cut one more token only at a near-tie, which no seed has.
            torch.testing.assert_close(q[i], expected, atol=1e-4, rtol=0)
            assert q[i, token] > 0
        text = text + tokens[: rng.randint(0, len(tokens))] + [rng.randrange(31)]
        if len(text) > 33 or rng.random() < 0.1:
            text = [rng.randrange(31) for _ in range(rng.randint(1, 12))]


def test_a_model_draft_draws_from_q():
    """5,000 draws, chi-square; without the draw's uniform numbers it would repeat itself."""
    draft = ModelDraft(TableModel.random(6, seed=1), uniforms(0))
    drawn = [draft.propose([2], 1, op.Sampling()) for _ in range(5_000)]
    exact = dict(enumerate(drawn[0][1][0].tolist()))
    assert p_value(Counter(tokens[0] for tokens, _ in drawn), exact) > SIGNIFICANCE


@pytest.mark.parametrize(
    ("n_ids", "n_tokens"), [(35, 4), (37, 4), (38, 3), (40, 1), (41, 0), (60, 0)]
)
def test_a_model_draft_stops_at_the_end_of_its_context(n_ids, n_tokens):
    """A context of 40 reads 40 ids and proposes the 41st; longer texts it cannot read."""
    tokens, q = ModelDraft(small_model()).propose([1] * n_ids, 4, op.GREEDY)
    assert len(tokens) == n_tokens
    assert q.shape == (n_tokens, 31)


def test_a_model_draft_reads_nothing_twice():
    class Counting(TableModel):
        read = 0

        def __call__(self, ids, *args, **kwargs):
            self.read += ids.shape[1]
            return super().__call__(ids, *args, **kwargs)

    model = Counting(TableModel.random(6, seed=1).table, context_length=40)
    draft, text = ModelDraft(model, uniforms(0)), [1, 2, 3]
    for _ in range(5):  # full acceptance and one more id each time
        tokens, _ = draft.propose(text, 3, op.GREEDY)
        text = [*text, *tokens, 0]
    assert draft.passes == 15
    # All of the text but its last two ids: the last draft and what came after were never read.
    assert model.read == len(text) - 2


def test_tokens_and_distributions_must_match():
    draft = ModelDraft(small_model(), uniforms(0))
    for gamma in range(5):
        tokens, q = draft.propose([1, 2], gamma, SAMPLED)
        assert q.shape == (len(tokens), draft.vocab_size) == (gamma, 31)


def test_lookups_need_something_to_look_for():
    for longest, error in ((0, ValueError), (1.5, TypeError)):
        with pytest.raises(error, match="longest must be"):
            PromptLookup(9, longest)
    for n, error in ((1, ValueError), ("4", TypeError)):
        with pytest.raises(error, match="n must be"):
            NGramTable([[1, 2]], 9, n)
