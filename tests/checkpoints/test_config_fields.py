"""No field of config.json makes a silent difference: it is computed, cannot matter, or is refused.

Every field of the eight config classes is changed in turn. We must give the logits of the changed
`transformers` model, or an error that names the field; where a list says that a field is harmless,
the logits of the unchanged model.
"""

import copy

import pytest
import torch
from checkpoints import (
    FAMILIES,
    LINEAR,
    LLAMA3,
    SHAPES,
    TOLERANCE,
    assert_same_logits,
    both,
    change_config,
    first_shape,
    neox_rope,
    random_ids,
    random_model,
    saved_model,
)

import oneprompt as op
from oneprompt.checkpoints import families
from oneprompt.checkpoints.families.base import FIXED, HARMLESS

ACTIVATIONS = ["gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "relu", "silu", "quick_gelu",
               "tanh", "relu2"]  # fmt: skip
ROPES = [
    LLAMA3, LINEAR, neox_rope(0.5), neox_rope(0.5, rope_theta=77.0), neox_rope(1.0, extra=3),
    LLAMA3 | {"low_freq_factor": 4.0, "high_freq_factor": 1.0}, LLAMA3 | {"factor": 0.5},
    {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0},
    {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0,
     "original_max_position_embeddings": 32},
    {"rope_type": "proportional", "rope_theta": 1e4, "partial_rotary_factor": 0.5},
]  # fmt: skip
CHANGES = {  # field -> the values to try; others by type, see `changes`
    "vocab_size": [67], "n_positions": [80], "n_embd": [28], "n_layer": [1, 3], "n_head": [2, 3],
    "n_inner": [50], "hidden_size": [40, 48], "num_hidden_layers": [1, 3],
    "num_attention_heads": [2, 8], "num_key_value_heads": [1, 4, None], "head_dim": [12, None],
    "intermediate_size": [50], "max_position_embeddings": [80], "layer_norm_epsilon": [0.1],
    "layer_norm_eps": [0.1], "rms_norm_eps": [0.1], "hidden_act": ACTIVATIONS,
    "activation_function": ACTIVATIONS, "hidden_activation": ACTIVATIONS,
    "query_pre_attn_scalar": [16], "attn_logit_softcapping": [3.0],
    "final_logit_softcapping": [3.0], "sliding_window_pattern": [1, 2, 6],
    "rope_parameters": ROPES, "sliding_window": [None, 3, 200],
    "max_window_layers": [0, 1, 2, 9], "pretraining_tp": [2],
    "layer_types": [["full_attention"] * 2, ["sliding_attention"] * 2,
                    ["full_attention", "sliding_attention"]],
    "dtype": ["bfloat16", "float16"], "architectures": [["Other"]], "id2label": [{"0": "a"}],
    "label2id": [{"a": 0}], "problem_type": ["regression"], "transformers_version": ["4.0.0"],
    "eos_token_id": [3, [3, 4], None], "bos_token_id": [3, None], "pad_token_id": [0, 5],
    "summary_type": ["last"], "summary_activation": ["tanh"], "chunk_size_feed_forward": [1],
}  # fmt: skip
# Fields that no config class lists, although some code or version of `transformers` reads them.
UNLISTED = {
    "is_causal": False, "layer_types": ["sliding_attention"] * 2, "sliding_window": 3,
    "original_max_position_embeddings": 16, "quantization_config": {"bits": 4},
    "per_layer_config": {"0": {"intermediate_size": 20}}, "rope_interleaved": True,
    "partial_rotary_factor": 0.5, "pruned_heads": {"0": [1]}, "attention_multiplier": 2.0,
    "logit_scale": 0.5, "rope_scaling": {"type": "dynamic", "factor": 2.0}, "head_dim": 16,
    "skip_bias_add_qkv": True, "auto_map": {"AutoModelForCausalLM": "other.py"},
}  # fmt: skip


def base(family: str):
    """With a window where there may be one, since without it its fields could not matter."""
    shapes = {"qwen2": "window 6 in all layers", "qwen3": "window 6 in all layers",
              "gemma3_text": "window 7 in every other layer, other scale of scores"}  # fmt: skip
    return SHAPES[family, shapes[family]] if family in shapes else first_shape(family)


def fields_of(family: str) -> list[str]:
    config_class, fields = base(family)
    return [
        name for name in config_class(**copy.deepcopy(fields)).to_dict() if name != "model_type"
    ]


