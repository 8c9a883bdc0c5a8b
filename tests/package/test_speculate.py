"""Speculative decoding changes only the speed: texts and distributions stay the target's."""

import itertools
import math
from collections import Counter
from functools import cache, partial

import pytest
import torch
from chi_square import SIGNIFICANCE, p_value
from models import (
    TableModel,
    config_of,
    counting_model,
    noisy_copy,
    random_choices,
    random_model,
    small_model,
)

import oneprompt as op
from oneprompt import draft as draft_module
from oneprompt import speculate
from oneprompt.draft import ModelDraft, NGramTable, PromptLookup, certain
from oneprompt.processors import LogitBias, RepetitionCost
from oneprompt.sample import draw, probabilities, uniforms
from oneprompt.speculate import expected_tokens_per_pass, residual

# Greedy: the target's text, token for token.

NEAR_TIE = 1e-4  # float32 logits of about 4, read in other chunks, differ by up to 2e-5


def assert_same_text(model, prompt, found: op.Generation, expected: op.Generation) -> None:
    """Equal, up to a position where the target itself can hardly tell its two best tokens apart."""
    pairs = enumerate(itertools.zip_longest(found.ids, expected.ids))
    differs = next((i for i, (a, b) in pairs if a != b), None)
    if differs is None:
        assert found.stop_reason == expected.stop_reason
        assert found.logprobs == pytest.approx(expected.logprobs, abs=NEAR_TIE)
        return
    with torch.no_grad():
        logits = model(torch.tensor([prompt + expected.ids[:differs]]))[0, -1]
    first, second = logits.topk(2).values.tolist()
    assert first - second < NEAR_TIE, f"{found.ids} instead of {expected.ids}"


def drafts_for(target, seed: int) -> dict:
    """From full to hardly any agreement, with networks and without."""
    shorter = small_model(seed=seed + 100, context_length=17)
    text = op.generate(target, [1], 30, stop_ids=()).ids
    return {
        "itself": target,
        "similar": noisy_copy(target, 0.05, seed),
        "other": small_model(seed=seed + 100),
        "shorter context": shorter,
        "prompt lookup": PromptLookup(target.config.vocab_size),
        "n-gram table": NGramTable([[1, *text], text[5:20]], target.config.vocab_size),
    }


# Prompt length, new ids, gamma; all but the first run to the end of the context of 40.
REQUESTS = ((1, 12, 1), (4, 60, 2), (9, 60, 5), (33, 60, 3), (40, 9, 4))


@pytest.mark.parametrize("seed", range(6))
def test_greedy_text_is_that_of_the_target(seed):
    """With every kind of draft, from full agreement to hardly any."""
    target = small_model(seed=seed)
    generator = torch.Generator().manual_seed(seed)
    for name, draft in drafts_for(target, seed).items():
        decoder = op.SpeculativeDecoder(target, draft)
        for n_prompt, max_new, gamma in REQUESTS:
            prompt = torch.randint(31, (n_prompt,), generator=generator).tolist()
            expected = op.generate(target, prompt, max_new, stop_ids=())
            found = decoder.generate(prompt, max_new, gamma=gamma, stop_ids=())
            assert_same_text(target, prompt, found, expected)
            assert found.target_passes <= expected.target_passes
            if name == "itself":
                assert found.accepted == found.drafted


@pytest.mark.parametrize("seed", range(20))
def test_greedy_text_of_every_variant(seed):
    """The target's cache is rolled back under every kind of position, window and kv head."""
    target = random_model(config_of(random_choices(seed)), seed)
    draft = noisy_copy(target, 0.1, seed)
    expected = op.generate(target, [5, 6, 7], 30)
    found = op.speculative_generate(target, draft, [5, 6, 7], 30, gamma=3)
    assert_same_text(target, [5, 6, 7], found, expected)


