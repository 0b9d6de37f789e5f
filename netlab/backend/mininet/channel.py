"""Messages over a stream socket: a length, JSON, and descriptors that ride along. Neither end ever blocks."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections import deque
from collections.abc import Sequence
from typing import Any

Message = dict[str, Any]
_CHUNK = 1 << 16
_MOST_FDS = 64


class Framer:
    """Bytes and descriptors as they arrive become messages; a message's ``fds`` says how many are its own."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._fds: deque[int] = deque()

    def feed(self, data: bytes, fds: Sequence[int] = ()) -> list[tuple[Message, list[int]]]:
        """The messages that are complete now. Descriptors come with their message's first bytes, so never late."""
        self._data += data
        self._fds.extend(fds)
        complete: list[tuple[Message, list[int]]] = []
        while len(self._data) >= 4:
            (length,) = struct.unpack_from("!I", self._data)
            if len(self._data) < 4 + length:
                break
            content: Message = json.loads(self._data[4 : 4 + length])
            del self._data[: 4 + length]
            complete.append((content, [self._fds.popleft() for _ in range(content.get("fds", 0))]))
        return complete

    def close(self) -> None:
        """Close descriptors that no message claimed."""
        while self._fds:
            os.close(self._fds.popleft())


def frame(content: Message, fds: Sequence[int]) -> bytes:
    """A message's bytes."""
    body = json.dumps({**content, "fds": len(fds)} if fds else content, separators=(",", ":")).encode()
    return struct.pack("!I", len(body)) + body


class Connection:
    """One end. ``send`` queues what the socket won't take yet; ``flush`` goes on when it is writable."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.socket = sock
        self._framer = Framer()
        self._out: deque[tuple[bytes, tuple[int, ...], bool]] = deque()

    def fileno(self) -> int:
        """For selectors."""
        return self.socket.fileno()

    @property
    def unsent(self) -> bool:
        """Whether something waits for the socket to be writable."""
        return bool(self._out)

    def send(self, content: Message, fds: Sequence[int] = (), *, close: bool = False) -> None:
        """Send a message with descriptors, which are closed here once they have gone when ``close`` says so."""
        self._out.append((frame(content, fds), tuple(fds), close))
        self.flush()

    def flush(self) -> None:
        """Send what the socket takes. A peer that has gone is noticed by `receive`."""
        while self._out:
            data, fds, close = self._out[0]
            try:
                sent = socket.send_fds(self.socket, [data], fds) if fds else self.socket.send(data)
            except BlockingIOError:
                return
            except OSError:  # closed here, or the peer has gone
                sent = len(data)
            if close:
                _close_all(fds)
            # Descriptors went with the first byte; the rest goes without.
            if sent < len(data):
                self._out[0] = (data[sent:], (), False)
            else:
                self._out.popleft()

    def receive(self) -> list[tuple[Message, list[int]]] | None:
        """The messages that are complete now; None when the peer has gone."""
        try:
            data, fds, _flags, _address = socket.recv_fds(self.socket, _CHUNK, _MOST_FDS, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return []
        except OSError:
            return None
        return self._framer.feed(data, fds) if data else None

    def close(self) -> None:
        """Close the socket and what was still on its way."""
        for _data, fds, close in self._out:
            if close:
                _close_all(fds)
        self._out.clear()
        self._framer.close()
        self.socket.close()


def _close_all(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
