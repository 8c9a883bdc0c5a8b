"""The files that people actually have: older names and keys, leftovers, shards, half precision."""

import json
import re

import pytest
import torch
import transformers
from checkpoints import (
    FAMILIES,
    GROUPED,
    LLAMA3,
    OTHERS,
    assert_rounded,
    assert_same_logits,
    both,
    change_config,
    change_tensors,
    first_shape,
    neox_rope,
    random_ids,
    saved_model,
)
from safetensors.torch import save_model
from transformers import GPT2Config, GPTNeoXConfig, LlamaConfig

import oneprompt as op
from oneprompt.checkpoints.families import FAMILIES as TABLES

TABLE = r"wte|embed_tokens|embed_in|word_embeddings\.weight"
PREFIXES = {family: TABLES[family].prefix for family in FAMILIES}
OLD_ROPE = ["llama", "mistral", "qwen2", "qwen3"]  # families with the fields of old RoPE configs
BUFFERS = {  # what older versions stored per layer: mask, its value for "hidden", frequencies
    "gpt2": ("h.{}.attn.bias", "h.{}.attn.masked_bias"),
    "gpt_neox": (
        "gpt_neox.layers.{}.attention.bias",
        "gpt_neox.layers.{}.attention.masked_bias",
        "gpt_neox.layers.{}.attention.rotary_emb.inv_freq",
    ),
    "llama": ("model.layers.{}.self_attn.rotary_emb.inv_freq",),
    "mistral": ("model.layers.{}.self_attn.rotary_emb.inv_freq",),
    "qwen2": ("model.layers.{}.self_attn.rotary_emb.inv_freq",),
}


@pytest.fixture(params=FAMILIES)
def family(request):
    return request.param


@pytest.fixture
def folder(family, tmp_path):
    """A checkpoint of the family."""
    saved_model(tmp_path, *first_shape(family))
    return tmp_path


def test_tensors_load_alike_with_and_without_a_prefix_in_their_names(family, folder):
    """The hub's gpt2 and bloom-560m lack it; `transformers` reads both."""
    theirs, ours = both(folder)
    prefix = PREFIXES[family]

    def strip(tensors):
        assert any(name.startswith(prefix) for name in tensors)
        return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}

    change_tensors(folder, strip)
    again = op.load_pretrained(folder)[0]
    assert_same_logits(theirs, again)
    assert all(
        torch.equal(a, b) for a, b in zip(ours.parameters(), again.parameters(), strict=True)
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_read_as_fp32(folder, dtype):
    change_tensors(folder, lambda t: {name: tensor.to(dtype) for name, tensor in t.items()})
    change_config(folder, dtype=str(dtype).removeprefix("torch."))
    theirs, ours = both(folder)
    assert {p.dtype for p in ours.parameters()} == {torch.float32}
    assert_same_logits(theirs, ours)


@pytest.mark.parametrize("family", BUFFERS)
def test_leftover_buffers_are_ignored(family, folder):
    theirs, _ = both(folder)
    extra = {
        name.format(layer): torch.full((1, 1, 4, 4), float("nan"))
        for name in BUFFERS[family]
        for layer in range(2)
    }
    change_tensors(folder, lambda tensors: tensors | extra)
    assert_same_logits(theirs, op.load_pretrained(folder)[0])


def test_a_model_in_shards_is_loaded(family, tmp_path):
    theirs = saved_model(tmp_path, *first_shape(family), max_shard_size="9KB")
    files = sorted(path.name for path in tmp_path.glob("model-*.safetensors"))
    assert len(files) > 2
    assert not (tmp_path / "model.safetensors").exists()
    assert_same_logits(theirs, op.load_pretrained(tmp_path)[0])


def test_an_older_config_of_gpt2_is_understood(tmp_path):
    """The config.json of the hub's gpt2, with smaller sizes."""
    theirs = saved_model(tmp_path, *first_shape("gpt2"))
    sizes = {"n_ctx": 96, "n_embd": 24, "n_head": 4, "n_layer": 2, "n_positions": 96}
    rest = {
        "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1,
        "bos_token_id": 50256, "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05, "model_type": "gpt2", "n_inner": None, "resid_pdrop": 0.1,
        "summary_activation": None, "summary_first_dropout": 0.1, "summary_proj_to_labels": True,
        "summary_type": "cls_index", "summary_use_proj": True, "vocab_size": 61,
        "torch_dtype": "float16", "_num_labels": 1, "pruned_heads": {},
        "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(sizes | rest))
    assert_same_logits(theirs, op.load_pretrained(tmp_path)[0])
    assert_same_logits(*both(tmp_path))


def test_an_older_config_of_gpt_neox_is_understood(tmp_path):
    """Pythia's: the base and the rotated share are separate fields."""
    fields = OTHERS | {"rope_parameters": neox_rope(0.5, rope_theta=500.0)}
    theirs = saved_model(tmp_path, GPTNeoXConfig, fields)
    older = {"rotary_emb_base": 500, "rotary_pct": 0.5, "torch_dtype": "float16"}
    change_config(tmp_path, drop=["rope_parameters", "dtype"], **older)
    assert_same_logits(theirs, op.load_pretrained(tmp_path)[0])
    assert_same_logits(*both(tmp_path))
    change_tensors(  # newer versions of `transformers` call the output matrix lm_head
        tmp_path,
        lambda t: {re.sub("^embed_out", "lm_head", name): tensor for name, tensor in t.items()},
    )
    assert_same_logits(theirs, op.load_pretrained(tmp_path)[0])


@pytest.mark.parametrize("family", OLD_ROPE)
@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ({"rope_type": "default", "rope_theta": 500.0}, {"rope_theta": 500, "rope_scaling": None}),
        (
            {"rope_type": "linear", "rope_theta": 500.0, "factor": 3.0},
            {"rope_theta": 500.0, "rope_scaling": {"type": "linear", "factor": 3.0}},
        ),
        (
            LLAMA3,
            {
                "rope_theta": 500_000.0,
                "rope_scaling": {k: v for k, v in LLAMA3.items() if k != "rope_theta"},
            },
        ),
    ],
    ids=["default", "linear", "llama3"],
)
def test_older_rope_fields_are_understood(family, newer, older, tmp_path):
    fields = GROUPED | {"rope_parameters": newer}
    theirs = saved_model(tmp_path, first_shape(family)[0], fields)
    change_config(tmp_path, drop=["rope_parameters", "dtype"], torch_dtype="bfloat16", **older)
    assert_same_logits(theirs, op.load_pretrained(tmp_path)[0])
    assert_same_logits(*both(tmp_path))