@pytest.mark.parametrize("max_new_tokens", range(9))
@pytest.mark.parametrize("gamma", [1, 2, 5])
def test_no_more_ids_come_than_are_wanted(max_new_tokens, gamma):
    """No id too many, wherever in a block of accepted ids the length ends."""
    model = counting_model()
    found = op.speculative_generate(model, ModelDraft(model), [3], max_new_tokens, gamma=gamma)
    assert found.ids == [(4 + i) % 10 for i in range(max_new_tokens)]
    assert found.stop_reason == "length"
    assert found.accepted == found.drafted


@pytest.mark.parametrize("stop", range(10))
@pytest.mark.parametrize("gamma", [1, 2, 4, 9])
def test_nothing_comes_after_a_stop_id(stop, gamma):
    """Nothing after the stop id, whether it is a drafted id, at any place, or the bonus id."""
    model = counting_model(eos_id=stop)
    found = op.speculative_generate(model, ModelDraft(model), [3], 15, gamma=gamma)
    expected = op.generate(model, [3], 15)
    assert (found.ids, found.stop_reason) == (expected.ids, "stop")
    assert found.logprobs == pytest.approx(expected.logprobs)
    assert found.accepted <= len(found.ids)


@pytest.mark.parametrize("n_prompt", range(10, 17))
@pytest.mark.parametrize("gamma", [1, 3, 8])
def test_the_text_ends_where_the_context_is_full(n_prompt, gamma):
    model = counting_model(context_length=16)
    prompt = [i % 10 for i in range(n_prompt)]
    found = op.speculative_generate(model, ModelDraft(model), prompt, 50, gamma=gamma, stop_ids=())
    expected = op.generate(model, prompt, 50, stop_ids=())
    assert (found.ids, found.stop_reason) == (expected.ids, "context")
    assert len(found.ids) == 17 - n_prompt


def test_sampled_text_repeats_with_its_seed():
    target, draft = small_model(seed=0), small_model(seed=1)
    texts = [
        op.speculative_generate(target, draft, [1], 25, op.Sampling(), stop_ids=(), seed=seed).ids
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]


# Sampled: the joint distribution of three tokens is the target's.

VOCAB, PROMPT, N_DRAWS = 6, [1], 7_200  # seven settings of 7,200 draws are 50,400 in all
NEVER = 0  # a token that the target practically never takes: its logit is 40 below the others


def target_model() -> TableModel:
    """Its logits depend on the position too, so that each drafted position has its own p."""
    model = TableModel.random(VOCAB, seed=0)
    model.table[:, :, NEVER] -= 40
    return model


class Proposes:
    """A stub that always drafts the same token, and says that it was certain."""

    vocab_size = VOCAB

    def __init__(self, token: int):
        self.token = token

    def propose(self, ids, gamma, sampling):
        return certain([self.token] * gamma, VOCAB)


DRAFTS = {
    "always agrees": lambda: ModelDraft(target_model(), uniforms(1)),
    "never agrees": lambda: Proposes(NEVER),
    "sometimes agrees": lambda: ModelDraft(TableModel.random(VOCAB, seed=9), uniforms(1)),
    "certain, sometimes right": lambda: Proposes(2),
}
PENALTY = op.Sampling(repetition_penalty=1.8)
ALL = op.Sampling(temperature=1.4, top_k=5, top_p=0.85, min_p=0.05, repetition_penalty=1.5)
QUICK = [("sometimes agrees", ALL), ("never agrees", op.Sampling())]
CASES = QUICK + [
    pytest.param(*case, marks=pytest.mark.slow)
    for case in (
        ("always agrees", op.Sampling()),
        ("sometimes agrees", op.Sampling()),
        ("sometimes agrees", op.Sampling(top_p=0.8)),
        ("sometimes agrees", PENALTY),
        ("certain, sometimes right", op.Sampling(temperature=0.7)),
    )
]


