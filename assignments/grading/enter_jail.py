"""Starts a command that can harm nothing: limits, and a file system of its own.

    python -I enter_jail.py '{"command": [...], ...}'

With "isolated", it runs as the first process of new namespaces (see jail.py). The new root holds
only the system's programs, Python, the package, all of them read-only, and the one folder of the
submission: what is not there needs no protection. It stays as process 1: when the command ends, or
this process is killed, the kernel ends everything that the command has started.
"""

import ctypes
import fcntl
import json
import os
import resource
import socket
import struct
import sys

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC = 1, 2, 4, 32, 4096, 16384
MS_PRIVATE = 1 << 18
KEPT_FLAGS = 2 | 4 | 8  # nosuid, nodev and noexec: a new namespace may not drop them
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt")
SETTINGS = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "alternatives", "fonts")
DEVICES = ("null", "zero", "full", "random", "urandom")
libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    spec = json.loads(sys.argv[1])
    if spec["isolated"]:
        raise_loopback()
        enter_root(spec)
        if child := os.fork():
            os._exit(exit_code(child))
    os.chdir(spec["folder"])
    for name, value in spec["rlimits"].items():
        lower(getattr(resource, name), value)
    os.execvpe(spec["command"][0], spec["command"], spec["environment"])


def raise_loopback() -> None:
    """The loopback interface of the new network, which is its only one, is down at first."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        up_and_loopback = struct.pack("16sH14x", b"lo", 0x1 | 0x8)
        fcntl.ioctl(probe, 0x8914, up_and_loopback)  # SIOCSIFFLAGS


def enter_root(spec: dict) -> None:
    root, folder = spec["root"], spec["folder"]
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount("tmpfs", root, "tmpfs", MS_NOSUID, "size=4m")
    scratch = [root + "/tmp", root + "/dev/shm"]
    for path in scratch:
        os.makedirs(path)
        mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, spec["scratch"])
    etc = [f"/etc/{name}" for name in SETTINGS]
    for path in [*SYSTEM, *etc, *spec["readable"]]:
        show(path, root)
    for mounted in set(mounts_under(root)) - set(scratch):
        flags = os.statvfs(mounted).f_flag & KEPT_FLAGS
        mount("none", mounted, flags=MS_REMOUNT | MS_BIND | MS_RDONLY | flags)
    for name in DEVICES:
        show(f"/dev/{name}", root)
    os.makedirs(root + "/proc")
    mount("proc", root + "/proc", "proc", MS_NOSUID | MS_NODEV)
    show(folder, root)
    mount("none", root, flags=MS_REMOUNT | MS_BIND | MS_RDONLY)
    os.chroot(root)


def show(path: str, root: str) -> None:
    """Make a file or folder of the machine visible under the new root, and what a link leads to."""
    inside = root + path
    if os.path.lexists(inside) or not os.path.lexists(path):
        return
    os.makedirs(os.path.dirname(inside), exist_ok=True)
    if os.path.islink(path):
        target = os.readlink(path)
        os.symlink(target, inside)
        show(os.path.normpath(os.path.join(os.path.dirname(path), target)), root)
        return
    if os.path.isdir(path):
        os.mkdir(inside)
    else:
        open(inside, "w").close()
    mount(path, inside, flags=MS_BIND | MS_REC)


def mounts_under(root: str) -> list[str]:
    with open("/proc/self/mountinfo") as lines:
        points = [line.split()[4].encode().decode("unicode_escape") for line in lines]
    return [point for point in points if point.startswith(root + "/")]


def mount(source: str, target: str, kind: str = "none", flags: int = 0, data: str = "") -> None:
    arguments = [text.encode() for text in (source, target, kind)]
    if libc.mount(*arguments, ctypes.c_ulong(flags), data.encode()):
        raise OSError(ctypes.get_errno(), f"cannot mount {target}")


def lower(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))


def exit_code(child: int) -> int:
    """Wait for every orphan, as process 1 must, until the command itself ends."""
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


if __name__ == "__main__":
    main()
