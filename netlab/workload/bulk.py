"""Programs above TCP: one pours bytes into a connection, the other takes them. Without a clock: events call them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from netlab.errors import BadInput
from netlab.stack.host import Host
from netlab.stack.stage import Hop
from netlab.stack.tcp.congestion import CONTROLS
from netlab.stack.tcp.host import TcpListener, TcpSocket
from netlab.stack.tcp.segment import Event
from netlab.workload.apps import NOWHERE, Say
from netlab.workload.spec import Bulk, Flow, Outcome, Workload

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

    sockets: type[TcpSocket] = TcpSocket

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
        self.socket, hops = self.sockets.connect(self._host, self._dst, self._port, self._hear, now)
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


BLOCK = pattern(CHUNK)
"""What flows pour again and again: their bytes are nobody's business, only how many there are."""


class BulkFlow:
    """One connection of a `Bulk`.

    What is delivered is what the peer's TCP acknowledged, so any sink will do; the peer's close says that it has read
    everything.
    """

    def __init__(self, host: Host, workload: Bulk, to: tuple[int, int], say: Say) -> None:
        self._host, self._workload, self._say = host, workload, say
        self._version, self._dst = to
        self._left = workload.size
        self._socket: TcpSocket | None = None
        self._began = 0
        self.fate: Flow | None = None

    def start(self, now: int) -> list[Hop]:
        """Connect."""
        self._began = now
        try:
            self._socket, hops = TcpSocket.connect(
                self._host,
                self._dst,
                self._workload.port,
                self._hear,
                now,
                version=self._version,
                congestion=self._workload.congestion,
            )
        except ValueError:  # what connect() says where no route leads, ENETUNREACH
            self._end(NOWHERE, now)
            return []
        return hops

    def stop(self, now: int) -> list[Hop]:
        """The time is over: cut the connection, unless its fate is known."""
        if self.fate is not None or self._socket is None:
            return []
        if self._workload.duration:
            self._end("" if self._socket.delivered else "nothing was delivered", now)
        else:
            self._end(self._workload.late, now)
        return self._socket.abort(now)

    def _hear(self, socket: TcpSocket, event: Event, now: int) -> list[Hop]:
        self._socket = socket
        if self.fate is not None:
            return []
        if event.what in ("connected", "writable"):
            return self._pour(socket, now)
        if event.error or event.what in ("ended", "closed"):
            whole = not self._workload.duration and socket.delivered >= self._workload.size
            self._end(event.error or ("" if whole else "the peer closed"), now)
            return [] if whole or event.error else socket.abort(now)
        return []

    def _pour(self, socket: TcpSocket, now: int) -> list[Hop]:
        hops: list[Hop] = []
        endless = self._workload.duration > 0
        while endless or self._left:
            taken, more = socket.send(BLOCK if endless else BLOCK[: self._left], now)
            hops += more
            self._left -= taken
            if not taken:
                return hops
        return hops + socket.close(now)

    def _end(self, error: str, now: int) -> None:
        octets = self._socket.delivered if self._socket else 0
        self.fate = Flow(octets, now - self._began, error)
        self._say("bulk", now, str(self.fate), octets)


class BulkClient:
    """All connections of a `Bulk`, from its start to its end."""

    def __init__(self, host: Host, workload: Bulk, to: tuple[int, int], say: Say) -> None:
        self._host, self._workload = host, workload
        self._flows = [BulkFlow(host, workload, to, say) for _ in range(workload.flows)]

    def start(self, now: int) -> None:
        """Set the timers of every connection's start and end."""
        begin = now + self._workload.start
        end = begin + (self._workload.duration or self._workload.timeout)
        for flow in self._flows:
            self._host.timers.at(begin, flow.start)
            self._host.timers.at(end, flow.stop)

    def settled(self) -> bool:
        """Whether every connection's fate is known."""
        return all(flow.fate is not None for flow in self._flows)

    def outcome(self) -> Outcome:
        """What each connection delivered; one that never began delivered nothing."""
        return Outcome(self._workload, flows=tuple(flow.fate or Flow(0, 0, "not begun") for flow in self._flows))

    def close(self) -> None:
        """Connections end by themselves."""


class Sink:
    """Takes whatever connections bring, and closes when they do.

    ``digests``: SHA-256 of each finished stream, "" without ``keep``.
    """

    listeners: type[TcpListener] = TcpListener

    def __init__(self, host: Host, port: int, *, keep: bool = True, congestion: str = "") -> None:
        self._keep, self._congestion = keep, congestion
        self.digests: list[str] = []
        self.octets = 0
        self._hashes: dict[int, hashlib._Hash] = {}
        self.listener = self.listeners(host, port, self._hear, self._accepted)

    def close(self, now: int) -> list[Hop]:
        """Take no more connections."""
        return self.listener.close(now)

    def _accepted(self, socket: TcpSocket, now: int) -> list[Hop]:
        self._hashes[id(socket)] = hashlib.sha256()
        if self._congestion:
            socket.endpoint.connection.choose_control(self._congestion)
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


def check_bulk(workloads: Sequence[Workload], where: str) -> None:
    """BadInput for a `Bulk` that cannot be."""
    for workload in workloads:
        if isinstance(workload, Bulk):
            _check_numbers(workload, where)


def check_control(workload: Bulk, where: str) -> None:
    """BadInput for a congestion control that our stack does not have."""
    if workload.congestion and workload.congestion not in CONTROLS:
        raise BadInput(
            f"there is no congestion control '{workload.congestion}' in our stack",
            where=where,
            right=f"one of {', '.join(CONTROLS)}",
        )


def _check_numbers(workload: Bulk, where: str) -> None:
    if workload.flows < 1 or workload.size < 1 or workload.duration < 0:
        raise BadInput(
            f"no bulk transfer has {workload.size} bytes, {workload.flows} connections and {workload.duration} ns",
            where=where,
            right="at least one byte, one connection, and a duration of 0 (as long as it takes) or more",
        )
    if not 0 < workload.port < 1 << 16:
        raise BadInput(f"{workload.port} is no TCP port", where=where, right="1 to 65535")
