"""A training run that is killed goes on as if nothing had happened."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from rows import tiny_rows

import oneprompt as op
from oneprompt.training import checkpoint as checkpoints
from oneprompt.training.checkpoint import Checkpoint
from oneprompt.training.history import History
from oneprompt.training.loop import train
from oneprompt.training.recipe import Recipe

# Kills itself while it writes its 16th checkpoint, of which half is then on the disk.
KILLED = """
import io, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import torch
from test_training_checkpoint import run

save, times = torch.save, []

def save_or_die(state, path):
    times.append(path)
    if len(times) == 16:
        whole = io.BytesIO()
        save(state, whole)
        Path(path).write_bytes(whole.getvalue()[: whole.tell() // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    save(state, path)

torch.save = save_or_die
run(Path(sys.argv[1]))
"""


def run(path: Path | None, seed: int = 0):
    """Train a tiny model, with a checkpoint after every step if there is a path."""
    config = op.ModelConfig(vocab_size=40, context_length=64, d_model=16, n_layers=2, n_heads=2)
    recipe = Recipe(
        steps=30, batch_size=4, warmup=5, repeats=(0.5, 0.2), longest_block=(4, 8),
        first_tokens=8, watch_every=4,
    )  # fmt: skip
    checkpoints.SECONDS = 0
    history = History()
    checkpoint = None if path is None else Checkpoint(path, f"seed {seed}")
    model = train(config, recipe, tiny_rows(), seed=seed, history=history, checkpoint=checkpoint)
    return model, history


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_weights_and_history(tmp_path):
    path = tmp_path / "unfinished" / "tiny.pt"
    here = Path(__file__).parent
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), str(here)],
        env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": str(torch.get_num_threads())},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-3000:]
    state = torch.load(path, weights_only=True)
    assert state["step"] == 15
    resumed, resumed_history = run(path)
    whole, history = run(None)
    for (name, p), q in zip(whole.named_parameters(), resumed.parameters(), strict=True):
        assert torch.equal(p, q), name
    assert resumed_history.as_dict() == history.as_dict()
    assert resumed_history.average_loss == history.average_loss
    assert torch.load(path, weights_only=True)["step"] == 30
    again, _ = run(path)  # of a finished phase, only the result is loaded
    assert torch.equal(again.embedding, whole.embedding)


@pytest.mark.slow
def test_a_run_with_other_settings_is_not_continued(tmp_path):
    run(tmp_path / "tiny.pt")
    with pytest.raises(ValueError, match=r"tiny\.pt belongs to a run with another text, seed or"):
        run(tmp_path / "tiny.pt", seed=1)
