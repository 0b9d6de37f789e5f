"""IPv4: input, forwarding and output (RFC 791, RFC 1122 §3, RFC 1812 §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from netlab.stack.fib import Route
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import cut_late, within
from netlab.stack.ratelimit import TOO_MANY_ERRORS
from netlab.stack.stage import Hop, branching, drop, stage, to
from netlab.wire import icmp, ipv4

if TYPE_CHECKING:
    from netlab.stack.host import Host

_new = tuple.__new__  # a third of what the NamedTuple's own constructor takes
LIMITED_BROADCAST = 0xFFFFFFFF


class Outgoing(NamedTuple):
    """What a transport asks of IP: addresses as ints (``src`` 0: as the route says), protocol, TTL, TOS."""

    dst: int
    proto: int
    src: int = 0
    ttl: int = 64
    tos: int = 0
    df: bool = False
    """Whether no router may cut the packet: then too large a one is told of, and the path's MTU is learned."""


def outgoing(dst: int, proto: int, src: int, ttl: int, df: bool) -> Outgoing:
    """The same record, made in a third of the time: for what every packet needs."""
    return _new(Outgoing, (dst, proto, src, ttl, 0, df))


class ErrorFor(NamedTuple):
    """What is to be told to the sender of a packet: an ICMP type and code, the next hop's MTU where that is the point,
    and by which of our own addresses."""

    type: int
    code: int
    mtu: int
    speaker: int


def error(host: Host, m: Mbuf, type: int, code: int, reason: str, *, mtu: int = 0, speaker: int = 0) -> list[Hop]:
    """The packet ends here, and a message about it begins, unless RFC 1122 §3.2.2 forbids one.

    ``m.data`` must begin with the IP header that ``m.l3`` holds. ``speaker`` is the own address that speaks, by default
    that of the interface by which the packet came.
    """
    gone = drop(reason, m)
    if not _may_answer(host, m, m.l3):
        return [gone]
    message = Mbuf(m.data[: icmp.QUOTE], parent=m.pkt, rcvif=m.rcvif)
    message.l3 = m.l3
    message.fib = host.fibs.given(m)
    message.tag = ErrorFor(type, code, mtu, speaker or _speaker(m))
    return [gone, to("icmp.error", message)]


