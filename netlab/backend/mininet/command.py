"""A command that runs in a node, seen from outside: its output as it comes, its end, and its whole result."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from netlab.backend.mininet.client import Client

OUTPUT_LIMIT = 64 << 20
"""Bytes that are kept of a command's output; one that writes more is ended."""
Why = Literal["exited", "limit", "cancelled", "output", "gone"]


@dataclass(frozen=True)
class Completed:
    """What became of a command. ``why``: it exited, met its time limit, was cancelled, wrote too much, or its
    network went."""

    node: str
    argv: tuple[str, ...]
    code: int
    """The exit code; negative when a signal ended it."""
    stdout: str
    stderr: str
    why: Why = "exited"

    @property
    def ok(self) -> bool:
        """Whether it ended by itself, and well."""
        return self.code == 0 and self.why == "exited"


class Running:
    """A command under way. Iterating gives its output in pieces, as (stream, bytes), until it ends.

    Leaving its ``with`` ends it.
    """

    def __init__(self, node: str, argv: Sequence[str]) -> None:
        self.node, self.argv = node, tuple(argv)
        self.pid = 0
        self._client: Client | None = None
        self._serial = 0
        self._pipes: dict[str, int] = {}
        self._kept: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
        self._size = 0
        self._pieces: queue.SimpleQueue[tuple[str, bytes] | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._code = 0
        self._why: Why = "exited"

    # ---- for callers

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        while (piece := self._pieces.get()) is not None:
            yield piece
        self._pieces.put(None)  # for another iteration, which ends at once

    def lines(self) -> Iterator[str]:
        """Whole lines of its standard output, without their ends, as they come."""
        rest = b""
        for stream, data in self:
            if stream == "stdout":
                *whole, rest = (rest + data).split(b"\n")
                yield from (line.decode(errors="replace") for line in whole)
        if rest:
            yield rest.decode(errors="replace")

    def wait(self, timeout: float | None = None) -> Completed:
        """The whole result. TimeoutError after so many seconds (the command goes on); an interrupt ends it."""
        try:
            if not self._ended.wait(timeout):
                raise TimeoutError(f"{self.node}: {' '.join(self.argv)} has not ended after {timeout} s")
        except KeyboardInterrupt:
            self.cancel()
            raise
        return Completed(self.node, self.argv, self._code, self._text("stdout"), self._text("stderr"), self._why)

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    def cancel(self) -> None:
        """End it and everything it started; nothing when it has ended."""
        if self._client is not None and not self.ended:
            self._client.tell("signal", job=self._serial)

    def signal(self, signum: int) -> None:
        """Send a signal to its process group."""
        if self._client is not None and not self.ended:
            self._client.tell("signal", job=self._serial, signum=signum)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.cancel()

    def _text(self, stream: str) -> str:
        return b"".join(self._kept[stream]).decode(errors="replace")

    # ---- for the client

    def attach(self, client: Client, serial: int) -> None:
        """The client tells which request it is."""
        self._client, self._serial = client, serial

    def listen(self, client: Client, stream: str, fd: int) -> None:
        """Read a pipe in the client's thread."""
        os.set_blocking(fd, False)
        self._pipes[stream] = fd
        client.watch(fd, lambda: self._read(stream))

    def _read(self, stream: str) -> bool:
        fd = self._pipes.get(stream)
        if fd is None:  # it has ended, and something it left behind still holds the pipe
            return False
        try:
            data = os.read(fd, 1 << 16)
        except BlockingIOError:
            return True
        if not data:
            del self._pipes[stream]
            return False
        self._keep(stream, data)
        return True

    def _keep(self, stream: str, data: bytes) -> None:
        self._size += len(data)
        if self._size <= OUTPUT_LIMIT:
            self._kept[stream].append(data)
            self._pieces.put((stream, data))
        elif self._why != "output":
            self._why = "output"
            self.cancel()

    def exited(self, code: int, why: Why) -> None:
        """It has ended: what it wrote is in the pipes, whoever else may still hold them."""
        for stream, fd in list(self._pipes.items()):
            while self._pipes.get(stream) == fd and self._more(stream, fd):
                pass
        self._pipes.clear()
        self._code = code
        self._why = self._why if self._why == "output" else why
        self._pieces.put(None)
        self._ended.set()

    def _more(self, stream: str, fd: int) -> bool:
        try:
            data = os.read(fd, 1 << 16)
        except BlockingIOError:
            return False
        if data:
            self._keep(stream, data)
        return bool(data)
