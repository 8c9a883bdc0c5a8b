"""Runs in the kernel, before the student's code and beside it.

It withholds the functions that the assignment asks for, and notices when the code has replaced what
the tests rely on. Code in the same process can get around this; it cannot do so by accident.
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from types import ModuleType

import numpy as np
import torch
from ipykernel.iostream import OutStream
from IPython import get_ipython

import oneprompt.checks
from oneprompt.checks.coursework import withhold

LIBRARIES = ("builtins", "math", "numpy", "torch", "torch.nn.functional")
HOOKS = ("ast_transformers", "input_transformers_cleanup", "input_transformers_post")
SET_BY_KERNEL = {"builtins.input"}  # around every cell

_remembered: list[tuple] = []  # (owner, its name, attribute, value)
_hooks: dict = {}
_output = {"room": 0, "limit": 0}  # characters


def begin(graded: list[str], output_chars: int) -> None:
    """Withhold the functions of these names, limit what is printed, remember everything else."""
    _limit_output(output_chars)
    for module in pkgutil.walk_packages(oneprompt.checks.__path__, "oneprompt.checks."):
        importlib.import_module(module.name)
    withhold(*graded)
    for owner, name in _owners():
        items = list(vars(owner).items())
        _remembered.extend((owner, name, key, value) for key, value in items if callable(value))
    _hooks.update(_shell_hooks())


def changed() -> list[str]:
    """The names of all that the tests rely on and that is no longer what it was.

    It is asked before and after each test, and what may be printed until then is counted anew.
    """
    _output["room"] = _output["limit"]
    for stream in (sys.stdout, sys.stderr):
        vars(stream).pop("write", None)  # IPython leaves its own behind
    found = {
        f"{name}.{key}" for owner, name, key, value in _remembered
        if not _same(vars(owner).get(key), value)
    } - SET_BY_KERNEL  # fmt: skip
    found |= {f"IPython's {name}" for name, _ in _shell_hooks().items() ^ _hooks.items()}
    return sorted(found)


def _same(now, before) -> bool:
    """Whether it is still the same function; parts of torch wrap others when they are loaded."""
    if now is before:
        return True
    wrapper = getattr(now, "__globals__", {}).get("__name__", "")
    return wrapper.startswith("torch.") and getattr(now, "__wrapped__", None) is before


def _shell_hooks() -> dict[str, tuple]:
    """What changes how a cell runs: the transformers, and methods of this shell only."""
    shell = get_ipython()
    hooks = {name: tuple(map(id, getattr(shell, name))) for name in HOOKS}
    own = {key: id(value) for key, value in vars(shell).items() if callable(value)}
    return hooks | {key: value for key, value in own.items() if hasattr(type(shell), key)}


def _owners() -> Iterator[tuple[ModuleType | type, str]]:
    shell = get_ipython()
    yield from ((sys.modules[name], name) for name in LIBRARIES)
    yield from ((kind, kind.__name__) for kind in (torch.Tensor, np.testing, type(shell)))
    for module_name, module in list(sys.modules.items()):
        if module_name.partition(".")[0] != "oneprompt":
            continue
        yield module, module_name
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__module__ == module_name:
                yield value, f"{module_name}.{value.__name__}"


def _limit_output(chars: int) -> None:
    type(get_ipython())._tee = lambda shell, channel: nullcontext()  # it keeps all output for later
    write = OutStream.write
    _output.update(room=chars, limit=chars)

    def write_some(stream, text: str) -> int:
        room = _output["room"]
        if room > 0:
            _output["room"] -= len(text)
            cut = text if len(text) <= room else text[:room] + "\n… (more output was not kept)\n"
            write(stream, cut)
        return len(text)

    OutStream.write = write_some
