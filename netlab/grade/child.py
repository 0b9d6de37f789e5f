"""What runs inside the sandbox: a supervisor, and below it the process that runs the student's code.

The text of this module (with `netlab.backend.plain`, `netlab.grade.cell` and `netlab.grade.guard`) is sent to a bare
interpreter, which has no netlab to import. The supervisor holds nothing that matters. It ends everything when netlab
goes away, and tells by its exit code how the student's process ended. Where there is a PID namespace it is the first
process in it, so that nothing survives it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable
from typing import Any

from netlab.backend.plain import NotPlain, decode, encode

GUARD = "netlab.grade.guard"
"""What shuts the student's process in further, sent along where the system is Linux."""

MEMORY_SPENT = 70
"""Exit code of a student's process in which not even an error message could be made any more."""

CLOSED = 71
"""Exit code when the sandbox was closed while it served: nothing is wrong with the answer."""

SAID_LIMIT = 1000


def main(plan: dict[str, Any]) -> None:
    """Shut this process in as the plan says, then serve slot calls until the pipe closes."""
    if plan["level"] == "namespaces":
        from netlab.grade.cell import enter

        enter(plan)
    if plan["uid"]:
        _become(plan["uid"])
    if GUARD in plan["modules"]:
        from netlab.grade import guard

        guard.harden()
    requests, replies = own_pipes()
    if hasattr(os, "fork"):
        worker = _fork_worker(plan["lifeline"])
        if worker:
            os.close(replies)
            _supervise(worker, requests, plan["lifeline"])
    layers = _give_up(plan)
    for name in plan["modules"]:
        sys.modules.pop(name, None)
    Server(requests, replies, layers).serve()
    os._exit(CLOSED)


def _give_up(plan: dict[str, Any]) -> tuple[str, ...]:
    """Everything that the student's process shall not have goes; the names of the layers that are in force."""
    if GUARD in plan["modules"]:
        from netlab.grade import guard

        files = plan["level"] == "limits" and guard.refuse_files(plan["readable"], plan["masks"])
        if plan["limits"]:
            _limit(plan["limits"])
        calls = guard.refuse_calls(threads=plan["threads"])
        return tuple(name for name, holds in (("landlock", files), ("seccomp", calls)) if holds)
    if plan["limits"]:
        _limit(plan["limits"])
    return ()


def _become(uid: int) -> None:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


def own_pipes() -> tuple[int, int]:
    """Move the two pipes off descriptors 0 and 1, where a student's input() and print() would meet them."""
    requests, replies = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return requests, replies


# ---- the supervisor -------------------------------------------------------------------------------


def _fork_worker(lifeline: int) -> int:
    """0 in the student's process, its pid in the supervisor."""
    worker = os.fork()
    if not worker and lifeline >= 0:
        os.close(lifeline)
    return worker


def _supervise(worker: int, requests: int, lifeline: int) -> None:
    """Wait for the student's process or for netlab to end, whichever is first; never returns.

    Netlab's end shows as a hang-up of the request pipe, or on ``lifeline`` (a pidfd of netlab's process): the pipe
    alone is not enough, because a process that netlab forked may hold its other end open.
    """
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(woken, select.POLLIN)
    poll.register(requests, 0)  # no events asked for: only the hang-up is told
    if lifeline >= 0:
        poll.register(lifeline, select.POLLIN)
    while True:
        code = _reap(worker)
        if code is not None:
            os._exit(code)
        ready = [fd for fd, _ in poll.poll()]
        if requests in ready or lifeline in ready:
            os.kill(worker, signal.SIGKILL)
            os._exit(CLOSED)
        os.read(woken, 512)


