"""Netlab's ends of the three pipes to a sandboxed child: requests out, replies in, and what it prints.

Two forms of one thing: `PolledEnds` where pipes can be polled, `ThreadedEnds` where they can't (Windows).
Neither ever waits beyond a deadline, and both keep at most a bounded part of what is printed.
"""

from __future__ import annotations

import os
import queue
import select
import threading
import time
from collections.abc import Callable
from typing import Protocol

CHUNK = 65536


class Ends(Protocol):
    """What `netlab.backend.slotpipe.SlotPipe` speaks through. Deadlines are of `time.monotonic`."""

    printed: bytearray

    def send(self, data: bytes, deadline: float) -> None:
        """All of ``data``; TimeoutError past the deadline, OSError when the child is gone."""

    def receive(self, size: int, deadline: float) -> bytes:
        """Exactly ``size`` bytes; TimeoutError past the deadline, EOFError when the child is gone."""

    def close(self) -> None:
        """Close all three. A second call does nothing."""


def _keep(printed: bytearray, chunk: bytes, limit: int) -> None:
    room = limit - len(printed)
    if room > 0:
        printed += chunk[:room]


class PolledEnds:
    """Three file descriptors, switched to non-blocking and owned from now on."""

    def __init__(self, requests: int, replies: int, output: int, output_limit: int) -> None:
        self._requests, self._replies, self._output = requests, replies, output
        self._limit = output_limit
        self._buffer = bytearray()
        self.printed = bytearray()
        for fd in (requests, replies, output):
            os.set_blocking(fd, False)
        self._readers = select.poll()
        self._readers.register(replies, select.POLLIN)
        self._readers.register(output, select.POLLIN)
        self._writer = select.poll()
        self._writer.register(requests, select.POLLOUT)
        self._writer.register(output, select.POLLIN)
        self._open = True

    def send(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._requests, rest) :]
            except BlockingIOError:
                self._wait(self._writer, deadline)

    def receive(self, size: int, deadline: float) -> bytes:
        while len(self._buffer) < size:
            if self._replies in self._wait(self._readers, deadline):
                self._read_reply()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def drain(self) -> None:
        """Take in what has been printed and not yet read, without waiting, as far as the limit allows."""
        while self._open and len(self.printed) < self._limit and self._read_output():
            pass

    def close(self) -> None:
        if self._open:
            self.drain()
            self._open = False
            for fd in (self._requests, self._replies, self._output):
                os.close(fd)

    def _wait(self, poll: select.poll, deadline: float) -> list[int]:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        ready = [fd for fd, _ in poll.poll(left * 1000 + 1)]
        if self._output in ready and self._read_output() == b"":
            self._readers.unregister(self._output)
            self._writer.unregister(self._output)
        return ready

    def _read_reply(self) -> None:
        chunk = os.read(self._replies, CHUNK)
        if not chunk:
            raise EOFError
        self._buffer += chunk

    def _read_output(self) -> bytes | None:
        """Keep one chunk of what was printed; None when there is no more for now, empty when there never will be."""
        try:
            chunk = os.read(self._output, CHUNK)
        except BlockingIOError:
            return None
        _keep(self.printed, chunk, self._limit)
        return chunk


class ThreadedEnds:
    """The same three descriptors, each in the hands of a thread that may block on it."""

    def __init__(self, requests: int, replies: int, output: int, output_limit: int) -> None:
        self._fds = (requests, replies, output)
        self._limit = output_limit
        self._outbox: queue.Queue[bytes | None] = queue.Queue()
        self._inbox: queue.Queue[bytes] = queue.Queue(maxsize=256)
        self._buffer = bytearray()
        self.printed = bytearray()
        self._open = True
        for work in (self._write_requests, self._read_replies, self._read_output):
            threading.Thread(target=work, daemon=True).start()

    def send(self, data: bytes, deadline: float) -> None:
        self._outbox.put(data)

    def receive(self, size: int, deadline: float) -> bytes:
        while len(self._buffer) < size:
            try:
                chunk = self._inbox.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeoutError from None
            if not chunk:
                raise EOFError
            self._buffer += chunk
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def close(self) -> None:
        """Ask the threads to end; each closes its own descriptor once the child is gone."""
        if self._open:
            self._open = False
            self._outbox.put(None)

    def _write_requests(self) -> None:
        fd = self._fds[0]
        try:
            while (data := self._outbox.get()) is not None:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(fd, rest) :]
        except OSError:
            pass  # the child is gone: the reader of replies says so
        finally:
            os.close(fd)

    def _read_replies(self) -> None:
        self._read(self._fds[1], self._take_reply)

    def _read_output(self) -> None:
        self._read(self._fds[2], lambda chunk: _keep(self.printed, chunk, self._limit))

    def _take_reply(self, chunk: bytes) -> None:
        while self._open:
            try:
                return self._inbox.put(chunk, timeout=1)
            except queue.Full:
                continue

    def _read(self, fd: int, take: Callable[[bytes], None]) -> None:
        chunk = b"-"
        while chunk:
            try:
                chunk = os.read(fd, CHUNK)
            except OSError:
                chunk = b""
            take(chunk)
        os.close(fd)
