"""The scores of attention heads, on attention that was made by hand."""

import pytest
import torch

import oneprompt as op
from oneprompt import heads


def test_glossary_openings_are_the_beginnings_of_entries(tokenizer):
    entries = op.load_glossary()
    openings = heads.glossary_openings(tokenizer, 20)
    assert openings.shape == (len(entries), 20)
    assert tokenizer.decode(openings[0].tolist()) in f"{entries[0].definition} {entries[0].how}"
    assert len(heads.glossary_openings(tokenizer, 60)) < len(entries)


def test_chance_scores_worked_by_hand():
    """Weights 1/3 and 1/4 at the positions 2 and 3; the last token has one earlier copy."""
    chance = heads.chance_scores(torch.tensor([[5, 6, 7, 5]]))
    for pattern in ("previous", "itself", "first"):
        assert chance[pattern] == pytest.approx((1 / 3 + 1 / 4) / 2)
    assert chance["induction"] == pytest.approx(1 / 4)


def test_head_scores_find_the_patterns_they_are_named_after():
    """On attention made by hand every score is what its definition says."""
    config = op.ModelConfig(vocab_size=16, context_length=16, d_model=16, n_layers=1, n_heads=2)
    ids = torch.tensor([[1, 2, 3, 4, 1, 2, 3, 4]])
    n = ids.shape[1]
    previous = torch.eye(n).roll(1, 0)
    previous[0] = torch.eye(n)[0]
    induction = torch.eye(n)[[0, 0, 0, 0, 1, 2, 3, 4]]  # from the second copy on: one after

    class Fixed(op.Transformer):
        def trace(self, ids):
            layer = type("Layer", (), {"weights": torch.stack([previous, induction])[None]})
            return type("Trace", (), {"layers": (layer,)})

    scores = heads.head_scores(Fixed(config), ids)
    # Head 1 looks at the first token from positions 2 and 3, and at it as "one after" from none.
    expected = {"previous": [1, 0], "induction": [0, 1], "itself": [0, 0], "first": [0, 2 / 6]}
    for name, values in expected.items():
        torch.testing.assert_close(scores[name], torch.tensor([values], dtype=torch.float32))
    assert heads.head_name(scores, 0, 0) == "previous-token"
    assert heads.head_name(scores, 0, 1) == "induction"


def test_silenced_heads_write_nothing():
    model, ids = op.Transformer(op.ModelConfig(vocab_size=64, n_layers=2)).eval(), torch.arange(9)
    found = heads.silenced_logits(model, ids)
    assert found.shape == (2, 7, 64)
    assert torch.equal(heads.silenced_logits(model, ids), found)  # nothing is left behind
    for layer, head in ((0, 0), (1, 5)):
        output = model.blocks[layer].attention.output.weight
        kept = output.detach().clone()
        output.data[:, head * 32 : (head + 1) * 32] = 0
        assert torch.allclose(model(ids[None])[0, -1], found[layer, head], atol=1e-4)
        output.data[:] = 0
        assert torch.allclose(model(ids[None])[0, -1], found[layer, 6], atol=1e-4)
        output.data[:] = kept
