"""Load and save our models: one safetensors file each, never a pickle.

The file's metadata holds the config, the end-of-sequence id and the hash of the training text.
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .model import ModelConfig, Transformer

ASSETS = Path(__file__).parent / "assets"
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def save_model(model: Transformer, path: str | Path, **metadata: str) -> None:
    """Write the weights as fp16, with the config and any further metadata."""
    tensors = {name: t.half().contiguous() for name, t in model.state_dict().items()}
    own = {"config": json.dumps(model.config.as_dict()), "eos_id": json.dumps(model.eos_id)}
    save_file(tensors, str(path), metadata=own | metadata)


def read_metadata(path: str | Path) -> dict[str, str]:
    """What `save_model` wrote beside the tensors."""
    with _open(Path(path)) as file:
        return file.metadata() or {}


def load_model(name: str | Path = "reference") -> Transformer:
    """A trained model, in eval mode, its fp16 weights as fp32.

    Args:
        name: "reference", "draft", or the path of a file that `save_model` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or its tensors do not fit the config in it.
    """
    path = ASSETS / f"{name}.safetensors" if name in ("reference", "draft") else Path(name)
    metadata, tensors = read_metadata(path), read_tensors(path)
    config, eos_id = _config(path, metadata)
    model = skeleton(path, config, len(tensors))
    for name, tensor in model.state_dict().items():
        if name not in tensors:
            raise ValueError(f"{path} lacks the tensor {name!r} of shape {tuple(tensor.shape)}")
        check_tensor(path, name, tensors[name], tuple(tensor.shape))
    refuse_extra(path, tensors.keys() - model.state_dict().keys())
    return fill(model, tensors, eos_id)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file by their names, not yet checked."""
    with _open(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no dict)


def skeleton(path: Path, config: ModelConfig, n_tensors: int) -> Transformer:
    """The model without memory for its weights, so that a wrong config costs none."""
    if config.n_layers > n_tensors:  # each layer has several
        raise ValueError(f"{path}: {n_tensors} tensors are too few for {config.n_layers} layers")
    try:
        with torch.device("meta"):
            return Transformer(config)
    except (RuntimeError, OverflowError) as error:
        raise ValueError(f"the sizes in the config of {path} are too large: {error}") from None


def fill(model: Transformer, tensors: dict[str, Tensor], eos_id) -> Transformer:
    """Give a skeleton its weights, as fp32; it is then ready for use."""
    # A copy, since what safetensors gives is the file itself, which may be written anew.
    weights = {name: tensor.to(torch.float32, copy=True) for name, tensor in tensors.items()}
    model.load_state_dict(weights, assign=True)
    model.eos_id = tuple(eos_id) if isinstance(eos_id, list) else eos_id
    return model.eval()


def check_tensor(path: Path, name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    """Refuse a tensor of another shape or kind, or with a value that is no number."""
    if tuple(tensor.shape) != shape:
        raise ValueError(
            f"{path}: tensor {name!r} should have the shape {shape}, found {tuple(tensor.shape)}"
        )
    if tensor.dtype not in FLOATS:
        known = ", ".join(str(dtype).removeprefix("torch.") for dtype in FLOATS)
        raise ValueError(
            f"{path}: tensor {name!r} should hold one of {known}; it holds {tensor.dtype}, as "
            "quantized or damaged files do"
        )
    if not torch.isfinite(tensor).all():
        raise ValueError(f"{path}: tensor {name!r} contains NaN or infinite values")


def refuse_extra(path: Path, names: Iterable[str]) -> None:
    """Refuse tensors that would be left over."""
    if extra := sorted(names):
        raise ValueError(f"{path} has tensors that this model has no place for: {extra[:3]}")


def unique_keys(pairs: list[tuple[str, object]]) -> dict:
    """For `json.loads(..., object_pairs_hook=unique_keys)`, which else keeps the last of two."""
    seen = dict(pairs)
    if len(seen) < len(pairs):
        twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
        raise ValueError(f"it has {twice!r} twice")
    return seen


def _open(path: Path):
    if not path.is_file():
        raise FileNotFoundError(
            f"there are no weights at {path}; `make train` makes the reference pair, "
            "or give load_model the path of a file that save_model wrote"
        )
    try:
        opened = safe_open(str(path), framework="pt")
        with path.open("rb") as file:  # the library lets the last of two equal names win
            header = file.read(int.from_bytes(file.read(8), "little"))
        json.loads(header, object_pairs_hook=unique_keys)
        return opened
    except (SafetensorError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged or no safetensors file ({error}); fetch it again"
        ) from None


def _config(path: Path, metadata: dict[str, str]) -> tuple[ModelConfig, int | list[int] | None]:
    if "config" not in metadata:
        raise ValueError(f"{path} carries no model config; it was not written by save_model")
    try:
        config = ModelConfig(**json.loads(metadata["config"]))
        return config, json.loads(metadata.get("eos_id", "null"))
    except (TypeError, ValueError) as error:
        raise ValueError(f"the model config in {path} is not usable: {error}") from None