def changes(value: object, name: str) -> list:
    """Other values of a field."""
    if name in CHANGES:
        return CHANGES[name]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (int, float)):
        return [0.5]
    return ["other"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "name"), [(family, name) for family in FAMILIES for name in fields_of(family)]
)
def test_a_changed_field_makes_no_silent_difference(family, name, tmp_path):
    config_class, fields = base(family)
    table = families.FAMILIES[family]
    unchanged = config_class(**copy.deepcopy(fields))
    n_compared = n_refused = 0
    for i, value in enumerate(changes(unchanged.to_dict()[name], name)):
        folder = tmp_path / str(i)
        try:
            # A copy, since a config writes into the dictionaries it is given.
            config = config_class(**copy.deepcopy(fields | {name: value}))
            theirs = random_model(config)
            theirs.set_attn_implementation("eager")  # where most of the fields are read
            theirs(random_ids(1, 4))
            theirs.save_pretrained(folder)
        except Exception:  # transformers itself refuses it, in many ways
            n_refused += 1
            continue
        change_config(folder, **{name: value})
        is_harmless = name in HARMLESS | table.harmless
        try:
            ours, message = op.load_pretrained(folder)[0], ""
        except ValueError as error:
            ours, message = None, str(error)
        n_compared += 1
        if ours is None:
            assert name in message
            assert not is_harmless, message
            continue
        assert_same_logits(theirs, ours)
        if is_harmless:  # nor does it change theirs
            assert_same_logits(random_model(unchanged), ours)
    if name == "return_dict" and not n_compared:  # most of their models fail on it too
        theirs = saved_model(tmp_path, *base(family))
        change_config(tmp_path, return_dict=False)
        assert_same_logits(theirs, op.load_pretrained(tmp_path)[0])
        n_compared += 1
    assert n_compared, f"transformers refuses all {n_refused} values: try others"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "name"),
    [
        (family, name)
        for family in FAMILIES
        for name in UNLISTED
        if name == "rope_scaling" or name not in families.FAMILIES[family].used
    ],
)
def test_unlisted_fields_are_refused_by_name(family, name, tmp_path):
    saved_model(tmp_path, *base(family))
    change_config(tmp_path, **{name: UNLISTED[name]})
    with pytest.raises(ValueError, match=name):
        op.load_pretrained(tmp_path)


DERIVED = ("rope_parameters", "layer_types", "_sliding_window_pattern")


@pytest.mark.parametrize("family", FAMILIES)
def test_defaults_are_those_of_transformers(family, tmp_path):
    """What config.json leaves out is as in `transformers`, and no field is on two lists."""
    config_class, _ = first_shape(family)
    table = families.FAMILIES[family]
    defaults = config_class()
    for name, field in table.used.items():
        if name in defaults.to_dict() and name not in DERIVED:
            expected = getattr(defaults, name)
            if field.default is None and name in ("num_key_value_heads", "head_dim"):
                expected = None  # derived there, and by ModelConfig here
            if family in ("qwen2", "qwen3") and name == "sliding_window":
                expected = 4096  # None there while use_sliding_window is false
            assert field.default == expected, name
    lists = [set(table.used), set(FIXED | table.fixed), HARMLESS | table.harmless]
    assert sum(map(len, lists)) == len(set.union(*lists))
    assert not set(table.aliases) & set.union(*lists)


PUBLISHED = [  # fields that published configs have, no config class lists and no code reads
    ("gpt2", {"n_special": 0, "predict_special_tokens": True}),  # gpt2-medium
    ("gpt2", {"n_special": 3, "predict_special_tokens": False}),
    ("gpt2", {"output_past": True}),  # gpt2-xl, ruGPT-3
    ("qwen2", {"use_mrope": False}),  # Qwen2.5-0.5B
    ("gpt_neox", {"attention_probs_dropout_prob": 0, "hidden_dropout_prob": 0}),  # gpt-neox-20b
    ("gpt_neox", {"attention_probs_dropout_prob": 0.5, "hidden_dropout_prob": 0.5}),
    ("llama", {"max_sequence_length": 64, "pad_token_id": -1}),  # the first Llama copies
    ("llama", {"unsloth_fixed": True, "unsloth_version": "2025.1", "model_max_length": 64}),
    ("mistral", {"_flash_attn_2_enabled": True, "neftune_noise_alpha": 5.0}),
]


@pytest.mark.parametrize(("family", "more"), PUBLISHED)
def test_published_fields_that_change_nothing(family, more, tmp_path):
    theirs = saved_model(tmp_path, *first_shape(family))
    change_config(tmp_path, **more)
    again, ours = both(tmp_path)
    ids = random_ids(2, 40)
    assert torch.equal(again(ids).logits, theirs(ids).logits)
    assert_same_logits(theirs, ours)


def test_one_message_names_every_field(tmp_path):
    saved_model(tmp_path, *first_shape("llama"))
    change_config(
        tmp_path, new_trick=1, other_trick=list(range(100)), rope_interleaved=True,
        quantization_config={"quant_method": "awq"}, hidden_size="32", num_hidden_layers=0,
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"config\.json: ") as caught:
        op.load_pretrained(tmp_path)
    message = str(caught.value)
    for part in (
        "rope_interleaved=True is not supported, False is; ",
        "quantization_config={'quant_method': 'awq'} is not supported, None is; ",
        "hidden_size must be int, got '32'; ",
        "num_hidden_layers must be from 1 to 16,777,216, got 0; ",
        "new_trick=1 and other_trick=[0, 1, 2",
        "... are unknown here and might change the result; if you know that they do not, call ",
        'load_pretrained(..., ignore=["new_trick", "other_trick"])',
    ):
        assert part in message
    assert len(message) < 800


