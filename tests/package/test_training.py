"""The parts of the recipe by hand, and a tiny training run that learns and is reproducible."""

import dataclasses
import os
import subprocess
import sys

import pytest
import torch
from launchers import LAUNCHERS
from rows import CONTEXT_LENGTH, tiny_buckets, tiny_rows

import oneprompt as op
from oneprompt.checkpoints.quantize import rounded
from oneprompt.logits import cross_entropy
from oneprompt.training.history import load_history
from oneprompt.training.loop import initialize, optimizers, train
from oneprompt.training.muon import Muon, orthogonalized
from oneprompt.training.recipe import DOUBLING, Recipe

FAST = Recipe(
    steps=30,
    batch_size=8,
    warmup=5,
    matrix_lr=0.05,
    embedding_lr=0.03,
    match_lr=0.03,
    other_lr=0.03,
)
TINY = op.ModelConfig(
    vocab_size=40, context_length=CONTEXT_LENGTH, d_model=16, n_layers=2, n_heads=2
)


@pytest.mark.slow
def test_training_continues_from_given_weights():
    start = train(TINY, FAST, tiny_buckets(), seed=0)
    before = loss(start)
    still = dict.fromkeys(("matrix_lr", "embedding_lr", "match_lr", "other_lr"), 0.0)
    gentle = dataclasses.replace(FAST, steps=1, warmup=1, **still)
    same = train(TINY, gentle, tiny_buckets(), seed=5, start=start)
    assert loss(same) == before
    further = train(TINY, FAST, tiny_buckets(), seed=5, start=start)
    assert loss(further) < before == loss(start)


def test_the_learning_rate_warms_up_holds_and_decays():
    recipe = Recipe(steps=1000, warmup=50, decay_from=0.4)
    rates = [recipe.learning_rate(step) for step in range(1000)]
    assert rates[0] == pytest.approx(1 / 50)
    assert rates[24] == pytest.approx(0.5)
    assert rates[49:401] == [1.0] * 352
    assert rates[700] == pytest.approx(0.5)  # halfway from 400 to 1,000
    assert rates[999] == pytest.approx(1 / 600)
    assert rates[400:] == sorted(rates[400:], reverse=True)


def test_repeated_tokens_double_once_the_model_copies():
    recipe = Recipe(steps=100, first_tokens=256)
    n_tokens = [recipe.n_tokens(2048, since) for since in (None, 0, DOUBLING, 3 * DOUBLING, 500)]
    assert n_tokens == [256, 256, 512, 2048, 2048]
    assert Recipe(steps=100).n_tokens(2048, None) == 2048


def test_every_parameter_has_one_optimizer():
    model = op.Transformer(TINY)
    muon, adamw = ([p for g in o.param_groups for p in g["params"]]
                   for o in optimizers(model, Recipe(steps=1)))  # fmt: skip
    assert len(muon) + len(adamw) == len(list(model.parameters()))
    assert {id(p) for p in (*muon, *adamw)} == {id(p) for p in model.parameters()}
    assert any(p is model.embedding for p in adamw)
    assert all(p.ndim == 2 for p in muon)


@pytest.mark.parametrize("shape", [(192, 192), (768, 192), (192, 768)])
def test_muon_moves_a_matrix_as_torchs_muon_does(shape):
    """Torch computes in bfloat16, which has 8 significant bits: each entry of an orthogonal update
    is right to about 2**-8 of the largest, and five iterations let that grow by a few times."""
    torch.manual_seed(0)
    start, gradients = torch.randn(shape), torch.randn(3, *shape)
    ours, torchs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    moving = Muon([ours], lr=0.1), torch.optim.Muon([torchs], lr=0.1, weight_decay=0.0)
    for gradient in gradients:
        ours.grad, torchs.grad = gradient.clone(), gradient.clone()
        for optimizer in moving:
            optimizer.step()
    moved = (ours - start).detach()
    off = (ours - torchs).detach()
    assert moved.norm() > 1  # three steps of 0.1 along at most 192 orthogonal directions
    assert off.norm() < 0.04 * moved.norm()
    assert off.abs().max() < 0.04 * moved.abs().max()


def test_an_orthogonalized_matrix_has_singular_values_near_1():
    """Five iterations of the quintic take all that start above 0.02 to between 0.68 and 1.2 (Jordan
    2024). A random matrix four times as wide as high has none that small."""
    torch.manual_seed(0)
    for shape in ((64, 256), (256, 64)):
        values = torch.linalg.svdvals(orthogonalized(torch.randn(shape)))
        assert 0.65 < values.min() < values.max() < 1.2


