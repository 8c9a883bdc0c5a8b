"""Damaged and hostile files: each gives an error that names it, and none is run or trusted."""

import json
import pickle
import random
import struct
from pathlib import Path

import pytest
import torch
from checkpoints import assert_same_logits, change_config, change_tensors, first_shape, saved_model
from models import small_model
from safetensors.torch import load_file

import oneprompt as op


@pytest.fixture
def folder(tmp_path):
    """A small GPT-2 checkpoint."""
    saved_model(tmp_path, *first_shape("gpt2"))
    return tmp_path


@pytest.fixture(params=["our file", "a checkpoint"])
def target(request, tmp_path):
    """A safetensors file, and how to load it: `load_model`, or `load_pretrained` on its folder."""
    if request.param == "our file":
        path = tmp_path / "model.safetensors"
        op.save_model(small_model(), path)
        return path, lambda: op.load_model(path)
    saved_model(tmp_path, *first_shape("gpt2"))
    return tmp_path / "model.safetensors", lambda: op.load_pretrained(tmp_path)[0]


def header_of(content: bytes) -> tuple[dict, bytes]:
    size = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def put(path: Path, header: bytes, data: bytes, size: int | None = None) -> None:
    path.write_bytes(struct.pack("<Q", len(header) if size is None else size) + header + data)


@pytest.mark.parametrize("share", [0, 1e-4, 0.02, 0.5, 0.999])
def test_a_truncated_file_is_refused(target, share):
    path, load = target
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"model\.safetensors is damaged"):
        load()


@pytest.mark.parametrize("size", [2**63, 2**40, 200_000_000, 0])
def test_a_header_that_lies_about_its_size_is_refused(target, size):
    path, load = target
    content = path.read_bytes()
    path.write_bytes(struct.pack("<Q", size) + content[8:])
    with pytest.raises(ValueError, match=r"model\.safetensors is damaged"):
        load()


def test_a_name_given_twice_is_refused(target):
    """The library takes the last one; two readers could then see two models in one file."""
    path, load = target
    header, data = header_of(path.read_bytes())
    name = next(key for key in header if key != "__metadata__")
    twice = json.dumps(header)[:-1] + f", {json.dumps(name)}: {json.dumps(header[name])}}}"
    put(path, twice.encode(), data)
    assert name in load_file(path)  # the library accepts it
    with pytest.raises(ValueError, match=rf"is damaged .*it has '{name}' twice"):
        load()


def test_overlapping_tensors_are_refused(target):
    path, load = target
    header, data = header_of(path.read_bytes())
    names = [key for key in header if key != "__metadata__"]
    header[names[1]]["data_offsets"] = header[names[0]]["data_offsets"]
    put(path, json.dumps(header).encode(), data)
    with pytest.raises(ValueError, match="is damaged"):
        load()


@pytest.mark.parametrize(
    ("dtype", "found"),
    [("I8", "int8"), ("F8_E4M3", "float8_e4m3fn"), ("U8", "uint8"), ("BOOL", "bool")],
)
def test_quantized_tensors_are_refused(target, dtype, found):
    """Quantized weights need scales from elsewhere; read as plain numbers they are nonsense."""
    path, load = target
    tensors = load_file(path)
    header, data, metadata = {}, b"", header_of(path.read_bytes())[0].get("__metadata__")
    for name, tensor in tensors.items():
        content = bytes(tensor.numel())
        offsets = [len(data), len(data) + len(content)]
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": offsets}
        data += content
    put(path, json.dumps(header | {"__metadata__": metadata}).encode(), data)
    with pytest.raises(ValueError, match=rf"should hold one of float16, .*{found}, as quantized"):
        load()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_nan_and_infinity_are_refused(folder, value):
    name = "transformer.h.1.mlp.c_fc.weight"

    def spoil(tensors):
        tensors[name][2, 3] = value
        return tensors

    change_tensors(folder, spoil)
    with pytest.raises(ValueError, match=rf"model\.safetensors: tensor '{name}' contains NaN"):
        op.load_pretrained(folder)


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("h.0.attn.c_attn.weight", (72, 24), r"\(24, 72\)"),  # transposed
        ("h.1.attn.c_attn.bias", (24,), r"\(72,\)"),
        ("wpe.weight", (64, 24), r"\(96, 24\)"),
        ("wte.weight", (61, 32), r"\(61, 24\)"),
        ("ln_f.weight", (24, 1), r"\(24,\)"),
    ],
)
def test_a_wrong_shape_is_reported_with_the_tensor_and_both_shapes(folder, name, shape, expected):
    name = f"transformer.{name}"
    change_tensors(folder, lambda tensors: tensors | {name: torch.zeros(shape)})
    found = str(shape).replace("(", r"\(").replace(")", r"\)")
    words = rf"tensor '{name}' should have the shape {expected}, found {found}"
    with pytest.raises(ValueError, match=words):
        op.load_pretrained(folder)


