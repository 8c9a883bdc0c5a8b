"""Weights come back as they were saved, and a damaged file says what is wrong with it."""

import json
import os
import subprocess
import sys

import pytest
import torch
from models import config_of, random_choices, random_model, small_model
from safetensors.torch import load_file, save_file

import oneprompt as op
from oneprompt.checkpoints.own import ASSETS, read_metadata
from oneprompt.checkpoints.quantize import dequantize, from_blocks, quantize, to_blocks

NAME = "blocks.1.attention.query.weight"  # of shape (16, 16) in small_model


@pytest.fixture
def path(tmp_path):
    """A saved model."""
    path = tmp_path / "small.safetensors"
    op.save_model(small_model(), path, training_text="abc")
    return path


def rewrite(path, change=lambda tensors: None, metadata=None):
    """The same file with its tensors changed, and other metadata if given."""
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata=read_metadata(path) if metadata is None else metadata)


@pytest.mark.parametrize("seed", range(8))
def test_a_saved_model_loads_as_it_was(tmp_path, seed):
    model = random_model(config_of(random_choices(seed)), seed)
    model.eos_id = seed or None
    op.save_model(model, tmp_path / "model.safetensors")
    loaded = op.load_model(tmp_path / "model.safetensors")
    assert (loaded.config, loaded.eos_id) == (model.config, model.eos_id)
    assert not loaded.training
    saved, found = model.state_dict(), loaded.state_dict()
    assert saved.keys() == found.keys()
    for name, tensor in saved.items():
        assert found[name].dtype == torch.float32
        if tensor.ndim == 2:  # half a step away from what it was, or a whole if rounded twice
            step = dequantize(torch.ones_like(tensor), quantize(tensor)[1])
            assert ((found[name] - tensor).abs() <= 1.1 * step).all(), name
        else:
            assert torch.equal(found[name], tensor.half().float()), name


@pytest.mark.parametrize("std", [1e-6, 1e-3, 0.07, 300])
def test_rounded_weights_stay_as_they_are(std):
    torch.manual_seed(0)
    matrix = torch.randn(500, 40) * std
    matrix[3] = 0
    once = dequantize(*quantize(matrix))
    assert torch.equal(dequantize(*quantize(once)), once)
    assert torch.equal(once.half().float(), once)
    assert (once[3] == 0).all()


def test_a_row_has_the_scale_of_its_largest_number():
    q, scale = quantize(torch.tensor([[0.5, -127.0, 3.4], [0.0, 1.0, -0.5]]))
    assert q.tolist() == [[0, -127, 3], [0, 114, -57]]
    assert scale.tolist() == [1, 9 / 1024]  # 1 / 127 lies between 8 / 1024 and this


def test_the_file_holds_the_config_the_end_id_and_more(path):
    metadata = read_metadata(path)
    assert metadata["training_text"] == "abc"
    assert json.loads(metadata["eos_id"]) == 0
    assert op.ModelConfig(**json.loads(metadata["config"])) == small_model().config


@pytest.mark.parametrize("name", ["reference", "draft"])
def test_shipped_models_load_by_name(name):
    model = op.load_model(name)
    assert model.eos_id == op.load_tokenizer().eos_id
    assert model.config.vocab_size == op.load_tokenizer().vocab_size
    stored, weights = load_file(ASSETS / f"{name}.safetensors"), model.state_dict()
    matrices = {name for name, weight in weights.items() if weight.ndim == 2}
    assert {name for name, tensor in stored.items() if tensor.dtype == torch.int8} == matrices
    assert stored.keys() == weights.keys() | {f"{name}.scale" for name in matrices}


def test_loading_a_model_does_not_load_the_compiler():
    """It takes 80 MB and a second in every notebook, and torch loads it for little."""
    code = "import sys, oneprompt; oneprompt.load_model(); print('torch._dynamo' in sys.modules)"
    own = os.environ | {"PYTHONPATH": str(ASSETS.parents[1])}
    ran = subprocess.run([sys.executable, "-c", code], env=own, capture_output=True, text=True)
    assert ran.stdout == "False\n"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no weights at .*none\.safetensors; `make train`"):
        op.load_model(tmp_path / "none.safetensors")


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.999])
def test_a_truncated_file_is_refused(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"small\.safetensors is damaged .*fetch it again"):
        op.load_model(path)


@pytest.mark.parametrize("content", [b"\xff" * 500, b"<!DOCTYPE html>\n<p>404</p>", b"\x80\x02}q"])
def test_a_file_of_another_kind_is_refused(path, content):
    """Such as an error page saved under the file's name, or a pickle."""
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"small\.safetensors is damaged or no safetensors file"):
        op.load_model(path)


