"""Damaged and hostile GGUF files: a clear error that names the file, no memory for false sizes."""

import random
import resource
import struct

import pytest
from checkpoints import GROUPED, LlamaConfig, random_model
from gguf_files import by_hand, metadata_of, tensors_of, text, write

import oneprompt as op
from oneprompt.checkpoints import gguf_file

HUGE = 2**62
ARCHITECTURE = ("general.architecture", 8, text("llama"))


def number(kind: str, value) -> bytes:
    return struct.pack(f"<{kind}", value)


def array(inner: int, n: int, content: bytes = b"") -> bytes:
    return struct.pack("<IQ", inner, n) + content


@pytest.fixture
def path(tmp_path):
    """A whole file."""
    model = random_model(LlamaConfig(**GROUPED))
    metadata, tensors = metadata_of(model.config, "llama"), tensors_of(model, "llama")
    return write(tmp_path / "model.gguf", "llama", metadata, tensors)


@pytest.mark.parametrize("share", [0, 0.0001, 0.001, 0.01, 0.05, 0.5, 0.99, 0.9999])
def test_a_truncated_file_is_refused(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"model\.gguf is damaged or not a GGUF file: "):
        op.load_pretrained(path)


DAMAGED = [
    (b"", "at byte 0 it promises 4 bytes, and has 0"),
    (b"GGU", "at byte 0 it promises 4 bytes, and has 3"),
    (b"<!DOCTYPE html>", "it does not begin with the letters GGUF"),
    (by_hand(magic=b"FUGG"), "it does not begin with the letters GGUF"),
    (by_hand(version=1), r"it is of version 1; supported are \(2, 3\)"),
    (by_hand(version=0x03000000), "it is of version 50331648"),  # in the other byte order
    (by_hand(counts=(HUGE, 0)), "at byte 8 it promises 4,611,686,018,427,387,904 items: too many"),
    (by_hand(counts=(0, HUGE)), "at byte 16 it promises 4,611,686,018,427,387,904 items: too many"),
    (by_hand(counts=(0, 1)), "at byte"),
    (by_hand([("x", 8, number("Q", HUGE))]), "it promises 4,611,686,018,427,387,904 bytes"),
    (by_hand([("x", 9, array(0, HUGE))]), "it promises 4,611,686,018,427,387,904 items: too many"),
    (by_hand([("x", 9, array(8, HUGE))]), "it promises 4,611,686,018,427,387,904 items: too many"),
    (by_hand([("x", 9, array(12, 2**61))]), "items: too many"),  # 8 times it is 2**64
    (by_hand([("x", 9, array(9, 1, array(0, 1, b"x")))]), "an array of the type 9"),
    (by_hand([("x", 13, b"")]), "metadata of the unknown type 13"),
    (by_hand([("x", 9, array(99, 1))]), "an array of the type 99"),
    (by_hand([("x", 8, number("Q", 2) + b"\xff\xfe")]), "a text that is not UTF-8"),
    (by_hand([ARCHITECTURE, ARCHITECTURE]), "it has 'general.architecture' twice"),
    (by_hand([("general.alignment", 4, number("I", 0))]), "must be 8, 16, .*, got 0"),
    (by_hand([("general.alignment", 4, number("I", 24))]), "must be 8, 16, .*, got 24"),
    (by_hand([("general.alignment", 8, text("32"))]), "must be 8, 16, .*, got '32'"),
    (by_hand(infos=[("x", [], 0, 0)]), "tensor 'x' has 0 dimensions"),
    (by_hand(infos=[("x", [1] * 5, 0, 0)]), "tensor 'x' has 5 dimensions; 1 to 4"),
    (by_hand(infos=[("x", [HUGE, HUGE], 0, 0)]), "tensor 'x' should lie at bytes"),
    (by_hand(infos=[("x", [4], 0, HUGE)], data=bytes(16)), "should lie at bytes"),
    (by_hand(infos=[("x", [4], 0, 4)], data=bytes(64)), "should lie at .* aligned to 32"),
    (by_hand(infos=[("x", [5], 0, 0)], data=bytes(16)), "of 80: the file is cut off"),
    (by_hand(infos=[("x", [0, 4], 0, 0)]), r"tensor 'x' of \[0, 4\] numbers is not a multiple"),
    (by_hand(infos=[("x", [33], 8, 0)], data=bytes(99)), "not a multiple of 32"),
    (by_hand(infos=[("x", [256], 16, 0)], data=bytes(99)), "stored as IQ2_XXS; supported are"),
    (by_hand(infos=[("x", [4], 24, 0)], data=bytes(99)), "stored as I8; supported are F32"),
    (by_hand(infos=[("x", [4], 999, 0)], data=bytes(99)), "stored as 999; supported are F32"),
    (by_hand(infos=[("x", [4], 0, 0)] * 2, data=bytes(16)), "it has 'x' twice"),
    (
        by_hand(infos=[("x", [8], 0, 0), ("y", [8], 0, 0)], data=bytes(64)),
        "the tensors 'x' and 'y' overlap",
    ),
    (
        by_hand(infos=[("x", [16], 0, 0), ("y", [8], 0, 32)], data=bytes(64)),
        "the tensors 'x' and 'y' overlap",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("content", "words"), DAMAGED, ids=[words for _, words in DAMAGED])
def test_damage_is_named(content, words, tmp_path):
    (tmp_path / "x.gguf").write_bytes(content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=rf"x\.gguf is damaged or not a GGUF file: .*{words}") as e:
        op.load_pretrained(tmp_path / "x.gguf")
    assert len(str(e.value)) < 1000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def llama(**changes) -> bytes:
    """A file with the metadata of a Llama model, and no tensors."""
    sizes = {"context_length": 96, "embedding_length": 32, "block_count": 2,
             "feed_forward_length": 44, "attention.head_count": 4}  # fmt: skip
    fields = {f"llama.{name}": (4, number("I", value)) for name, value in sizes.items()}
    fields["llama.attention.layer_norm_rms_epsilon"] = (6, number("f", 1e-5))
    fields["general.architecture"] = (8, text("llama"))
    fields |= {name.replace("__", "."): value for name, value in changes.items()}
    return by_hand([(name, *value) for name, value in fields.items() if value])


NO_MODEL = [
    (by_hand(), "general.architecture=None is not supported; llama, qwen2, "),
    (llama(general__architecture=(8, text("mamba"))), "general.architecture='mamba' is not"),
    (llama(general__architecture=(4, number("I", 5))), "general.architecture=5 is not"),
    (llama(general__architecture=(9, array(8, 1, text("llama")))), r"=\['llama'\] is not"),
    (llama(llama__block_count=None, llama__context_length=None),
     "it lacks the metadata llama.context_length, llama.block_count"),
    (llama(llama__block_count=(8, text("2"))), "llama.block_count must be a positive integer"),
    (llama(llama__embedding_length=(4, number("I", 0))), "must be a positive integer, got 0"),
    (llama(llama__attention__head_count=(9, array(4, 2, bytes(8)))),
     r"llama.attention.head_count must be a positive integer, got \[0, 0\]"),
    (llama(llama__x=(9, array(0, 2000, bytes(2000)))), "is an array of 2,000 values; at most"),
    (llama(llama__rope__scaling__type=(8, text("yarn")), llama__expert_count=(4, number("I", 8))),
     "rope_scaling: rope_type 'yarn' is not supported; .*llama.expert_count=8 is unknown here"),
    (llama(llama__rope__scaling__type=(8, text("linear"))), "factor must be a positive number"),
    (llama(llama__rope__freq_base=(6, number("f", -1.0))), "rope_theta must be a positive"),
    (llama(llama__rope__dimension_count=(4, number("I", 6))),
     "llama.rope.dimension_count=6 is unknown here"),
    (llama(llama__attention__value_length=(4, number("I", 16))),
     "llama.attention.value_length=16 is unknown here"),
    (llama(llama__vocab_size=(10, number("Q", HUGE))), "vocab_size must be from 1 to"),
    (llama(llama__block_count=(4, number("I", 10**6)), llama__vocab_size=(4, number("I", 9))),
     "1000000 layers in the config, 0 in the weights"),
    (llama(tokenizer__ggml__eos_token_id=(8, text("2"))), "eos_token_id must be an id"),
    (llama(tokenizer__ggml__eos_token_id=(5, number("i", -2))), "must be an id, got -2"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "words"), NO_MODEL, ids=[words for _, words in NO_MODEL])
def test_metadata_that_describes_no_model_is_refused(content, words, tmp_path):
    (tmp_path / "x.gguf").write_bytes(content)
    with pytest.raises(ValueError, match=rf"x\.gguf: .*{words}"):
        op.load_pretrained(tmp_path / "x.gguf")


def test_one_message_names_all_unknown_metadata(path, tmp_path):
    model = random_model(LlamaConfig(**GROUPED))
    metadata = metadata_of(model.config, "llama") | {"rope.trick": 1, "attention.trick": "b"}
    tensors = tensors_of(model, "llama")
    path = write(tmp_path / "tricks.gguf", "llama", metadata, tensors)
    words = r"llama\.rope\.trick=1 and llama\.attention\.trick='b' are unknown here .*ignore="
    with pytest.raises(ValueError, match=words) as caught:
        op.load_pretrained(path)
    names = str(caught.value).split("ignore=[")[1].split("]")[0].replace('"', "").split(", ")
    op.load_pretrained(path, ignore=names)


def test_tensors_that_do_not_fit_the_model_are_refused(tmp_path):
    model = random_model(LlamaConfig(**GROUPED))
    metadata, tensors = metadata_of(model.config, "llama"), tensors_of(model, "llama")

    def load(tensors):
        return op.load_pretrained(write(tmp_path / "x.gguf", "llama", metadata, tensors))

    with pytest.raises(ValueError, match=r"lacks the tensor 'blk\.1\.ffn_up\.weight' of shape \(4"):
        load({k: v for k, v in tensors.items() if k != "blk.1.ffn_up.weight"})
    with pytest.raises(ValueError, match=r"no place for: \['blk\.1\.attn_q\.bias'\]"):
        load(tensors | {"blk.1.attn_q.bias": tensors["output_norm.weight"]})
    wrong = r"'blk\.0\.attn_q\.weight' should have the shape \(32, 32\), found \(61, 32\)"
    with pytest.raises(ValueError, match=wrong):
        load(tensors | {"blk.0.attn_q.weight": tensors["token_embd.weight"]})
    spoiled = tensors["blk.0.ffn_down.weight"].copy()
    spoiled[1, 2] = float("nan")
    with pytest.raises(ValueError, match=r"'blk\.0\.ffn_down\.weight' contains NaN"):
        load(tensors | {"blk.0.ffn_down.weight": spoiled})
    with pytest.raises(ValueError, match="2 layers in the config, 3 in the weights"):
        load(tensors | {"blk.2.ffn_norm.weight": tensors["output_norm.weight"]})


def test_random_damage_gives_the_saved_model_or_a_value_error(path):
    """Change bytes of the header: the model that was saved, or a ValueError, and nothing else."""
    content = path.read_bytes()
    size = content.index(b"output_norm.weight")
    saved, rng, refused = op.load_pretrained(path)[0].state_dict(), random.Random(0), 0
    for _ in range(300):
        damaged = bytearray(content)
        for _ in range(rng.choice((1, 1, 2, 8))):
            damaged[rng.randrange(size)] = rng.randrange(256)
        path.write_bytes(damaged)
        try:
            found = op.load_pretrained(path)[0].state_dict()
        except ValueError:
            refused += 1
        else:
            assert {k: v.shape for k, v in found.items()} == {k: v.shape for k, v in saved.items()}
    assert refused > 200


def test_without_the_gguf_package_the_error_says_to_install_it(path, monkeypatch):
    monkeypatch.setattr(gguf_file, "dequantize", None)
    with pytest.raises(ImportError, match=r"to read .*model\.gguf, pip install gguf"):
        op.load_pretrained(path)


def test_a_file_that_is_not_a_checkpoint_is_refused(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"is a file; give the folder that it is in, or a \.gguf"):
        op.load_pretrained(tmp_path / "model.bin")
