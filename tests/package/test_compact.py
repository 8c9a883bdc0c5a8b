"""A model with its matrices in few bits computes what the same model, widened, computes."""

import copy
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.nn.functional as F
from models import config_of, random_choices, random_model, small_model

import oneprompt as op
from oneprompt import compact_matrix
from oneprompt.checkpoints.quantize import dequantize, quantize
from oneprompt.compact import to_half, to_int8
from oneprompt.compact_matrix import FEW_ROWS, HalfMatrix, Int8Matrix

# The kernel gets x in bfloat16, adds up in fp32, and rounds the sum and its product with the scale:
# each rounding to bfloat16's 8 bits is off by at most 2⁻⁹ of the number.
ROUNDING = 2**-9


def random_matrix(R: int, C: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(R, C, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("C", [1, 20, 32, 33, 64, 192, 768])
@pytest.mark.parametrize("R", [1, 7, 96])
@pytest.mark.parametrize("n_rows", [1, 2, 5, FEW_ROWS, FEW_ROWS + 1])
def test_a_product_is_that_of_the_dequantized_matrix(R, C, n_rows):
    matrix, x = Int8Matrix(random_matrix(R, C)), random_matrix(n_rows, C, seed=1)
    weights = dequantize(matrix.stored, matrix.scale).double()
    expected, size = x.double() @ weights.T, x.double().abs() @ weights.abs().T
    found = F.linear(x[None], matrix)
    assert found.shape == (1, n_rows, R)
    assert found.dtype == torch.float32
    is_rounded = n_rows <= FEW_ROWS and C % 32 == 0
    bound = ROUNDING * size + 2.1 * ROUNDING * expected.abs() if is_rounded else 1e-6 * size
    assert ((found[0] - expected).abs() <= bound + 1e-6).all()


def test_the_product_of_few_rows_runs_on_integers():
    """Otherwise it would be exact, and no faster."""
    matrix, x = Int8Matrix(random_matrix(96, 64)), random_matrix(1, 64, seed=1)
    exact = F.linear(x, dequantize(matrix.stored, matrix.scale))
    assert not torch.equal(F.linear(x, matrix), exact)


def test_a_bias_is_added():
    matrix, x, bias = Int8Matrix(random_matrix(96, 64)), random_matrix(2, 64), torch.arange(96.0)
    torch.testing.assert_close(F.linear(x, matrix, bias), F.linear(x, matrix) + bias)
    torch.testing.assert_close(F.linear(x, matrix, bias=bias), F.linear(x, matrix) + bias)


def test_rows_are_looked_up_dequantized():
    matrix, ids = Int8Matrix(random_matrix(9, 20)), torch.tensor([[3, 0], [8, 3]])
    assert torch.equal(matrix[ids], dequantize(matrix.stored, matrix.scale)[ids])


def test_scales_are_exact_in_bfloat16():
    scale = Int8Matrix(random_matrix(500, 64) * torch.logspace(-4, 3, 500)[:, None]).scale
    assert torch.equal(scale.bfloat16().float(), scale)


@torch.no_grad()
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("convert", [to_int8, to_half])
def test_every_variant_computes_what_its_rounded_weights_do(convert, seed, monkeypatch):
    monkeypatch.setattr(compact_matrix, "FEW_ROWS", 0)  # then products round nothing more
    model = random_model(config_of(random_choices(seed)), seed)
    ids = torch.randint(43, (2, 9), generator=torch.Generator().manual_seed(seed))
    expected = copy.deepcopy(model)
    for name, p in expected.named_parameters():
        if p.ndim == 2 and name != "position_embedding":
            p.data = dequantize(*quantize(p.data)) if convert is to_int8 else p.data.half().float()
    found = convert(model)
    torch.testing.assert_close(found(ids), expected(ids), atol=1e-5, rtol=1e-5)
    assert found.n_parameters == expected.n_parameters


@torch.no_grad()
@pytest.mark.parametrize("name", ["reference", "draft"])
def test_the_books_models_keep_their_weights(name):
    """They are rounded to 8 bits already, so only the products differ."""
    model = op.load_model(name)
    state, ids = model.state_dict(), torch.tensor([op.load_tokenizer().encode(op.PROMPT)])
    expected = model(ids)
    found = to_int8(copy.deepcopy(model))
    assert {key: tuple(t.shape) for key, t in found.state_dict().items()} == {
        key: tuple(t.shape) for key, t in state.items()
    }
    for key, tensor in found.state_dict().items():
        assert torch.equal(tensor, state[key]), key
    # Eight bits in every product of four layers: a hundredth of the logits' spread.
    assert 0 < (found(ids) - expected).abs().max() < 0.05 * expected.std()


@torch.no_grad()
@pytest.mark.parametrize("name", ["reference", "draft"])
def test_16_bits_hold_the_books_models_exactly(name):
    """Their weights are exact float16 numbers, and the products are those of fp32."""
    model, ids = op.load_model(name), torch.tensor([op.load_tokenizer().encode(op.PROMPT)])
    assert torch.equal(to_half(copy.deepcopy(model))(ids), model(ids))


def test_a_bias_is_added_where_fp32_adds_it():
    """Added to the finished sum, it would change the last digits of some numbers."""
    matrix, x = HalfMatrix(random_matrix(192, 768)), random_matrix(5, 768)
    bias = random_matrix(192, 1)[:, 0]
    assert torch.equal(F.linear(x, matrix, bias), F.linear(x, matrix.widened(), bias))


@torch.no_grad()
def test_a_model_in_float16_computes_in_fp32_again():
    model, ids = small_model(), torch.tensor([[3, 1, 4]])
    expected = copy.deepcopy(model).half().float()  # its norms and biases are rounded, too
    found = to_half(model.half())
    assert found(ids).dtype == torch.float32
    assert torch.equal(found(ids), expected(ids))
    assert found.new_cache().keys.dtype == torch.float32


def in_a_thread(function):
    with ThreadPoolExecutor(1) as pool:  # which has no scratch memory yet
        return pool.submit(function).result()


def test_products_agree_whichever_mode_came_first():
    """They share memory, which inference mode would keep for itself."""
    matrix, x = HalfMatrix(random_matrix(96, 64)), random_matrix(2, 64, seed=1)

    def found():
        with torch.inference_mode():
            first = F.linear(x, matrix).clone()
        return first, F.linear(x, matrix), F.linear(x.double(), matrix).float()

    exact = F.linear(x, matrix.widened())
    for product in in_a_thread(found):
        torch.testing.assert_close(product, exact)


@pytest.mark.parametrize("R", [1, 400, 5000])
def test_a_product_is_the_same_in_pieces(R, monkeypatch):
    matrix, x = HalfMatrix(random_matrix(R, 64)), random_matrix(3, 64, seed=1)
    for size in (
        10,
        64,
        1000,
        compact_matrix.SCRATCH,
    ):  # too small for a row, one row, 15 rows, all rows
        monkeypatch.setattr(compact_matrix, "SCRATCH", size)
        found = in_a_thread(lambda: F.linear(x, matrix))
        torch.testing.assert_close(found, x @ matrix.widened().T)


def test_gradients_pass_through_a_matrix_in_16_bits():
    matrix, x = HalfMatrix(random_matrix(96, 64)), random_matrix(2, 64, seed=1).requires_grad_()
    (F.linear(x, matrix) + F.linear(2 * x, matrix)).sum().backward()
    torch.testing.assert_close(x.grad, 3 * matrix.widened().sum(0).expand(2, 64))


@pytest.mark.parametrize("convert", [to_int8, to_half])
def test_the_reference_models_answer_stays_the_same(convert):
    tokenizer, model = op.load_tokenizer(), op.load_model()
    ids = tokenizer.encode(op.PROMPT)
    assert op.generate(convert(model), ids, 90).ids == op.generate(op.load_model(), ids, 90).ids


@pytest.mark.parametrize("convert", [to_int8, to_half])
def test_a_saved_model_comes_back_as_it_was_before(convert, tmp_path):
    model, path = op.load_model("draft"), tmp_path / "model.safetensors"
    op.save_model(convert(copy.deepcopy(model)), path)
    state = op.load_model(path).state_dict()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, state[name]), name


@pytest.mark.parametrize(("convert", "share"), [(to_int8, 0.25), (to_half, 0.5)])
def test_it_takes_a_part_of_the_bytes(convert, share):
    model = small_model(d_model=64, vocab_size=500)
    before = sum(p.nbytes for p in model.parameters())
    convert(model)
    stored = [*model.parameters(), *model.buffers()]
    assert share < sum(t.nbytes for t in stored) / before < share + 0.05


@pytest.mark.parametrize("convert", [to_int8, to_half])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_rest_of_the_model_may_have_another_dtype(dtype, convert):
    model = convert(small_model(d_model=64))
    stored = model.embedding.stored.clone()
    expected = op.generate(model, [3, 1, 4], 1).logprobs
    found = op.generate(model.to(dtype), [3, 1, 4], 1).logprobs
    assert model.embedding.stored.dtype == stored.dtype
    assert torch.equal(model.embedding.stored, stored)
    assert found == pytest.approx(expected, abs=0.2)


@pytest.mark.parametrize("convert", [to_int8, to_half])
def test_generation_works_in_all_its_forms(convert):
    model = convert(small_model(d_model=64))
    plain = op.generate(model, [3, 1, 4], 8).ids
    assert op.generate(model, [[3, 1, 4]] * 2, 8)[0].ids == plain
    assert op.generate(model, [3, 1, 4], 8, use_cache=False).ids == plain
    assert op.SpeculativeDecoder(model, small_model(d_model=64)).generate([3, 1, 4], 8).ids == plain


def test_what_cannot_be_rounded_is_refused_by_name():
    model = small_model()
    with torch.no_grad():
        model.blocks[1].feedforward.up.weight[3, 2] = float("nan")
    with pytest.raises(ValueError, match=r"blocks\.1\.feedforward\.up: 8 bits hold finite numbers"):
        to_int8(model)
    with pytest.raises(ValueError, match="up to 8 million; the matrix has 9000000"):
        Int8Matrix(torch.full((2, 2), 9e6))
    with pytest.raises(ValueError, match=r"16 bits hold .* up to 65,504; the matrix has 70000\.0"):
        HalfMatrix(torch.full((2, 2), 7e4))


def test_only_a_transformer_in_floats_can_be_rounded():
    with pytest.raises(TypeError, match="takes a Transformer, got Linear"):
        to_int8(torch.nn.Linear(2, 2))
    with pytest.raises(TypeError, match="in few bits already"):
        to_half(to_int8(small_model()))


def test_functions_that_need_floats_say_so():
    with pytest.raises(TypeError, match=r"softmax cannot take a matrix in few bits; F\.linear can"):
        torch.softmax(Int8Matrix(random_matrix(2, 2)), dim=-1)
