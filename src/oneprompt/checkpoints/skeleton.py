"""A model without memory for its weights, and how it gets them."""

from pathlib import Path

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ..model import ModelConfig, Transformer
from .safe_file import check_range


class _Shapes(TorchFunctionMode):
    """What has no memory gets no values: for these, torch would load its compiler, 100 MB."""

    VALUES = Tensor.normal_, Tensor.uniform_, Tensor.mul

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function in self.VALUES:
            return args[0]
        return (torch.empty if function is torch.randn else function)(*args, **(kwargs or {}))


def skeleton(path: Path, config: ModelConfig, n_tensors: int) -> Transformer:
    """The model without memory for its weights, so that a wrong config costs none.

    Raises:
        ValueError: the config has too many layers for the tensors, or sizes that are too large.
    """
    if config.n_layers > n_tensors:  # each layer has several
        raise ValueError(f"{path}: {n_tensors} tensors are too few for {config.n_layers} layers")
    try:
        with torch.device("meta"), _Shapes():
            return Transformer(config)
    except (RuntimeError, OverflowError) as error:
        raise ValueError(f"the sizes in the config of {path} are too large: {error}") from None


def fill(
    model: Transformer, tensors: dict[str, Tensor], eos_id, dtype=torch.float32, copy: bool = True
) -> Transformer:
    """Give a skeleton its weights, in a dtype; it is then ready for use. `tensors` is emptied.

    Args:
        copy: the tensors may be views of a file that others can overwrite, as safetensors gives.

    Raises:
        ValueError: a number is beyond the dtype's range.
    """
    weights = {}
    for name in list(tensors):  # one by one, so that memory never holds two copies of all
        tensor = tensors.pop(name)
        weights[name] = tensor.to(dtype, copy=copy).contiguous()
        check_range(name, tensor, weights[name])
    model.load_state_dict(weights, assign=True)
    model.eos_id = tuple(eos_id) if isinstance(eos_id, list) else eos_id
    return model.eval()
