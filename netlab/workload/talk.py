"""Messages back and forth over TCP: a server that sends everything back (RFC 862), and a client that waits for it.

Where bulk shows how much goes through, this shows who waits for whom: Nagle, delayed acknowledgements, idle windows.
"""

from __future__ import annotations

from netlab.stack.host import Host
from netlab.stack.stage import Hop
from netlab.stack.tcp.host import TcpListener, TcpSocket
from netlab.stack.tcp.segment import Event
from netlab.workload.bulk import pattern

PORT = 7
READ = 1 << 16
HELD = 1 << 20
"""Bytes that wait to be sent back, after which nothing more is read."""


class TcpEchoServer:
    """Sends back what comes, on every connection, and closes when the peer does."""

    def __init__(self, host: Host, port: int = PORT) -> None:
        self._owed: dict[int, bytearray] = {}
        self.octets = 0
        self.listener = TcpListener(host, port, self._hear, self._accepted)

    def _accepted(self, socket: TcpSocket, now: int) -> list[Hop]:
        self._owed[id(socket)] = bytearray()
        return []

    def _hear(self, socket: TcpSocket, event: Event, now: int) -> list[Hop]:
        owed = self._owed.get(id(socket))
        if owed is None:
            return []
        hops: list[Hop] = []
        while len(owed) < HELD:
            data, more = socket.read(READ, now)
            hops += more
            owed += data
            self.octets += len(data)
            taken, more = socket.send(bytes(owed[:HELD]), now)
            hops += more
            del owed[:taken]
            if not data or not taken:
                break
        if event.error or (socket.at_end and not owed):
            del self._owed[id(socket)]
            hops += socket.close(now)
        return hops


class Talker:
    """Sends ``count`` messages of ``size`` bytes, each when the one before has come back; ``waits`` in ns."""

    def __init__(self, host: Host, dst: int, size: int, count: int, *, port: int = PORT) -> None:
        self._host, self._dst, self._port, self._size, self._count = host, dst, port, size, count
        self._message, self._unsent = pattern(size), b""
        self._sent_at = 0
        self._came = bytearray()
        self.waits: list[int] = []
        self.error = ""
        self.finished: int | None = None

    def start(self, now: int) -> list[Hop]:
        """Connect."""
        self.socket, hops = TcpSocket.connect(self._host, self._dst, self._port, self._hear, now)
        return hops

    def _hear(self, socket: TcpSocket, event: Event, now: int) -> list[Hop]:
        if self.finished is not None:
            return []
        if event.error or event.what in ("ended", "closed"):
            return self._end(now, event.error or "the peer went")
        if event.what == "connected":
            return self._next(now)
        data, hops = socket.read(READ << 4, now)
        self._came += data
        hops += self._pour(now)
        return hops + self._answered(now) if len(self._came) >= self._size else hops

    def _answered(self, now: int) -> list[Hop]:
        self.waits.append(now - self._sent_at)
        if self._came != self._message:
            return self._end(now, "a byte differs")
        return self._next(now) if len(self.waits) < self._count else self._end(now, "")

    def _next(self, now: int) -> list[Hop]:
        self._came.clear()
        self._unsent, self._sent_at = self._message, now
        return self._pour(now)

    def _pour(self, now: int) -> list[Hop]:
        if not self._unsent:
            return []
        taken, hops = self.socket.send(self._unsent, now)
        self._unsent = self._unsent[taken:]
        return hops

    def _end(self, now: int, error: str) -> list[Hop]:
        self.finished, self.error = now, error
        return self.socket.close(now)
