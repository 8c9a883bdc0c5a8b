"""Execute notebooks again whenever something they import or read has changed.

jupyter-cache looks only at the code in a notebook. Without this, a change in `src/` or in the
weights would leave the old numbers on the page.
"""

import hashlib
import shutil
from pathlib import Path

from jupyter_cache.cache.main import JupyterCacheBase
from nbclient import client
from traitlets import Bool, List, Unicode

INPUTS = ("src/**/*", "pyproject.toml", "requirements.txt", "binder/requirements.txt")


def input_files(root: Path) -> list[Path]:
    """All files that notebooks depend on, except what Python and pip generate next to them."""
    found = sorted({path for pattern in INPUTS for path in root.glob(pattern)})
    return [path for path in found if path.is_file() and not is_generated(path.relative_to(root))]


def is_generated(path: Path) -> bool:
    return any(part == "__pycache__" or part.endswith(".egg-info") for part in path.parts)


def inputs_hash(root: Path) -> str:
    """A hash over the names and contents of all files that notebooks depend on."""
    digest = hashlib.sha256()
    for path in input_files(root):
        name = path.relative_to(root).as_posix()
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def name_cache_by_inputs(app, config):
    root = Path(app.confdir)
    caches = root / "_build" / ".jupyter_cache"
    current = caches / inputs_hash(root)
    for stale in caches.glob("*"):
        if stale != current:
            shutil.rmtree(stale, ignore_errors=True)
    current.mkdir(parents=True, exist_ok=True)
    # Sphinx reads every page again when this value changes, so all notebooks are looked up again.
    config.nb_execution_cache_path = str(current)


class BookClient(client.NotebookClient):
    """Runs a notebook so that nothing on its page varies from run to run.

    The kernel sends what a cell prints in parts, cut wherever its timer fires, and MyST would put
    each part on a separate line: here they are joined. The kernels log errors only, or each
    would print a warning about its connection.
    """

    coalesce_streams = Bool(True)
    extra_arguments = List(Unicode(), ["--IPKernelApp.log_level=ERROR"])


def merge_outputs(self, notebook, **kwargs):
    """Take outputs from the cache, and tags from the notebook: they may have changed since."""
    return CACHED_MERGE(self, notebook, cell_meta=(), **kwargs)


CACHED_MERGE = JupyterCacheBase.merge_match_into_notebook


def setup(app):
    JupyterCacheBase.merge_match_into_notebook = merge_outputs
    client.NotebookClient = BookClient  # jupyter-cache offers no setting for it
    app.connect("config-inited", name_cache_by_inputs, priority=100)  # before myst-nb reads it
    return {"parallel_read_safe": True, "parallel_write_safe": True}
