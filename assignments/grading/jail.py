"""A place where a stranger's code may run: no network, nothing to read or break, and limits.

On Linux, namespaces (`unshare`) give the code a file system, a process tree and a network of its
own; enter_jail.py furnishes them. Where the machine allows none, the limits still hold, but files
and network are open, and grading goes on only when told to.
"""

import contextlib
import ctypes
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from .limits import MB, PATIENT, Limits

PACKAGE_ROOT = Path(__file__).resolve().parents[2] / "src"
ENTER = Path(__file__).with_name("enter_jail.py")
PYTHON = os.path.abspath(sys.executable)
DIE_WITH_US = ["setpriv", "--pdeathsig", "KILL"]
NAMESPACES = ("user", "mount", "net", "ipc", "uts", "pid")
UNSHARE = ["unshare", *(f"--{name}" for name in NAMESPACES), "--map-root-user"]
UNSHARE += ["--fork", "--kill-child=KILL"]
# As "root" of the new namespace the code could unmount things; without capabilities it cannot.
POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
CHECK_SECONDS = 0.2
PR_SET_CHILD_SUBREAPER = 36


@functools.cache
def missing_isolation() -> str | None:
    """Why this machine cannot isolate a submission, or None when it can."""
    for tool in ("unshare", "setpriv"):
        if not shutil.which(tool):
            return f"there is no `{tool}` (Linux only, package util-linux)"
    with tempfile.TemporaryDirectory(prefix="grade-") as folder:
        jail = Jail(Path(folder), Limits(), isolated=True)
        try:
            jail.start([PYTHON, "-c", "pass"], {})
            code = jail.process.wait(timeout=30)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        finally:
            jail.close()
        lines = jail.errors().splitlines()
    return (lines[-1] if lines else f"exit status {code}") if code else None


class Jail:
    """One command and its children. `ended_by` says which limit ended it, if one did.

    Args:
        folder: empty, and thrown away afterwards.
        isolated: False leaves files and network open.
        alone: this process starts nothing else, so every process under it belongs to the command.
            Without isolation, only so are those found whose parents have ended.
    """

    def __init__(self, folder: Path, limits: Limits, isolated: bool, alone: bool = False):
        self.folder = folder / "run"  # the one folder that the command can write to
        self.root = folder / "root"
        self.log = folder / "errors.txt"
        self.limits, self.isolated, self.alone = limits, isolated, alone
        self.ended_by: str | None = None
        self.peak_mb, self.cpu_seconds = 0, 0.0
        self.process: subprocess.Popen | None = None
        self._closing = threading.Event()
        self.folder.mkdir(exist_ok=True)
        self.root.mkdir(exist_ok=True)

    def start(self, command: list[str], environment: dict[str, str]) -> None:
        if self.alone:
            adopt_orphans()
        spec = json.dumps(self._spec(command, environment))
        enter = [*(UNSHARE if self.isolated else []), PYTHON, "-I", str(ENTER), spec]
        if shutil.which(DIE_WITH_US[0]):
            enter = [*DIE_WITH_US, *enter]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                enter, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        threading.Thread(target=self._watch, daemon=True).start()

    def timer(self, seconds: float) -> Callable[[], float]:
        """A function that says how many of these seconds are left (see Limits)."""
        computed, start = self.cpu_seconds, time.monotonic()
        return lambda: (
            seconds - max(self.cpu_seconds - computed, (time.monotonic() - start) / PATIENT)
        )

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def errors(self) -> str:
        return self.log.read_text(errors="replace")[-2000:].strip() if self.log.exists() else ""

    def end(self, reason: str) -> None:
        self.ended_by = self.ended_by or reason
        self.close()

    def close(self) -> None:
        self._closing.set()
        if self.process is None:
            return
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.process.kill()
        self.process.wait(timeout=30)

    def _spec(self, command: list[str], environment: dict[str, str]) -> dict:
        seconds = int(self.limits.seconds + self.limits.start_seconds) + 10
        return {
            "isolated": self.isolated,
            "command": [*POWERLESS, *command] if self.isolated else command,
            "environment": environment | {"PATH": os.environ.get("PATH", os.defpath)},
            "folder": str(self.folder),
            "root": str(self.root),
            "readable": readable(),
            "scratch": f"size={self.limits.file_mb}m",
            "rlimits": {
                "RLIMIT_DATA": self.limits.memory_mb * MB,
                "RLIMIT_FSIZE": self.limits.file_mb * MB,
                "RLIMIT_NPROC": 4096,  # per user, so it only stops a flood; _watch counts ours
                "RLIMIT_CPU": seconds,
                "RLIMIT_CORE": 0,
                "RLIMIT_NOFILE": 512,
            },
        }

    def _watch(self) -> None:
        """End the command when all of its processes together use too much."""
        while not self._closing.wait(CHECK_SECONDS) and self.alive:
            processes = self._processes()
            used = sum(private_mb(process) for process in processes)
            if used > self.limits.memory_mb:  # forks share most of theirs; asking takes longer
                used = sum(fair_share_mb(process) for process in processes)
            self.peak_mb = max(self.peak_mb, round(used))
            cpu_seconds = sum(busy_seconds(process) for process in processes)
            self.cpu_seconds = max(self.cpu_seconds, cpu_seconds)
            if len(processes) > self.limits.processes:
                self.end(f"it started more than {self.limits.processes} processes")
            elif used > self.limits.memory_mb:
                self.end(f"it used more than {self.limits.memory_mb} MB of memory")
            elif size_mb(self.folder) > self.limits.file_mb:
                self.end(f"it wrote more than {self.limits.file_mb} MB of files")

    def _processes(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            if self.alone:
                return psutil.Process().children(recursive=True)
            command = psutil.Process(self.process.pid)
            return [command, *command.children(recursive=True)]
        return []


def adopt_orphans() -> None:
    """Become the parent of every process under this one whose own parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def readable() -> list[str]:
    """What a kernel has to see: Python, its packages, and ours."""
    paths = [os.path.abspath(path) for path in (sys.prefix, sys.base_prefix, PACKAGE_ROOT)]
    paths += [os.path.realpath(path) for path in paths]
    return list(dict.fromkeys(paths))


def private_mb(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.Error):
        memory = process.memory_info()
        return (memory.rss - getattr(memory, "shared", 0)) / MB
    return 0.0


def fair_share_mb(process: psutil.Process) -> float:
    """Like `private_mb`, but what n processes share counts 1/n for each."""
    with contextlib.suppress(psutil.Error):
        return getattr(process.memory_full_info(), "pss", 0) / MB or private_mb(process)
    return 0.0


def busy_seconds(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        return times.user + times.system
    return 0.0


def size_mb(folder: Path) -> float:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.lstat().st_size
    return total / MB
