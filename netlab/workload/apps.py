"""Programs above our stack: a ping, a UDP echo server and its client. Without a clock: timers and sockets call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from netlab.stack.host import Host
from netlab.stack.ip6.sockets import EchoSocket6, UdpSocket6
from netlab.stack.mbuf import Mbuf
from netlab.stack.sockets import Datagram, Echo, EchoSocket, Fault, Message, Receive, UdpSocket
from netlab.stack.stage import Hop, to
from netlab.units import format_time
from netlab.wire import icmp, icmpv6
from netlab.wire.address import format_ipv4, format_ipv6
from netlab.workload.spec import Frames, Outcome, Ping, Reply, UdpEcho

Say = Callable[[str, int, str, int], None]
"""(program, now, what it says, a value): where a program's words go."""

FAULTS = {
    icmp.TIME_EXCEEDED: "time exceeded",
    icmp.PARAMETER_PROBLEM: "parameter problem",
}
UNREACHABLE = {
    icmp.NET_UNREACHABLE: "network unreachable",
    icmp.HOST_UNREACHABLE: "host unreachable",
    icmp.PROTOCOL_UNREACHABLE: "protocol unreachable",
    icmp.PORT_UNREACHABLE: "port unreachable",
    icmp.FRAGMENTATION_NEEDED: "fragmentation needed",
}


FAULTS6 = {
    icmpv6.PACKET_TOO_BIG: "packet too big",
    icmpv6.TIME_EXCEEDED: "time exceeded",
    icmpv6.PARAMETER_PROBLEM: "parameter problem",
}
UNREACHABLE6 = {
    icmpv6.NO_ROUTE: "network unreachable",
    icmpv6.ADDRESS_UNREACHABLE: "host unreachable",
    icmpv6.PORT_UNREACHABLE: "port unreachable",
}


def describe_fault(type: int, code: int, src: int, family: int = 4) -> str:
    """ "time exceeded from 10.0.1.1": the words for an ICMP error that `Reply.said` carries."""
    if family == 6:
        unreachable = type == icmpv6.UNREACHABLE
        what = UNREACHABLE6.get(code, "unreachable") if unreachable else FAULTS6.get(type, f"ICMPv6 type {type}")
        return f"{what} from {format_ipv6(src)}"
    what = UNREACHABLE.get(code, "unreachable") if type == icmp.UNREACHABLE else FAULTS.get(type, f"ICMP type {type}")
    return f"{what} from {format_ipv4(src)}"


NOWHERE = "network unreachable from this host"
"""What sendto() says of a destination that no route leads to (ENETUNREACH)."""


class App(Protocol):
    """A program that runs a workload to its end."""

    def start(self, now: int) -> None:
        """Open sockets and set the first timers."""

    def settled(self) -> bool:
        """Whether nothing more is waited for; asked often, so it costs the same however many requests there are."""

    def outcome(self) -> Outcome:
        """What became of every request."""

    def close(self) -> None:
        """Free the sockets."""


class Requests:
    """The bookkeeping of numbered requests: when each was sent, what came back, when to stop waiting."""

    def __init__(self, name: str, workload: Ping | UdpEcho, host: Host, say: Say) -> None:
        self.name, self.workload, self.host, self.say = name, workload, host, say
        self._sent: dict[int, int] = {}
        self._replies: dict[int, Reply] = {}

    def schedule(self, now: int, to: tuple[int, int], send: Callable[[int, int], Hop]) -> None:
        """Set a timer for each request to ``to`` (IP version, address); ``send(seq, now)`` makes it."""
        for seq in range(1, self.workload.count + 1):
            at = now + self.workload.start + (seq - 1) * self.workload.interval
            self.host.timers.at(at, self._sender(seq, to, send))

    def _sender(self, seq: int, to: tuple[int, int], send: Callable[[int, int], Hop]) -> Callable[[int], list[Hop]]:
        family, dst = to

        def due(now: int) -> list[Hop]:
            self._sent[seq] = now
            self.host.timers.at(now + self.workload.timeout, self._waiter(seq))
            if family == 4 and not self.host.source_for(dst):
                self.failed(seq, now, NOWHERE)
            return [send(seq, now)]

        return due

    def _waiter(self, seq: int) -> Callable[[int], list[Hop]]:
        def due(now: int) -> list[Hop]:
            if seq not in self._replies:
                self._replies[seq] = Reply(seq, "silence")
                self.say(self.name, now, f"seq {seq}: no answer", 0)
            return []

        return due

    def answered(self, seq: int, now: int) -> None:
        """The answer to a request came; a second one is ignored."""
        if seq in self._sent and seq not in self._replies:
            rtt = now - self._sent[seq]
            self._replies[seq] = Reply(seq, "answered", rtt)
            self.say(self.name, now, f"seq {seq}: answered after {format_time(rtt)}", rtt)

    def failed(self, seq: int, now: int, said: str) -> None:
        """An ICMP error about a request came."""
        if seq in self._sent and seq not in self._replies:
            self._replies[seq] = Reply(seq, "error", now - self._sent[seq], said)
            self.say(self.name, now, f"seq {seq}: {said}", 0)

    def oldest(self) -> int:
        """The first request that still waits (0 for none): what an error without a number is about."""
        return next((seq for seq in self._sent if seq not in self._replies), 0)

    def settled(self) -> bool:
        """Whether every request has been answered, refused or given up."""
        return len(self._replies) == self.workload.count

    def outcome(self) -> Outcome:
        """Every request's fate, in order; what was never sent was met with silence."""
        count = self.workload.count
        replies = (self._replies.get(seq, Reply(seq, "silence")) for seq in range(1, count + 1))
        return Outcome(self.workload, tuple(replies))