def test_a_wrong_shape_is_refused(path):
    rewrite(path, lambda t: t.update({NAME: torch.zeros(16, 8)}))
    words = rf"small.safetensors: tensor '{NAME}' .*shape \(16, 16\), found \(16, 8\)"
    with pytest.raises(ValueError, match=words):
        op.load_model(path)


def test_a_missing_tensor_is_refused(path):
    rewrite(path, lambda t: t.pop(NAME))
    words = rf"small.safetensors lacks the tensor '{NAME}' of shape \(16, 16\)"
    with pytest.raises(ValueError, match=words):
        op.load_model(path)


def test_an_extra_tensor_is_refused(path):
    rewrite(path, lambda t: t.update({"blocks.2.norm1.weight": torch.zeros(16)}))
    words = r"small.safetensors has tensors .*no place for: \['blocks\.2\.norm1\.weight'\]"
    with pytest.raises(ValueError, match=words):
        op.load_model(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("stored", "name"), [(f"{NAME}.scale", NAME), ("final_norm.bias", "final_norm.bias")]
)
def test_nan_and_infinity_are_refused(path, stored, name, value):
    def spoil(tensors):
        tensors[stored][3] = value

    rewrite(path, spoil)
    words = rf"small.safetensors: tensor '{name}' contains NaN or infinite"
    with pytest.raises(ValueError, match=words):
        op.load_model(path)


@pytest.mark.parametrize("scale", [None, torch.ones(15), torch.ones(16, 1), torch.ones(16).int()])
def test_integers_without_their_scales_are_refused(path, scale):
    rewrite(
        path,
        lambda t: t.pop(f"{NAME}.scale") if scale is None else t.update({f"{NAME}.scale": scale}),
    )
    with pytest.raises(ValueError, match=rf"'{NAME}' should hold one of .* holds torch.int8"):
        op.load_model(path)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, "carries no model config; it was not written by save_model"),
        ({"config": "{"}, "model config in .*small.safetensors is not usable"),
        ({"config": '{"colour": "red"}'}, "is not usable: .*colour"),
        ({"config": '{"position": "rotary"}'}, "is not usable: position='rotary' is unknown"),
    ],
)
def test_a_missing_or_wrong_config_is_refused(path, metadata, words):
    rewrite(path, metadata=metadata)
    with pytest.raises(ValueError, match=words):
        op.load_model(path)


def test_overflow_in_fp16_is_refused_when_loading(tmp_path):
    """Scales above 65,504 become infinite in fp16; they must not load as if nothing happened."""
    model = small_model()
    model.embedding.data[0, 0] = 1e7
    op.save_model(model, tmp_path / "large.safetensors")
    with pytest.raises(ValueError, match="'embedding' contains NaN or infinite"):
        op.load_model(tmp_path / "large.safetensors")


@pytest.mark.parametrize("std", [1e-6, 0.07, 300])
def test_blocks_of_four_bits_are_llama_cpps(std):
    gguf = pytest.importorskip("gguf")
    matrix = torch.randn(50, 96, generator=torch.Generator().manual_seed(0)) * std
    matrix[3] = 0.5 * std  # equal weights span nothing
    kind = gguf.GGMLQuantizationType.Q4_1
    expected = gguf.dequantize(gguf.quantize(matrix.numpy(), kind), kind)
    assert torch.equal(from_blocks(*to_blocks(matrix)), torch.from_numpy(expected))


@pytest.mark.parametrize(("bits", "size"), [(2, 32), (4, 8), (8, 96)])
def test_a_weight_of_a_block_is_off_by_half_a_step_at_most(bits, size):
    matrix = torch.randn(50, 96, generator=torch.Generator().manual_seed(0))
    q, scale, least = to_blocks(matrix, bits, size)
    assert q.shape == (50, 96 // size, size)
    assert q.amin() == 0
    assert q.amax() == 2**bits - 1
    off = (from_blocks(q, scale, least) - matrix).abs().unflatten(1, (-1, size))
    rounding = 4 * matrix.abs().max() * 2**-11  # of scale and minimum to fp16
    assert (off <= 0.5 * scale.float()[..., None] + rounding).all()


def test_rows_that_do_not_divide_into_blocks_are_refused():
    with pytest.raises(ValueError, match="got rows of 40 and 4 bits"):
        to_blocks(torch.zeros(2, 40))
    with pytest.raises(ValueError, match="got rows of 64 and 9 bits"):
        to_blocks(torch.zeros(2, 64), bits=9)
