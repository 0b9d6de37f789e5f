"""The arena's keeper: the one process of an arena that stands outside, and that ends it however its owner ends.

    owner (a notebook, nlab) ── keeper ── init, first process of the arena ── agent ── commands

The keeper watches the owner twice: the socket's end (an owner that closed, or was killed) and a pidfd (an owner whose
forked children still hold the socket). Should the keeper itself be killed, the kernel kills init (PR_SET_PDEATHSIG,
which belongs to a thread: the keeper has only one). When init ends, the kernel removes every process, namespace
and interface of the arena.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import string
import sys
from contextlib import suppress
from pathlib import Path

from netlab.backend.mininet import linux, runs
from netlab.backend.mininet.channel import frame
from netlab.errors import NetlabError, Unavailable

_LETTERS = string.ascii_lowercase + string.digits


def main(argv: list[str]) -> int:
    """Keep an arena: the socket's number, the owner's pid and start time are the arguments."""
    linux.name_process("netlab-keeper")
    owner = socket.socket(fileno=int(argv[0]))
    pid, started = int(argv[1]), int(argv[2])
    try:
        watched = os.pidfd_open(pid)
        if linux.start_time(pid) != started:
            return 1
    except ProcessLookupError:
        return 1
    try:
        return _keep(owner, watched, pid, started)
    except NetlabError as error:
        owner.sendall(frame({"fatal": str(error)}, ()))
        return error.exit_code


def _keep(owner: socket.socket, watched: int, pid: int, started: int) -> int:
    suffix, claim = claim_suffix()
    run = _run_folder(pid, started, suffix)
    try:
        doors = _listen(Path(run.folder))
        runs.write(run)
        _log_to(Path(run.folder) / "agent.log")
        separate()
        init = _start_init(owner, doors, run)
        doors.close()
        _watch(owner, watched, init)
    finally:
        shutil.rmtree(run.folder, ignore_errors=True)
        claim.close()
    return 0


def claim_suffix() -> tuple[str, socket.socket]:
    """Two characters that no other live arena of this machine has, whoever owns it; they are free again when the
    socket closes.

    An abstract socket's name is the lock: the kernel gives it to one process only, and takes it back by itself.
    """
    start = int.from_bytes(os.urandom(4), "big")
    for turn in range(len(_LETTERS) ** 2):
        high, low = divmod((start + turn) % len(_LETTERS) ** 2, len(_LETTERS))
        suffix = _LETTERS[high] + _LETTERS[low]
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0netlab-arena-{suffix}")
        except OSError:
            claim.close()
            continue
        return suffix, claim
    raise Unavailable("every one of the 1296 arena names is in use", right="close some networks")


def _run_folder(pid: int, started: int, suffix: str) -> runs.Run:
    me = os.getpid()
    start = linux.start_time(me)
    folder = runs.base() / f"{me}-{start}-{suffix}"
    folder.mkdir(mode=0o700)
    return runs.Run(str(folder), me, start, pid, started, suffix)


def _listen(folder: Path) -> socket.socket:
    doors = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # By way of a descriptor: a socket's path may have 107 characters only.
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    doors.bind(f"/proc/self/fd/{here}/arena.sock")
    os.close(here)
    doors.listen(16)
    return doors


def _log_to(path: Path) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def separate() -> None:
    """Namespaces for what is forked from here on. An ordinary user is root in a user namespace of his own."""
    uid, gid = os.getuid(), os.getgid()
    kinds = linux.NEWNET | linux.NEWPID | (0 if uid == 0 else linux.NEWUSER)
    try:
        linux.unshare(kinds)
        if uid:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
            Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    except OSError as error:
        raise Unavailable(
            f"the kernel gives this user no namespaces ({error.strerror})",
            right="'nlab doctor' says what to change",
        ) from None


def _start_init(owner: socket.socket, doors: socket.socket, run: runs.Run) -> int:
    """Fork the arena's first process; a pidfd of it."""
    keeper = os.pidfd_open(os.getpid())
    init = os.fork()
    if init == 0:
        _become_init(keeper, owner, doors, run)
    os.close(keeper)
    return os.pidfd_open(init)


def _become_init(keeper: int, owner: socket.socket, doors: socket.socket, run: runs.Run) -> None:
    linux.die_with_parent(signal.SIGKILL)
    linux.name_process("netlab-init")
    if select.select([keeper], [], [], 0)[0]:  # the keeper had died before we asked to die with it
        os._exit(1)
    status = 1
    try:
        agent = _furnish_and_fork(owner, doors, run)
        status = reap_until(agent)
    finally:
        _leave(owner, status)


def _leave(owner: socket.socket, status: int) -> None:
    """End a forked process at once, before it runs what its parent has on the stack; tell the owner what went wrong."""
    error = sys.exc_info()[1]
    if error is not None:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
        with suppress(OSError):
            owner.send(frame({"fatal": f"the network's own process failed: {type(error).__name__}: {error}"}, ()))
    os._exit(status)


def _furnish_and_fork(owner: socket.socket, doors: socket.socket, run: runs.Run) -> int:
    from netlab.backend.mininet.rooms import furnish

    furnish()
    agent = os.fork()
    if agent == 0:
        from netlab.backend.mininet.agent import main as serve

        try:
            serve(owner, doors, run)
        finally:
            _leave(owner, 0)
    return agent


def reap_until(agent: int) -> int:
    """The first process of a PID namespace gets every orphan; collect them until the agent itself ends."""
    while True:
        pid, status = os.wait()
        if pid == agent:
            return os.waitstatus_to_exitcode(status) & 0xFF


def _watch(owner: socket.socket, watched: int, init: int) -> None:
    """Return when the arena is over: when it ended by itself, or its owner did."""
    poll = select.poll()
    poll.register(owner, select.POLLRDHUP | select.POLLHUP)
    poll.register(watched, select.POLLIN)
    poll.register(init, select.POLLIN)
    poll.poll()
    signal.pidfd_send_signal(init, signal.SIGKILL)
    os.waitid(os.P_PIDFD, init, os.WEXITED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
