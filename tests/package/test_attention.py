"""Attention by hand equals torch's, and the masks equal their definition."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from models import random_model

import oneprompt as op
from oneprompt.attention import (
    attend,
    attention_scores,
    causal_mask,
    merge_heads,
    repeat_kv,
    scaled_dot_product_attention,
    split_heads,
)

# Weighted means of values of size 1 over at most 9 keys, in float32: rounding is below 1e-6.
TOLERANCE = {"atol": 1e-5, "rtol": 0}


def qkv(n_queries=5, n_keys=9, n_heads=4, n_kv_heads=4, head_dim=8, batch=2):
    generator = torch.Generator().manual_seed(n_queries + n_keys)
    shapes = ((n_heads, n_queries), (n_kv_heads, n_keys), (n_kv_heads, n_keys))
    return [torch.randn(batch, h, t, head_dim, generator=generator) for h, t in shapes]


def float_mask(n_queries, n_keys):
    """Like ALiBi's: a shift per head, -inf where hidden."""
    hidden = ~causal_mask(n_queries, n_keys)
    shift = -torch.rand(4, n_queries, n_keys, generator=torch.Generator().manual_seed(0))
    return shift.masked_fill(hidden, float("-inf"))


@pytest.mark.parametrize(
    "mask",
    [None, causal_mask(5, 9), causal_mask(5, 9, window=3), float_mask(5, 9)],
    ids=["none", "causal", "window", "float"],
)
def test_our_formula_equals_torchs(mask):
    q, k, v = qkv()
    ours, theirs = scaled_dot_product_attention(q, k, v, mask), attend(q, k, v, mask)
    torch.testing.assert_close(ours, theirs, **TOLERANCE)
    assert attend is F.scaled_dot_product_attention
    if mask is not None:  # the mask matters
        assert not torch.allclose(ours, attend(q, k, v), atol=0.01)


@pytest.mark.parametrize("n_kv_heads", [4, 2, 1])
def test_shared_key_value_heads_equal_torch(n_kv_heads):
    q, k, v = qkv(n_kv_heads=n_kv_heads)
    mask = causal_mask(5, 9)
    ours = scaled_dot_product_attention(q, repeat_kv(k, 4), repeat_kv(v, 4), mask)
    theirs = F.scaled_dot_product_attention(q, k, v, mask, enable_gqa=True)
    torch.testing.assert_close(ours, theirs, **TOLERANCE)


def test_repeated_heads_stay_in_groups():
    k = torch.arange(2.0).view(1, 2, 1, 1)
    assert repeat_kv(k, 6).flatten().tolist() == [0, 0, 0, 1, 1, 1]


def test_a_case_worked_by_hand():
    """One query with scores 0 and ln 3 sees its keys with weights 1/4 and 3/4."""
    q = torch.tensor([[[[2.0, 0.0, 0.0, 0.0]]]])  # √d = 2
    k = torch.tensor([[[[0.0, 1, 1, 1], [torch.log(torch.tensor(3.0)), 0, 0, 0]]]])
    v = torch.tensor([[[[4.0], [8.0]]]])
    scores = attention_scores(q, k)
    assert scores.flatten().tolist() == pytest.approx([0, 1.0986123])
    assert scaled_dot_product_attention(q, k, v).item() == pytest.approx(0.25 * 4 + 0.75 * 8)


@pytest.mark.parametrize("window", [None, 1, 2, 5, 100])
@pytest.mark.parametrize(("n_queries", "n_keys"), [(1, 1), (6, None), (1, 7), (3, 7)])
def test_the_mask_equals_its_definition(n_queries, n_keys, window):
    mask = causal_mask(n_queries, n_keys, window)
    n_keys = n_keys or n_queries
    assert mask.shape == (n_queries, n_keys)
    for row, s in itertools.product(range(n_queries), range(n_keys)):
        t = n_keys - n_queries + row  # the queries are the last ones
        distance = t - s
        visible = distance >= 0 and (window is None or distance < window)
        assert mask[row, s].item() is visible, (row, s)


def test_merging_heads_undoes_splitting_them():
    x = torch.arange(24.0).view(1, 2, 12)
    heads = split_heads(x, 3)
    assert heads.shape == (1, 3, 2, 4)
    assert heads[0, 1, 0].tolist() == [4, 5, 6, 7]  # head 1 of position 0 has the second four
    assert torch.equal(merge_heads(heads), x)


@pytest.mark.parametrize("n_kv_heads", [6, 2, 1])
def test_the_module_equals_a_loop_over_heads(n_kv_heads):
    config = op.ModelConfig(d_model=20, n_heads=6, n_kv_heads=n_kv_heads, head_dim=4,
                            vocab_size=9, n_layers=1, position="none")  # fmt: skip
    attention = random_model(config).blocks[0].attention
    x = torch.randn(1, 7, 20, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = attention(x, None, causal_mask(7))
        heads = []
        for head in range(6):
            group = head // (6 // n_kv_heads)
            rows, kv_rows = slice(4 * head, 4 * head + 4), slice(4 * group, 4 * group + 4)
            q, k, v = (
                x[0] @ linear.weight[r].T + linear.bias[r]
                for linear, r in (
                    (attention.query, rows), (attention.key, kv_rows), (attention.value, kv_rows)
                )
            )  # fmt: skip
            heads.append(
                torch.stack([(q[t] @ k[: t + 1].T / 2).softmax(0) @ v[: t + 1] for t in range(7)])
            )
        expected = torch.cat(heads, dim=-1) @ attention.output.weight.T + attention.output.bias
    torch.testing.assert_close(found[0], expected, **TOLERANCE)
