"""The hub: real `huggingface_hub` against a local stand-in, and with its download replaced.

Never run against the real hub: nothing here leaves the machine.
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import huggingface_hub
import pytest
import torch
from checkpoints import assert_same_logits, change_config, first_shape, saved_model

import oneprompt as op
from oneprompt.checkpoints.hub import LARGE, SMALL

SHA = "0123456789abcdef0123456789abcdef01234567"
OTHER_FILES = {"README.md": b"hello", "pytorch_model.bin": b"\x80", "onnx/model.safetensors": b"x",
               "consolidated.safetensors": b"the same weights once more"}  # fmt: skip


class Hub(BaseHTTPRequestHandler):
    """The parts of the hub's web API that a download uses. `server.folders` are its models."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(f"{self.command} {path}")
        for name, folder in self.server.folders.items():
            files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
            if path.startswith(f"/api/models/{name}/tree/"):
                entries = [
                    {"type": "file", "path": n, "size": p.stat().st_size, "oid": digest(p)}
                    for n, p in files.items()
                ]
                return self.answer(json.dumps(entries).encode())
            if path.startswith(f"/api/models/{name}"):
                info = {"id": name, "sha": SHA, "siblings": [{"rfilename": n} for n in files]}
                return self.answer(json.dumps(info).encode())
            start = f"/{name}/resolve/"
            if path.startswith(start) and (file := files.get(path[len(start) :].split("/", 1)[1])):
                headers = {"ETag": f'"{digest(file)}"', "X-Repo-Commit": SHA}
                return self.answer(file.read_bytes(), headers)
        return self.answer(b"{}", {"X-Error-Code": "RepoNotFound"}, status=404)

    def answer(self, content: bytes, headers=None, status: int = 200):
        self.send_response(status)
        for key, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


def digest(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """What the stand-in holds: a model in shards with a tokenizer, and one of an unknown kind."""
    folder = tmp_path_factory.mktemp("hub")
    config_class, fields = first_shape("llama")
    theirs = saved_model(
        folder / "good", config_class, fields | {"vocab_size": 300}, max_shard_size="30KB"
    )
    op.Tokenizer.train(["a small text, a small text"], 270).save(folder / "good/tokenizer.json")
    saved_model(folder / "mamba", config_class, fields)
    change_config(folder / "mamba", model_type="mamba")
    for name in ("good", "mamba"):
        for file, content in OTHER_FILES.items():
            (folder / name / file).parent.mkdir(exist_ok=True)
            (folder / name / file).write_bytes(content)
    return theirs, folder


@pytest.fixture
def hub(models):
    """A running stand-in; `.asked` lists the requests."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        server.folders = {"gpt2": models[1] / "good", "someone/mamba": models[1] / "mamba"}
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def in_new_process(code: str, home: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run code in a new process: huggingface_hub reads its settings when imported."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=clean | {"HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", **environment},
        cwd=home, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


LOAD = """
import torch, oneprompt as op
for name in {names}:
    try:
        model, tokenizer = op.load_pretrained(name)
        torch.save((model.state_dict(), tokenizer and tokenizer.encode("a small")), "loaded.pt")
        print("LOADED", name)
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_a_download_is_cached_and_works_offline(models, hub, tmp_path):
    """One process downloads; a second one, offline, finds all of it in the cache."""
    theirs, folder = models
    address = f"http://127.0.0.1:{hub.server_address[1]}"
    names = ["gpt2", "someone/mamba", "someone/missing"]
    online = in_new_process(LOAD.format(names=names), tmp_path, HF_ENDPOINT=address)
    lines = online.stdout.splitlines()
    assert len(lines) == 3, online
    assert lines[0] == "LOADED gpt2", online.stderr
    assert "model_type='mamba' is not supported; supported are gpt2, gpt_neox, llama" in lines[1]
    assert lines[2].startswith("FileNotFoundError there is no folder someone/missing, and the hub")
    fetched = {r.split("/", 5)[-1] for r in hub.asked if r.startswith("GET /gpt2/resolve/")}
    shards = {path.name for path in (folder / "good").glob("model-*-of-*.safetensors")}
    assert len(shards) > 1
    assert fetched == shards | {
        "config.json", "generation_config.json", "tokenizer.json", "model.safetensors.index.json"
    }  # fmt: skip
    mamba = [r for r in hub.asked if r.startswith("GET /someone/mamba/resolve/")]
    assert mamba
    assert not any("safetensors" in request for request in mamba)  # refused before its weights

    state, ids = torch.load(tmp_path / "loaded.pt")
    model = op.Transformer(op.load_pretrained(folder / "good")[0].config).eval()
    model.load_state_dict(state)
    assert_same_logits(theirs, model)
    assert ids == op.load_tokenizer(folder / "good" / "tokenizer.json").encode("a small")

    asked = len(hub.asked)
    (tmp_path / "loaded.pt").unlink()
    offline = in_new_process(
        LOAD.format(names=["gpt2", "someone/other"]), tmp_path, HF_HUB_OFFLINE="1",
        HF_ENDPOINT=address,
    )  # fmt: skip
    lines = offline.stdout.splitlines()
    assert lines[0] == "LOADED gpt2", offline
    assert lines[1].startswith("FileNotFoundError there is no folder someone/other, and the hub")
    assert len(hub.asked) == asked
    again, _ = torch.load(tmp_path / "loaded.pt")
    assert all(torch.equal(again[name], state[name]) for name in state)


@pytest.mark.parametrize(
    "name",
    ["gpt2", "EleutherAI/pythia-70m", "HuggingFaceTB/SmolLM2-135M", "Qwen/Qwen2.5-0.5B"],
)
def test_small_files_are_requested_before_the_weights(name, models, monkeypatch, tmp_path):
    calls = []

    def snapshot_download(repo_id, *, revision, allow_patterns):
        calls.append((repo_id, revision, allow_patterns))
        return str(models[1] / "good")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    monkeypatch.chdir(tmp_path)  # where no folder has this name
    model, tokenizer = op.load_pretrained(name, revision="v1")
    assert calls == [(name, "v1", SMALL), (name, "v1", SMALL + LARGE)]
    assert_same_logits(models[0], model)
    assert tokenizer.vocab_size == model.config.vocab_size == 300


def test_a_field_can_be_ignored_on_the_hub_too(monkeypatch, tmp_path):
    theirs = saved_model(tmp_path / "model", *first_shape("llama"))
    change_config(tmp_path / "model", new_trick="2025.1")
    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", lambda *args, **kwargs: str(tmp_path / "model")
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r'ignore=."new_trick".'):
        op.load_pretrained("someone/tuned")
    for ignore in ("new_trick", ["new_trick"], iter(["new_trick"])):
        assert_same_logits(theirs, op.load_pretrained("someone/tuned", ignore=ignore)[0])


def test_a_local_folder_takes_precedence_over_the_hub(models, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", None)
    monkeypatch.chdir(models[1])
    assert_same_logits(models[0], op.load_pretrained("good")[0])


def test_without_huggingface_hub_the_error_says_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)  # makes its import fail
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="pip install huggingface_hub"):
        op.load_pretrained("gpt2")


@pytest.mark.parametrize("name", ["a/b/c", "../gpt2", "/no/such/folder", "", "https://x.org/gpt2"])
def test_names_that_the_hub_cannot_have_are_refused(name, monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        op.load_pretrained(name if name else tmp_path / "none")


def test_a_file_instead_of_a_folder_is_refused(models):
    with pytest.raises(ValueError, match=r"config\.json is a file; give the folder"):
        op.load_pretrained(models[1] / "good" / "config.json")