def untrained(seed: int) -> op.Transformer:
    torch.manual_seed(seed)
    model = op.Transformer(TINY)
    initialize(model)
    return model


@torch.no_grad()
def loss(model) -> float:
    ids, targets = tiny_rows().transpose(0, 1)
    return cross_entropy(model(ids), targets).item()


@pytest.mark.slow
def test_training_lowers_the_loss_and_repeats_itself():
    recipe = dataclasses.replace(FAST, repeats=(0.2, 0.2))
    trained, again, other = (train(TINY, recipe, tiny_buckets(), seed=s) for s in (0, 0, 1))
    # An untrained model is at ln 40 = 3.7 nats or above; 30 steps were seen to reach 2.2.
    assert loss(trained) < loss(untrained(0)) - 1
    assert not trained.training
    for (name, p), q in zip(trained.named_parameters(), again.parameters(), strict=True):
        assert torch.equal(p, q), name
    assert not torch.equal(trained.embedding, other.embedding)


@pytest.mark.slow
def test_distillation_moves_towards_the_teacher():
    teacher = train(TINY, FAST, tiny_buckets(), seed=0)
    student = train(TINY, FAST, tiny_buckets(), seed=1, teacher=teacher)
    ids = tiny_rows()[:, 0]

    @torch.no_grad()
    def divergence(model) -> float:
        p, log_q = teacher(ids).softmax(-1), model(ids).log_softmax(-1)
        return float((p * (p.log() - log_q)).sum(-1).mean())

    assert divergence(student) < 0.5 * divergence(untrained(1))


def test_rounded_weights_equal_those_in_the_file(tmp_path):
    model = rounded(untrained(0))
    op.save_model(model, tmp_path / "model.safetensors")
    loaded = op.load_model(tmp_path / "model.safetensors")
    for p, q in zip(model.parameters(), loaded.parameters(), strict=True):
        assert torch.equal(p, q)


# `main` at a size that takes seconds: everything but the sizes and the number of steps is real.
SHORT_RUN = """
import sys
from oneprompt.corpus.documents import training_documents
from oneprompt.model import ModelConfig
from oneprompt.training import __main__ as train
sizes = dict(vocab_size=400, context_length=64, d_model=16, n_layers=1, n_heads=2)
train.VOCAB_SIZE, train.TARGET, train.DRAFT = 400, ModelConfig(**sizes), ModelConfig(**sizes)
train.training_documents = lambda: training_documents(n=3000)
sys.argv[1:] = ["--steps", "3", "--out", sys.argv[1], "--unfinished", sys.argv[1] + "/unfinished"]
train.main()
"""


def short_run(folder, launcher=()):
    """The files that the recipe makes in a folder, by their names."""
    folder.mkdir()
    script, out = folder / "short_run.py", folder / "assets"
    script.write_text(SHORT_RUN)
    # Two processes on two cores: one thread each.
    run = subprocess.run(
        [sys.executable, *launcher, str(script), str(out)],
        env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    return {path.name: path for path in out.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS.values(), ids=LAUNCHERS)
def test_the_recipe_makes_the_same_files_from_the_same_seed(tmp_path, launcher):
    made, again = (short_run(tmp_path / name, launcher) for name in ("first", "second"))
    assert sorted(made) == [
        "draft.safetensors", "reference.safetensors", "tokenizer.json", "training_history.json",
    ]  # fmt: skip
    for name in ("tokenizer.json", "training_history.json"):
        assert made[name].read_bytes() == again[name].read_bytes()
    tokenizer = op.load_tokenizer(made["tokenizer.json"])
    assert tokenizer.vocab_size == 400
    for name in ("reference.safetensors", "draft.safetensors"):
        model, other = (op.load_model(files[name]) for files in (made, again))
        assert model.eos_id == tokenizer.eos_id
        for (weight, p), q in zip(model.named_parameters(), other.parameters(), strict=True):
            assert torch.equal(p, q), weight
    history = load_history(made["training_history.json"])
    assert history["phases"] == [["copying", 0], ["text", 3], ["finish", 6]]
    assert [m["step"] for m in history["measurements"]] == [0, 3, 6, 9]
