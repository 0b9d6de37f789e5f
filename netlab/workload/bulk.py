"""Programs above TCP: one pours bytes into a connection, the other takes them. Without a clock: events call them."""

from __future__ import annotations

import hashlib

from netlab.stack.host import Host
from netlab.stack.stage import Hop
from netlab.stack.tcp.host import TcpListener, TcpSocket
from netlab.stack.tcp.segment import Event
from netlab.workload.apps import Say

CHUNK = 1 << 16
READ = 1 << 20


def pattern(size: int, seed: int = 0) -> bytes:
    """``size`` bytes that show every shift and swap: a counter of 32-bit words."""
    words = b"".join(((seed + n) * 2654435761 % (1 << 32)).to_bytes(4, "big") for n in range(size // 4 + 1))
    return words[:size]


def long_pattern(size: int, seed: int = 0) -> bytes:
    """As `pattern`, made quickly: above a megabyte it comes again and again, with a period that is no power of two."""
    words = pattern((min(size, 1 << 20) // 4 + 1) * 4, seed)
    return (words * (size // len(words) + 1))[:size]


class BulkSender:
    """Connects, sends ``data``, closes, and waits for the peer's close."""

    def __init__(self, host: Host, dst: int, port: int, data: bytes, say: Say) -> None:
        self._host, self._dst, self._port, self._data, self._say = host, dst, port, data, say
        self._sent = 0
        self.began = 0
        self.finished: int | None = None
        """When the connection was closed on both sides, or failed."""
        self.error = ""

    def start(self, now: int) -> list[Hop]:
        """Connect."""
        self.began = now
        self.socket, hops = TcpSocket.connect(self._host, self._dst, self._port, self._hear, now)
        return hops

    def _hear(self, socket: TcpSocket, event: Event, now: int) -> list[Hop]:
        if event.what in ("connected", "writable"):
            return self._pour(now)
        if event.error or event.what in ("ended", "closed"):
            self.error = self.error or event.error
            if self.finished is None:
                self.finished = now
                said = event.error or f"sent {len(self._data)} bytes"
                self._say("bulk", now, said, now - self.began)
        return []

    def _pour(self, now: int) -> list[Hop]:
        hops: list[Hop] = []
        while self._sent < len(self._data):
            taken, more = self.socket.send(self._data[self._sent : self._sent + CHUNK], now)
            hops += more
            if not taken:
                return hops
            self._sent += taken
        return hops + self.socket.close(now)


class Sink:
    """Takes whatever connections bring, and closes when they do.

    ``digests``: SHA-256 of each finished stream, "" without ``keep``.
    """

    def __init__(self, host: Host, port: int, *, keep: bool = True) -> None:
        self._keep = keep
        self.digests: list[str] = []
        self.octets = 0
        self._hashes: dict[int, hashlib._Hash] = {}
        self.listener = TcpListener(host, port, self._hear, self._accepted)

    def _accepted(self, socket: TcpSocket, now: int) -> list[Hop]:
        self._hashes[id(socket)] = hashlib.sha256()
        return []

    def _hear(self, socket: TcpSocket, event: Event, now: int) -> list[Hop]:
        digest = self._hashes.get(id(socket))
        if digest is None:
            return []
        data, hops = socket.read(READ, now)
        if self._keep:
            digest.update(data)
        self.octets += len(data)
        if socket.at_end or event.error:
            del self._hashes[id(socket)]
            self.digests.append(digest.hexdigest() if self._keep else "")
            return hops + socket.close(now)
        return hops
