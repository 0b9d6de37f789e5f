"""A UDP socket without waiting: every call answers at once, or raises what the non-blocking call of that name would."""

from __future__ import annotations

import socket
from collections import deque
from typing import Any, NamedTuple

from netlab.backend.native.sockets.engine import Core, Engine
from netlab.backend.native.sockets.failures import failure
from netlab.backend.native.sockets.names import end_of
from netlab.stack.ip6.ip import source6
from netlab.stack.ip6.sockets import UdpSocket6
from netlab.stack.ip6.state import Outgoing6
from netlab.stack.sockets import Datagram, Fault, Message, UdpSocket
from netlab.stack.stage import Hop
from netlab.wire import icmp, icmpv6, ipv4, udp
from netlab.wire.address import is_multicast6

RECEIVE_BUFFER = 212_992
"""Bytes of payload that wait to be read (net.core.rmem_default)."""
REFUSALS = {4: (icmp.UNREACHABLE, icmp.PORT_UNREACHABLE), 6: (icmpv6.UNREACHABLE, icmpv6.PORT_UNREACHABLE)}
FIRST, LAST = 49152, 65535


class Came(NamedTuple):
    """A datagram that waits to be read, and who sent it."""

    payload: bytes
    address: int
    port: int


class UdpCore(Core):
    """One socket. It has a port from `bind`, or from the first thing that it sends."""

    kind, protocol = socket.SOCK_DGRAM, socket.IPPROTO_UDP

    def __init__(self, engine: Engine, family: int) -> None:
        super().__init__(engine)
        self.family, self.version = family, 6 if family == socket.AF_INET6 else 4
        self.udp: UdpSocket | UdpSocket6 | None = None
        self.local, self.port = 0, 0
        self.remote: tuple[int, int] | None = None
        """The one peer of a connected socket."""
        self.came: deque[Came] = deque()
        self.dropped = 0
        """Datagrams that there was no room for."""
        self._held = 0
        self._errors: deque[OSError] = deque()
        self._options: dict[str, Any] = {"SO_RCVBUF": RECEIVE_BUFFER, "SO_SNDBUF": RECEIVE_BUFFER, "IP_TTL": 64}
        engine.sockets.add(self)

    # ---- ends

    def bind(self, address: int, port: int) -> None:
        """Take a port (0: any that is free); what is sent has ``address``, 0 the one that the route says."""
        if self.udp is not None:
            raise failure("EINVAL", "the socket has an address already")
        host = self.engine.host
        if address and address not in (host.addresses if self.version == 4 else host.inet6.addresses):
            raise failure("EADDRNOTAVAIL", "that is no address of this stack")
        self._open(port or self._free_port())
        self.local = address

    def _free_port(self) -> int:
        word = "udp6" if self.version == 6 else "udp"
        ports = (port for port in range(FIRST, LAST + 1) if (word, port) not in self.engine.host.sockets)
        found = next(ports, 0)
        if not found:
            raise failure("EADDRINUSE", "no port is free")
        return found

    def _open(self, port: int) -> None:
        make = UdpSocket6 if self.version == 6 else UdpSocket
        segsz, joined = self._options.get("UDP_SEGMENT", 0), bool(self._options.get("UDP_GRO"))
        try:
            self.udp = make(self.engine.host, port, self._receive, segsz=segsz, joined=joined)
        except ValueError:
            raise failure("EADDRINUSE", f"UDP port {port} is in use") from None
        self.port = port
        self._route()

    def _route(self) -> None:
        if isinstance(self.udp, UdpSocket):
            self.udp.fib, self.udp.mark = self._options.get("SO_SETFIB"), self._options.get("SO_MARK", 0)

    def connect(self, address: int, port: int) -> None:
        """Speak with one peer alone."""
        if self.udp is None:
            self.bind(0, 0)
        if not self._source(address):
            raise failure("ENETUNREACH")
        self.remote = (address, port)

    def connected(self) -> None:
        """Always: there is no handshake."""

    def _source(self, dst: int) -> int:
        host = self.engine.host
        if self.version == 6:
            return self.local or source6(host, Outgoing6(dst, ipv4.UDP))
        fib, mark = self._options.get("SO_SETFIB"), self._options.get("SO_MARK", 0)
        return host.source_for(dst, fib=fib, mark=mark)

    # ---- data

    @property
    def readable(self) -> bool:
        """Whether something has come, or failed."""
        return bool(self.came or self._errors)

    def _receive(self, message: Message, pkt: int, now: int) -> list[Hop]:
        if isinstance(message, Datagram):
            self._queue(Came(message.payload, message.src, message.port))
        elif isinstance(message, Fault) and (message.type, message.code) == REFUSALS[self.version] and self.remote:
            self._errors.append(failure("ECONNREFUSED"))
            self.stir()
        return []

    def _queue(self, came: Came) -> None:
        if self.remote is not None and (came.address, came.port) != self.remote:
            return
        if self._held + len(came.payload) > self._options["SO_RCVBUF"]:
            self.dropped += 1
            return
        self._held += len(came.payload)
        self.came.append(came)
        self.stir()

    def send(self, data: memoryview, to: tuple[int, int] | None = None) -> int:
        """One datagram, to ``to`` or to the peer."""
        dst = to or self.remote
        if dst is None:
            raise failure("EDESTADDRREQ")
        if self._errors:
            raise self._errors.popleft()
        if len(data) > udp.MAXIMUM and not self._options.get("UDP_SEGMENT"):
            raise failure("EMSGSIZE", f"{len(data)} bytes are more than a datagram holds")
        self._check(dst[0])
        if self.udp is None:
            self.bind(0, 0)
        assert self.udp is not None
        hop = self.udp.send(*dst, bytes(data), ttl=self._options["IP_TTL"])
        if self.local:
            _, m, _ = hop
            sport, dport, want = m.tag
            m.tag = (sport, dport, want._replace(src=self.local))
        self.engine.send([hop])
        return len(data)

    def _check(self, dst: int) -> None:
        if self.version == 6 and is_multicast6(dst):
            return
        if self.version == 4 and dst in self.engine.host.broadcasts:
            if not self._options.get("SO_BROADCAST"):
                raise failure("EACCES", "to send to everybody, set SO_BROADCAST")
            return
        if not self._source(dst):
            raise failure("ENETUNREACH")

    def recv_from(self, size: int, *, peek: bool = False) -> tuple[bytes, tuple[Any, ...]]:
        """A datagram, cut to ``size``, and who sent it."""
        if not self.came:
            raise self._errors.popleft() if self._errors else failure("EAGAIN")
        found = self.came[0] if peek else self.came.popleft()
        if not peek:
            self._held -= len(found.payload)
        return found.payload[:size], end_of(self.family, found.address, found.port, self.version)

    def recv(self, size: int, *, peek: bool = False) -> bytes:
        """As `recv_from`, without who sent it."""
        return self.recv_from(size, peek=peek)[0]

    def take_error(self) -> OSError | None:
        """What ICMP said, once."""
        return self._errors.popleft() if self._errors else None

    # ---- the end

    def close(self) -> None:
        """Free the port."""
        self.leave()
        if self.udp is not None:
            self.engine.host.close(("udp6" if self.version == 6 else "udp", self.port))
            self.engine.host.udp_joined.discard(self.port)
        for op in self.parked:
            op.fail(failure("EBADF"))
        self.parked.clear()

    abort = close
    lingers = 0

    # ---- names and options

    def name(self) -> tuple[Any, ...]:
        """getsockname."""
        return end_of(self.family, self.local, self.port, self.version)

    def peer(self) -> tuple[Any, ...]:
        """getpeername."""
        if self.remote is None:
            raise failure("ENOTCONN")
        return end_of(self.family, *self.remote, self.version)

    def set_option(self, name: str, value: Any) -> None:
        """setsockopt, by the option's name."""
        if name not in SETTABLE or (name == "SO_SETFIB" and self.version == 6):
            raise failure("ENOPROTOOPT", f"there is no option {name} of UDP here; there are {', '.join(SETTABLE)}")
        if not isinstance(value, int) or value < 0:
            raise failure("EINVAL", f"{name} cannot be {value!r}: it is an int from 0 on")
        self._options[name] = value
        self._route()
        if self.udp is not None and name == "UDP_SEGMENT":
            self.udp.segsz = value
        if self.udp is not None and name == "UDP_GRO":
            change = self.engine.host.udp_joined.add if value else self.engine.host.udp_joined.discard
            change(self.port)

    def get_option(self, name: str) -> Any:
        """getsockopt, by the option's name."""
        if name not in SETTABLE:
            raise failure("ENOPROTOOPT", f"there is no option {name} of UDP here; there are {', '.join(SETTABLE)}")
        return self._options.get(name, 0)


SETTABLE = (
    "SO_RCVBUF",
    "SO_SNDBUF",
    "SO_REUSEADDR",
    "SO_BROADCAST",
    "SO_SETFIB",
    "SO_MARK",
    "IP_TTL",
    "UDP_SEGMENT",
    "UDP_GRO",
)
