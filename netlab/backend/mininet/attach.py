"""A command in a network that another process has open: `nlab exec`, with the caller's terminal or pipes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from netlab.backend.mininet.client import Client
from netlab.backend.mininet.command import Running
from netlab.backend.mininet.runs import Run
from netlab.errors import Unavailable

_PASSED_ON = ("SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP")


def execute(run: Run, node: str, argv: Sequence[str]) -> int:
    """Run a command in a node of a live network, on this process's own standard descriptors; its exit code.

    On a terminal it gets one of its own inside, so that job control, Ctrl-C and full-screen programs work; what is
    piped stays a pipe. The code is 128 + n when signal n ended it. BadInput when there is no such node or command.
    To be called from the main thread.
    """
    client = Client(_connect(run))
    try:
        if os.isatty(0) and os.isatty(1):
            return _on_a_terminal(client, node, argv)
        return _on_pipes(client, node, argv)
    finally:
        client.close()


def _connect(run: Run) -> Any:
    import socket

    doors = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    here = os.open(run.folder, os.O_RDONLY | os.O_DIRECTORY)
    try:  # by way of a descriptor: a socket's path may have 107 characters only
        doors.connect(f"/proc/self/fd/{here}/arena.sock")
    except OSError as error:
        doors.close()
        raise Unavailable(f"its network does not answer ({error.strerror})", where=run.name) from None
    finally:
        os.close(here)
    return doors


def _start(client: Client, node: str, argv: Sequence[str], stdio: Sequence[int], *, terminal: bool) -> Running:
    job = Running(node, argv)
    fields = {"node": node, "argv": list(argv), "cwd": os.getcwd(), "env": dict(os.environ), "terminal": terminal}
    job.pid = client.run(job, stdio, **fields)
    return job


def _on_pipes(client: Client, node: str, argv: Sequence[str]) -> int:
    job = _start(client, node, argv, (0, 1, 2), terminal=False)
    with _handled(dict.fromkeys(_PASSED_ON, job.signal)):
        return _code(job)


def _on_a_terminal(client: Client, node: str, argv: Sequence[str]) -> int:
    import pty

    inner, outer = pty.openpty()
    job = None
    try:
        _copy_size(inner)
        job = _start(client, node, argv, (outer, outer, outer), terminal=True)
        os.close(outer)
        outer = -1
        with _raw(0), _handled({"SIGWINCH": lambda _n: _copy_size(inner), "SIGTERM": job.signal, "SIGHUP": job.signal}):
            _relay(inner)
            return _code(job)
    finally:
        for fd in (inner, outer):
            if fd >= 0:
                os.close(fd)


def _relay(inner: int) -> None:
    """Carry keys in and output out until nobody has the inner terminal open any more."""
    import select

    readable = [0, inner]
    while True:
        ready = select.select(readable, [], [])[0]
        if inner in ready:
            try:
                data = os.read(inner, 1 << 16)
            except OSError:  # EIO: its last holder has closed it
                return
            _write(1, data)
        if 0 in ready:
            keys = os.read(0, 4096)
            if keys:
                _write(inner, keys)
            else:
                readable = [inner]


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _copy_size(inner: int) -> None:
    """Tell the inner terminal how large the caller's is; the kernel tells the program."""
    import fcntl
    import termios

    with suppress(OSError):
        fcntl.ioctl(inner, termios.TIOCSWINSZ, fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))


@contextmanager
def _raw(fd: int) -> Iterator[None]:
    """The caller's terminal passes every key on, and is itself again afterwards."""
    import termios
    import tty

    before = termios.tcgetattr(fd)
    tty.setraw(fd)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


@contextmanager
def _handled(handlers: dict[str, Callable[[int], None]]) -> Iterator[None]:
    """Signals go where they are wanted, for a while."""
    before: dict[int, Any] = {}
    for name, handler in handlers.items():
        number = getattr(signal, name)
        before[number] = signal.signal(number, _without_frame(handler))
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _without_frame(handler: Callable[[int], None]) -> Callable[[int, Any], None]:
    return lambda number, _frame: handler(number)


def _code(job: Running) -> int:
    done = job.wait()
    if done.why == "gone":
        print(f"nlab: the network of '{job.node}' has ended", file=sys.stderr)
        return 3
    return 128 - done.code if done.code < 0 else done.code