def _reap(worker: int) -> int | None:
    """The worker's exit code (128 + its signal) when it has ended; orphans handed to us are buried on the way."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return MEMORY_SPENT
        if not pid:
            return None
        if pid == worker:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _limit(limits: dict[str, int]) -> None:
    """Set the resource limits of this process and of all that it may start, for good."""
    import resource

    for name, value in limits.items():
        number = getattr(resource, "RLIMIT_" + name, None)
        if number is None:
            continue
        soft, hard = value, value + 1 if name == "CPU" else value  # at soft SIGXCPU, a second later SIGKILL
        ceiling = resource.getrlimit(number)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        try:
            resource.setrlimit(number, (soft, hard))
        except (ValueError, OSError):  # macOS refuses some; the time limits of the parent hold all the same
            continue


# ---- the student's process ------------------------------------------------------------------------


class Server:
    """Loads a student's file and calls its slots, as frames on two pipes ask for it."""

    def __init__(self, requests: int, replies: int, layers: tuple[str, ...]) -> None:
        self._requests, self._replies = requests, replies
        self._verbs: dict[str, Callable[..., Any]] = {"hello": lambda: layers, "load": self._load, "call": self._call}
        self._filename = ""
        self._slots: dict[str, Any] = {}

    def offer(self, slots: dict[str, Any]) -> None:
        """Serve these functions, without a file to load."""
        self._slots = slots

    def serve(self) -> None:
        """Answer every request; returns when netlab closes the pipe."""
        while (frame := self._read_frame()) is not None:
            verb, serial, what = decode(frame)
            reply = self._answer(verb, serial, what)
            self._flush()
            self._write(len(reply).to_bytes(4, "big") + reply)

    def _answer(self, verb: str, serial: int, what: tuple[Any, ...]) -> bytes:
        # Everything that a student's code can raise ends here, SystemExit and KeyboardInterrupt too: it is an answer.
        try:
            value = self._verbs[verb](*what)
            return encode(("ok", serial, value))
        except NotPlain as error:
            return encode(("fail", serial, "invalid", f"it returned something that is no plain data: {error}"))
        except MemoryError:
            return encode(("fail", serial, "memory", "it asked for more memory than it may have"))
        except BaseException as error:  # noqa: BLE001
            return self._failure(serial, error)

    def _failure(self, serial: int, error: BaseException) -> bytes:
        if isinstance(error, _Absent):
            return encode(("fail", serial, "absent", str(error)))
        if isinstance(error, NotImplementedError):  # Python's own word for a function that is still to be written
            return encode(("fail", serial, "absent", f"not written yet: {self._story(error)}"))
        return encode(("fail", serial, "raised", self._story(error)))

    def _load(self, filename: str, source: bytes) -> None:
        self._filename, self._slots = filename, {}
        code = compile(source, filename, "exec", dont_inherit=True)
        module = type(sys)("answer")
        module.__file__ = filename
        sys.modules["answer"] = module  # dataclasses and pickling look a class's module up by name
        exec(code, module.__dict__)
        self._slots = module.__dict__

    def _call(self, name: str, args: tuple[Any, ...]) -> Any:
        slot = self._slots.get(name)
        if not callable(slot):
            raise _Absent(f"{self._filename} defines no function '{name}'")
        return slot(*args)

    def _story(self, error: BaseException) -> str:
        """File, line, function and message of an error: "ada.py:7 in forward: KeyError: 3"."""
        message = _message(error)
        if isinstance(error, SyntaxError) and error.filename == self._filename:
            return f"{self._filename}:{error.lineno or 1}: {message}"
        where, trace = self._filename, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self._filename:
                name = trace.tb_frame.f_code.co_name
                where = f"{self._filename}:{trace.tb_lineno}" + ("" if name == "<module>" else f" in {name}")
            trace = trace.tb_next
        return f"{where}: {message}"

    def _read_frame(self) -> bytes | None:
        head = self._read(4)
        return None if head is None else self._read(int.from_bytes(head, "big"))

    def _read(self, size: int) -> bytes | None:
        parts: list[bytes] = []
        while size:
            chunk = os.read(self._requests, min(size, 1 << 20))
            if not chunk:
                return None
            parts.append(chunk)
            size -= len(chunk)
        return b"".join(parts)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._replies, data) :]

    def _flush(self) -> None:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - a student may have replaced or closed them: what is lost is his own print
            pass


class _Absent(Exception):
    """The file has no such slot."""


def _message(error: BaseException) -> str:
    try:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        text = f"{type(error).__name__}: {said}" if said else type(error).__name__
        return text[:SAID_LIMIT].encode(errors="replace").decode()
    except BaseException:  # noqa: BLE001 - the student's own __str__ may do anything
        return "an error that cannot even be shown"
