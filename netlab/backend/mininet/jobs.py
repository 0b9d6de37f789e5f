"""Commands that run in rooms: a process group each, ended as a whole."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from netlab.backend.mininet.channel import Connection
from netlab.backend.mininet.rooms import Room

_TAG = "NETLAB_JOB"


@dataclass
class Job:
    """A command that was started: whose it is, its process, and until when it may run (monotonic seconds)."""

    id: int
    connection: Connection
    process: subprocess.Popen[Any]
    pidfd: int
    tag: str
    deadline: float | None
    why: str = "exited"
    """What the owner is told: exited, limit, or cancelled."""

    def signal(self, signum: int) -> None:
        """Send a signal to the whole group."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signum)

    def kill(self, why: str) -> None:
        """End the group, and whatever of it went on to a session of its own (a daemon keeps its environment)."""
        self.why = why
        self.signal(signal.SIGKILL)
        for pid in tagged(self.tag):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def reap(self) -> int:
        """The exit code of a process that has ended: negative for a signal."""
        os.close(self.pidfd)
        return int(self.process.wait())


def start(
    room: Room,
    argv: Sequence[str],
    fds: Sequence[int],
    *,
    cwd: str,
    env: Mapping[str, str],
    tag: str,
) -> subprocess.Popen[Any]:
    """Start a command in a room. The first three descriptors are its standard ones; "{fd3}" in an argument is the
    number under which it finds a further one.

    OSError when there is no such command.
    """
    words = [_numbered(word, fds) for word in argv]
    with room.entered():
        return subprocess.Popen(
            words,
            stdin=fds[0],
            stdout=fds[1],
            stderr=fds[2],
            pass_fds=tuple(fds[3:]),
            start_new_session=True,
            cwd=cwd if os.path.isdir(cwd) else "/",
            env={**env, _TAG: tag},
        )


def _numbered(word: str, fds: Sequence[int]) -> str:
    for place, fd in enumerate(fds):
        word = word.replace(f"{{fd{place}}}", str(fd))
    return word


def tagged(tag: str) -> list[int]:
    """The processes of this PID namespace that a job started, in whatever session they are."""
    wanted = f"{_TAG}={tag}".encode()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                if wanted in file.read().split(b"\0"):
                    found.append(int(name))
    return found


def deadline(limit: float | None) -> float | None:
    """The monotonic time at which a limit of so many seconds ends."""
    return None if limit is None else time.monotonic() + limit
