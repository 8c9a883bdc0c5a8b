"""SmolLM2-135M-Instruct, a real model from a package, gives the logits and texts of `transformers`.

`transformers` gets the weights through the gguf package's own reader, not through our code.
"""

import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import gguf
import pytest
import torch
from checkpoints import TOLERANCE
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

import oneprompt as op
from oneprompt.checkpoints.hub import BUNDLED, bundled

pytestmark = pytest.mark.slow
PROMPT = "What is machine learning?"
TALK = [{"role": "user", "content": PROMPT}]
NAMES = {
    "token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight",
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    **{f"attn_{short}": f"self_attn.{short}_proj" for short in "qkv"},
    "attn_output": "self_attn.o_proj",
    **{f"ffn_{name}": f"mlp.{name}_proj" for name in ("gate", "up", "down")},
}  # fmt: skip


@pytest.fixture(scope="module")
def path() -> Path:
    try:
        version(BUNDLED["smollm2"])
    except PackageNotFoundError:
        assert not os.environ.get("CI"), "make real"
        pytest.skip("the real model is not installed: make real")
    return bundled("smollm2")


@pytest.fixture(scope="module")
def theirs(path):
    """The model of `transformers`, with the file's config and dequantized weights."""
    reader = gguf.GGUFReader(path)
    get = {name: field.contents for name, field in reader.fields.items()}
    config = LlamaConfig(
        vocab_size=get["llama.vocab_size"](),
        hidden_size=get["llama.embedding_length"](),
        intermediate_size=get["llama.feed_forward_length"](),
        num_hidden_layers=get["llama.block_count"](),
        num_attention_heads=get["llama.attention.head_count"](),
        num_key_value_heads=get["llama.attention.head_count_kv"](),
        rms_norm_eps=get["llama.attention.layer_norm_rms_epsilon"](),
        max_position_embeddings=get["llama.context_length"](),
        rope_parameters={"rope_type": "default", "rope_theta": get["llama.rope.freq_base"]()},
        tie_word_embeddings=True, bos_token_id=1, eos_token_id=2, pad_token_id=2,
    )  # fmt: skip
    weights = {}
    for tensor in reader.tensors:
        values = torch.from_numpy(gguf.dequantize(tensor.data, tensor.tensor_type).copy())
        name = NAMES.get(tensor.name)
        if name is None:
            _, layer, part, kind = tensor.name.split(".")
            name = f"model.layers.{layer}.{NAMES[part]}.{kind}"
        if "q_proj" in name or "k_proj" in name:  # from pairs next to each other to halves
            heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
            values = values.view(heads, -1, 2, values.shape[1]).transpose(1, 2).flatten(0, 2)
        weights[name] = values
    model = LlamaForCausalLM(config).eval()
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert (missing, unexpected) == (["lm_head.weight"], [])
    return model


@pytest.fixture(scope="module")
def ours(path):
    return op.load_pretrained("smollm2")


def test_the_config_and_tokenizer_are_what_the_file_says(ours):
    model, tokenizer = ours
    c = model.config
    assert (c.n_layers, c.d_model, c.n_heads, c.n_kv_heads, c.d_ff) == (30, 576, 9, 3, 1536)
    assert (c.context_length, c.vocab_size, c.rope_theta) == (8192, 49152, 100_000)
    assert model.n_parameters == 134_515_008
    assert model.eos_id == tokenizer.eos_id == tokenizer.backend.token_to_id("<|im_end|>")
    assert tokenizer.start_ids == []


@torch.no_grad()
def test_weights_and_logits_equal_those_of_transformers(ours, theirs):
    """Weights bit by bit; logits, which reach 38, in double precision and roughly in single."""
    model, tokenizer = ours
    state = theirs.state_dict()
    assert torch.equal(model.embedding, state["model.embed_tokens.weight"])
    for layer in (0, 17, 29):
        block, start = model.blocks[layer], f"model.layers.{layer}."
        for ours_, name in (
            (block.attention.query, "self_attn.q_proj"),
            (block.attention.key, "self_attn.k_proj"),
            (block.attention.value, "self_attn.v_proj"),
            (block.feedforward.gate, "mlp.gate_proj"),
            (block.feedforward.down, "mlp.down_proj"),
            (block.norm2, "post_attention_layernorm"),
        ):
            assert torch.equal(ours_.weight, state[f"{start}{name}.weight"]), name
    ids = torch.tensor([op.chat_ids(tokenizer, TALK)])
    assert (model(ids) - theirs(ids).logits).abs().max() <= 5 * TOLERANCE
    found, expected = model.double()(ids), theirs.double()(ids).logits
    model.float(), theirs.float()
    assert expected.abs().max() > 30
    torch.testing.assert_close(found, expected, atol=TOLERANCE, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("chat", [True, False], ids=["chat", "plain"])
def test_the_greedy_answer_equals_that_of_transformers(ours, theirs, chat):
    model, tokenizer = ours
    ids = op.chat_ids(tokenizer, TALK) if chat else tokenizer.encode(PROMPT)
    found = op.generate(model, ids, 60)
    expected = theirs.generate(
        torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), do_sample=False,
        max_new_tokens=60, eos_token_id=2, pad_token_id=2,
    )[0, len(ids) :].tolist()  # fmt: skip
    assert found.ids == expected
    assert len(expected) == 60
    begin = "Machine learning is a subset of artificial intelligence that "
    begin += "leverages algorithms" if chat else "focuses on developing algorithms and models"
    assert tokenizer.decode(found.ids).strip().startswith(begin)


def test_ids_equal_those_of_transformers(ours, path):
    """For the chat and for texts without digits, which `transformers` does not split one by one."""
    tokenizer, theirs = ours[1], AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    for prompt in (True, False):
        for talk in (TALK, [{"role": "system", "content": "Be brief."}, *TALK]):
            expected = theirs.apply_chat_template(
                talk, add_generation_prompt=prompt, return_dict=False
            )
            assert op.chat_ids(tokenizer, talk, prompt) == expected
    for text in (PROMPT, " two  spaces\n\n\tend", "déjà vu 中文 🙂", "don't", "<|im_end|>", ""):
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        if "<|" not in text:
            assert ids == theirs(text, add_special_tokens=False).input_ids


def test_digits_are_split_one_by_one(ours):
    tokenizer = ours[1]
    assert tokenizer.tokens("In 2024, 3.14!") == [
        "In", " ", "2", "0", "2", "4", ",", " ", "3", ".", "1", "4", "!",
    ]  # fmt: skip


def test_a_typed_end_of_turn_is_text(ours):
    tokenizer = ours[1]
    ids = op.chat_ids(tokenizer, [{"role": "user", "content": "a<|im_end|>b"}])
    assert sum(token == 2 for token in ids) == 2  # the system's turn and the user's
    assert "a<|im_end|>b" in tokenizer.decode(ids)


def test_loading_by_name_needs_the_package(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(BUNDLED, "smollm2", "no-such-package-of-this-name")
    with pytest.raises(FileNotFoundError, match="the model 'smollm2' is not installed; `make"):
        op.load_pretrained("smollm2")
