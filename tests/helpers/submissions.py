"""Submissions to the tiny assignment as strangers might hand them in, and what each must get."""

import json
from dataclasses import dataclass
from pathlib import Path

from tiny_course import SOFTMAX, TEMPERATURE_LATE, named, release, submission, without

CELL_SECONDS, SECONDS, MEMORY_MB = 4, 30, 700
RIGHT = {"softmax": 5, "double": 1, "why": None}
TWIN = """\
def softmax(logits, T=1.0):
    weights = [math.exp((x - max(logits)) / T) for x in logits]
    total = sum(weights)
    return [w / total for w in weights]
"""
WRONG = {"softmax": 0, "double": 1, "why": None}
NOTHING = {"softmax": 0, "double": 0, "why": None}


@dataclass
class Case:
    """What is handed in, and the row that it must get: status, points, words of the reason."""

    content: object  # a notebook, or the text of the file
    status: str
    points: dict
    words: str = ""
    file: str = "tiny.ipynb"


def cases(course: Path, out: Path, port: int) -> dict[str, Case]:
    """All cases by the student's name.

    Args:
        course: the folder with the sources, which some of them try to read.
        out: the folder of grades, which some of them try to write.
        port: of a server on this machine, which some of them try to reach.
    """
    return {
        **ordinary(),
        **endless(),
        **damaged(),
        **edited(),
        **cheating(),
        **reaching_out(course, out, port),
    }


def ordinary() -> dict[str, Case]:
    using_package = (
        "def softmax(logits, T=1.0):\n"
        "    return op.probabilities(torch.tensor(logits), op.Sampling(temperature=T)).tolist()\n"
    )
    warning = SOFTMAX.replace("    exps", "    import warnings\n    warnings.warn('!')\n    exps")
    return {
        "right": Case(submission(), "graded", RIGHT),
        "stub": Case(
            release(), "graded", {"softmax": 0, "double": 0, "why": 0}, "nothing was attempted"
        ),
        "wrong": Case(
            submission(TEMPERATURE_LATE), "graded", {**RIGHT, "softmax": 2},
            "softmax: T divides after the exp",
        ),
        "syntax-error": Case(
            submission("def softmax(logits, T=1.0)\n    return 1"), "graded", WRONG,
            "softmax: SyntaxError: expected ':'",
        ),
        "loading-more-of-torch": Case(  # which wraps functions that the tests rely on
            submission("import torch._dynamo\n\n\n" + SOFTMAX), "graded", RIGHT,
        ),
        "using-the-package": Case(
            submission(using_package), "graded", WRONG,
            "oneprompt.sample.probabilities is not available in this assignment",
        ),
        "warning": Case(
            submission(warning),
            "graded", RIGHT,
        ),
    }  # fmt: skip


def endless() -> dict[str, Case]:
    def in_softmax(line: str) -> dict:
        return submission(f"import os\n\n\ndef softmax(logits, T=1.0):\n    {line}\n")

    stubborn = (
        "while True:\n        try:\n            while True:\n                pass\n"
        "        except BaseException:\n            pass"
    )
    in_double = submission(double="def double(x):\n    import os\n    os._exit(0)\n")
    forks = (
        "for _ in range(60):\n        if not os.fork():\n            import time; time.sleep(600)"
    )
    return {
        "endless-loop": Case(
            in_softmax("while True: pass"), "limit", WRONG,
            "cell 'softmax-visible': it ran longer than 4 s and was interrupted",
        ),
        "stubborn-loop": Case(in_softmax(stubborn), "limit", NOTHING, "could not be interrupted"),
        "memory-bomb": Case(
            in_softmax("x = [bytearray(10**8) for _ in range(200)]"), "limit", WRONG,
            f"it used more than {MEMORY_MB} MB of memory",
        ),
        "100-mb-of-output": Case(
            submission(SOFTMAX + "\n\nfor _ in range(100):\n    print('x' * 1_000_000)"),
            "graded", RIGHT,
        ),
        "os-exit": Case(
            in_double, "crashed", {**RIGHT, "double": 0}, "cell 'double-test': it ended the kernel"
        ),
        "killed-kernel": Case(
            submission("import os\n\nos.kill(os.getpid(), 9)"), "crashed", NOTHING,
            "cell 'softmax': it ended the kernel",
        ),
        "fork-bomb": Case(
            in_softmax(forks), "limit", NOTHING, "it started more than 32 processes"
        ),
    }  # fmt: skip


def damaged() -> dict[str, Case]:
    text = json.dumps(submission())
    bare = submission()
    for cell in bare.cells:
        cell.metadata.pop("nbgrader")
    lost = json.loads(json.dumps(bare))
    for cell in lost["cells"]:
        del cell["id"]
    other = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": lost["cells"][:1]}
    return {
        "truncated": Case(text[:700], "returned", {}, "the file is damaged or incomplete"),
        "no-notebook": Case('["a list"]', "returned", {}, "the file is not a notebook"),
        "empty": Case("", "returned", {}, "it is empty"),
        "stripped-metadata": Case(bare, "graded", RIGHT, "they were recognized by their ids"),
        "stripped-of-all": Case(lost, "returned", {}, "its cells have lost their metadata"),
        "other-notebook": Case(other, "returned", {}, "it is another notebook"),
        "wrong-name": Case(
            submission(), "graded", RIGHT, "the file is named 'Copy of it.ipynb'",
            file="Copy of it.ipynb",
        ),
        "huge": Case(
            text + " " * 21 * 2**20, "returned", {}, "the file has 21 MB, and 20 MB is the most"
        ),
    }  # fmt: skip


