"""Say what the build does: a line per notebook. Executing all of them takes minutes."""

import time
from pathlib import Path

STARTED: dict[str, float] = {}  # the notebook that is being read -> when that began
NOTEBOOKS: list[str] = []  # those of this build, in the order in which they are read


def is_notebook(app, name: str) -> bool:
    return Path(app.env.doc2path(name)).suffix == ".ipynb"


def begin(app, env, names) -> None:
    NOTEBOOKS[:] = [name for name in names if is_notebook(app, name)]
    changed = f"{len(NOTEBOOKS)} to run or look up" if NOTEBOOKS else "none has changed"
    print(f"Step 2 of 3: the notebooks ({changed})", flush=True)


def start(app, name, source) -> None:
    if name in NOTEBOOKS:
        STARTED[name] = time.perf_counter()
        place = f"{NOTEBOOKS.index(name) + 1:2} of {len(NOTEBOOKS)}"
        print(f"  {place}  {name} ", end="", flush=True)


def finish(app, doctree) -> None:
    if (start := STARTED.pop(app.env.docname, None)) is not None:
        print(f"({time.perf_counter() - start:.0f} s)", flush=True)


def begin_pages(app, env) -> None:
    print("Step 3 of 3: the pages", flush=True)


def setup(app):
    app.connect("env-before-read-docs", begin)
    app.connect("source-read", start)
    app.connect("doctree-read", finish)
    app.connect("env-updated", begin_pages)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
