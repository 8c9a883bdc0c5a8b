"""A training run that is killed goes on as if nothing had happened."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from launchers import LAUNCHERS
from rows import tiny_buckets

import oneprompt as op
from oneprompt.training import checkpoint as checkpoints
from oneprompt.training.checkpoint import Checkpoint
from oneprompt.training.history import History
from oneprompt.training.loop import train
from oneprompt.training.recipe import Recipe

# Trains in this process, or in all that torchrun starts. Kills itself while it writes its n-th
# checkpoint, of which half is then on the disk.
SCRIPT = """
import io, os, signal, sys
from pathlib import Path
out, path, n, here = sys.argv[1:]
sys.path.insert(0, here)
import torch
from test_training_checkpoint import run

save, times = torch.save, []

def save_or_die(state, path):
    times.append(path)
    if len(times) == int(n):
        whole = io.BytesIO()
        save(state, whole)
        Path(path).write_bytes(whole.getvalue()[: whole.tell() // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    save(state, path)

torch.save = save_or_die
model, history = run(Path(path) if path else None)
if os.environ.get("RANK", "0") == "0":
    save([model.state_dict(), history.state_dict()], out)
"""


def run_script(folder: Path, launcher, path: Path | str, dies_at: int = 0):
    """Run the script: the process, and the weights and history if it came to its end."""
    script, out = folder / "script.py", folder / "out.pt"
    script.write_text(SCRIPT)
    out.unlink(missing_ok=True)
    arguments = (str(script), str(out), str(path), str(dies_at), str(Path(__file__).parent))
    process = subprocess.run(
        [sys.executable, *launcher, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return process, torch.load(out, weights_only=True) if out.exists() else None


def run(path: Path | None, seed: int = 0):
    """Train a tiny model, with a checkpoint after every step if there is a path."""
    config = op.ModelConfig(vocab_size=40, context_length=64, d_model=16, n_layers=2, n_heads=2)
    recipe = Recipe(
        steps=30, batch_size=4, warmup=5, repeats=(0.5, 0.2), longest_block=(4, 8),
        first_tokens=8, watch_every=4,
    )  # fmt: skip
    checkpoints.EVERY = 1
    history = History()
    checkpoint = None if path is None else Checkpoint(path, f"seed {seed}")
    model = train(config, recipe, tiny_buckets(), seed=seed, history=history, checkpoint=checkpoint)
    return model, history


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS.values(), ids=LAUNCHERS)
def test_a_killed_run_goes_on_to_the_same_weights_and_history(tmp_path, launcher):
    path = tmp_path / "unfinished" / "tiny.pt"
    killed, nothing = run_script(tmp_path, launcher, path, dies_at=16)
    assert killed.returncode != 0, killed.stdout
    assert nothing is None
    assert torch.load(path, weights_only=True)["step"] == 15
    _, (resumed, resumed_history) = run_script(tmp_path, launcher, path)
    _, (whole, history) = run_script(tmp_path, launcher, "")
    assert resumed.keys() == whole.keys()
    for name, p in whole.items():
        assert torch.equal(p, resumed[name]), name
    assert resumed_history == history
    assert torch.load(path, weights_only=True)["step"] == 30
    _, (again, _) = run_script(tmp_path, launcher, path)  # of a finished phase: only its result
    assert torch.equal(again["embedding"], whole["embedding"])


@pytest.mark.slow
def test_a_run_with_other_settings_is_not_continued(tmp_path):
    run(tmp_path / "tiny.pt")
    with pytest.raises(ValueError, match=r"tiny\.pt belongs to a run with another text, seed or"):
        run(tmp_path / "tiny.pt", seed=1)