def edited() -> dict[str, Case]:
    tests = ("softmax-visible", "softmax-hidden")
    easier = submission("def softmax(logits, T=1.0):\n    return [1, 0]")
    for name in tests:
        named(easier, name).source = "assert True"
    doubled = submission()
    doubled.cells.insert(3, named(doubled, "softmax"))
    moved = submission(TWIN.replace("total", "s").replace("weights", "e"))
    moved.cells = [*moved.cells[5:], *moved.cells[:5]]
    richer = submission("def softmax(logits, T=1.0):\n    return [1, 0]")
    named(richer, "double-test").metadata.nbgrader.points = 100
    return {
        "edited-tests": Case(
            easier, "graded", WRONG,
            "cells changed, and graded as they were: softmax-visible, softmax-hidden",
        ),
        "more-points": Case(
            richer, "graded", WRONG,
            "softmax: softmax([0, 0]) got: [1.0, 0.0] expected: [0.5, 0.5]",
        ),
        "deleted-tests": Case(
            without(submission(TWIN), *tests), "graded", RIGHT,
            "cells missing and put back: softmax-visible, softmax-hidden",
        ),
        "deleted-solution": Case(
            without(submission(), "softmax"), "graded", WRONG, "cells missing: softmax"
        ),
        "duplicated": Case(doubled, "graded", RIGHT, "cells there more than once: softmax"),
        "reordered": Case(moved, "graded", RIGHT, "the cells were in another order"),
    }  # fmt: skip


def cheating() -> dict[str, Case]:
    equal = (
        "class Equal(float):\n"
        "    def __eq__(self, other):\n        return True\n\n"
        "    def __abs__(self):\n        return Equal(0)\n\n"
        "    __sub__ = __rsub__ = lambda self, other: Equal(0)\n"
        "    __lt__ = __gt__ = __eq__\n    __hash__ = float.__hash__\n\n\n"
        "def softmax(logits, T=1.0):\n    return [Equal(), Equal()]\n"
    )
    hook = (
        "import ast\n\n\nclass NoAsserts(ast.NodeTransformer):\n"
        "    def visit_Assert(self, node):\n        return ast.Pass()\n\n\n"
        "get_ipython().ast_transformers.append(NoAsserts())\n\n\n"
        "def softmax(logits, T=1.0):\n    return [0, 0]\n"
    )
    replaced = (
        "import builtins\n\nbuiltins.abs = lambda x: 0\n\n\n"
        "def softmax(logits, T=1.0):\n    return [0.5, 0.5]\n"
    )
    looked = {"softmax": 0, "double": 0, "why": None}
    tells = (
        "import inspect\n\n\ndef softmax(logits, T=1.0):\n"
        "    if T == 2.0:\n"
        "        test = inspect.currentframe().f_back.f_code\n"
        "        raise ValueError(inspect.getsource(test))\n"
        "    return [0.5, 0.5]\n"
    )
    return {
        "equal-to-everything": Case(
            submission(equal), "graded", WRONG, "got: [0.0, 0.0] expected: [0.5, 0.5]"
        ),
        "no-asserts": Case(
            submission(hook), "look", looked,
            "the notebook replaces what the tests rely on: how a failing assert is reported",
        ),
        "replaced-builtin": Case(
            submission(replaced), "look", looked,
            "the notebook replaces what the tests rely on: 'builtins.abs'",
        ),
        "telling-the-tests": Case(
            submission(tells), "graded", {**RIGHT, "softmax": 2}, "ValueError"
        ),
    }  # fmt: skip


def reaching_out(course: Path, out: Path, port: int) -> dict[str, Case]:
    reading = (
        f"def softmax(logits, T=1.0):\n"
        f"    open({str(course / 'source' / 'tiny' / 'tiny.ipynb')!r}).read()\n"
        f"    return [0.5, 0.5]\n"
    )
    row = out / "tiny" / "rows" / "wrong.json"
    writing = (
        "from pathlib import Path\n\n\ndef softmax(logits, T=1.0):\n"
        f"    Path({str(row)!r}).write_text('{{}}')\n"
        "    return [0.5, 0.5]\n"
    )
    calling = (
        "import socket\n\n\ndef softmax(logits, T=1.0):\n"
        f"    socket.create_connection(('127.0.0.1', {port}), timeout=5)\n"
        "    return [0.5, 0.5]\n"
    )
    return {
        "reading-the-source": Case(submission(reading), "graded", WRONG, "FileNotFoundError"),
        "writing-the-gradebook": Case(submission(writing), "graded", WRONG, "FileNotFoundError"),
        "opening-the-network": Case(
            submission(calling), "graded", WRONG, "ConnectionRefusedError"
        ),
    }  # fmt: skip