@pytest.fixture
def remembered(monkeypatch):
    """`probabilities` is a pure function and the tables have few rows: compute each result once."""

    @cache
    def remembered(logits, sampling, history):
        return probabilities(torch.tensor(logits), sampling, history)

    def stand_in(logits, sampling, history=None):
        needed = sampling.repetition_penalty != 1
        return remembered(tuple(logits.tolist()), sampling, tuple(history) if needed else None)

    for module in (speculate, draft_module, op.autoregress):
        monkeypatch.setattr(module, "probabilities", stand_in)


def exact_joint(model, sampling) -> dict[tuple[int, ...], float]:
    """p(a) p(b | a) p(c | a, b) of the target, for all triples."""

    def following(*ids):
        text = [*PROMPT, *ids]
        return probabilities(model(torch.tensor([text]))[0, -1], sampling, text).tolist()

    joint = {(): 1.0}
    for _ in range(3):
        pairs = [(ids, p, enumerate(following(*ids))) for ids, p in joint.items()]
        joint = {(*ids, i): p * q for ids, p, qs in pairs for i, q in qs}
    return joint


def draw_triples(draft, sampling, n=N_DRAWS) -> tuple[Counter, float]:
    """How often each triple came, and the share of drafted ids that were accepted."""
    decoder = op.SpeculativeDecoder(target_model(), draft)
    counts, drafted, accepted = Counter(), 0, 0
    for seed in range(n):
        result = decoder.generate(PROMPT, 3, sampling, gamma=2, stop_ids=(), seed=seed)
        counts[tuple(result.ids)] += 1
        drafted, accepted = drafted + result.drafted, accepted + result.accepted
    return counts, accepted / drafted


@pytest.mark.parametrize(("name", "sampling"), CASES)
@pytest.mark.usefixtures("remembered")
def test_the_joint_distribution_of_three_tokens_is_that_of_the_target(name, sampling):
    counts, acceptance = draw_triples(DRAFTS[name](), sampling)
    assert p_value(counts, exact_joint(target_model(), sampling)) > SIGNIFICANCE
    # The stubs do what their names say.
    if name == "always agrees":
        assert acceptance == 1
    elif name == "never agrees":
        assert acceptance == 0
    else:
        assert 0.1 < acceptance < 0.9


def accept_always(logits, drafted, q, text, sampling, random):
    last = probabilities(logits[-1], sampling, [*text, *drafted])
    return [*drafted, draw(last, next(random))], [0.0] * len(drafted)


WRONG = {
    "always accept": ("verify", accept_always),
    "residual is p": ("residual", lambda p, q: p),
    "residual is |p - q|": ("residual", lambda p, q: (p - q).abs() / (p - q).abs().sum()),
}


@pytest.mark.parametrize(("name", "wrong"), WRONG.values(), ids=WRONG)
@pytest.mark.usefixtures("remembered")
def test_a_wrong_rule_is_noticed(monkeypatch, name, wrong):
    """With the same statistic, and fewer draws."""
    monkeypatch.setattr(speculate, name, wrong)
    counts, _ = draw_triples(DRAFTS["sometimes agrees"](), op.Sampling(), n=2000)
    assert p_value(counts, exact_joint(target_model(), op.Sampling())) < SIGNIFICANCE


@pytest.mark.usefixtures("remembered")
def test_a_wrong_history_is_noticed(monkeypatch):
    """A repetition penalty that does not know the drafted ids before the one it judges."""

    def prompt_only(logits, sampling, history=None):
        return probabilities(logits, sampling, PROMPT)

    monkeypatch.setattr(speculate, "probabilities", prompt_only)
    counts, _ = draw_triples(DRAFTS["sometimes agrees"](), PENALTY, n=2000)
    assert p_value(counts, exact_joint(target_model(), PENALTY)) < SIGNIFICANCE


# The pieces, by hand.


def test_the_residual_worked_by_hand():
    p, q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.7, 0.1])
    assert residual(p, q).tolist() == pytest.approx([0.75, 0, 0.25])
    assert torch.equal(residual(p, p), p)


