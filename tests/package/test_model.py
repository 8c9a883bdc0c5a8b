"""Configs, the forward pass, and the trace that shows it from inside."""

import dataclasses
import inspect
import json
import re

import pytest
import torch
import torch.nn.functional as F
from models import VARIANTS, config_of, random_choices, random_model, small_model

import oneprompt as op

SEEDS = range(60)  # of random_choices; every value of every variant occurs among them

# Logits of about 4 are sums of float32 products over a few layers: rounding stays below 2e-5.
TOLERANCE = {"atol": 1e-4, "rtol": 0}


def random_ids(config, time: int, batch: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(time)
    return torch.randint(config.vocab_size, (batch, time), generator=generator)


def test_seeds_cover_every_variant():
    drawn = [random_choices(seed) for seed in SEEDS]
    for name, values in VARIANTS.items():
        assert [v for v in values if not any(d[name] == v for d in drawn)] == [], name


@pytest.mark.parametrize("seed", SEEDS)
def test_the_trace_has_the_logits_of_the_forward_pass(seed):
    model = random_model(config_of(random_choices(seed)), seed)
    ids = random_ids(model.config, time=11)
    with torch.no_grad():
        logits = model(ids)
    assert logits.std() > 1  # otherwise equality would show nothing
    torch.testing.assert_close(model.trace(ids).logits, logits, **TOLERANCE)


def documented_shapes(cls) -> dict[str, tuple[str, ...]]:
    """Field -> names of its dimensions, as the comment beside it says."""
    pattern = r"^    (\w+): Tensor  # \(([^)]*)\)"
    lines = re.findall(pattern, inspect.getsource(cls), flags=re.MULTILINE)
    return {name: tuple(shape.split(", ")) for name, shape in lines}


@pytest.mark.parametrize("n_kv_heads", [6, 2])
def test_the_trace_has_the_shapes_it_documents(n_kv_heads):
    sizes = {"B": 2, "T": 9, "D": 20, "H": 6, "G": n_kv_heads, "d": 8, "F": 28, "V": 43}
    config = config_of(random_choices(0) | {"heads": (6, n_kv_heads), "position": "alibi"})
    trace = random_model(config).trace(random_ids(config, time=9))
    assert len(trace.layers) == config.n_layers
    for part in (trace, *trace.layers):
        documented = documented_shapes(type(part))
        fields = {field.name for field in dataclasses.fields(part)} - {"layers"}
        assert documented.keys() == fields
        for name, dimensions in documented.items():
            assert getattr(part, name).shape == tuple(sizes[d] for d in dimensions), name


@pytest.mark.parametrize("parallel", [False, True])
def test_each_tensor_of_the_trace_follows_from_those_before_it(parallel):
    """Each tensor follows from those before it, by the formula of its step."""
    model = small_model(parallel_residual=parallel, sliding_window=4)
    ids = random_ids(model.config, time=9)
    trace = model.trace(ids)
    assert torch.equal(trace.embedding, model.embedding[ids])
    x = trace.embedding
    for block, layer in zip(model.blocks, trace.layers, strict=True):
        hidden = layer.weights == 0
        expected = [[s > t or s <= t - 4 for s in range(9)] for t in range(9)]
        assert torch.equal(hidden, torch.tensor(expected).expand_as(hidden))
        assert torch.equal(layer.masked[~hidden], layer.scores[~hidden])
        torch.testing.assert_close(layer.weights.sum(-1), torch.ones(2, 2, 9))
        torch.testing.assert_close(layer.heads, layer.weights @ layer.v)
        assert torch.equal(layer.middle, x + layer.attention)
        normed = x if parallel else layer.middle
        weight, bias = block.norm2.weight, block.norm2.bias
        torch.testing.assert_close(
            layer.norm2, F.layer_norm(normed, (16,), weight, bias), atol=1e-5, rtol=1e-5
        )
        assert torch.equal(layer.output, layer.middle + layer.feedforward)
        x = layer.output
    torch.testing.assert_close(trace.logits, trace.final_norm @ model.embedding.T)


def test_the_trace_keeps_no_gradient():
    assert not small_model().trace(torch.tensor([[1, 2]])).logits.requires_grad


@pytest.mark.parametrize("position", VARIANTS["position"])
def test_later_tokens_change_nothing_before_them(position):
    model = small_model(position=position)
    ids = random_ids(model.config, time=10, batch=1)
    changed = ids.clone()
    changed[0, 6] = (ids[0, 6] + 1) % model.config.vocab_size
    with torch.no_grad():
        difference = (model(ids) - model(changed)).abs().amax(-1)[0]
    assert difference[:6].max() < 1e-5
    assert difference[6:].min() > 1e-2


@pytest.mark.parametrize("position", VARIANTS["position"])
def test_every_position_scheme_depends_on_the_order_of_the_tokens(position):
    """Two early tokens swapped: the last logits change, unless there is no position (one layer)."""
    model = small_model(position=position, n_layers=1)
    ids = torch.tensor([[5, 9, 3, 7]])
    with torch.no_grad():
        difference = (model(ids) - model(ids[:, [1, 0, 2, 3]]))[0, -1].abs().max()
    assert (difference < 1e-4) if position == "none" else (difference > 1e-2)


def test_learned_positions_are_added():
    model = small_model(position="learned")
    ids = torch.tensor([[4, 4]])
    trace = model.trace(ids)
    assert torch.equal(trace.embedding[0], model.embedding[[4, 4]] + model.position_embedding[:2])


def test_an_untied_model_has_its_own_output_table():
    tied, untied = small_model(), small_model(tie_embeddings=False)
    assert untied.n_parameters - tied.n_parameters == 31 * 16
    assert tied.output_table is tied.embedding
    assert untied.output_table is untied.output


def test_the_default_config_is_that_of_the_reference_model():
    config = op.ModelConfig()
    assert (config.n_kv_heads, config.head_dim, config.d_ff, config.qkv_bias) == (6, 32, 768, True)
    assert config == op.load_model("reference").config


def test_a_config_survives_json():
    config = config_of(random_choices(3))
    assert op.ModelConfig(**json.loads(json.dumps(config.as_dict()))) == config


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"position": "rotary"}, "position='rotary' is unknown; choose from .*'rope'"),
        ({"norm": "batchnorm"}, "norm='batchnorm' is unknown; choose from .*'rmsnorm'"),
        ({"activation": "tanh"}, "activation='tanh' is unknown; choose from .*'swiglu'"),
        ({"rope_pairing": "pairs"}, "rope_pairing='pairs' is unknown; choose from .*'halves'"),
        ({"vocab_size": 0}, "vocab_size must be at least 1, got 0"),
        ({"n_layers": -1}, "n_layers must be at least 1, got -1"),
        ({"n_heads": 0}, "n_heads must be at least 1, got 0"),
        ({"n_heads": 6, "n_kv_heads": 4}, "n_heads=6 must be a multiple of n_kv_heads=4"),
        ({"n_kv_heads": 0}, "n_kv_heads must be at least 1, got 0"),
        ({"head_dim": 5}, "even number of coordinates, not 5"),
        ({"rope_fraction": 0.01}, "even number of coordinates, not 0"),
        ({"sliding_window": 0}, "sliding_window must be None or at least 1, got 0"),
    ],
)
def test_a_bad_config_is_refused(fields, words):
    with pytest.raises(ValueError, match=words):
        op.ModelConfig(**fields)