def test_an_older_config_of_bloom_is_understood(tmp_path):
    """The config.json of the hub's bloom-560m, with smaller sizes."""
    theirs = saved_model(tmp_path, *first_shape("bloom"))
    config = {
        "apply_residual_connection_post_layernorm": False, "attention_dropout": 0.0,
        "attention_softmax_in_fp32": True, "bias_dropout_fusion": True, "bos_token_id": 1,
        "eos_token_id": 2, "pad_token_id": 3, "unk_token_id": 0, "hidden_dropout": 0.0,
        "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "masked_softmax_fusion": True,
        "model_type": "bloom", "n_embed": 24, "n_inner": None, "n_layer": 2,
        "num_attention_heads": 4, "offset_alibi": 100, "pretraining_tp": 1, "skip_bias_add": True,
        "skip_bias_add_qkv": False, "transformers_version": "4.20.0", "use_cache": True,
        "vocab_size": 61, "architectures": ["BloomForCausalLM"],
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    ours = op.load_pretrained(tmp_path)[0]
    assert_same_logits(theirs, ours)
    assert_same_logits(*both(tmp_path))
    assert ours.config.context_length == 2048


@pytest.mark.parametrize("name", ["gpt2", "llama", "gpt_neox"])
def test_a_stored_output_matrix_is_used_where_it_differs_from_the_tied_one(name, tmp_path):
    """Left out, stored twice, or stored with other values, then used as in transformers."""
    fields = first_shape(name)[1] | {"tie_word_embeddings": True}
    theirs = saved_model(tmp_path, first_shape(name)[0], fields)
    head = "embed_out.weight" if name == "gpt_neox" else "lm_head.weight"
    table = next(key for key in theirs.state_dict() if re.search(TABLE, key))

    def put(change):
        def changed(tensors):
            assert head not in tensors
            return tensors | {head: change(tensors[table].clone())}

        return changed

    ours = op.load_pretrained(tmp_path)[0]
    assert ours.config.tie_embeddings
    assert_same_logits(theirs, ours)
    change_tensors(tmp_path, put(lambda tensor: tensor))
    again = op.load_pretrained(tmp_path)[0]
    assert again.config.tie_embeddings
    assert_same_logits(theirs, again)
    change_tensors(tmp_path, lambda t: {k: v for k, v in t.items() if k != head})
    change_tensors(tmp_path, put(lambda tensor: tensor.flip(0)))
    other_theirs, other = both(tmp_path)
    assert not other.config.tie_embeddings
    assert_same_logits(other_theirs, other)


@pytest.mark.parametrize("writer", ["renamed", "save_model"])
def test_a_tied_matrix_may_be_stored_under_the_output_matrixs_name(family, writer, tmp_path):
    """The one name that safetensors' save_model keeps; `transformers` loads such files too."""
    fields = first_shape(family)[1] | {"tie_word_embeddings": True}
    theirs = saved_model(tmp_path, first_shape(family)[0], fields)
    head = "embed_out.weight" if family == "gpt_neox" else "lm_head.weight"
    table = next(key for key in theirs.state_dict() if re.search(TABLE, key))
    change_tensors(tmp_path, lambda t: t | {head: t.pop(table)})
    if writer == "save_model":
        (tmp_path / "model.safetensors").unlink()
        save_model(theirs, str(tmp_path / "model.safetensors"))
    again, ours = both(tmp_path)
    assert ours.config.tie_embeddings
    assert_same_logits(theirs, ours)
    assert torch.equal(again(random_ids(1, 9)).logits, theirs(random_ids(1, 9)).logits)


def test_a_missing_output_matrix_is_refused(tmp_path):
    saved_model(tmp_path, *first_shape("llama"))
    change_tensors(tmp_path, lambda t: {k: v for k, v in t.items() if k != "lm_head.weight"})
    with pytest.raises(ValueError, match=r"lacks the tensor 'lm_head.weight' of shape \(61, 32\)"):
        op.load_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("in_config", "in_generation", "expected"),
    [
        (5, None, 5),
        ([5, 6], None, (5, 6)),
        ([5], None, 5),
        (None, None, None),
        (5, {"eos_token_id": [7, 8]}, (7, 8)),
        (5, {"do_sample": True}, 5),
        (5, {"eos_token_id": None}, None),
    ],
)
def test_the_end_of_sequence_is_read_from_both_configs(
    tmp_path, in_config, in_generation, expected
):
    saved_model(tmp_path, *first_shape("llama"))
    change_config(tmp_path, eos_token_id=in_config)
    (tmp_path / "generation_config.json").unlink()
    if in_generation is not None:
        (tmp_path / "generation_config.json").write_text(json.dumps(in_generation))
    assert op.load_pretrained(tmp_path)[0].eos_id == expected


