"""IPv6: input, forwarding, output and errors (RFC 8200, RFC 4443 §2.4 and §3, RFC 8201)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from netlab.stack.ifnet import Ifnet
from netlab.stack.ip6.extensions import SILENT, UNKNOWN_HEADER, UNKNOWN_OPTION, Refused, is_error, walk
from netlab.stack.ip6.state import Message6, Outgoing6, is_link_local, is_linked
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import cut_late, within
from netlab.stack.ratelimit import TOO_MANY_ERRORS
from netlab.stack.stage import Hop, branching, drop, end, stage, to
from netlab.wire import icmpv6, ipv4, ipv6
from netlab.wire.address import is_multicast6

if TYPE_CHECKING:
    from netlab.stack.host import Host

LOOPBACK = 1


class ErrorFor6(NamedTuple):
    """What is to be told to the sender of a packet: type, code, and the 32 bits that go with them."""

    type: int
    code: int
    rest: int


def error6(host: Host, m: Mbuf, type: int, code: int, reason: str, rest: int = 0) -> list[Hop]:
    """The packet ends here, and a message about it begins, unless RFC 4443 §2.4 e forbids one.

    ``m.data`` must begin with the IPv6 header that ``m.l3`` holds.
    """
    gone = drop(reason, m)
    header: ipv6.Header = m.l3
    to_group = is_multicast6(header.dst)
    allowed = type == icmpv6.PACKET_TOO_BIG or (type, code) == (icmpv6.PARAMETER_PROBLEM, UNKNOWN_OPTION)
    if header.src == 0 or is_multicast6(header.src) or (to_group and not allowed) or is_error(m.data):
        return [gone]
    message = Mbuf(m.data[: icmpv6.QUOTE], parent=m.pkt, rcvif=m.rcvif)
    message.l3, message.tag = header, ErrorFor6(type, code, rest)
    return [gone, to("icmp6.error", message)]


@branching("ip6.input", to=("ip6.forward", "ip6.reassemble", "icmp6.input", "udp.input", "tcp.input", "icmp6.error"))
def ip6_input(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Check the header; keep what is for this host or its groups, forward the rest if this host is a router."""
    inet6 = host.inet6
    fault = ipv6.fault(m.data) if inet6.enabled else "IPv6 is not spoken here"
    if fault:
        return [drop(fault, m)]
    header = ipv6.parse(m.data)
    assert header is not None
    m.l3, m.data = header, m.data[: ipv6.SIZE + header.length]
    ifp = m.rcvif
    if is_multicast6(header.src) or (ifp is not None and LOOPBACK in (header.src, header.dst)):
        return [drop("address cannot be on a wire", m)]
    if is_multicast6(header.dst):
        member = ifp is None or inet6.listens(header.dst, ifp)
        return deliver6(host, m) if member else [drop("no member of the group", m)]
    if inet6.owns(header.dst, ifp):
        return deliver6(host, m)
    if not host.forwards_packets or ifp is None:
        return [drop("packet is for another host", m)]
    if is_link_local(header.dst) or is_link_local(header.src) or header.src == 0:
        return [drop("link-local packets are not forwarded", m)]
    return [to("ip6.forward", m)]


def deliver6(host: Host, m: Mbuf) -> list[Hop]:
    """Pass the extension headers, then hand the packet to its protocol."""
    found = walk(m.data, multicast=is_multicast6(m.l3.dst))
    if isinstance(found, Refused):
        if found.code == SILENT:
            return [drop(found.reason, m)]
        return error6(host, m, icmpv6.PARAMETER_PROBLEM, found.code, found.reason, found.pointer)
    m.l4, m.tag = found.at, found.pointer
    target = _PROTOCOLS.get(found.proto)
    if target is not None:
        return [to(target, m)]
    if found.proto == ipv6.NO_NEXT:
        return [end(m)]
    reason = f"protocol {found.proto} is not spoken here"
    return error6(host, m, icmpv6.PARAMETER_PROBLEM, UNKNOWN_HEADER, reason, found.pointer)


_PROTOCOLS = {
    icmpv6.PROTO: "icmp6.input",
    ipv4.UDP: "udp.input",
    ipv4.TCP: "tcp.input",
    ipv6.FRAGMENT: "ip6.reassemble",
}