@branching("ip.input", to=("ip.forward", "ip.reassemble", "icmp.input", "udp.input", "tcp.input", "icmp.error"))
def ip_input(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Check the header; keep what is for this host, forward the rest if this host is a router."""
    header = ipv4.sound(m.data)
    if header is None:
        return [drop(ipv4.fault(m.data), m)]
    if len(m.data) > header.length:
        m.data = m.data[: header.length]
    m.l3 = header
    dst = header.dst
    if dst in host.addresses or dst in host.broadcasts:
        return [to("ip.reassemble", m)] if header.is_fragment else deliver(host, m, header)
    if not host.forwards_packets:
        return [drop("packet is for another host", m)]
    if m.rcvif is None or dst >> 28 == 0xE:
        return [drop("multicast is not forwarded", m)]
    return [to("ip.forward", m)]


def deliver(host: Host, m: Mbuf, header: ipv4.Header) -> list[Hop]:
    """Hand a whole packet for this host to its protocol."""
    m.l4 = header.size
    if header.proto == ipv4.ICMP:
        return [to("icmp.input", m)]
    if header.proto == ipv4.UDP:
        return [to("udp.input", m)]
    if header.proto == ipv4.TCP:
        return [to("tcp.input", m)]
    reason = f"protocol {header.proto} is not spoken here"
    return error(host, m, icmp.UNREACHABLE, icmp.PROTOCOL_UNREACHABLE, reason)


@branching("ip.forward", to=("ether.output", "ip.fragment", "icmp.error"))
def ip_forward(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """One TTL less, and on to the next hop of the longest matching prefix (RFC 1812 §5.2.1)."""
    header = m.l3
    if header.ttl <= 1:
        return error(host, m, icmp.TIME_EXCEEDED, icmp.TTL_EXCEEDED, "TTL exceeded")
    route = _route(host, m, header.src, header.dst, header.proto, header.size)
    if route is None:
        return error(host, m, icmp.UNREACHABLE, icmp.NET_UNREACHABLE, "no route")
    if within(m, host.interfaces[route.interface].mtu) or not header.dont_fragment:
        m.data = ipv4.with_ttl(m.data, header.ttl - 1)
    return leave(host, m, route.interface, route.gateway or header.dst)


def _route(host: Host, m: Mbuf, src: int, dst: int, proto: int, at: int) -> Route | None:
    """By the packet's table; of several equal ways, the one of its flow. ``at``: where the transport header begins."""
    iface = m.rcvif.name if at and m.rcvif is not None else ""
    route = host.fibs.lookup(dst, fib=m.fib, mark=m.mark, iface=iface, src=src)
    if route is None or not route.ways:
        return route
    return route.chosen(_flow(m, src, dst, proto, at))


def _flow(m: Mbuf, src: int, dst: int, proto: int, at: int) -> int:
    """32 bits of the five-tuple; without ports for what has none, and for fragments, so that they stay together."""
    whole = m.l3 is None or not at or not m.l3.is_fragment
    ports = m.data[at : at + 4] if whole and proto in (ipv4.TCP, ipv4.UDP) else b""
    return crc32(b"%d %d %d %b" % (src, dst, proto, ports)) * 0x9E3779B1 & 0xFFFFFFFF


def leave(host: Host, m: Mbuf, interface: str, next_hop: int) -> list[Hop]:
    """Send a whole packet out of an interface to a neighbour: in pieces when it must be and may be."""
    ifp = host.interfaces[interface]
    m.ifp, m.next_hop = ifp, next_hop
    if within(m, ifp.mtu):
        return [to("ether.output", m)]
    if not m.l3.dont_fragment:
        return [to("ip.fragment", m)]
    return error(host, m, icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED, _too_large(m, ifp.mtu, ifp.name), mtu=ifp.mtu)


def _too_large(m: Mbuf, mtu: int, of: str) -> str:
    return f"packet of {len(m.data)} bytes is larger than the MTU {mtu} of {of}"


@branching("ip.output", to=("ether.output", "ip.fragment", "ip.input", "icmp.error"))
def ip_output(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Route a packet made here, give it a source address and a header."""
    want: Outgoing = m.tag
    if len(m.data) + ipv4.SIZE > ipv4.MAXIMUM:
        return [drop(f"{len(m.data)} bytes are more than an IPv4 packet holds", m)]
    if want.dst in host.addresses:
        m.prepend(_header(host, m, want, want.src or want.dst))
        m.rcvif = None
        return [to("ip.input", m)]
    route = _route(host, m, want.src, want.dst, want.proto, 0)
    if route is None:
        return [drop("no route", m)]
    ifp = host.interfaces[route.interface]
    next_hop = _next_hop(host, want.dst, route)
    m.prepend(_header(host, m, want, want.src or ifp.address_for(next_hop)))
    m.ifp, m.next_hop = ifp, next_hop
    mtu = host.paths.mtu(want.dst, now, ifp.mtu)
    if within(m, mtu):
        return [to("ether.output", m)]
    if want.df:
        return _refused(host, m, mtu)
    if cut_late(m, ifp, mtu):
        return [to("ether.output", m)]
    return [to("ip.fragment", m)]


def _refused(host: Host, m: Mbuf, mtu: int) -> list[Hop]:
    """A packet that may not be cut and is too large for what is known of its path: the own program is told, as if by
    a router (Linux says EMSGSIZE)."""
    m.l3 = ipv4.parse(m.data)
    m.rcvif = None
    message = Mbuf(m.data[: icmp.QUOTE], parent=m.pkt)
    message.l3 = m.l3
    message.tag = ErrorFor(icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED, mtu, m.l3.src)
    return [drop(_too_large(m, mtu, "the path"), m), to("icmp.error", message)]


def _next_hop(host: Host, dst: int, route: Route) -> int:
    return LIMITED_BROADCAST if dst in host.broadcasts else route.gateway or dst


def _header(host: Host, m: Mbuf, want: Outgoing, src: int) -> bytes:
    host.ip_id = (host.ip_id + 1) & 0xFFFF
    flags = ipv4.DONT_FRAGMENT if want.df else 0
    return ipv4.header(
        src, want.dst, want.proto, len(m.data), ttl=want.ttl, id=host.ip_id, fragment=flags, tos=want.tos
    )


@stage("icmp.error", to=("ip.output",))
def icmp_error(host: Host, m: Mbuf, now: int) -> Hop:
    """Make the message that tells a sender what became of the packet that ``data`` quotes."""
    if not host.errors.take(now):
        return drop(TOO_MANY_ERRORS, m)
    about: ErrorFor = m.tag
    m.tag = Outgoing(m.l3.src, ipv4.ICMP, src=about.speaker)
    m.data = icmp.build(about.type, about.code, about.mtu, m.data)
    return to("ip.output", m)


def _may_answer(host: Host, m: Mbuf, header: ipv4.Header) -> bool:
    if header.offset or header.dst in host.broadcasts or header.dst >> 28 >= 0xE or header.src in host.addresses:
        return False
    if header.proto != ipv4.ICMP:
        return True
    inner = icmp.parse(m.data, header.size)
    return inner is not None and not inner.is_error


def _speaker(m: Mbuf) -> int:
    """The address that speaks: that of the interface by which the packet came (as BSD and Linux do)."""
    return m.rcvif.address_for(m.l3.src) if m.rcvif is not None else 0
