"""js/attention.js: the stages of attention on a page, against oneprompt/attention.py."""

import pytest
import torch

from oneprompt.attention import causal_mask, repeat_kv, scaled_dot_product_attention

MODULE = "js/attention.js"


@pytest.mark.parametrize("window", [0, 1, 2, 5, 9])
def test_every_querys_stages_end_in_the_values_that_python_mixes(node, window):
    generator = torch.Generator().manual_seed(window)
    q, k, v = (torch.randn(3, 1, 2, 9, 8, generator=generator) * 3).double()
    dots = (q @ k.transpose(-2, -1))[0]
    found = node.run(
        """({ dots, values, window }) => dots.map((head, h) => head.map((row, t) => {
          const { weights } = stagesOf(row, t, 8, window);
          return mix(weights, values[h]);
        }))""",
        MODULE,
        argument={"dots": dots.tolist(), "values": v[0].tolist(), "window": window},
    )
    expected = scaled_dot_product_attention(q, k, v, causal_mask(9, window=window or None))
    assert torch.allclose(torch.tensor(found, dtype=torch.double), expected[0], rtol=0, atol=1e-9)


def test_large_scores_do_not_overflow(node):
    weights = node.run("stagesOf([8000, 8000, -8000, 9000], 2, 16, 0).weights", MODULE)
    assert weights == [0.5, 0.5, 0, 0]


@pytest.mark.parametrize(("heads", "groups"), [(6, 6), (6, 3), (6, 2), (6, 1), (8, 4)])
def test_query_heads_read_the_key_value_heads_that_python_gives_them(node, heads, groups):
    found = node.run(
        "([H, G]) => Array.from({ length: H }, (_, head) => sharedHead(head, H, G))",
        MODULE,
        argument=[heads, groups],
    )
    numbered = torch.arange(groups).reshape(1, groups, 1, 1)
    assert found == repeat_kv(numbered, heads).flatten().tolist()
