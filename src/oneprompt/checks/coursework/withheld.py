"""Withhold the functions that an assignment asks for, of this package and of torch.

While a function is withheld, only the package itself can call it: the model and the checks go on
as before. In anybody else's code, and as an answer given to a check, it raises `Withheld`.
"""

import functools
import pkgutil
import sys

CHECKS = __name__.rpartition(".coursework")[0]  # `oneprompt.checks`, which calls the answers
PACKAGE = __name__.partition(".")[0]

_replaced: list[tuple] = []  # (owner, attribute, what it had, or None where it inherited it)


class Withheld(RuntimeError):
    """The function is what the assignment asks for."""


def withhold(*names: str) -> None:
    """Let these functions raise `Withheld` when they are called from outside the package.

    Args:
        names: such as "oneprompt.attention.causal_mask", "torch.softmax" or "torch.Tensor.softmax".

    Raises:
        AttributeError, ImportError: there is no such function.
    """
    for name in names:
        owner_name, _, attribute = name.rpartition(".")
        owner = pkgutil.resolve_name(owner_name)
        original = getattr(owner, attribute)
        if hasattr(original, "withheld"):
            continue
        stub = _stub(name, original)
        _replace(owner, attribute, stub)
        for module in [m for n, m in sys.modules.items() if n.partition(".")[0] == PACKAGE]:
            for other in [key for key, value in vars(module).items() if value is original]:
                _replace(module, other, stub)


def restore() -> None:
    """Give everything back that `withhold` took."""
    while _replaced:
        owner, attribute, had = _replaced.pop()
        delattr(owner, attribute) if had is None else setattr(owner, attribute, had)


def _replace(owner, attribute: str, stub) -> None:
    _replaced.append((owner, attribute, vars(owner).get(attribute)))
    setattr(owner, attribute, stub)


def _stub(name: str, original):
    @functools.wraps(original, assigned=("__name__", "__doc__"), updated=())
    def stub(*args, **kwargs):
        caller = _caller(sys._getframe(1))
        if caller == CHECKS or not caller.startswith(f"{PACKAGE}."):
            raise Withheld(f"{name} is not available in this assignment: write it yourself")
        return original(*args, **kwargs)

    del stub.__wrapped__  # otherwise one step from the original
    stub.withheld = name
    return stub


def _caller(frame) -> str:
    """The module that called. When torch called, as a layer does, this is who called torch."""
    name = frame.f_globals.get("__name__", "")
    is_torch = name.partition(".")[0] == "torch" and frame.f_back is not None
    return _caller(frame.f_back) if is_torch else name
