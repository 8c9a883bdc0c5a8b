"""A kernel in a jail, and what came of each cell that it was sent.

The kernel is a stranger: it may never answer, flood us with output, or end. Nothing that it sends
is trusted beyond its own score, and waiting always has an end.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from uuid import uuid4

import zmq
from jupyter_client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

from .jail import PACKAGE_ROOT, PYTHON, Jail
from .limits import MB

GUARD = Path(__file__).with_name("guard.py")
PATIENCE = 0.1  # seconds between two looks at whether the kernel is still there
GRACE = 2.0  # seconds for an interrupted cell, and for output that comes after the answer
MESSAGE_CHARS = 3_000
MESSAGES = 200  # taken before we look at the time again
LARGEST_MESSAGE = 64 * MB


class NoKernel(Exception):
    """The kernel did not start: our trouble, and not the student's."""


@dataclass(frozen=True)
class Output:
    kind: str  # "stream", "execute_result" or "display_data"
    stream: str  # "stdout" or "stderr"
    text: str


@dataclass
class Outcome:
    """What became of a cell: "ok", "error", "time" (interrupted), "ended" (no kernel any more)."""

    how: str
    error: tuple[str, str] = ("", "")  # the exception's name and message
    outputs: list[Output] = field(default_factory=list)


class Kernel:
    """An IPython kernel inside a jail, with the guard installed."""

    def __init__(self, jail: Jail, graded: list[str], student: str | None):
        self.jail, self.limits = jail, jail.limits
        shutil.copy(GUARD, jail.folder / "grading_guard.py")
        file, _ = write_connection_file(
            str(jail.folder / "kernel.json"), transport="ipc", ip=str(jail.folder / "k"),
            key=uuid4().hex.encode(),
        )  # fmt: skip
        jail.start([PYTHON, "-m", "ipykernel_launcher", "-f", file], environment(jail, student))
        context = zmq.Context()
        context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
        context.setsockopt(zmq.LINGER, 0)
        self._context = context
        self._client = BlockingKernelClient(connection_file=file, context=context)
        self._client.load_connection_file()
        self._client.start_channels(stdin=False, hb=False)
        self._poller = zmq.Poller()
        for channel in (self._client.shell_channel, self._client.iopub_channel):
            self._poller.register(channel.socket, zmq.POLLIN)
        self._left = jail.timer(self.limits.start_seconds)
        self._begin(graded)
        self._left = jail.timer(self.limits.seconds)

    def run(self, code: str, seconds: float | None = None) -> Outcome:
        """Run a cell for at most the given seconds, and as long as the submission has any left."""
        own = self.jail.timer(seconds or self.limits.cell_seconds)
        outcome = self._answer(code, lambda: min(own(), self._left()))
        if outcome is None and self.jail.alive:
            self._client.control_channel.send(self._client.session.msg("interrupt_request", {}))
            outcome = self._answer(None, self.jail.timer(GRACE))
            if outcome is not None:
                outcome.how = "time"
        if outcome is None:
            if self.jail.alive:
                self.jail.end("it ran too long and could not be interrupted")
            outcome = Outcome("ended", outputs=self._outputs)
        if self._left() <= 0 and self.jail.alive:
            self.jail.end(f"all of its cells together ran longer than {self.limits.seconds:g} s")
        return outcome

    def changed(self) -> str | None:
        """What has been replaced that the tests rely on, or None.

        Asks by failing: whoever suppresses failures is noticed too.
        """
        proof = uuid4().hex
        outcome = self.run(f"assert False, ('{proof}', *__import__('grading_guard').changed())")
        if outcome.how in ("time", "ended") or outcome.error == ("AssertionError", f"('{proof}',)"):
            return None
        name, message = outcome.error
        asked = name == "AssertionError" and message.startswith(f"('{proof}', ")
        return message[len(proof) + 5 : -1] if asked else "how a failing assert is reported"

    def close(self) -> None:
        self.jail.close()
        self._client.stop_channels()
        self._context.destroy(linger=0)

    def _begin(self, graded: list[str]) -> None:
        room = self.limits.output_chars
        begin = f"__import__('grading_guard').begin({graded!r}, {room})"
        outcome = self.run(begin, self.limits.start_seconds)
        if outcome.how != "ok" or self.changed():
            why = ": ".join(outcome.error).strip(": ") or self.jail.errors() or outcome.how
            self.close()
            raise NoKernel(f"the kernel did not start: {why[-500:]}")

    def _answer(self, code: str | None, left: Callable[[], float]) -> Outcome | None:
        """What came of a cell, or None when time was up. Without code: of the one before."""
        if code is not None:
            self._outputs, self._chars = [], 0
            self._sent = self._client.execute(code, store_history=False, allow_stdin=False)
        reply, idle, drained = None, False, None
        while not (reply and (idle or drained() <= 0)):
            if left() <= 0 and not reply:
                return None
            self._poller.poll(1000 * PATIENCE)
            reply = reply or self._reply()
            if reply and not drained:  # output may lag behind, or be lost when there is too much
                drained = self.jail.timer(GRACE)
            idle = self._collect() or idle
            if not reply and not self.jail.alive:
                return Outcome("ended", outputs=self._outputs)
        error = tuple(str(reply.get(key, ""))[:MESSAGE_CHARS] for key in ("ename", "evalue"))
        how = "ok" if reply.get("status") == "ok" else "error"
        return Outcome(how, error, self._outputs)

    def _reply(self) -> dict | None:
        message = receive(self._client.shell_channel)
        ours = message and message["parent_header"].get("msg_id") == self._sent
        return message["content"] if ours else None

    def _collect(self) -> bool:
        """Take some of what the kernel has put out; whether it says that the cell is over."""
        for _ in range(MESSAGES):
            message = receive(self._client.iopub_channel)
            if message is None:
                return False
            if message["parent_header"].get("msg_id") == self._sent:
                if message["content"].get("execution_state") == "idle":
                    return True
                self._keep(message)
        return False

    def _keep(self, message: dict) -> None:
        if message["msg_type"] not in ("stream", "execute_result", "display_data"):
            return
        content = message["content"]
        data = content.get("data")
        text = str(data.get("text/plain", "") if isinstance(data, dict) else content.get("text"))
        room = self.limits.output_chars - self._chars
        self._chars += len(text)
        if room > 0:
            cut = text if len(text) <= room else text[:room] + "\n… (more output was not kept)"
            self._outputs.append(Output(message["msg_type"], str(content.get("name", "")), cut))


def receive(channel) -> dict | None:
    """A message that waits in a channel, or None; what is malformed or not signed is dropped."""
    try:
        message = channel.get_msg(timeout=0)
    except (Empty, ValueError, KeyError, TypeError, UnicodeError, RecursionError, zmq.ZMQError):
        return None
    parts = ("parent_header", "content")
    usable = all(isinstance(message.get(part), dict) for part in parts)
    return message if usable else None


def environment(jail: Jail, student: str | None) -> dict[str, str]:
    """What the kernel is told: a home of its own, one thread, no network, whose notebook it is."""
    home = str(jail.folder)
    own = ("HOME", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR", "TMPDIR", "XDG_CACHE_HOME")
    told = dict.fromkeys(own, home) | {
        "PYTHONPATH": os.pathsep.join([str(PACKAGE_ROOT), home]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    return told if student is None else told | {"ONEPROMPT_STUDENT": student}