@pytest.mark.parametrize(
    ("ids", "error", "words"),
    [
        (torch.empty(1, 0, dtype=torch.int64), ValueError, "no token ids; .* at least one"),
        (torch.tensor([1, 2, 3]), ValueError, r"shape \(B, T\), a row per text, got \(3,\)"),
        (torch.tensor([[0.5]]), TypeError, "integers .* got torch.float32"),
        (torch.tensor([[31]]), ValueError, r"id 31 is outside the vocabulary \(0 to 30\)"),
        (torch.tensor([[-1]]), ValueError, "id -1 is outside the vocabulary"),
        (torch.ones(1, 41).long(), ValueError, "41 tokens .* context of 40; shorten"),
    ],
)
def test_bad_ids_are_refused(ids, error, words):
    model = small_model()
    for call in (model, model.trace):
        with pytest.raises(error, match=words):
            call(ids)


def test_a_text_longer_than_the_context_is_refused_with_a_cache_too():
    model = small_model()
    cache = model.new_cache()
    model(torch.zeros(1, 39, dtype=torch.int64), cache)
    with pytest.raises(ValueError, match="41 tokens do not fit into this model's context of 40"):
        model(torch.zeros(1, 2, dtype=torch.int64), cache)


def test_some_layers_have_their_own_window_and_rope():
    model = small_model(
        n_layers=3, sliding_window=4, window_layers=[0, 2], window_rope_theta=9.0, rope_theta=99.0
    )
    assert model.config.window_layers == (0, 2)
    ids = random_ids(model.config, time=9)
    trace, causal = model.trace(ids), torch.ones(9, 9, dtype=bool).tril()
    window = causal & ~torch.ones(9, 9, dtype=bool).tril(-4)
    for layer, expected in zip(trace.layers, (window, causal, window), strict=True):
        assert torch.equal(layer.weights[0, 0] > 0, expected)
    for i, (layer, theta) in enumerate(zip(trace.layers, (9.0, 99.0, 9.0), strict=True)):
        uniform = dataclasses.replace(model.config, window_layers=None, window_rope_theta=None)
        plain = op.Transformer(dataclasses.replace(uniform, rope_theta=theta))
        attention = model.blocks[i].attention
        q, k, _ = attention.project(layer.norm1, plain.turns(torch.arange(9)))
        assert torch.equal(q, layer.q)
        assert torch.equal(k, layer.k)


def test_the_norms_of_queries_keys_and_block_outputs_follow_their_formulas():
    """And the scaled embedding: each by its formula."""
    model = small_model(qk_norm=True, post_norms=True, embedding_scale=3.0, norm="rmsnorm")
    ids = random_ids(model.config, time=5)
    trace = model.trace(ids)
    assert torch.equal(trace.embedding, model.embedding[ids] * 3)
    block, layer = model.blocks[0], trace.layers[0]
    length = layer.q.square().mean(-1, keepdim=True)  # RoPE keeps it
    query = op.attention.split_heads(block.attention.query(layer.norm1), 2)
    expected = F.rms_norm(query, (8,), eps=1e-5) * block.attention.query_norm.weight
    torch.testing.assert_close(length, expected.square().mean(-1, keepdim=True))
    output = block.attention.output(op.attention.merge_heads(layer.heads))
    torch.testing.assert_close(layer.attention, block.post_norm1(output))
    expected = block.post_norm2(block.feedforward(layer.norm2))
    torch.testing.assert_close(layer.feedforward, expected)


@pytest.mark.parametrize("window_layers", [(0, 6), [-1], (2,)])
def test_window_layers_must_be_layers_of_a_model_with_a_window(window_layers):
    sliding_window = None if window_layers == (2,) else 3
    with pytest.raises(ValueError, match=r"window_layers=.* must be some of the 6 layers, 0 to 5"):
        op.ModelConfig(window_layers=window_layers, sliding_window=sliding_window)
