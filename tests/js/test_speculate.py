"""js/speculate.js: the passes of speculation on a page, and what a draft saves, against Python.

Whole answers are in test_autoregress.py, alone and speculated.
"""

from itertools import islice

import pytest
import torch
from sampler_grid import GRID, sampling_of

import oneprompt as op
from oneprompt.draft import ModelDraft
from oneprompt.sample import probabilities, uniforms
from oneprompt.speculate import expected_tokens_per_pass, residual

MODULE = "js/speculate.js"
FIELDS = {"drafted", "q", "draftLogits", "logits", "p", "new", "accepted", "u", "stop"}
# All passes of `speculate`; both models draw with given numbers.
PASSES = """({ ids, most, settings, gamma, eosId, ours, theirs }) => {
  const target = { ...small.model("reference"), eosId };
  const [numbers, others] = [ours, theirs].map((draws) => draws.values());
  return [...small.speculate(target, small.model("draft"), ids, most, settings,
    () => numbers.next().value, gamma, () => others.next().value)].filter(Boolean);
}"""


def asked(settings, gamma, eos_id=-1, most=60) -> dict:
    ours, theirs = (list(islice(uniforms(seed), 400)) for seed in (1, 2))
    return {"ids": [5, 6, 7], "most": most, "settings": settings, "gamma": gamma, "eosId": eos_id,
            "ours": ours, "theirs": theirs}  # fmt: skip


def in_python(pair, settings, gamma, stop_ids=()) -> list[op.speculate.Pass]:
    target, draft = pair
    decoder = op.SpeculativeDecoder(target, ModelDraft(draft, uniforms(2)))
    more = {"gamma": gamma, "stop_ids": stop_ids, "seed": 1}
    return list(decoder.passes([5, 6, 7], 60, sampling_of(settings), **more))


@pytest.mark.parametrize("settings", GRID[:4], ids=["greedy", "1", "0.7", "1.5"])
@pytest.mark.parametrize("gamma", [1, 4])
def test_passes_equal_pythons(settings, gamma, node, small_pair):
    """Field by field; p is Python's distribution of the logits, at each new id."""
    found = node.run(PASSES, argument=asked(settings, gamma))
    text, kinds = [5, 6, 7], set()
    for done, other in zip(found, in_python(small_pair, settings, gamma), strict=True):
        assert done.keys() == FIELDS
        for name in ("drafted", "new", "accepted", "u", "stop"):
            assert done[name] == getattr(other, name), name
        assert_near(done["q"], other.q)
        rows = [
            probabilities(row, sampling_of(settings), text + other.new[:i])
            for i, row in enumerate(other.logits[: len(other.new)])
        ]
        assert_near(done["p"], torch.stack(rows))
        text += other.new
        kinds.add(other.accepted < len(other.drafted))
    assert found[-1]["stop"] == "context"
    assert kinds == {True, False}  # rejections and bonuses


def assert_near(found: list, expected: torch.Tensor) -> None:
    found = torch.tensor(found, dtype=expected.dtype).reshape(expected.shape)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3)  # of logits within 1e-3


def test_a_stop_id_ends_the_record_of_its_pass(node, small_pair):
    """Whichever of the ids of a text it is: what was examined after it leaves no trace."""
    greedy, gamma = GRID[0], 8
    ids = [token for done in in_python(small_pair, greedy, gamma) for token in done.new]
    for eos_id in set(ids):
        found = node.run(PASSES, argument=asked(greedy, gamma, eos_id))
        expected = in_python(small_pair, greedy, gamma, stop_ids=(eos_id,))
        for done, other in zip(found, expected, strict=True):
            for name in ("new", "accepted", "u", "stop"):
                assert done[name] == getattr(other, name), name
            assert len(done["p"]) == len(done["new"])
        assert (found[-1]["stop"], found[-1]["new"][-1]) == ("stop", eos_id)


def test_no_id_is_generated_where_none_is_wanted(node, small_pair):
    assert node.run(PASSES, argument=asked(GRID[0], gamma=5, most=0)) == []


def test_the_residual_is_pythons(node):
    generator = torch.Generator().manual_seed(0)
    p, q = (3 * torch.randn(2, 9, generator=generator, dtype=torch.float64)).softmax(-1)
    for pair in ((p, q), (q, p), (p, p)):
        rows = [row.tolist() for row in pair]
        found = node.run("([p, q]) => residual(p, q)", MODULE, argument=rows)
        assert found == pytest.approx(residual(*pair).tolist())


def test_the_speedup_of_a_gamma_worked_by_hand(node):
    """Tokens per pass as in Python; a pass of the target costs 1, and each drafted token c."""
    for share, gamma in ((0, 5), (1, 5), (0.5, 2), (0.8, 4)):
        found = node.run(f"expectedTokens({share}, {gamma})", MODULE)
        assert found == pytest.approx(expected_tokens_per_pass(share, gamma))
    assert node.run("speedup(3, 5, 0.1)", MODULE) == pytest.approx(3 / 1.5)
