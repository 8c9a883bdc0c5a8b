"""Each part of an assignment is tested on its own: a mistake costs its own points and no others."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module

from .. import require as require_alone


def require(exercise: str, answer, **variation) -> None:
    """`checks.require`; meanwhile the parts that the answer may call are right ones.

    The module of the exercise lists them in PARTS: exercise -> name in the notebook -> function.
    """
    module, _, name = exercise.rpartition(".")
    parts = getattr(import_module(f"oneprompt.checks.{module}"), "PARTS", {}).get(name, {})
    with _in_place_of(getattr(answer, "__globals__", {}), parts):
        require_alone(exercise, answer, **variation)


@contextmanager
def _in_place_of(names: dict, parts: Mapping[str, Callable]) -> Iterator[None]:
    own = {name: names[name] for name in parts if name in names}
    names.update({name: parts[name] for name in own})
    try:
        yield
    finally:
        names.update(own)