def test_acceptance_and_residual_add_up_to_p():
    """min(p, q) + (1 - Σ min(p, q)) · residual = p, the proof in one line."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        p, q = (3 * torch.randn(2, 9, generator=generator, dtype=torch.float64)).softmax(-1)
        kept = torch.minimum(p, q)
        torch.testing.assert_close(kept + (1 - kept.sum()) * residual(p, q), p)


@pytest.mark.parametrize(
    ("uniform", "kept"),
    [(0.0, [0, 1]), (0.49, [0, 1]), (0.5, [1]), (0.99, [1])],  # p / q = 0.4 / 0.8
)
def test_verify_keeps_a_drafted_id_with_probability_p_over_q(uniform, kept):
    """Kept: one more is drawn from p, and 0.9 gives id 1. Rejected: the residual is all on id 1."""
    logits = torch.tensor([[0.4, 0.6], [0.4, 0.6]]).log()
    q = torch.tensor([[0.8, 0.2]])
    random = iter([uniform, 0.9])
    assert speculate.verify(logits, [0], q, [1], op.Sampling(), random) == (kept, [uniform])


class Scripted:
    """Drafts gamma ids after the newest, right (one more than it each time) or wrong by plan."""

    vocab_size = 10

    def __init__(self, right: tuple[bool, ...]):
        self.right = right

    def propose(self, ids, gamma, sampling):
        right = self.right[:gamma]
        tokens = [(ids[-1] + 1 + i + (not ok)) % 10 for i, ok in enumerate(right)]
        return certain(tokens, 10)


@pytest.mark.parametrize(
    ("right", "passes", "drafted", "accepted"),
    [
        # 8 ids are wanted. A pass drafts 3, or as many as are still wanted less the bonus id.
        ((True, True, True), 2, 3 + 3, 3 + 3),
        ((False, False, False), 8, 3 + 3 + 3 + 3 + 3 + 2 + 1 + 0, 0),
        ((True, False, False), 4, 3 + 3 + 3 + 1, 4),
        ((True, True, False), 3, 3 + 3 + 1, 2 + 2 + 1),  # 3 ids, 3 ids, 2 ids
        ((), 8, 0, 0),  # a draft with nothing to say
    ],
)
def test_the_counts_worked_by_hand(right, passes, drafted, accepted):
    found = op.speculative_generate(counting_model(), Scripted(right), [3], 8, gamma=3)
    assert found.ids == [4, 5, 6, 7, 8, 9, 0, 1]
    assert (found.target_passes, found.drafted, found.accepted) == (passes, drafted, accepted)
    assert found.draft_passes == 0


def test_passes_of_the_draft_model_are_counted():
    found = op.speculative_generate(small_model(0), small_model(1), [1], 20, gamma=3, stop_ids=())
    assert found.draft_passes == found.drafted > 0


def test_passes_of_the_draft_model_are_those_of_one_text():
    """A decoder used twice with a reader's own draft counts each text separately."""
    decoder = op.SpeculativeDecoder(counting_model(), ModelDraft(counting_model()))
    first, second = (decoder.generate([3], 8, gamma=3).draft_passes for _ in range(2))
    assert first == second


def test_expected_tokens_per_pass_worked_by_hand():
    assert expected_tokens_per_pass(0, 5) == 1
    assert expected_tokens_per_pass(1, 5) == 6
    assert expected_tokens_per_pass(0.5, 2) == 1.75
    assert expected_tokens_per_pass(0.8, 4) == pytest.approx((1 - 0.8**5) / (1 - 0.8))


