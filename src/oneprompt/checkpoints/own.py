"""Load and save our models: one safetensors file each, never a pickle.

The file's metadata holds the config, the end-of-sequence id and the hash of the training text.
"""

import json
from pathlib import Path

from safetensors.torch import save_file

from ..model import ModelConfig, Transformer
from .quantize import from_stored, to_stored
from .safe_file import check_tensor, open_file, read_tensors, refuse_extra
from .skeleton import fill, skeleton

ASSETS = Path(__file__).parents[1] / "assets"


def save_model(model: Transformer, path: str | Path, **metadata: str) -> None:
    """Write the weights, rounded as in quantize.py, with the config and any further metadata."""
    tensors = to_stored(model.state_dict())
    own = {"config": json.dumps(model.config.as_dict()), "eos_id": json.dumps(model.eos_id)}
    save_file(tensors, str(path), metadata=own | metadata)


def read_metadata(path: str | Path) -> dict[str, str]:
    """What `save_model` wrote beside the tensors."""
    with open_file(Path(path)) as file:
        return file.metadata() or {}


def load_model(name: str | Path = "reference") -> Transformer:
    """A trained model, in eval mode, its weights as fp32.

    Args:
        name: "reference", "draft", or the path of a file that `save_model` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or its tensors do not fit the config in it.
    """
    path = ASSETS / f"{name}.safetensors" if name in ("reference", "draft") else Path(name)
    metadata, tensors = read_metadata(path), from_stored(read_tensors(path))
    config, eos_id = _config(path, metadata)
    model = skeleton(path, config, len(tensors))
    for name, tensor in model.state_dict().items():
        if name not in tensors:
            raise ValueError(f"{path} lacks the tensor {name!r} of shape {tuple(tensor.shape)}")
        check_tensor(path, name, tensors[name], tuple(tensor.shape))
    refuse_extra(path, tensors.keys() - model.state_dict().keys())
    return fill(model, tensors, eos_id)


def _config(path: Path, metadata: dict[str, str]) -> tuple[ModelConfig, int | list[int] | None]:
    if "config" not in metadata:
        raise ValueError(f"{path} carries no model config; it was not written by save_model")
    try:
        config = ModelConfig(**json.loads(metadata["config"]))
        return config, json.loads(metadata.get("eos_id", "null"))
    except (TypeError, ValueError) as error:
        raise ValueError(f"the model config in {path} is not usable: {error}") from None