def test_missing_and_extra_tensors_are_refused(folder):
    change_tensors(folder, lambda t: {k: v for k, v in t.items() if "h.1.ln_2.bias" not in k})
    with pytest.raises(ValueError, match=r"lacks the tensor 'h\.1\.ln_2\.bias' of shape \(24,\)"):
        op.load_pretrained(folder)
    extra = {"transformer.h.1.ln_2.bias": torch.zeros(24), "score.weight": torch.zeros(2, 24)}
    change_tensors(folder, lambda tensors: tensors | extra)
    with pytest.raises(ValueError, match=r"no place for: \['score\.weight'\]"):
        op.load_pretrained(folder)


def test_one_tensor_under_two_names_is_refused(folder):
    change_tensors(folder, lambda t: t | {"ln_f.bias": t["transformer.ln_f.bias"] + 1})
    with pytest.raises(ValueError, match=r"tensor '.*ln_f\.bias' is also in .*model\.safetensors"):
        op.load_pretrained(folder)


def test_random_damage_gives_the_saved_model_or_a_value_error(target):
    """Flip bytes of the header: the model that was saved, or a ValueError, and nothing else."""
    path, load = target
    content = path.read_bytes()
    size = 8 + struct.unpack("<Q", content[:8])[0]
    saved, rng, refused = load().state_dict(), random.Random(0), 0
    for _ in range(250):
        damaged = bytearray(content)
        for _ in range(rng.choice((1, 1, 2, 8))):
            damaged[rng.randrange(size)] = rng.randrange(256)
        path.write_bytes(damaged)
        try:
            found = load().state_dict()
        except ValueError:
            refused += 1
        else:
            assert found.keys() == saved.keys()
            assert all(found[name].shape == saved[name].shape for name in saved)
    assert refused > 200


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "config.json is not usable JSON"),
        (b"{'n_layer': 2}", "config.json is not usable JSON"),
        (b"<!DOCTYPE html>", "config.json is not usable JSON"),
        (b"\xff\xfe\x00", "config.json is not usable JSON"),
        (b"[" * 100_000, "config.json is not usable JSON"),
        (b'{"n_layer": ' + b"9" * 5000 + b"}", "config.json is not usable JSON"),
        (b'{"model_type": "gpt2", "n_layer": 2, "n_layer": 3}', "it has 'n_layer' twice"),
        (b"[1, 2]", "should hold a JSON object, found list"),
        (b"null", "should hold a JSON object, found NoneType"),
        (b"{}", "model_type=None is not supported"),
        (b'{"model_type": ["gpt2"]}', r"model_type=\['gpt2'\] is not supported"),
    ],
)
def test_a_file_that_is_not_a_config_is_refused(folder, content, words):
    (folder / "config.json").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        op.load_pretrained(folder)


@pytest.mark.parametrize(
    "sizes",
    [
        {"n_layer": 10**7},
        {"n_embd": 2**24, "n_head": 1},
        {"n_inner": 2**24},
        {"vocab_size": 2**24},
        {"n_positions": 2**24},
        {"n_embd": 2**24, "n_inner": 2**24, "vocab_size": 2**24, "n_positions": 2**24},
    ],
)
def test_absurd_sizes_are_refused_before_memory_is_allocated(folder, sizes):
    """16 million of each contradicts the file's shapes: nothing of that size is ever made."""
    change_config(folder, **sizes)
    with pytest.raises(ValueError, match=r"should have the shape|layers in the config|too large"):
        op.load_pretrained(folder)


def test_absurd_sizes_in_our_own_file_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    op.save_model(small_model(), path)
    header, data = header_of(path.read_bytes())
    for name, size in (("n_layers", 10**9), ("vocab_size", 10**12), ("d_ff", 10**18)):
        config = json.loads(header["__metadata__"]["config"]) | {name: size}
        changed = header | {"__metadata__": {"config": json.dumps(config)}}
        put(path, json.dumps(changed).encode(), data)
        with pytest.raises(ValueError, match=r"too few|should have the shape|too large"):
            op.load_model(path)