@pytest.mark.parametrize(("acceptance", "gamma"), [(0.5, 2), (0.8, 4)])
def test_expected_tokens_per_pass_in_a_simulation(acceptance, gamma):
    """A certain draft of a token that the target takes with probability α, independently."""
    rest = (1 - acceptance) / (VOCAB - 1)
    p = torch.tensor([rest, rest, acceptance, rest, rest, rest])
    target = TableModel(p.log().expand(1, VOCAB, VOCAB), context_length=5000)
    found = op.speculative_generate(
        target, Proposes(2), [1], 4000, op.Sampling(), gamma=gamma, stop_ids=(), seed=0
    )
    # 4,000 ids are over 1,100 passes; ids per pass spread by at most 1.6, so their mean is right
    # to 0.05 (one standard deviation), and 0.2 is four of them.
    per_pass = len(found.ids) / found.target_passes
    assert per_pass == pytest.approx(expected_tokens_per_pass(acceptance, gamma), abs=0.2)


# The records of the passes, which `generate`, `stream` and the explorers read.


@pytest.mark.parametrize("sampling", [op.GREEDY, op.Sampling()], ids=["greedy", "sampled"])
@pytest.mark.parametrize("gamma", [1, 3, 6])
def test_records_hold_what_both_models_said(sampling, gamma):
    """Each record can be checked from the text before it, without a cache, and makes the text."""
    target, draft = small_model(seed=0), noisy_copy(small_model(seed=0), 0.3)
    proposer = ModelDraft(draft, uniforms(7))
    decoder = op.SpeculativeDecoder(target, proposer)
    text, random, kinds = [1, 2, 3], uniforms(5), set()
    settings = {"gamma": gamma, "stop_ids": (), "seed": 5}
    for done in decoder.passes(text, 30, sampling, **settings):
        n = len(done.drafted)
        assert done.draft_passes == n
        whole = torch.tensor([[*text, *done.drafted]])
        with torch.no_grad():
            ours, theirs = (m(whole)[0, len(text) - 1 :] for m in (target, draft))
        torch.testing.assert_close(done.logits, ours, atol=1e-4, rtol=0)
        torch.testing.assert_close(done.q, probabilities(theirs[:n], sampling), atol=1e-4, rtol=0)
        p = probabilities(done.logits, sampling)
        for i, (token, u) in enumerate(zip(done.drafted, done.u, strict=False)):
            assert u == next(random)
            assert (u * done.q[i, token] < p[i, token]) == (i < done.accepted)
        rejected = done.accepted < n
        assert len(done.u) == done.accepted + rejected
        rest = residual(p[done.accepted], done.q[done.accepted]) if rejected else p[n]
        own = draw(rest, next(random))
        assert done.new == [*done.drafted[: done.accepted], own]
        text += done.new
        kinds.add(rejected)
    assert (done.stop, len(text)) == ("length", 33)
    assert kinds == {True, False}


@pytest.mark.parametrize("gamma", [1, 4, 9])
def test_a_stop_id_ends_the_record_of_its_pass(gamma):
    """What was examined after it leaves no trace; only the last record has a reason to stop."""
    model = counting_model(eos_id=6)
    decoder = op.SpeculativeDecoder(model, ModelDraft(model))
    records = list(decoder.passes([3], 15, gamma=gamma))
    assert [token for done in records for token in done.new] == [4, 5, 6]
    assert [done.stop for done in records] == [""] * (len(records) - 1) + ["stop"]
    for done in records:
        assert len(done.u) == min(len(done.drafted), len(done.new))
        assert done.accepted <= len(done.new)


def test_stream_gives_the_ids_of_a_pass_as_soon_as_it_is_done():
    target, draft = small_model(seed=0), PassCounter(small_model(seed=0))
    decoder = op.SpeculativeDecoder(target, draft)
    settings = {"gamma": 3, "stop_ids": (), "seed": 1}
    ids = decoder.stream([1], 12, op.Sampling(), **settings)
    assert draft.calls == 0
    first = [next(ids) for _ in range(4)]  # the draft is the target itself: 3 kept and a bonus
    assert draft.calls == 1
    again = op.SpeculativeDecoder(target, PassCounter(small_model(seed=0)))
    assert [*first, *ids] == again.generate([1], 12, op.Sampling(), **settings).ids


