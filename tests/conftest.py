"""Fixtures that several test files share: the built book, a server for it, and a browser.

A test that uses `browser` or `page` gets the marker `browser` by itself, so
`pytest -m "not browser"` is the quick part. Without Chromium such a test is skipped; where `CI` is
set it fails instead, so that a run that tested no page cannot pass for one that did.
"""

import os
import shutil
import subprocess
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Requests are refused in `page`; this also covers what routing does not see, such as sockets.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


@pytest.hookimpl(tryfirst=True)  # before -m selects by marker
def pytest_collection_modifyitems(items):
    """Mark the browser tests and run them last, and those that need the built book before them.

    Playwright keeps an event loop running in the main thread once it has started, which the
    kernels of the notebook tests must not meet.
    """
    for item in items:
        if "browser" in _fixtures(item):
            item.add_marker("browser")
    items.sort(key=lambda item: ("browser" in _fixtures(item), "book_build" in _fixtures(item)))


def _fixtures(item) -> list[str]:
    return getattr(item, "fixturenames", [])


def pytest_collection_finish(session):
    """Start building the book where a test needs it, beside the tests that do not."""
    if any("book_build" in _fixtures(item) for item in session.items):
        session.config.stash[BUILD] = _start_build()


def pytest_unconfigure(config):
    if build := config.stash.get(BUILD, None):
        build.process.terminate()  # of no effect once it has ended


class Build(NamedTuple):
    """A running `make book`, and the file that takes its output."""

    process: subprocess.Popen
    output: IO[str]


BUILD = pytest.StashKey[Build]()


def _start_build() -> Build:
    output = tempfile.TemporaryFile("w+")  # noqa: SIM115  # open as long as the tests run
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    process = subprocess.Popen(
        ["make", "--no-print-directory", "book"],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=output,
        stderr=subprocess.STDOUT,
    )
    return Build(process, output)


@pytest.fixture(scope="session")
def book_build(request) -> subprocess.CompletedProcess:
    """One run of `make book`, with its output; what is already built is reused."""
    process, output = request.config.stash[BUILD]
    process.wait()
    output.seek(0)
    return subprocess.CompletedProcess(process.args, process.returncode, output.read())


@pytest.fixture(scope="session")
def built_book(book_build) -> Path:
    """The folder of the built book, `_build/html`."""
    if book_build.returncode:
        pytest.fail(f"`make book` failed:\n{book_build.stdout[-8000:]}", pytrace=False)
    return ROOT / "_build" / "html"


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def site(built_book):
    """The address of a local server of the built book, with a slash at its end."""
    handler = partial(_QuietHandler, directory=built_book)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def _chromium(playwright) -> str | None:
    """The browser's path: $CHROMIUM, then one on the path, then Playwright's own."""
    own = playwright.chromium.executable_path
    candidates = [os.environ.get("CHROMIUM"), *map(shutil.which, CHROMIUM_NAMES), own]
    return next((path for path in candidates if path and Path(path).exists()), None)


@pytest.fixture(scope="session")
def browser():
    """Chromium, started once."""
    from playwright.sync_api import sync_playwright  # only where a test needs it: it is slow

    with sync_playwright() as playwright:
        path = _chromium(playwright)
        if path is None:
            missing = pytest.fail if os.environ.get("CI") else pytest.skip
            missing("no Chromium: install it, or set CHROMIUM to the path of one")
        chromium = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        yield chromium
        chromium.close()


def _is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob", "file") or parts.hostname in ("127.0.0.1", "localhost")


@pytest.fixture
def page_problems() -> list[str]:
    """What went wrong on `page`: refused requests, console errors, uncaught exceptions.

    A test that provokes an error takes this fixture too, asserts on the list and clears it.
    """
    return []


@pytest.fixture
def page(browser, page_problems):
    """A new page that can reach nothing but this machine; it fails the test on any problem."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})

    def refuse(route):
        page_problems.append(f"request refused: {route.request.url}")
        route.abort()

    def note_error(line):
        if line.type == "error":
            page_problems.append(f"console: {line.text}")

    context.route(lambda url: not _is_local(url), refuse)
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: page_problems.append(f"exception: {error}"))
    page.on("console", note_error)
    yield page
    context.close()
    assert not page_problems
