"""ICMP errors about segments of ours, on their way to the connections that sent them (RFC 1122 §4.2.3.9, RFC 5927)."""

from __future__ import annotations

from netlab.stack.mbuf import Mbuf
from netlab.stack.stage import Hop, drop, to
from netlab.stack.tcp.host import KEY, TcpFault
from netlab.stack.tcp.layer import Pair
from netlab.wire import icmp, icmpv6, ipv4, ipv6

REFUSED = "ECONNREFUSED"
"""What ends an attempt to connect in any system (RFC 1122 §4.2.3.9)."""
ERRORS = {
    icmp.NET_UNREACHABLE: "ENETUNREACH",
    icmp.PROTOCOL_UNREACHABLE: REFUSED,
    icmp.PORT_UNREACHABLE: REFUSED,
    icmp.ADMIN_PROHIBITED: REFUSED,
}
"""Code of ICMP's "unreachable" -> errno; EHOSTUNREACH for the others."""
ERRORS6 = {icmpv6.NO_ROUTE: "ENETUNREACH", icmpv6.ADMIN_PROHIBITED: REFUSED, icmpv6.PORT_UNREACHABLE: REFUSED}
"""The same for ICMPv6."""


def tcp_fault(m: Mbuf, message: icmp.Header, quoted: ipv4.Header, body: bytes, mtu: int) -> Hop:
    """An ICMP error that quotes a segment is for its connection; eight bytes of it are enough (RFC 5927 §4.1)."""
    error = ERRORS.get(message.code, "EHOSTUNREACH") if message.type == icmp.UNREACHABLE else "EHOSTUNREACH"
    return _fault(m, quoted.src, quoted.dst, 4, body[quoted.size : quoted.size + 8], error, mtu)


def tcp_fault6(m: Mbuf, message: icmp.Header, quoted: ipv6.Header, begin: bytes, mtu: int) -> Hop:
    """The same for ICMPv6; ``begin`` is what was quoted of the segment."""
    error = ERRORS6.get(message.code, "EHOSTUNREACH") if message.type == icmpv6.UNREACHABLE else "EHOSTUNREACH"
    return _fault(m, quoted.src, quoted.dst, 6, begin[:8], error, mtu)


def _fault(m: Mbuf, local: int, remote: int, version: int, begin: bytes, error: str, mtu: int) -> Hop:
    if len(begin) < 8:
        return drop("ICMP error quotes nothing that was sent here", m)
    sport, dport = int.from_bytes(begin[:2], "big"), int.from_bytes(begin[2:4], "big")
    pair = Pair(local, sport, remote, dport, version)
    m.tag = (KEY, TcpFault(pair, int.from_bytes(begin[4:], "big"), error, error == REFUSED, mtu))
    return to("socket.deliver", m)