class PassCounter(ModelDraft):
    """Draws from the start of a seed, and counts how often it is asked."""

    def __init__(self, model):
        super().__init__(model, uniforms(3))
        self.calls = 0

    def propose(self, ids, gamma, sampling):
        self.calls += 1
        return super().propose(ids, gamma, sampling)


# Bad input. test_autoregress.py tests what `generate` refuses, for both.


class Breaks:
    """A draft that proposes what a function of gamma returns."""

    vocab_size = 10

    def __init__(self, propose):
        self.propose = lambda ids, gamma, sampling: propose(gamma)


@pytest.mark.parametrize(
    ("propose", "words"),
    [
        (lambda gamma: certain([4] * 10, 10), "gave 10 tokens where at most 3 were asked for"),
        (lambda gamma: None, "must give tokens and q, got None"),
        (lambda gamma: certain([4], 10)[1], "must give tokens and q, got tensor"),
        (lambda gamma: ([4.0], certain([4], 10)[1]), r"tokens as a list of ints, got \[4.0\]"),
        (lambda gamma: ([10], certain([4], 10)[1]), "gave token 10; its vocabulary is 0 to 9"),
        (lambda gamma: ([-1], certain([4], 10)[1]), "gave token -1; its vocabulary is 0 to 9"),
        (lambda gamma: ([4, 5], certain([4], 10)[1]), r"shape \(2, 10\), got \(1, 10\)"),
        (lambda gamma: certain([4], 11), r"shape \(1, 10\), got \(1, 11\)"),
        (lambda gamma: ([4], certain([4], 10)[1][0]), r"shape \(1, 10\), got \(10,\)"),
        (lambda gamma: ([4], [[0.1] * 10]), r"as a tensor of shape \(1, 10\), got list"),
        (lambda gamma: ([4], torch.full((1, 10), 0.11)), "not a distribution: each row must be"),
        (lambda gamma: ([4], torch.eye(10)[[4]] * 2 - torch.eye(10)[[5]]), "not a distribution"),
        (lambda gamma: ([4], torch.full((1, 10), float("nan"))), "not a distribution"),
    ],
    ids=["too many", "nothing", "no tokens", "floats", "id too large", "id negative", "row missing",
         "q too wide", "q flat", "q a list", "sums to 1.1", "negative", "nan"],
)  # fmt: skip
def test_a_draft_that_breaks_its_contract_is_named(propose, words):
    decoder = op.SpeculativeDecoder(counting_model(), Breaks(propose))
    with pytest.raises(ValueError, match=f"^Breaks.propose .*{words}"):
        decoder.generate([3], 8, gamma=3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_a_draft_may_be_as_imprecise_as_its_own_softmax(dtype):
    """The rows do not add up to 1 exactly."""
    q = torch.randn(1, 10, generator=torch.Generator().manual_seed(0)).to(dtype).softmax(-1)
    draft = Breaks(lambda gamma: ([4][:gamma], q[:gamma]))
    found = op.speculative_generate(counting_model(), draft, [3], 8, gamma=3)
    assert found.ids == [4, 5, 6, 7, 8, 9, 0, 1]


@pytest.mark.parametrize("gamma", [0, -1])
def test_gamma_below_one_is_refused(gamma):
    model = small_model()
    with pytest.raises(ValueError, match=f"gamma must be 1 or more, got {gamma}"):
        op.speculative_generate(model, model, [1], 5, gamma=gamma)


@pytest.mark.parametrize(
    "draft",
    [
        small_model(vocab_size=20),
        PromptLookup(vocab_size=20),
        NGramTable([[1, 2]], vocab_size=20),
        ModelDraft(small_model(vocab_size=20)),
    ],
    ids=lambda draft: type(draft).__name__,
)
def test_different_vocabularies_are_refused(draft):
    with pytest.raises(ValueError, match="need the same vocabulary, but they have 31 and 20"):
        op.SpeculativeDecoder(small_model(), draft)


@pytest.mark.parametrize("size", [29, 33])
def test_a_draft_whose_table_has_another_size_gives_the_text_of_the_target(size):
    """Like Qwen2.5's models, which share a vocabulary but pad their tables to different sizes."""
    target, draft = small_model(), small_model(seed=1, vocab_size=size)
    expected = op.generate(target, [3, 1, 4], 20, stop_ids=()).ids
    found = op.speculative_generate(target, draft, [3, 1, 4], 20, stop_ids=())
    assert found.ids == expected


@pytest.mark.parametrize("size", [10, 12])
def test_a_draft_whose_table_has_another_size_keeps_the_targets_distribution(size):
    target, table = TableModel.random(11, seed=0), TableModel.random(size, seed=1)
    draft = ModelDraft(table, uniforms(0), vocab_size=11)
    decoder, exact = op.SpeculativeDecoder(target, draft), target(torch.tensor([[3]]))[0, -1]
    counts = Counter()
    for seed in range(2000):
        counts.update(decoder.generate([3], 2, op.Sampling(), gamma=1, seed=seed).ids[:1])
    expected = probabilities(exact, op.Sampling()).tolist()
    assert p_value(counts, dict(enumerate(expected))) > SIGNIFICANCE


def test_stop_conditions_and_processors_act_as_without_a_draft():
    target, draft = small_model(), noisy_copy(small_model(), 0.3)
    decoder, prompt = op.SpeculativeDecoder(target, draft), [3, 1, 4]
    forbid_most_likely = LogitBias({op.generate(target, prompt, 1).ids[0]: -math.inf})
    cost = RepetitionCost(presence=2.0, frequency=0.5)
    settings = {"processors": [forbid_most_likely, cost], "stop_ids": ()}
    expected = op.generate(target, prompt, 24, **settings)
    assert decoder.generate(prompt, 24, **settings).ids == expected.ids
    assert expected.ids != op.generate(target, prompt, 24, stop_ids=()).ids
    n = next(n for n in range(2, 24) if expected.ids[n] not in expected.ids[:n])
    settings["stops"] = [lambda new: new[-1] == expected.ids[n]]
    for run in (partial(op.generate, target), decoder.generate):
        found = run(prompt, 24, **settings)
        assert (found.ids, found.stop_reason) == (expected.ids[: n + 1], "stop")


def test_generation_continues_from_an_earlier_turns_cache():
    target, draft = small_model(), noisy_copy(small_model(), 0.3)
    decoder, cache, prompt = op.SpeculativeDecoder(target, draft), target.new_cache(), [3, 1, 4]
    first = decoder.generate(prompt, 6, stop_ids=(), cache=cache)
    longer = [*prompt, *first.ids, 7, 8]
    assert cache.length >= len(prompt) + len(first.ids) - 1
    expected = op.generate(target, longer, 6, stop_ids=()).ids
    assert decoder.generate(longer, 6, stop_ids=(), cache=cache).ids == expected


@pytest.mark.parametrize("acceptance", [1.2, -0.1, math.nan])
def test_an_acceptance_that_is_not_a_probability_is_refused(acceptance):
    with pytest.raises(ValueError, match="must be a probability from 0 to 1"):
        expected_tokens_per_pass(acceptance, 5)


@pytest.mark.parametrize("draft", [None, "ngram"])
def test_what_proposes_nothing_is_no_draft(draft):
    with pytest.raises(TypeError, match="must be a Transformer or have vocab_size and propose"):
        op.SpeculativeDecoder(small_model(), draft)


def test_the_likeliest_tokens_are_those_of_plain_generation():
    model, settings = small_model(), {"stop_ids": (), "top_n": 3}
    plain = op.generate(model, [3, 1, 4], 9, **settings).top
    found = op.speculative_generate(model, noisy_copy(model, 0.1), [3, 1, 4], 9, **settings).top
    assert [[token for token, _ in row] for row in found] == [[t for t, _ in row] for row in plain]
    assert torch.tensor(found)[..., 1].allclose(torch.tensor(plain)[..., 1], atol=1e-4)
