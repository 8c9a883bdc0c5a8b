"""A model with its matrices in 8 or 16 bits: fewer bytes to hold, and to read for every new token.

How they are held and multiplied is in `compact_matrix.py`; the model's own code does not change.
"""

from collections.abc import Callable

from torch import Tensor, nn

from .compact_matrix import CompactMatrix, HalfMatrix, Int8Matrix
from .model import Transformer


def to_int8(model: Transformer) -> Transformer:
    """Put all matrices of a model into 8 bits, in place, and return the model.

    Norms, biases and learned positions stay as they are. Weights that were already rounded to 8
    bits, such as the reference model's, are not changed; the products are still less exact, see
    `Int8Matrix.linear`, so a greedy text may take another turn where two tokens are nearly equal.

    It pays for models that wait for memory, from about 100 million parameters. A small one, which
    waits for the number of operations, gets slower.

    Raises:
        TypeError: it is not a Transformer, or its matrices are in few bits already.
        ValueError: a matrix cannot be rounded; the message names it.
    """
    return _compact(model, Int8Matrix)


def to_half(model: Transformer) -> Transformer:
    """Put all matrices of a model into 16 bits, in place, and return the model.

    It takes half the memory and computes in fp32 as before, each matrix widened for its product,
    on processors of every kind; `model.to(torch.float16)` computes in 16 bits, too. A model in
    float16, as `load_pretrained(..., dtype=torch.float16)` gives, keeps its matrices as they are.

    Raises:
        TypeError: it is not a Transformer, or its matrices are in few bits already.
        ValueError: a matrix cannot be rounded; the message names it.
    """
    return _compact(model, HalfMatrix).float()


def _compact(model: Transformer, kind: Callable[[Tensor], CompactMatrix]) -> Transformer:
    if not isinstance(model, Transformer):
        raise TypeError(f"this takes a Transformer, got {type(model).__name__}")
    if isinstance(model.embedding, CompactMatrix):
        raise TypeError("this model's matrices are in few bits already")
    places = [(model, "embedding", "embedding"), (model, "output", "output")]
    places += [
        (module, "weight", name)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
    ]
    for module, attribute, name in places:
        if not hasattr(module, attribute):  # tied embeddings have no output matrix
            continue
        try:
            matrix = kind(getattr(module, attribute))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        delattr(module, attribute)
        setattr(module, attribute, matrix)
    return model
