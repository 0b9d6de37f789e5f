"""Commands that run in rooms: a process group each, ended as a whole."""

from __future__ import annotations

import errno
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netlab.backend.mininet.channel import Connection
from netlab.backend.mininet.rooms import Room

_TAG = "NETLAB_JOB"
DYING = 1.0
"""Seconds that a killed process is waited for; the kernel takes a few ms."""
_OWN_COMMANDS = Path("/run/netlab/bin")
_WANT_A_USER = ("tcpdump",)
"""Programs that as root go on as a user of their own, who does not exist in an ordinary user's arena."""


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
    dying: list[int] = field(default_factory=list)
    """Descriptors of the processes that were killed."""

    def signal(self, signum: int) -> None:
        """Send a signal to the whole group."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signum)

    def kill(self, why: str) -> None:
        """End the group, and whatever of it went on to a session of its own (a daemon keeps its environment)."""
        self.why = why
        pids = tagged(self.tag)
        for pid in pids:
            with suppress(ProcessLookupError):
                self.dying.append(os.pidfd_open(pid))
        self.signal(signal.SIGKILL)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def reap(self) -> int:
        """The exit code of a process that has ended: negative for a signal. Nothing that was killed still runs then."""
        for pidfd in self.dying:
            select.select([pidfd], [], [], DYING)
            os.close(pidfd)
        os.close(self.pidfd)
        return int(self.process.wait())


def provide_commands() -> None:
    """In an arena whose only user is root, put versions of commands that don't mind first on the search path."""
    if Path("/proc/self/uid_map").read_text().split()[2] != "1":
        return
    _OWN_COMMANDS.mkdir(parents=True, exist_ok=True)
    runner = Path(__file__).with_name("oneuser.py")
    for name in _WANT_A_USER:
        real = shutil.which(name)
        if real is not None:
            words = shlex.join([sys.executable, "-I", "-S", str(runner), real])
            script = _OWN_COMMANDS / name
            script.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
            script.chmod(0o755)
    os.environ["PATH"] = search_path(os.environ)


def search_path(env: Mapping[str, str]) -> str:
    """The command search path of an environment, with the arena's own commands first."""
    path = env.get("PATH", os.defpath)
    own = str(_OWN_COMMANDS)
    return path if path.startswith(own) or not _OWN_COMMANDS.is_dir() else own + os.pathsep + path


def start(
    room: Room,
    argv: Sequence[str],
    fds: Sequence[int],
    *,
    cwd: str,
    env: Mapping[str, str],
    tag: str,
    terminal: bool = False,
) -> subprocess.Popen[Any]:
    """Start a command in a room. The first three descriptors are its standard ones; "{fd3}" in an argument is the
    number under which it finds a further one. With ``terminal`` the first is the terminal of its session.

    OSError when there is no such command.
    """
    words = [_numbered(word, fds) for word in argv]
    if terminal:
        _must_exist(words[0], env)
        words = ["setsid", "--ctty", *words]  # makes the session too, and takes the command's place
    with room.entered():
        return subprocess.Popen(
            words,
            stdin=fds[0],
            stdout=fds[1],
            stderr=fds[2],
            pass_fds=tuple(fds[3:]),
            start_new_session=not terminal,
            cwd=cwd if os.path.isdir(cwd) else "/",
            env={**env, "PATH": search_path(env), _TAG: tag},
        )


def _must_exist(command: str, env: Mapping[str, str]) -> None:
    if shutil.which(command, path=env.get("PATH", os.defpath)) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), command)


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
