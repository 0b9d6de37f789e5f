"""The few system calls that Python 3.11 has no name for, by way of libc. Linux only; nothing runs on import."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NEWNS, NEWUSER, NEWPID, NEWNET, FS = 0x20000, 0x10000000, 0x20000000, 0x40000000, 0x200
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND = 1, 2, 4, 8, 4096
MS_REC, MS_PRIVATE = 16384, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15


@functools.cache
def _libc() -> Any:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, call: str) -> None:
    if result < 0:
        import ctypes

        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Give the calling thread namespaces of its own (unshare(2)); OSError when it may not."""
    _check(_libc().unshare(flags), "unshare")


def setns(fd: int, kind: int) -> None:
    """Move the calling thread to the namespace behind ``fd`` (setns(2))."""
    _check(_libc().setns(fd, kind), "setns")


def mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
    """mount(2); OSError names the target."""
    _check(
        _libc().mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()),
        f"mount {kind or source} on {target}",
    )


def die_with_parent(signum: int) -> None:
    """Have the kernel send ``signum`` to this process when the *thread* that forked it ends.

    So the parent must have forked from its main thread; a notebook's worker thread would end the child early.
    """
    _check(_libc().prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0), "prctl")


def name_process(name: str) -> None:
    """What `ps` and a tracer call the calling process, up to 15 characters."""
    _check(_libc().prctl(_PR_SET_NAME, name.encode(), 0, 0, 0), "prctl")


def start_time(pid: int) -> int:
    """When the process started, in clock ticks since boot: with the pid, a name that is never used twice.

    ProcessLookupError when there is no such process (or only its zombie).
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except FileNotFoundError:
        raise ProcessLookupError(pid) from None
    if fields[0] in (b"Z", b"X"):
        raise ProcessLookupError(pid)
    return int(fields[19])


def namespace_fd(kind: str) -> int:
    """A descriptor of the calling thread's "net" or "mnt" namespace."""
    return os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)


@contextmanager
def inside(net: int, mnt: int | None = None) -> Iterator[None]:
    """Be in other namespaces for a while; the calling thread alone moves, and what it spawns meanwhile stays there."""
    home = [(namespace_fd("net"), NEWNET)]
    if mnt is not None:
        # A thread that shares its root and working directory with others may not change its mount namespace.
        unshare(FS)
        home.insert(0, (namespace_fd("mnt"), NEWNS))
    try:
        setns(net, NEWNET)
        if mnt is not None:
            setns(mnt, NEWNS)
        yield
    finally:
        for fd, kind in home:
            setns(fd, kind)
            os.close(fd)
