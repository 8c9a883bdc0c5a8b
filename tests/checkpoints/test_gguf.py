"""GGUF files give the logits of `transformers`, and every storage type gives its values."""

import gguf
import numpy as np
import pytest
import torch
from checkpoints import (
    GEMMA,
    GPT2,
    GROUPED,
    LLAMA3,
    OTHERS,
    TOLERANCE,
    Gemma3TextConfig,
    GPT2Config,
    LlamaConfig,
    Qwen2Config,
    Qwen3Config,
    assert_rounded,
    differences,
    random_ids,
    random_model,
)
from gguf_files import by_hand, metadata_of, tensors_of, write

import oneprompt as op
from oneprompt.checkpoints.gguf_file import TYPES, open_gguf

ROPE = {"rope_parameters": {"rope_type": "default", "rope_theta": 5000.0}}
MODELS = {
    ("llama", "multi-head"): (LlamaConfig, OTHERS),
    ("llama", "grouped, tied"): (LlamaConfig, GROUPED | ROPE | {"tie_word_embeddings": True}),
    ("llama", "heads of 20, multi-query"): (
        LlamaConfig,
        OTHERS | {"head_dim": 20, "num_key_value_heads": 1},
    ),
    ("qwen2", "grouped"): (Qwen2Config, GROUPED | ROPE),
    ("qwen2", "tied"): (Qwen2Config, GROUPED | {"tie_word_embeddings": True}),
    ("qwen3", "heads of 16"): (Qwen3Config, GROUPED | ROPE | {"head_dim": 16}),
    ("qwen3", "tied"): (Qwen3Config, GROUPED | {"head_dim": 8, "tie_word_embeddings": True}),
    ("gemma3", "7 layers, window 5"): (
        Gemma3TextConfig,
        GEMMA | {"num_hidden_layers": 7, "sliding_window": 5},
    ),
    ("gemma3", "scaled RoPE, untied"): (
        Gemma3TextConfig,
        GEMMA
        | {
            "num_hidden_layers": 6, "sliding_window": 3, "tie_word_embeddings": False,
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "rope_theta": 900.0, "factor": 8.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            },
        },
    ),
    ("gpt2", "tied"): (GPT2Config, GPT2),
    ("gpt2", "n_inner 50, untied"): (
        GPT2Config,
        GPT2 | {"n_inner": 50, "tie_word_embeddings": False},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
@pytest.mark.parametrize("name", MODELS, ids=", ".join)
def test_logits_equal_those_of_transformers(name, kind, tmp_path):
    """One text and several, with and without a cache, with the weights as they are stored."""
    config_class, fields = MODELS[name]
    theirs = random_model(config_class(**fields))
    for p in theirs.parameters():
        if p.ndim > 1:
            stored = gguf.GGMLQuantizationType[kind]
            values = gguf.dequantize(gguf.quantize(p.detach().numpy(), stored), stored)
            p.data = torch.from_numpy(values.copy())
    metadata, tensors = metadata_of(theirs.config, name[0]), tensors_of(theirs, name[0])
    ours, tokenizer = op.load_pretrained(
        write(tmp_path / "x.gguf", name[0], metadata, tensors, kind)
    )
    assert tokenizer is None
    assert ours.config.tie_embeddings == theirs.config.tie_word_embeddings
    found = differences(theirs, ours)
    assert max(found.values()) <= TOLERANCE, found


def test_the_largest_gemma_scales_its_scores_differently(tmp_path):
    """Its scores are divided by √(D / H) and not by √d; the file does not say so."""
    fields = GEMMA | {"num_hidden_layers": 62, "num_attention_heads": 2, "sliding_window": 5}
    theirs = random_model(Gemma3TextConfig(**fields | {"query_pre_attn_scalar": 16}))
    metadata, tensors = metadata_of(theirs.config, "gemma3"), tensors_of(theirs, "gemma3")
    ours = op.load_pretrained(write(tmp_path / "x.gguf", "gemma3", metadata, tensors))[0]
    ids = random_ids(1, 20)
    with torch.no_grad():
        torch.testing.assert_close(ours(ids), theirs(ids).logits, atol=5e-4, rtol=0)


def test_logits_of_quantized_weights_equal_those_of_transformers(tmp_path):
    """Blocks of 32 numbers need rows whose length is a multiple; the rest is as above."""
    fields = GROUPED | {"hidden_size": 64, "intermediate_size": 96}
    for kind in ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"):
        theirs, stored = random_model(LlamaConfig(**fields)), gguf.GGMLQuantizationType[kind]
        metadata, tensors = metadata_of(theirs.config, "llama"), tensors_of(theirs, "llama")
        path = write(tmp_path / f"{kind}.gguf", "llama", metadata, tensors, kind)
        for p in theirs.parameters():
            if p.ndim > 1:
                values = gguf.dequantize(gguf.quantize(p.detach().numpy(), stored), stored)
                p.data = torch.from_numpy(values.copy())
        ours = op.load_pretrained(path)[0]
        assert max(differences(theirs, ours).values()) <= TOLERANCE, kind


@pytest.mark.parametrize("kind", ["F32", "F16", "Q8_0"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_another_dtype_has_the_same_numbers_rounded(dtype, kind, tmp_path):
    theirs = random_model(LlamaConfig(**GROUPED | {"hidden_size": 64, "intermediate_size": 96}))
    metadata, tensors = metadata_of(theirs.config, "llama"), tensors_of(theirs, "llama")
    path = write(tmp_path / "x.gguf", "llama", metadata, tensors, kind)
    assert_rounded(path, dtype)


def test_numbers_beyond_a_dtype_are_refused(tmp_path):
    theirs = random_model(LlamaConfig(**GROUPED))
    theirs.model.norm.weight.data[3] = 7e4
    metadata, tensors = metadata_of(theirs.config, "llama"), tensors_of(theirs, "llama")
    path = write(tmp_path / "x.gguf", "llama", metadata, tensors)
    with pytest.raises(ValueError, match=r"output_norm\.weight has numbers beyond 65,504, .*bf"):
        op.load_pretrained(path, dtype=torch.float16)


@pytest.mark.parametrize("factor", [8.0, 32.0])
def test_llama_3_1_stores_its_rope_scaling_as_a_tensor(factor, tmp_path):
    scaling = LLAMA3 | {"factor": factor, "original_max_position_embeddings": 8192}
    fields = GROUPED | {"rope_parameters": scaling, "head_dim": 32}
    theirs = random_model(LlamaConfig(**fields))
    factors = theirs.model.rotary_emb.inv_freq.numpy()
    plain = 500_000.0 ** (-np.arange(0, 32, 2, dtype=np.float32) / 32)
    tensors = {"rope_freqs.weight": plain / factors} | tensors_of(theirs, "llama")
    metadata = metadata_of(theirs.config, "llama")
    path = write(tmp_path / "x.gguf", "llama", metadata, tensors)
    ours = op.load_pretrained(path)[0]
    assert ours.config.rope_scaling["factor"] == factor
    assert max(differences(theirs, ours).values()) <= TOLERANCE
    tensors["rope_freqs.weight"] = tensors["rope_freqs.weight"][::-1].copy()
    path = write(tmp_path / "other.gguf", "llama", metadata, tensors)
    with pytest.raises(ValueError, match=r"other\.gguf: rope_freqs\.weight does not scale RoPE"):
        op.load_pretrained(path)


def test_linear_rope_scaling_is_read_from_the_metadata(tmp_path):
    fields = GROUPED | {
        "rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}
    }
    theirs = random_model(LlamaConfig(**fields))
    metadata = metadata_of(theirs.config, "llama")
    metadata |= {"rope.scaling.type": "linear", "rope.scaling.factor": 4.0}
    path = write(tmp_path / "x.gguf", "llama", metadata, tensors_of(theirs, "llama"))
    assert max(differences(theirs, op.load_pretrained(path)[0]).values()) <= TOLERANCE


def half(content: bytes, at: int) -> float:
    return float(np.frombuffer(content[at : at + 2], np.float16)[0])


def q8_0(b: bytes) -> list[float]:
    """A scale, and 32 signed bytes."""
    return [half(b, 0) * int.from_bytes(b[2 + i : 3 + i], signed=True) for i in range(32)]


def nibbles(b: bytes) -> list[int]:
    """The low halves of all bytes, then the high ones."""
    return [x & 15 for x in b] + [x >> 4 for x in b]


def q4_0(b: bytes) -> list[float]:
    return [half(b, 0) * (q - 8) for q in nibbles(b[2:])]


def q4_1(b: bytes) -> list[float]:
    return [half(b, 0) * q + half(b, 2) for q in nibbles(b[4:])]


def fifth_bits(b: bytes) -> list[int]:
    """32 bits, the first the lowest."""
    return [int.from_bytes(b, "little") >> i & 1 for i in range(32)]


def q5_0(b: bytes) -> list[float]:
    pairs = zip(nibbles(b[6:]), fifth_bits(b[2:6]), strict=True)
    return [half(b, 0) * (low + 16 * high - 16) for low, high in pairs]


def q5_1(b: bytes) -> list[float]:
    pairs = zip(nibbles(b[8:]), fifth_bits(b[4:8]), strict=True)
    return [half(b, 0) * (low + 16 * high) + half(b, 2) for low, high in pairs]


def scales_and_minima(b: bytes) -> list[tuple[int, int]]:
    """Eight pairs of 6 bits in 12 bytes, ggml's get_scale_min_k4."""
    first = [(b[j] & 63, b[j + 4] & 63) for j in range(4)]
    return first + [
        ((b[j + 4] & 15) | (b[j - 4] >> 6) << 4, (b[j + 4] >> 4) | (b[j] >> 6) << 4)
        for j in range(4, 8)
    ]


def q4_k(b: bytes) -> list[float]:
    """256 numbers in eight groups, each with its own scale and minimum."""
    d, dmin, pairs, qs = half(b, 0), half(b, 2), scales_and_minima(b[4:16]), b[16:]
    values = []
    for group, (scale, minimum) in enumerate(pairs):
        part = qs[group // 2 * 32 : group // 2 * 32 + 32]
        values += [d * scale * (x >> 4 * (group % 2) & 15) - dmin * minimum for x in part]
    return values


def q5_k(b: bytes) -> list[float]:
    """As q4_k, with a fifth bit from 32 bytes, one bit of each per group."""
    d, dmin, pairs, high, qs = half(b, 0), half(b, 2), scales_and_minima(b[4:16]), b[16:48], b[48:]
    values = []
    for group, (scale, minimum) in enumerate(pairs):
        part = qs[group // 2 * 32 : group // 2 * 32 + 32]
        q = [(x >> 4 * (group % 2) & 15) + 16 * (h >> group & 1)
             for x, h in zip(part, high, strict=True)]  # fmt: skip
        values += [d * scale * x - dmin * minimum for x in q]
    return values


def q6_k(b: bytes) -> list[float]:
    """256 numbers: 4 bits in ql, 2 in qh, a signed scale for each 16, one for all."""
    ql, qh, scales, d = b[:128], b[128:192], b[192:208], half(b, 208)
    values = [0.0] * 256
    for n in range(2):  # each half of the block
        for i in range(32):
            low = [ql[64 * n + i] & 15, ql[64 * n + 32 + i] & 15,
                   ql[64 * n + i] >> 4, ql[64 * n + 32 + i] >> 4]  # fmt: skip
            for part in range(4):
                q = (low[part] | (qh[32 * n + i] >> 2 * part & 3) << 4) - 32
                at = 128 * n + 32 * part + i
                scale = int.from_bytes(scales[at // 16 : at // 16 + 1], signed=True)
                values[at] = d * scale * q
    return values


BY_HAND = {"Q8_0": q8_0, "Q4_0": q4_0, "Q4_1": q4_1, "Q5_0": q5_0, "Q5_1": q5_1, "Q4_K": q4_k,
           "Q5_K": q5_k, "Q6_K": q6_k}  # fmt: skip
HALVES = {"Q4_1": (0, 2), "Q5_1": (0, 2), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}


def random_blocks(kind: str, n: int, seed: int = 0) -> bytes:
    """Bytes of n blocks: any bytes are valid, except that the fp16 scales must be finite."""
    rng, size = (
        np.random.default_rng(seed),
        gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]][1],
    )
    blocks = rng.integers(0, 256, (n, size), dtype=np.uint8)
    for at in HALVES.get(kind, (0,)):
        halves = rng.standard_normal(n).astype(np.float16)
        blocks[:, at : at + 2] = halves.view(np.uint8).reshape(n, 2)
    return blocks.tobytes()


def stored(tmp_path, kind: str, sizes: list[int], data: bytes):
    """A file with one tensor, opened."""
    code = gguf.GGMLQuantizationType[kind].value
    path = tmp_path / "one.gguf"
    path.write_bytes(by_hand(infos=[("x", sizes, code, 0)], data=data))
    return open_gguf(path)


@pytest.mark.parametrize("kind", BY_HAND)
def test_quantized_blocks_decode_as_in_the_gguf_package_and_by_hand(kind, tmp_path):
    """Blocks of random bytes: as the gguf package decodes them, and as worked out one by one."""
    n = 3 * 40_000 if kind == "Q4_0" else 6  # several pieces for one of them
    quant = gguf.GGMLQuantizationType[kind]
    per_block, size = gguf.GGML_QUANT_SIZES[quant]
    data = random_blocks(kind, n)
    found = stored(tmp_path, kind, [n // 3 * per_block, 3], data).read("x")
    assert found.shape == (3, n // 3 * per_block)
    assert found.dtype == torch.float32
    theirs = gguf.dequantize(np.frombuffer(data, np.uint8).reshape(3, -1), quant)
    assert np.array_equal(found.numpy(), theirs)
    for i in (0, 1, n - 1):
        expected = BY_HAND[kind](data[i * size : (i + 1) * size])
        got = found.flatten()[i * per_block : (i + 1) * per_block]
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "BF16", "F16", "F32"])
def test_dequantized_numbers_are_near_the_originals(kind, tmp_path):
    quant = gguf.GGMLQuantizationType[kind]
    values = np.random.default_rng(1).standard_normal((5, 64)).astype(np.float32)
    data = gguf.quantize(values, quant)
    found = stored(tmp_path, kind, [64, 5], data.tobytes()).read("x").numpy()
    assert np.array_equal(found, gguf.dequantize(data, quant).reshape(5, 64))
    worst = {"Q8_0": 0.02, "BF16": 0.02, "F16": 0.002, "F32": 0.0}.get(kind, 0.3)
    assert np.abs(found - values).max() <= worst


def test_all_types_are_tested():
    assert {*BY_HAND, "BF16", "F16", "F32"} == set(TYPES)


def test_metadata_equals_what_the_gguf_package_reads(tmp_path):
    """Every type of value, as the package's own reader gives it."""
    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "llama")
    for name, value in (("uint8", 200), ("int8", -5), ("uint16", 60000), ("int16", -30000),
                        ("uint32", 2**31), ("int32", -(2**31)), ("uint64", 2**63),
                        ("int64", -(2**62)), ("float32", 1e-5), ("float64", 1e-300),
                        ("bool", True), ("string", "日本 🙂")):  # fmt: skip
        getattr(writer, f"add_{name}")(f"x.{name}", value)
    writer.add_array("x.texts", ["a", "", "日本"])
    writer.add_array("x.numbers", [1, 2, 3])
    writer.add_array("x.floats", [0.5, -2.0])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    ours, theirs = open_gguf(tmp_path / "x.gguf").metadata, gguf.GGUFReader(tmp_path / "x.gguf")
    for name, value in ours.items():
        expected = theirs.fields[name].contents()
        value = value.tolist() if isinstance(value, np.ndarray) else value
        assert value == (pytest.approx(expected) if name == "x.float32" else expected), name
    assert len(ours) == 16
    assert ours["x.float32"] == 1e-5  # as it was written
