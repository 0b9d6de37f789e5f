"""The sockets of `netlab.stack.sockets` over IPv6: the same calls, addresses of 128 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.ip6.state import Message6, Outgoing6
from netlab.stack.mbuf import Mbuf
from netlab.stack.sockets import Receive, datagrams
from netlab.stack.stage import Hop, to
from netlab.wire import icmpv6, ipv4

if TYPE_CHECKING:
    from netlab.stack.host import Host


class UdpSocket6:
    """A UDP port of a host over IPv6 alone (IPV6_V6ONLY). ValueError when the port is taken."""

    def __init__(self, host: Host, port: int, receive: Receive, *, segsz: int = 0, joined: bool = False) -> None:
        host.open(("udp6", port), receive)
        self.port, self.segsz = port, segsz
        if joined:
            host.udp_joined.add(port)

    def send(self, dst: int, port: int, payload: bytes, *, cause: int = 0, ttl: int = 0, df: bool = False) -> Hop:
        """A datagram to an address and port; ``cause`` is the journey it answers."""
        m = Mbuf(payload, parent=cause)
        m.offload = datagrams(payload, self.segsz)
        m.tag = (self.port, port, Outgoing6(dst, ipv4.UDP, ttl=ttl, df=df))
        return to("udp.output", m)


class EchoSocket6:
    """An ICMPv6 echo identifier of a host. ValueError when it is taken."""

    def __init__(self, host: Host, ident: int, receive: Receive) -> None:
        host.open(("icmp6", ident), receive)
        self.ident = ident

    def send(self, dst: int, seq: int, payload: bytes, *, ttl: int = 0, df: bool = False) -> Hop:
        """An echo request."""
        m = Mbuf(payload)
        want = Outgoing6(dst, icmpv6.PROTO, ttl=ttl, df=df)
        m.tag = Message6(icmpv6.ECHO_REQUEST, 0, self.ident << 16 | seq, want)
        return to("icmp6.output", m)