@torch.no_grad()
def test_any_of_several_end_ids_stops_the_text(tmp_path):
    theirs = saved_model(tmp_path, *first_shape("qwen2"))
    ids = random_ids(1, 5)
    free = op.generate(op.load_pretrained(tmp_path)[0], ids[0].tolist(), 20, stop_ids=()).ids
    ends = [free[9], free[12]]
    change_config(tmp_path, eos_token_id=ends)
    (tmp_path / "generation_config.json").unlink()
    ours = op.load_pretrained(tmp_path)[0]
    found = op.generate(ours, ids[0].tolist(), 20)
    expected = theirs.generate(
        ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=20,
        eos_token_id=ends, pad_token_id=0,
    )  # fmt: skip
    assert found.ids == expected[0, 5:].tolist()
    assert found.stop_reason == "stop"
    assert found.ids[-1] in ends
    op.save_model(ours, tmp_path / "ours.safetensors")
    assert op.load_model(tmp_path / "ours.safetensors").eos_id == tuple(ends)


@pytest.mark.parametrize("family", ["gpt2", "llama", "bloom"])
@torch.no_grad()
def test_a_shorter_context_gives_the_same_logits(folder, family):
    long, short = op.load_pretrained(folder)[0], op.load_pretrained(folder, context_length=12)[0]
    assert short.config.context_length == short.new_cache().capacity == 12
    ids = random_ids(1, 12)
    torch.testing.assert_close(short(ids), long(ids), atol=0, rtol=0)
    with pytest.raises(ValueError, match="13 tokens do not fit into this model's context of 12"):
        short(random_ids(1, 13))
    for wrong in (0, 97):
        with pytest.raises(ValueError, match=f"context_length must be from 1 to 96, got {wrong}"):
            op.load_pretrained(folder, context_length=wrong)


def test_layers_of_config_and_file_must_agree(tmp_path):
    saved_model(tmp_path, GPT2Config, first_shape("gpt2")[1])
    change_config(tmp_path, n_layer=1)
    with pytest.raises(ValueError, match=r"cut or mixed up: 1 layers in the config, 2 in the"):
        op.load_pretrained(tmp_path)


def test_the_loaded_model_owns_the_memory_of_its_parameters(tmp_path):
    """The loaded model owns its memory: the files may be deleted or rewritten."""
    theirs = saved_model(tmp_path, LlamaConfig, GROUPED)
    ours = op.load_pretrained(tmp_path)[0]
    assert ours.n_parameters == theirs.num_parameters()
    assert all(p.requires_grad for p in ours.parameters())
    assert not ours.training
    change_tensors(tmp_path, lambda t: {name: 0 * tensor for name, tensor in t.items()})
    assert_same_logits(theirs, ours)
    assert transformers.AutoModelForCausalLM.from_pretrained(tmp_path).lm_head.weight.eq(0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_another_dtype_has_the_same_numbers_rounded(dtype, tmp_path):
    saved_model(tmp_path, *first_shape("gpt2"))
    assert_rounded(tmp_path, dtype)


def test_numbers_beyond_a_dtype_are_refused(tmp_path):
    saved_model(tmp_path, *first_shape("gpt2"))
    change_tensors(tmp_path, lambda tensors: tensors | {n: t * 1e6 for n, t in tensors.items()})
    assert op.load_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"has numbers beyond 65,504, torch\.float16's; take bf"):
        op.load_pretrained(tmp_path, dtype=torch.float16)


@pytest.mark.parametrize("dtype", [torch.int8, "float16", None])
def test_a_dtype_that_is_none_of_floats_is_refused(dtype, tmp_path):
    with pytest.raises(ValueError, match=r"dtype must be one of torch\.float16, .* got"):
        op.load_pretrained(tmp_path, dtype=dtype)