def test_unknown_fields_do_not_hide_a_setting(tmp_path):
    saved_model(tmp_path, *first_shape("qwen2"))
    yarn = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
    change_config(tmp_path, drop=["rope_parameters"], rope_scaling=yarn, new_trick=1)
    words = r"rope_scaling: rope_type 'yarn' is not supported; .*new_trick=1 is unknown here"
    with pytest.raises(ValueError, match=words):
        op.load_pretrained(tmp_path)
    words = "rope_scaling: rope_type 'yarn' is not supported"
    with pytest.raises(ValueError, match=words):  # what is not supported stays so
        op.load_pretrained(tmp_path, ignore=["new_trick", "rope_scaling"])


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("smollm3", "no_rope_layers"), ("llama4_text", "mixes experts"), ("phi3", "in one matrix")],
)
def test_families_that_are_refused_by_name(kind, reason, tmp_path):
    saved_model(tmp_path, *first_shape("llama"))
    change_config(tmp_path, model_type=kind)
    words = rf"model_type='{kind}' is not supported \(.*{reason}.*\); supported are gpt2, "
    with pytest.raises(ValueError, match=words):
        op.load_pretrained(tmp_path)


def test_an_unknown_field_can_be_ignored(tmp_path):
    theirs = saved_model(tmp_path, *first_shape("llama"))
    change_config(tmp_path, new_trick="2025")
    with pytest.raises(ValueError, match=r'"new_trick"|ignore=\["new_trick"\]'):
        op.load_pretrained(tmp_path)
    assert_same_logits(theirs, op.load_pretrained(tmp_path, ignore=["new_trick"])[0])


@pytest.mark.parametrize(
    ("family", "name", "value", "words"),
    [
        ("gpt2", "n_layer", "2", "n_layer must be int, got '2'"),
        ("gpt2", "n_layer", True, "n_layer must be int, got True"),
        ("gpt2", "n_layer", 2.0, "n_layer must be int, got 2.0"),
        ("gpt2", "n_head", 0, "n_head must be from 1 to 16,777,216, got 0"),
        ("gpt2", "n_positions", 10**15, "n_positions must be from 1 to"),
        ("gpt2", "n_inner", -4, "n_inner must be from 1 to"),
        ("gpt2", "n_embd", 25, "does not divide .*d_model is n_embd"),
        ("gpt2", "hidden_size", 48, "hidden_size=48 contradicts n_embd=24"),
        ("gpt2", "layer_norm_epsilon", float("nan"), "layer_norm_epsilon must be a positive"),
        ("gpt2", "tie_word_embeddings", None, "tie_word_embeddings must be bool, got None"),
        ("gpt2", "eos_token_id", "end", "eos_token_id must be int or list or null"),
        ("gpt2", "model_type", "mamba", "model_type='mamba' is not supported; supported are"),
        ("gpt2", "model_type", None, "model_type=None is not supported"),
        ("gpt_neox", "rotary_emb_base", 5.0, None),
        ("gpt_neox", "rotary_pct", 0.125, None),
        ("gpt_neox", "rope_theta", 123.0, "rope_theta=123.0 contradicts the 10000.0 in use"),
        ("llama", "num_key_value_heads", 3, "n_kv_heads is num_key_value_heads"),
        ("llama", "rope_theta", -1.0, "rope_theta must be a positive number"),
        ("llama", "rope_parameters", {"factor": 2}, "rope_parameters: 'default' needs"),
        ("llama", "rope_parameters", {"type": ["linear"]}, r"rope_type \['linear'\] is not supp"),
        ("llama", "rope_parameters", {"type": "linear"}, r"'linear' needs \['factor'\], got \[\]"),
        ("llama", "rope_parameters", {"type": "linear", "factor": "2"}, "factor must be a posit"),
        ("bloom", "n_inner", 50, "n_inner=50 is not supported, None is"),
        ("bloom", "n_head", 10**9, "n_head must be from 1 to"),
    ],
)
def test_impossible_values_are_refused(family, name, value, words, tmp_path):
    """For the two without words, rope_parameters takes precedence, as in `transformers`."""
    theirs = saved_model(tmp_path, *first_shape(family))
    change_config(tmp_path, **{name: value})
    if words is None:
        assert_same_logits(theirs, op.load_pretrained(tmp_path)[0])
    else:
        with pytest.raises(ValueError, match=words):
            op.load_pretrained(tmp_path)


def test_a_small_mistake_exceeds_the_tolerance():
    """The comparison in this file notices a single norm weight that is off by a hundredth."""
    model = random_model(first_shape("llama")[0](**first_shape("llama")[1]))
    ids = random_ids(2, 40)
    with torch.no_grad():
        before = model(ids).logits
        model.model.layers[0].input_layernorm.weight[3] += 0.01
        assert (model(ids).logits - before).abs().max() > 10 * TOLERANCE