class Pinger:
    """ICMP echo requests and what comes back."""

    def __init__(self, host: Host, workload: Ping, to: tuple[int, int], ident: int, say: Say) -> None:
        self._host, self._workload, self._ident = host, workload, ident
        self._family, self._dst = to
        self._requests = Requests("ping", workload, host, say)
        self._payload = bytes(i & 0xFF for i in range(workload.size))

    def start(self, now: int) -> None:
        """Open the echo socket; requests follow at their times."""
        kind = EchoSocket6 if self._family == 6 else EchoSocket
        self._socket: EchoSocket | EchoSocket6 = kind(self._host, self._ident, self._receive)
        self._requests.schedule(now, (self._family, self._dst), self._send)

    def settled(self) -> bool:
        """Whether every request's fate is known."""
        return self._requests.settled()

    def outcome(self) -> Outcome:
        """Every request's fate."""
        return self._requests.outcome()

    def close(self) -> None:
        """Free the echo identifier."""
        self._host.close(("icmp6" if self._family == 6 else "icmp", self._ident))

    def _send(self, seq: int, now: int) -> Hop:
        return self._socket.send(self._dst, seq, self._payload, ttl=self._workload.ttl, df=self._workload.df)

    def _receive(self, message: Message, pkt: int, now: int) -> list[Hop]:
        if isinstance(message, Echo) and message.payload == self._payload:
            self._requests.answered(message.seq, now)
        elif isinstance(message, Fault):
            said = describe_fault(message.type, message.code, message.src, self._family)
            self._requests.failed(message.seq, now, said)
        return []


class UdpEchoServer:
    """Sends every datagram back to where it came from, over either version of IP (RFC 862)."""

    def __init__(self, host: Host, port: int) -> None:
        self._sockets: dict[int, UdpSocket | UdpSocket6] = {
            4: UdpSocket(host, port, self._receive(4)),
            6: UdpSocket6(host, port, self._receive(6)),
        }

    def _receive(self, family: int) -> Receive:
        def receive(message: Message, pkt: int, now: int) -> list[Hop]:
            if not isinstance(message, Datagram):
                return []
            return [self._sockets[family].send(message.src, message.port, message.payload, cause=pkt)]

        return receive


class UdpEchoClient:
    """Datagrams that carry their number, and their echoes."""

    def __init__(self, host: Host, workload: UdpEcho, to: tuple[int, int], port: int, say: Say) -> None:
        self._host, self._workload, self._port = host, workload, port
        self._family, self._dst = to
        self._requests = Requests("udp-echo", workload, host, say)

    def start(self, now: int) -> None:
        """Open the socket; datagrams follow at their times."""
        kind = UdpSocket6 if self._family == 6 else UdpSocket
        self._socket: UdpSocket | UdpSocket6 = kind(self._host, self._port, self._receive)
        self._requests.schedule(now, (self._family, self._dst), self._send)

    def settled(self) -> bool:
        """Whether every datagram's fate is known."""
        return self._requests.settled()

    def outcome(self) -> Outcome:
        """Every datagram's fate."""
        return self._requests.outcome()

    def close(self) -> None:
        """Free the port."""
        self._host.close(("udp6" if self._family == 6 else "udp", self._port))

    def _send(self, seq: int, now: int) -> Hop:
        payload = seq.to_bytes(4, "big").ljust(self._workload.size, b".")
        return self._socket.send(self._dst, self._workload.port, payload)

    def _receive(self, message: Message, pkt: int, now: int) -> list[Hop]:
        if isinstance(message, Datagram) and len(message.payload) >= 4:
            self._requests.answered(int.from_bytes(message.payload[:4], "big"), now)
        elif isinstance(message, Fault):
            seq = self._requests.oldest()
            self._requests.failed(seq, now, describe_fault(message.type, message.code, message.src, self._family))
        return []


class FrameSender:
    """Puts ready-made frames into an interface's queue."""

    def __init__(self, host: Host, workload: Frames) -> None:
        self._host, self._workload = host, workload

    def start(self, now: int) -> None:
        """Set a timer for each frame."""
        for number, frame in enumerate(self._workload.frames):
            at = now + self._workload.start + number * self._workload.interval
            self._host.timers.at(at, self._sender(frame))

    def settled(self) -> bool:
        """Never: nobody says when a frame has gone."""
        return False

    def outcome(self) -> Outcome:
        """Frames ask for no answer."""
        return Outcome(self._workload, ())

    def close(self) -> None:
        """Nothing was opened."""

    def _sender(self, frame: bytes) -> Callable[[int], list[Hop]]:
        def due(now: int) -> list[Hop]:
            m = Mbuf(frame)
            m.ifp = ifp = self._host.interfaces[self._workload.interface]
            return [to(ifp.output, m)]

        return due
