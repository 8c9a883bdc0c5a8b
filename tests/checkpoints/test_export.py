"""`transformers` loads what `export_hf` writes: the same logits, ids and texts."""

import json

import pytest
import torch
from checkpoints import AutoModelForCausalLM
from models import random_model
from questions import training_texts
from safetensors.torch import load_file
from transformers import AutoTokenizer

import oneprompt as op

PROMPT = "What is machine learning?"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The reference pair, exported and loaded by `transformers`."""
    folder = tmp_path_factory.mktemp("exported")
    tokenizer, loaded = op.load_tokenizer(), {}
    for name in ("reference", "draft"):
        model = op.load_model(name)
        op.export_hf(model, tokenizer, folder / name)
        theirs = AutoModelForCausalLM.from_pretrained(folder / name, dtype=torch.float32)
        loaded[name] = (model, theirs.eval())
    return folder, tokenizer, AutoTokenizer.from_pretrained(folder / "reference"), loaded


@pytest.fixture(params=["reference", "draft"])
def name(request):
    return request.param


@torch.no_grad()
def test_transformers_computes_our_logits(exported, name):
    _, tokenizer, _, loaded = exported
    ours, theirs = loaded[name]
    ids = torch.tensor([tokenizer.encode(" ".join(training_texts(40)))[:256]])
    assert ids.shape == (1, 256)  # the whole context
    torch.testing.assert_close(theirs(ids).logits, ours(ids), atol=1e-4, rtol=0)
    assert type(theirs).__name__ == "GPTNeoXForCausalLM"
    assert theirs.config.use_parallel_residual is ours.config.parallel_residual is False
    assert theirs.num_parameters() == ours.n_parameters  # tied there too


def test_transformers_encodes_and_decodes_as_we_do(exported):
    _, tokenizer, theirs, _ = exported
    for text in [PROMPT, *training_texts(60), " déjà 中文 🙂\n\n  two  spaces", ""]:
        ids = tokenizer.encode(text)
        assert theirs(text).input_ids == ids
        assert theirs.decode(ids) == tokenizer.decode(ids) == text
    assert theirs.eos_token_id == tokenizer.eos_id
    assert len(theirs) == tokenizer.vocab_size
    assert theirs.model_max_length == 256


def generate(theirs, ids, **more):
    """Greedy text from `transformers`, with the settings in the exported files and no others."""
    out = theirs.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), **more)
    return out[0, len(ids) :].tolist()


def test_transformers_gives_our_greedy_answer(exported, name):
    _, tokenizer, _, loaded = exported
    ours, theirs = loaded[name]
    ids = tokenizer.encode(PROMPT)
    expected = op.generate(ours, ids, 60)
    assert expected.stop_reason == "stop"
    assert generate(theirs, ids, max_new_tokens=60) == expected.ids


def test_assisted_generation_runs_on_the_pair(exported):
    """Their speculative decoding, our speculative decoding and plain decoding: one text."""
    _, tokenizer, _, loaded = exported
    (target, their_target), (draft, their_draft) = loaded["reference"], loaded["draft"]
    passes = []
    their_target.register_forward_hook(lambda *_: passes.append(1))
    for question in (PROMPT, "What is a token?", "What is attention?"):
        ids = tokenizer.encode(question)
        ours = op.speculative_generate(target, draft, ids, 60)
        passes.clear()
        found = generate(their_target, ids, max_new_tokens=60, assistant_model=their_draft)
        assert found == ours.ids == op.generate(target, ids, 60).ids
        assert len(passes) < len(found)  # it did speculate


def test_weights_are_written_in_16_bits_where_nothing_is_lost(exported, name, tmp_path):
    """The pair's are fp16 from the start, so no engine has to be told to keep them so."""
    folder, tokenizer, _, loaded = exported
    model, theirs = loaded[name]
    file = folder / name / "model.safetensors"
    tensors = load_file(file)
    assert {t.dtype for t in tensors.values()} == {torch.float16}
    assert file.stat().st_size < 2.1 * model.n_parameters
    assert json.loads((folder / name / "config.json").read_text())["torch_dtype"] == "float16"
    exact = theirs.state_dict()
    assert all(torch.equal(t.float(), exact[key]) for key, t in tensors.items())
    for dtype, nudge in ((torch.bfloat16, 0.0), (torch.float32, 1e-7)):
        other = op.load_model(name)
        for p in other.parameters():
            p.data = p.data.to(torch.bfloat16).float()
        other.embedding.data[0, 0] = 2.0**-30 + nudge  # not an fp16 number
        op.export_hf(other, tokenizer, tmp_path)
        assert {t.dtype for t in load_file(tmp_path / "model.safetensors").values()} == {dtype}
        back = op.load_pretrained(tmp_path)[0]
        pairs = zip(back.parameters(), other.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)


