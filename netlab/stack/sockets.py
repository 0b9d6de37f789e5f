"""Where programs meet the stack: messages come by a callback, what it returns is sent.

Nothing waits here. A program is called with what arrived, the journey that brought it, and now; it answers with hops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Union

from netlab.stack.ip import Outgoing, outgoing
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import Offload
from netlab.stack.stage import Hop, to
from netlab.wire import icmp, ipv4

if TYPE_CHECKING:
    from netlab.stack.host import Host
    from netlab.stack.tcp.host import TcpFault, TcpNews


class Datagram(NamedTuple):
    """A UDP payload, and the address (an int) and port that sent it."""

    payload: bytes
    src: int
    port: int
    segsz: int = 0
    """Several datagrams of so many bytes each, the last perhaps shorter (UDP_GRO); 0: it is one."""


class Echo(NamedTuple):
    """An ICMP echo reply."""

    src: int
    seq: int
    ttl: int
    payload: bytes


class Fault(NamedTuple):
    """An ICMP error about a packet that this socket sent; ``seq`` is the echo's, 0 otherwise; ``mtu`` is said where
    the packet was too large."""

    src: int
    type: int
    code: int
    seq: int
    mtu: int = 0


Message = Union[Datagram, Echo, Fault, "TcpNews", "TcpFault"]
Receive = Callable[[Message, int, int], list[Hop]]
"""(message, pkt that brought it, now) -> what to send in answer."""


class UdpSocket:
    """A UDP port of a host. ValueError when the port is taken. ``fib`` and ``mark`` choose its packets' routes.

    ``segsz`` is the size of the datagrams that a longer payload is sent as (UDP_SEGMENT), 0 for one whatever its size;
    with ``joined`` datagrams that came together are given together (UDP_GRO).
    """

    def __init__(
        self,
        host: Host,
        port: int,
        receive: Receive,
        *,
        fib: int | None = None,
        mark: int = 0,
        segsz: int = 0,
        joined: bool = False,
    ) -> None:
        host.open(("udp", port), receive)
        self.port, self.fib, self.mark, self.segsz = port, fib, mark, segsz
        if joined:
            host.udp_joined.add(port)

    def send(self, dst: int, port: int, payload: bytes, *, cause: int = 0, ttl: int = 64, df: bool = False) -> Hop:
        """A datagram to an address and port, or several; ``cause`` is the journey it answers."""
        m = Mbuf(payload, parent=cause)
        m.fib, m.mark, m.offload = self.fib, self.mark, datagrams(payload, self.segsz)
        m.tag = (self.port, port, outgoing(dst, ipv4.UDP, 0, ttl, df))
        return to("udp.output", m)


def datagrams(payload: bytes, segsz: int) -> Offload | None:
    """What is to be done with a payload that is sent as datagrams of ``segsz`` bytes; None: it is one."""
    return Offload(segsz) if 0 < segsz < len(payload) else None


class EchoSocket:
    """An ICMP echo identifier of a host. ValueError when it is taken. ``fib`` and ``mark`` choose its routes."""

    def __init__(self, host: Host, ident: int, receive: Receive, *, fib: int | None = None, mark: int = 0) -> None:
        host.open(("icmp", ident), receive)
        self.ident, self.fib, self.mark = ident, fib, mark

    def send(self, dst: int, seq: int, payload: bytes, *, ttl: int = 64, df: bool = False) -> Hop:
        """An echo request."""
        m = Mbuf(icmp.echo_request(self.ident, seq, payload))
        m.fib, m.mark = self.fib, self.mark
        m.tag = Outgoing(dst, ipv4.ICMP, ttl=ttl, df=df)
        return to("icmp.output", m)
