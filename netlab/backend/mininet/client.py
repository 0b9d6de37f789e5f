"""The owner's end of an arena's channel: a thread that owns the socket, and calls that wait for it.

Only the thread reads and writes, so a caller that is interrupted (a notebook's stop button) leaves no half message and
no answer that the next caller would take for his own.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from netlab.backend.mininet.channel import Connection, Message
from netlab.backend.mininet.command import Running
from netlab.errors import BadInput, NetlabError, Unavailable


class ArenaGone(NetlabError):
    """The arena has ended: it was closed, or something killed it."""

    exit_code = 3


class _Call:
    """A request that is under way. ``job`` is set for a command, whose end comes later."""

    def __init__(self, job: Running | None) -> None:
        self.job = job
        self.answered = threading.Event()
        self.ok: Any = None
        self.fds: list[int] = []
        self.error: NetlabError | None = None
        self.abandoned = False


class Client:
    """Requests to an agent, from any thread. ``gone`` says why when the agent is no longer there."""

    def __init__(self, sock: socket.socket) -> None:
        self._connection = Connection(sock)
        self._calls: dict[int, _Call] = {}
        self._serial = 0
        # Guards _serial, _calls, gone and _finished. Reentrant: the garbage collector may close an arena anywhere.
        self._lock = threading.RLock()
        self._finished = False
        self._todo: deque[Callable[[], None]] = deque()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.gone = ""
        self.ready = _Call(None)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._connection, selectors.EVENT_READ, self._ready_connection)
        self._selector.register(self._wake, selectors.EVENT_READ, self._woken)
        self._thread = threading.Thread(target=self._serve, name="netlab-arena", daemon=True)
        self._thread.start()

    # ---- for callers

    def request(self, op: str, fds: Sequence[int] = (), **fields: Any) -> tuple[Any, list[int]]:
        """Ask; the answer and its descriptors. BadInput when the agent refuses, ArenaGone when it has ended."""
        return self._wait(self._start(op, fds, fields, None))

    def run(self, job: Running, fds: Sequence[int], **fields: Any) -> int:
        """Start a command; its pid. Its output and its end go to ``job``."""
        call = self._start("spawn", fds, fields, job)
        try:
            answer, _fds = self._wait(call)
        except BaseException:
            # An interrupt between the request and its answer: the command must not go on unseen.
            job.cancel()
            raise
        return int(answer["pid"])

    def tell(self, op: str, **fields: Any) -> None:
        """A request that has no answer."""
        self._post(lambda: self._connection.send({"id": 0, "op": op, **fields}))

    def close(self) -> None:
        """End the thread and close the socket; calls under way end with ArenaGone. Not from the thread itself."""
        self._post(lambda: self._end("the network has been closed"))
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _start(self, op: str, fds: Sequence[int], fields: Message, job: Running | None) -> _Call:
        call = _Call(job)
        with self._lock:
            if self.gone:
                raise ArenaGone(self.gone)
            self._serial += 1
            serial = self._serial
            self._calls[serial] = call
        if job is not None:
            job.attach(self, serial)
        # Copies, so that the caller may close his own at once.
        copies = [os.dup(fd) for fd in fds]
        if not self._post(lambda: self._connection.send({"id": serial, "op": op, **fields}, copies, close=True)):
            for fd in copies:
                os.close(fd)
        return call

    def _wait(self, call: _Call) -> tuple[Any, list[int]]:
        try:
            call.answered.wait()
        except BaseException:
            self._post(lambda: self._abandon(call))
            raise
        if call.error is not None:
            raise call.error
        return call.ok, call.fds

    def _post(self, work: Callable[[], None]) -> bool:
        """Have the thread do it; False when the thread has ended."""
        with self._lock:
            if not self._finished:  # else the thread has answered every call, and the descriptor may be another's
                self._todo.append(work)
                os.eventfd_write(self._wake, 1)
            return not self._finished

    def watch(self, fd: int, ready: Callable[[], bool]) -> None:
        """Call ``ready`` in the thread whenever ``fd`` is readable, until it says False; then it is closed."""
        if not self._post(lambda: self._watch(fd, ready)):
            os.close(fd)

    # ---- in the thread

    def _watch(self, fd: int, ready: Callable[[], bool]) -> None:
        def event(_mask: int) -> None:
            if not ready():
                self._selector.unregister(fd)
                os.close(fd)

        self._selector.register(fd, selectors.EVENT_READ, event)

    def _abandon(self, call: _Call) -> None:
        call.abandoned = True
        for fd in call.fds:
            os.close(fd)

    def _serve(self) -> None:
        while not self.gone:
            for key, events in self._selector.select():
                if not self.gone:
                    key.data(events)
        self._finish()

    def _woken(self, _events: int) -> None:
        os.eventfd_read(self._wake)
        while self._todo and not self.gone:
            self._todo.popleft()()
        self._mind()

    def _mind(self) -> None:
        if not self.gone:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._connection.unsent else 0)
            self._selector.modify(self._connection, events, self._ready_connection)

    def _ready_connection(self, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._connection.flush()
        messages = self._connection.receive() if events & selectors.EVENT_READ else []
        if messages is None:
            self._end("the network has ended: something killed it, or closed it from outside")
            return
        for message, fds in messages:
            self._deliver(message, fds)
        self._mind()

    def _deliver(self, message: Message, fds: list[int]) -> None:
        if "fatal" in message:
            self._end(message["fatal"])
        elif "ready" in message:
            self._answer(self.ready, ok=message["ready"])
        elif "exit" in message:
            call = self._calls.pop(message["id"], None)
            if call is not None and call.job is not None:
                call.job.exited(message["exit"], message["why"])
        else:
            self._answered(message, fds)

    def _answered(self, message: Message, fds: list[int]) -> None:
        call = self._calls.get(message["id"])
        error = _error(message) if "error" in message else None
        if call is None or call.job is None or error is not None:
            self._calls.pop(message["id"], None)
        if call is None or call.abandoned:
            for fd in fds:
                os.close(fd)
        else:
            self._answer(call, ok=message.get("ok"), fds=fds, error=error)

    def _answer(self, call: _Call, ok: Any = None, fds: Sequence[int] = (), error: NetlabError | None = None) -> None:
        call.ok, call.fds, call.error = ok, list(fds), error
        call.answered.set()

    def _end(self, why: str) -> None:
        with self._lock:
            self.gone = self.gone or why

    def _finish(self) -> None:
        for call in [self.ready, *self._calls.values()]:
            if not call.answered.is_set():
                self._answer(call, error=ArenaGone(self.gone))
            if call.job is not None:
                call.job.exited(-9, "gone")
        with self._lock:
            self._finished = True
            self._connection.close()
            while self._todo:  # what was still to be sent or watched closes its descriptors
                self._todo.popleft()()
            for key in list(self._selector.get_map().values()):
                if isinstance(key.fileobj, int):
                    os.close(key.fileobj)
            self._selector.close()


def _error(message: Message) -> NetlabError:
    # With a number it is the kernel that refused, else the agent, which knows what was asked.
    return Unavailable(message["error"]) if "errno" in message else BadInput(message["error"])
