"""The index of the search, made by Pagefind when all pages are written; search.js asks it.

Pagefind reads a folder of small pages, one per record. Its index is split into files, of which a
search loads a few. A page that was opened from a folder cannot load them: there, search.js falls
back on Sphinx's own search, which finds pages.
"""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pagefind_bin
from search_records import Record, records

SCRIPT = Path(__file__).with_name("search.js")
FOLDER = "pagefind"
USED = ("fragment", "index", "pagefind.js", "pagefind-worker.js", "pagefind-entry.json")


def write_index(found: list[Record], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # what an earlier build knew
    with TemporaryDirectory() as pages:
        for i, record in enumerate(found):
            Path(pages, f"{i}.html").write_text(record.html, "utf-8")
        settings = ["--force-language", "en", "--include-characters", "_", "--quiet"]
        command = [pagefind_bin.get_executable(), "--site", pages, "--output-path", folder]
        subprocess.run([*command, *settings], check=True)
    for path in folder.iterdir():  # it adds ready-made pages of results
        if path.name not in USED and not path.name.startswith(("pagefind.en", "wasm.en")):
            path.unlink()


def write(app, exception) -> None:
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    (out / "_static" / SCRIPT.name).write_text(SCRIPT.read_text("utf-8"), "utf-8")
    pages = [app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)]
    found = [one for page in pages for one in records((out / page).read_text("utf-8"), page)]
    write_index(found, out / FOLDER)


def setup(app):
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