@branching("ip6.forward", to=("nd.output", "icmp6.error"))
def ip6_forward(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """One hop less, and on to the next hop of the longest matching prefix; a router never cuts a packet."""
    header: ipv6.Header = m.l3
    if header.hops <= 1:
        return error6(host, m, icmpv6.TIME_EXCEEDED, 0, "hop limit exceeded")
    route = host.inet6.fib.lookup(header.dst)
    if route is None:
        return error6(host, m, icmpv6.UNREACHABLE, icmpv6.NO_ROUTE, "no route")
    ifp = host.interfaces[route.interface]
    mtu = host.inet6.link_mtu(ifp)
    if not within(m, mtu):
        return error6(host, m, icmpv6.PACKET_TOO_BIG, 0, _too_large(m, mtu, ifp.name), mtu)
    m.data = ipv6.with_hops(m.data, header.hops - 1)
    m.ifp, m.next_hop = ifp, route.gateway or header.dst
    return [to("nd.output", m)]


def _too_large(m: Mbuf, mtu: int, of: str) -> str:
    return f"packet of {len(m.data)} bytes is larger than the MTU {mtu} of {of}"


@branching("ip6.output", to=("nd.output", "ip6.fragment", "ip6.input", "icmp6.error"))
def ip6_output(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Route a packet made here, give it a source address and a header."""
    want: Outgoing6 = m.tag
    if len(m.data) > ipv4.MAXIMUM:
        return [drop(f"{len(m.data)} bytes are more than an IPv6 packet holds", m)]
    if host.inet6.owns(want.dst, None):
        m.prepend(_header(host, m, want, want.src or want.dst))
        m.rcvif = None
        return [to("ip6.input", m)]
    way = way_to(host, want)
    if way is None:
        return [drop("no route", m)]
    m.ifp, m.next_hop = way
    m.prepend(_header(host, m, want, want.src or host.inet6.source_for(want.dst, m.ifp.name, m.next_hop)))
    mtu = host.paths6.mtu(want.dst, now, host.inet6.link_mtu(m.ifp))
    if within(m, mtu):
        return [to("nd.output", m)]
    if want.df:
        return _refused(m, mtu)
    return [to("nd.output" if cut_late(m, m.ifp, mtu) else "ip6.fragment", m)]


def way_to(host: Host, want: Outgoing6) -> tuple[Ifnet, int] | None:
    """The interface and next hop of a packet that is made here; None when there is no route."""
    if want.interface:
        return host.interfaces[want.interface], want.dst
    if is_linked(want.dst):
        # Without a zone a link-local address means one's only link, or the first (RFC 4007 §6's default zone).
        first = next(iter(host.inet6.held), None)
        return (host.interfaces[first], want.dst) if first is not None else None
    route = host.inet6.fib.lookup(want.dst)
    return (host.interfaces[route.interface], route.gateway or want.dst) if route is not None else None


def source6(host: Host, want: Outgoing6) -> int:
    """The own address that a packet will carry; 0 when there is no route."""
    if want.src:
        return want.src
    if host.inet6.owns(want.dst, None):
        return want.dst
    way = way_to(host, want)
    return host.inet6.source_for(want.dst, way[0].name, way[1]) if way is not None else 0


def _header(host: Host, m: Mbuf, want: Outgoing6, src: int) -> bytes:
    return ipv6.header(src, want.dst, want.proto, len(m.data), hops=want.ttl or host.inet6.hops, tos=want.tos)


def _refused(m: Mbuf, mtu: int) -> list[Hop]:
    """The own program is told, as if by a router."""
    m.l3, m.rcvif = ipv6.parse(m.data), None
    message = Mbuf(m.data[: icmpv6.QUOTE], parent=m.pkt)
    message.l3, message.tag = m.l3, ErrorFor6(icmpv6.PACKET_TOO_BIG, 0, mtu)
    return [drop(_too_large(m, mtu, "the path"), m), to("icmp6.error", message)]


@stage("icmp6.error", to=("icmp6.output",))
def icmp6_error(host: Host, m: Mbuf, now: int) -> Hop:
    """Make the message that tells a sender what became of the packet that ``data`` quotes."""
    if not host.errors.take(now):
        return drop(TOO_MANY_ERRORS, m)
    about: ErrorFor6 = m.tag
    header: ipv6.Header = m.l3
    interface = m.rcvif.name if m.rcvif is not None and is_link_local(header.src) else ""
    src = header.dst if header.dst in host.inet6.addresses else 0
    if not src and m.rcvif is not None:
        src = host.inet6.source_for(header.src, m.rcvif.name)
    want = Outgoing6(header.src, icmpv6.PROTO, src, interface=interface)
    m.tag = Message6(about.type, about.code, about.rest, want)
    return to("icmp6.output", m)
