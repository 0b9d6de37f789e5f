"""Router solicitations and advertisements, and the addresses that hosts make of them (RFC 4861 §6, RFC 4862 §5.5).

A router here speaks when it starts and when it is asked, not every few minutes besides: a simulated network would
never come to rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from netlab.stack.fib import Route
from netlab.stack.ifnet import Ifnet
from netlab.stack.ip6.state import ALL_NODES, ALL_ROUTERS, Inet6, Message6, Outgoing6, is_link_local
from netlab.stack.mbuf import Mbuf
from netlab.stack.stage import Hop, drop, end, to
from netlab.units import SEC
from netlab.wire import icmpv6, ipv6
from netlab.wire.address import interface_id

if TYPE_CHECKING:
    from netlab.stack.host import Host

SOLICITATIONS = 3
INTERVAL = 4 * SEC
"""RFC 4861 §10: MAX_RTR_SOLICITATIONS and RTR_SOLICITATION_INTERVAL."""
LIFETIME = 1800
"""Seconds that a default router is one (AdvDefaultLifetime, §6.2.1). What is learned is not aged here."""
ADDRESSES = 16
"""The most that an interface has (Linux net.ipv6.conf.*.max_addresses): a liar may advertise prefixes without end."""

Learn = Callable[["Host", Ifnet, int, bytes], list[Hop]]


def advertisement(ifp: Ifnet, *prefixes: icmpv6.Prefix) -> icmpv6.Advertisement:
    """What a router says by an interface: itself as the way out, its MTU, and the prefixes of the link."""
    return icmpv6.Advertisement(64, 0, LIFETIME, 0, 0, ifp.mac, ifp.mtu, prefixes)


def start(host: Host) -> None:
    """At time 0 a router advertises, and a host that is to find its addresses begins to ask."""
    for name in host.inet6.advertised:
        host.timers.at(0, _speaking(host, host.interfaces[name]))
    for name in sorted(host.inet6.autoconfigured):
        host.timers.at(0, _soliciting(host, host.interfaces[name], 1))


def _speaking(host: Host, ifp: Ifnet) -> Callable[[int], list[Hop]]:
    return lambda now: [_advertise(host, ifp, ALL_NODES)]


def _soliciting(host: Host, ifp: Ifnet, tries: int) -> Callable[[int], list[Hop]]:
    """Ask for routers until one has spoken (§6.3.7)."""

    def due(now: int) -> list[Hop]:
        if any(route.interface == ifp.name and not route.length for route in host.inet6.fib.routes):
            return []
        if tries < SOLICITATIONS:
            host.timers.at(now + INTERVAL, _soliciting(host, ifp, tries + 1))
        m = Mbuf(icmpv6.option(icmpv6.SOURCE_LINK, ifp.mac))
        want = Outgoing6(ALL_ROUTERS, icmpv6.PROTO, 0, icmpv6.ND_HOPS, interface=ifp.name)
        m.tag = Message6(icmpv6.ROUTER_SOLICITATION, 0, 0, want)
        return [to("icmp6.output", m)]

    return due


def hear_solicitation(host: Host, m: Mbuf, ifp: Ifnet, learn: Learn) -> list[Hop]:
    """§6.2.6: whoever asks is told at once."""
    found = icmpv6.options(m.data, m.l4 + icmpv6.SIZE, len(m.data))
    if found is None:
        return [drop("router solicitation is malformed", m)]
    if ifp.name not in host.inet6.advertised:
        return [drop("router solicitation to no router", m)]
    link = next((value for kind, value in found if kind == icmpv6.SOURCE_LINK and len(value) == 6), b"")
    src = m.l3.src if link else 0
    hops = [end(m), *(learn(host, ifp, src, link) if src else ())]
    return [*hops, _advertise(host, ifp, src or ALL_NODES, parent=m.pkt)]


def _advertise(host: Host, ifp: Ifnet, dst: int, *, parent: int = 0) -> Hop:
    src = host.inet6.held[ifp.name][0].address
    whole = icmpv6.router_advertisement(host.inet6.advertised[ifp.name], src, dst)
    m = Mbuf(whole[icmpv6.SIZE :], parent=parent)
    want = Outgoing6(dst, icmpv6.PROTO, src, icmpv6.ND_HOPS, interface=ifp.name)
    m.tag = Message6(icmpv6.ROUTER_ADVERTISEMENT, 0, int.from_bytes(whole[4:8], "big"), want)
    return to("icmp6.output", m)


def hear_advertisement(host: Host, m: Mbuf, ifp: Ifnet, learn: Learn) -> list[Hop]:
    """§6.3.4: a host that was told to takes its default route, hop limit, MTU and addresses from a router's word."""
    said, src = icmpv6.parse_advertisement(m.data, m.l4, len(m.data)), m.l3.src
    if said is None or not is_link_local(src):
        return [drop("router advertisement is malformed", m)]
    hops = [end(m), *(learn(host, ifp, src, said.link) if len(said.link) == 6 else ())]
    if ifp.name in host.inet6.autoconfigured:
        _believe(host.inet6, ifp, src, said)
    return hops


def _believe(inet6: Inet6, ifp: Ifnet, router: int, said: icmpv6.Advertisement) -> None:
    if said.lifetime:
        inet6.fib.add(Route(0, 0, router, ifp.name))
    elif Route(0, 0, router, ifp.name) in inet6.fib.routes:
        inet6.fib.remove(0, 0)
    inet6.hops = said.hop_limit or inet6.hops
    if ipv6.MINIMUM_MTU <= said.mtu <= ifp.mtu:
        inet6.mtus[ifp.name] = said.mtu
    for prefix in said.prefixes:
        # An interface identifier has 64 bits here (RFC 4862 §5.5.3 d); fe80::/64 is nobody's to give.
        usable = prefix.length == 64 and prefix.valid >= prefix.preferred and not is_link_local(prefix.prefix)
        if prefix.autonomous and prefix.valid and usable and len(inet6.held[ifp.name]) < ADDRESSES:
            inet6.add(ifp, prefix.prefix >> 64 << 64 | interface_id(ifp.mac), 64)
