"""Checks of the exercise of the page on serving."""

from .table import Table, from_table


@from_table
def by_hand() -> list[Table]:
    """Weights of 60 bytes, 60 operations a token, caches of 30 bytes, four texts, gamma = 2."""
    bandwidth, peak, weights, work, cache, texts, positions = 10, 30, 60, 60, 30, 4, 3
    reading, computing = (weights + texts * cache) / bandwidth, texts * work / peak
    longer = max(reading, positions * computing)
    seconds = (
        (reading + computing, "reading and computing go on at the same time: take the longer"),
        (computing, "the units are done then, and the memory is not: take the longer"),
        ((weights + cache) / bandwidth, "one cache was read: each of the four texts has its own"),
        (texts * (weights + cache) / bandwidth, "the weights are read once for all four texts"),
        (weights / bandwidth, "the caches are read as well"),
        (texts * cache / bandwidth, "the weights are read as well"),
    )
    v = (
        (positions, "the units have three times the work, but they were not what a pass waits for"),
        (1, "three times 8 seconds of computing is more than the memory needs"),
        (longer, "these are the seconds of the longer pass: divide by those of the plain one"),
        (reading / longer, "this is upside down: the longer pass, in plain passes"),
        ((reading + positions * computing) / (reading + computing),
         "reading and computing go on at the same time: take the longer of the two"),
        (2 * computing / reading, "gamma is 2: the pass is over gamma + 1 positions"),
    )  # fmt: skip
    return [
        Table("seconds of a plain pass", max(reading, computing), seconds),
        Table("v", longer / max(reading, computing), v),
    ]