def test_an_export_loads_as_the_same_model(exported, name):
    folder, tokenizer, _, loaded = exported
    model, back = op.load_pretrained(folder / name)
    ours = loaded[name][0]
    assert (model.config, model.eos_id) == (ours.config, ours.eos_id)
    for key, tensor in ours.state_dict().items():
        assert torch.equal(model.state_dict()[key], tensor), key
    assert (back.eos_id, back.vocab_size) == (tokenizer.eos_id, tokenizer.vocab_size)
    assert back.encode(PROMPT) == tokenizer.encode(PROMPT)


SIZES = {"vocab_size": 300, "context_length": 40, "d_model": 24, "n_layers": 2, "n_heads": 3}
LLAMA3 = {"type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_context_length": 20}  # fmt: skip


@pytest.mark.parametrize(
    "choices",
    [
        {"parallel_residual": True, "tie_embeddings": False, "rope_fraction": 0.25},
        {"activation": "gelu", "d_ff": 50, "norm_eps": 1e-2, "rope_theta": 300.0},
        {"activation": "relu", "rope_scaling": {"type": "linear", "factor": 3.0}},
        {"rope_scaling": LLAMA3},
    ],
    ids=str,
)
@torch.no_grad()
def test_other_variants_are_exported_too(choices, tmp_path):
    model = random_model(op.ModelConfig(**SIZES | choices))
    model.eos_id = (3, 4)
    op.export_hf(model, op.Tokenizer.train(["text"], 300), tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    ids = torch.arange(40)[None] * 7
    torch.testing.assert_close(theirs(ids).logits, model(ids), atol=1e-4, rtol=0)
    assert theirs.generation_config.eos_token_id == [3, 4]
    back = op.load_pretrained(tmp_path)[0]
    assert (back.config, back.eos_id) == (model.config, model.eos_id)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"position": "alibi"}, "needs position='rope'; this model has 'alibi'"),
        ({"rope_pairing": "interleaved"}, "needs rope_pairing='halves'"),
        ({"norm": "rmsnorm"}, "needs norm='layernorm'"),
        ({"sliding_window": 4}, "needs sliding_window=None; this model has 4"),
        ({"bias": False}, "needs bias=True"),
        ({"qkv_bias": False}, "needs qkv_bias=True"),
        ({"embedding_norm": True}, "needs embedding_norm=False"),
        ({"activation": "swiglu"}, "no activation 'swiglu'"),
        ({"n_kv_heads": 1}, "n_kv_heads=1, n_heads=3, head_dim=8"),
        ({"head_dim": 10}, "n_heads=3, head_dim=10"),
    ],
)
def test_what_the_format_cannot_express_is_refused(choices, words, tmp_path):
    model = op.Transformer(op.ModelConfig(**SIZES | choices))
    with pytest.raises(ValueError, match=words):
        op.export_hf(model, op.load_tokenizer(), tmp_path / "new")
    assert not (tmp_path / "new").exists()
