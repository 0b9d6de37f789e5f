"""What `makefile` gives: a socket as a file."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netlab.backend.native.sockets.blocking import Socket


class SocketFile(io.RawIOBase):
    """A socket's bytes; ``let_go`` is called once, when the file is closed."""

    def __init__(self, socket: Socket, mode: str, let_go: Callable[[], None]) -> None:
        super().__init__()
        self._socket, self._let_go = socket, let_go
        self._reads, self._writes = "r" in mode, "w" in mode
        self.mode = mode

    def readable(self) -> bool:
        """Whether it was opened to read."""
        return self._reads

    def writable(self) -> bool:
        """Whether it was opened to write."""
        return self._writes

    def readinto(self, buffer: Any) -> int | None:
        """Some bytes; None where a non-blocking socket has none."""
        try:
            return self._socket._recv_into(buffer)
        except BlockingIOError:
            return None

    def write(self, data: Any) -> int | None:
        """Some of the bytes; None where a non-blocking socket has no room."""
        try:
            return self._socket._send(data)
        except BlockingIOError:
            return None

    def close(self) -> None:
        """The socket itself is closed with its last file, once it was closed too."""
        if not self.closed:
            super().close()
            self._let_go()


def file_over(
    raw: SocketFile, buffering: int, encoding: str | None, errors: str | None, newline: str | None
) -> IO[Any]:
    """The file that was asked for, as `open` would make it."""
    binary, size = "b" in raw.mode, io.DEFAULT_BUFFER_SIZE if buffering < 0 else buffering
    if size == 0:
        if not binary:
            raise ValueError("a text file has a buffer")
        return raw  # type: ignore[return-value]
    buffered: Any
    if raw.readable() and raw.writable():
        buffered = io.BufferedRWPair(raw, raw, size)
    else:
        buffered = io.BufferedReader(raw, size) if raw.readable() else io.BufferedWriter(raw, size)
    if binary:
        return buffered  # type: ignore[no-any-return]
    return io.TextIOWrapper(buffered, encoding, errors, newline)