class Bomb:
    """A pickle that leaves a trace when it is opened."""

    def __init__(self, trace: Path):
        self.trace = trace

    def __reduce__(self):
        return (Path.touch, (self.trace,))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "consolidated.00.pth"])
def test_a_pickle_is_refused_and_never_opened(folder, name):
    trace = folder / "trace"
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Bomb(trace)))
    with pytest.raises(ValueError, match=rf"only as pickle \({name}\), and opening a pickle"):
        op.load_pretrained(folder)
    (folder / name).rename(folder / "model.safetensors")  # nor under another name
    with pytest.raises(ValueError, match=r"model\.safetensors is damaged or no safetensors file"):
        op.load_pretrained(folder)
    assert not trace.exists()


def test_a_pickle_beside_safetensors_is_left_alone(folder):
    trace = folder / "trace"
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(trace)))
    op.load_pretrained(folder)
    assert not trace.exists()


@pytest.fixture
def sharded(tmp_path):
    """A checkpoint in shards, in its own folder, its index, and a file outside the folder."""
    folder = tmp_path / "checkpoint"
    theirs = saved_model(folder, *first_shape("gpt2"), max_shard_size="9KB")
    index = folder / "model.safetensors.index.json"
    shards = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    (tmp_path / "outside.safetensors").write_bytes((folder / shards[0]).read_bytes())
    return theirs, folder, index, shards


@pytest.mark.parametrize(
    "name",
    ["../outside.safetensors", "{root}/outside.safetensors", "sub/../../outside.safetensors",
     "..\\outside.safetensors", "..", ".", "", "/etc/passwd", "model.bin", "C:x.safetensors",
     "a\x00.safetensors", "file:///x.safetensors", 5, None, ["x.safetensors"]],
)  # fmt: skip
def test_an_index_cannot_name_a_file_elsewhere(sharded, name):
    _, folder, index, shards = sharded
    if isinstance(name, str):
        name = name.replace("{root}", str(folder.parent))
    content = json.loads(index.read_text())
    content["weight_map"] = {
        key: name if shard == shards[0] else shard for key, shard in content["weight_map"].items()
    }
    index.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"index\.json (names|is not usable)"):
        op.load_pretrained(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"weight_map": []}', '{"weight_map": 5}'])
def test_an_unusable_index_is_refused(sharded, content):
    _, folder, index, _ = sharded
    index.write_text(content)
    with pytest.raises(ValueError, match=r"index\.json is not usable"):
        op.load_pretrained(folder)


def test_missing_damaged_and_duplicate_shards_are_refused(sharded):
    theirs, folder, index, shards = sharded
    assert_same_logits(theirs, op.load_pretrained(folder)[0])
    content = (folder / shards[1]).read_bytes()
    (folder / shards[1]).write_bytes(content[:-4])
    with pytest.raises(ValueError, match=rf"{shards[1]} is damaged"):
        op.load_pretrained(folder)
    (folder / shards[1]).unlink()
    with pytest.raises(FileNotFoundError, match=rf"index\.json names {shards[1]}, which is not in"):
        op.load_pretrained(folder)
    (folder / shards[1]).write_bytes((folder / shards[0]).read_bytes())
    with pytest.raises(ValueError, match=rf"is also in .*{shards[0]}"):
        op.load_pretrained(folder)
    index.unlink()
    with pytest.raises(FileNotFoundError, match=r"no model\.safetensors and no model\.safetensors"):
        op.load_pretrained(folder)


def test_an_index_that_leaves_out_a_shard_is_refused(sharded):
    _, folder, index, shards = sharded
    content = json.loads(index.read_text())
    content["weight_map"] = {k: v for k, v in content["weight_map"].items() if v != shards[0]}
    index.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="lacks the tensor"):
        op.load_pretrained(folder)


def test_a_damaged_tokenizer_or_generation_config_is_refused(folder):
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(ValueError, match=r"tokenizer\.json is not a tokenizer\.json"):
        op.load_pretrained(folder)
    (folder / "tokenizer.json").unlink()
    for wrong in ("x", -1, 2.5, [1, "2"], True):
        (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": wrong}))
        with pytest.raises(ValueError, match="eos_token_id must be an id, several or null"):
            op.load_pretrained(folder)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no config\.json in"):
        op.load_pretrained(tmp_path)
