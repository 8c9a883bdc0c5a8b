"""Load and save our models: one safetensors file each, never a pickle.

The file's metadata holds the config, the end-of-sequence id and the hash of the training text.
"""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from .model import ModelConfig, Transformer

ASSETS = Path(__file__).parent / "assets"


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
    with _open(path) as file:
        metadata = file.metadata() or {}
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
    model = Transformer(_config(path, metadata))
    model.eos_id = json.loads(metadata.get("eos_id", "null"))
    _check(path, expected=model.state_dict(), found=tensors)
    model.load_state_dict({key: tensor.float() for key, tensor in tensors.items()})
    return model.eval()


def _open(path: Path):
    if not path.is_file():
        raise FileNotFoundError(
            f"there are no weights at {path}; `make train` makes the reference pair, "
            "or give load_model the path of a file that save_model wrote"
        )
    try:
        return safe_open(str(path), framework="pt")
    except SafetensorError as error:
        raise ValueError(
            f"{path} is damaged or no safetensors file ({error}); fetch it again"
        ) from None


def _config(path: Path, metadata: dict[str, str]) -> ModelConfig:
    if "config" not in metadata:
        raise ValueError(f"{path} carries no model config; it was not written by save_model")
    try:
        return ModelConfig(**json.loads(metadata["config"]))
    except (TypeError, ValueError) as error:
        raise ValueError(f"the model config in {path} is not usable: {error}") from None


def _check(path: Path, expected: dict, found: dict) -> None:
    for name, tensor in expected.items():
        if name not in found:
            raise ValueError(f"{path} lacks the tensor {name!r} of shape {tuple(tensor.shape)}")
        if found[name].shape != tensor.shape:
            raise ValueError(
                f"{path}: tensor {name!r} should have the shape {tuple(tensor.shape)}, "
                f"found {tuple(found[name].shape)}"
            )
        if not torch.isfinite(found[name]).all():
            raise ValueError(f"{path}: tensor {name!r} contains NaN or infinite values")
    if extra := sorted(found.keys() - expected.keys()):
        raise ValueError(f"{path} has tensors that this model has no place for: {extra[:3]}")
