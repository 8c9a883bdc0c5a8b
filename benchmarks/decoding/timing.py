"""Ways that take turns, and what their times amount to."""

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from tqdm import tqdm


class Call(NamedTuple):
    """One call of a way: the seconds of its steps, and the ids that it gave."""

    seconds: list[float]
    ids: Sequence[int] = ()

    @property
    def step(self) -> float:
        """The median of the steps after the first, which reads the prompt."""
        return statistics.median(self.seconds[1:] or self.seconds)


def differences(times: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


def timed(run: Callable[[], object]) -> Call:
    """A call with one step."""
    start = time.perf_counter()
    run()
    return Call([time.perf_counter() - start])


def repeat(run: Callable[[], object], n: int = 11) -> Call:
    """A call with n equal steps."""
    return Call([timed(run).step for _ in range(n)])


def timed_ids(make: Callable[[], Iterable[int]]) -> Call:
    """A call with one step per id."""
    times, ids = [time.perf_counter()], []
    for token_id in make():
        ids.append(token_id)
        times.append(time.perf_counter())
    return Call(differences(times), ids)


def alternate(ways: dict[str, Callable[[], Call]], rounds: int, desc: str) -> dict[str, list[Call]]:
    """name -> one call per round, the order reversed every other time; a first call is not counted.

    What else the machine does then slows all ways alike, and a ratio is taken within a round.
    """
    for run in tqdm(ways.values(), desc=f"{desc}, first calls", leave=False):
        run()
    found = {name: [] for name in ways}
    for name in tqdm([*turns(list(ways), rounds)], desc=desc):
        found[name].append(ways[name]())
    return found


def turns(names: list[str], rounds: int) -> Iterator[str]:
    for n in range(rounds):
        yield from names[:: -1 if n % 2 else 1]


def spread(values: list[float]) -> dict[str, float]:
    """The median and the quartiles."""
    if len(values) == 1:
        values = values * 2
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": middle, "low": low, "high": high}


def compare(
    found: dict[str, list[Call]], base: str, cost: Callable[[Call], float] = lambda call: call.step
) -> dict[str, dict]:
    """name -> milliseconds, and how many times faster than `base` within a round."""
    costs = {name: [cost(call) for call in calls] for name, calls in found.items()}
    return {
        name: {
            "ms": spread([1000 * seconds for seconds in own]),
            "speedup": spread([b / a for a, b in zip(own, costs[base], strict=True)]),
        }
        for name, own in costs.items()
    }
