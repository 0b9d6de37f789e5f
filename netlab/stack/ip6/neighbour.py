"""Neighbour discovery: who has an address, and is he still there? (RFC 4861 §7; there is no ARP for IPv6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from netlab.stack.ifnet import Ifnet
from netlab.stack.ip6.cache import DELAY, RETRANS, TRIES, WAITING, Neighbour6
from netlab.stack.ip6.ip import error6
from netlab.stack.ip6.router import hear_advertisement, hear_solicitation
from netlab.stack.ip6.state import ALL_NODES, Message6, Outgoing6
from netlab.stack.mbuf import Mbuf
from netlab.stack.stage import Hop, branching, drop, end, to
from netlab.wire import icmpv6, ipv6
from netlab.wire.address import format_ipv6, is_multicast6, multicast_mac6, solicited_node

if TYPE_CHECKING:
    from netlab.stack.host import Host


# ---- finding a neighbour --------------------------------------------------------------------------


@branching("nd.output", to=("ether.output", "icmp6.output"))
def nd_output(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Find the neighbour's link address: solicit it where it is unknown, check it where it has grown old."""
    ifp = m.ifp
    assert ifp is not None
    if is_multicast6(m.next_hop):
        m.link = multicast_mac6(m.next_hop)
        return [to("ether.output", m)]
    entry = host.inet6.neighbours.get(ifp, m.next_hop)
    if entry is None:
        entry = host.inet6.neighbours.make(ifp, m.next_hop)
        entry.waiting.append(m)
        return _solicit(host, entry, now, parent=m.pkt)
    if entry.state == "incomplete":
        return _wait(entry, m)
    if entry.state == "reachable" and now >= entry.until:
        entry.state = "stale"
    if entry.state == "stale":
        entry.state = "delay"
        host.timers.at(now + DELAY, _probe(host, entry))
    m.link = entry.mac
    return [to("ether.output", m)]


def _wait(entry: Neighbour6, m: Mbuf) -> list[Hop]:
    entry.waiting.append(m)
    if len(entry.waiting) <= WAITING:
        return []
    return [drop("too many packets wait for one neighbour", entry.waiting.pop(0))]


def _probe(host: Host, entry: Neighbour6) -> Callable[[int], list[Hop]]:
    """The end of the delay: nothing has confirmed the neighbour meanwhile, so ask him (§7.3.3)."""

    def due(now: int) -> list[Hop]:
        if not host.inet6.neighbours.holds(entry) or entry.state != "delay":
            return []
        entry.state, entry.tries = "probe", 0
        return _solicit(host, entry, now)

    return due


def _solicit(host: Host, entry: Neighbour6, now: int, *, parent: int = 0) -> list[Hop]:
    entry.tries += 1
    host.timers.at(now + RETRANS, _again(host, entry, entry.tries))
    m = Mbuf(entry.address.to_bytes(16, "big") + icmpv6.option(icmpv6.SOURCE_LINK, entry.ifp.mac), parent=parent)
    dst = entry.address if entry.state == "probe" else solicited_node(entry.address)
    want = Outgoing6(dst, icmpv6.PROTO, _source(host, entry), icmpv6.ND_HOPS, interface=entry.ifp.name)
    m.tag = Message6(icmpv6.NEIGHBOR_SOLICITATION, 0, 0, want)
    return [to("icmp6.output", m)]


def _source(host: Host, entry: Neighbour6) -> int:
    """The address of the packet that waits, where it is the interface's own (§7.2.2): the neighbour will want it."""
    waiting = ipv6.parse(entry.waiting[0].data) if entry.waiting else None
    if waiting is not None and host.inet6.has(entry.ifp, waiting.src):
        return waiting.src
    return host.inet6.source_for(entry.address, entry.ifp.name)


def _again(host: Host, entry: Neighbour6, tries: int) -> Callable[[int], list[Hop]]:
    def due(now: int) -> list[Hop]:
        asked = entry.state in ("incomplete", "probe") and entry.tries == tries
        if not asked or not host.inet6.neighbours.holds(entry):
            return []
        if entry.tries < TRIES:
            return _solicit(host, entry, now, parent=entry.waiting[0].pkt if entry.waiting else 0)
        return [hop for m in host.inet6.neighbours.forget(entry) for hop in _unreachable(host, m, now)]

    return due


def _unreachable(host: Host, m: Mbuf, now: int) -> list[Hop]:
    reason = no_advertisement(m.next_hop)
    m.l3 = ipv6.parse(m.data)
    if m.rcvif is None or m.l3 is None:
        return [drop(reason, m), *host.tcp.unanswered(m.data, now)]
    return error6(host, m, icmpv6.UNREACHABLE, icmpv6.ADDRESS_UNREACHABLE, reason)


def no_advertisement(address: int) -> str:
    """Why a packet for a silent neighbour is dropped."""
    return f"no neighbour advertisement from {format_ipv6(address)}"


# ---- being asked, and being answered --------------------------------------------------------------


@branching("nd.input", to=("icmp6.output", "ether.output"))
def nd_input(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Hear solicitations and advertisements of neighbours and routers; only what came from this very link counts."""
    message = icmpv6.parse(m.data, m.l4)
    assert message is not None
    if m.l3.hops != icmpv6.ND_HOPS or message.code or m.rcvif is None:
        return [drop("neighbour discovery from beyond this link", m)]
    return _HEARERS[message.type](host, m, m.rcvif, now)


def _solicitation(host: Host, m: Mbuf, ifp: Ifnet, now: int) -> list[Hop]:
    """§7.2.3 and §7.2.4: one that asks for us teaches us the asker, and is answered."""
    said = icmpv6.parse_neighbor(m.data, m.l4, len(m.data))
    src = m.l3.src
    if said is None or is_multicast6(said.target) or (src == 0 and said.link):
        return [drop("neighbour solicitation is malformed", m)]
    if not host.inet6.has(ifp, said.target):
        return [drop("neighbour solicitation for another", m)]
    hops = [end(m), *(learn(host, ifp, src, said.link) if src and said.link else ())]
    # By nobody's address it is asked before that address is taken (RFC 4862 §5.4): then all are told.
    flags = icmpv6.OVERRIDE | (icmpv6.SOLICITED if src else 0) | (icmpv6.ROUTER if host.inet6.router else 0)
    reply = Mbuf(said.target.to_bytes(16, "big") + icmpv6.option(icmpv6.TARGET_LINK, ifp.mac), parent=m.pkt)
    want = Outgoing6(src or ALL_NODES, icmpv6.PROTO, said.target, icmpv6.ND_HOPS, interface=ifp.name)
    reply.tag = Message6(icmpv6.NEIGHBOR_ADVERTISEMENT, 0, flags, want)
    return [*hops, to("icmp6.output", reply)]


def _advertisement(host: Host, m: Mbuf, ifp: Ifnet, now: int) -> list[Hop]:
    """§7.2.5: confirms, corrects, or casts doubt on what is believed of a neighbour; strangers are not noted."""
    said = icmpv6.parse_neighbor(m.data, m.l4, len(m.data))
    flags = int.from_bytes(m.data[m.l4 + 4 : m.l4 + 8], "big")
    if said is None or is_multicast6(said.target) or (flags & icmpv6.SOLICITED and is_multicast6(m.l3.dst)):
        return [drop("neighbour advertisement is malformed", m)]
    entry = host.inet6.neighbours.get(ifp, said.target)
    if entry is None:
        return [end(m)]
    if entry.state == "incomplete" and not said.link:
        return [drop("neighbour advertisement without a link address", m)]
    entry.router = bool(flags & icmpv6.ROUTER)
    if entry.state != "incomplete" and said.link not in (b"", entry.mac) and not flags & icmpv6.OVERRIDE:
        entry.state = "stale" if entry.state == "reachable" else entry.state
        return [end(m)]
    if said.link:
        entry.heard(said.link)
    if flags & icmpv6.SOLICITED:
        entry.confirm(now)
    return [end(m), *_release(entry)]


def learn(host: Host, ifp: Ifnet, address: int, mac: bytes) -> list[Hop]:
    """A neighbour has told its link address by the way; what waited for it goes on."""
    entry = host.inet6.neighbours.get(ifp, address) or host.inet6.neighbours.make(ifp, address)
    entry.heard(mac)
    return _release(entry)


def _release(entry: Neighbour6) -> list[Hop]:
    waited, entry.waiting = entry.waiting, []
    for m in waited:
        m.link = entry.mac
    return [to("ether.output", m) for m in waited]


_HEARERS: dict[int, Callable[[Host, Mbuf, Ifnet, int], list[Hop]]] = {
    icmpv6.NEIGHBOR_SOLICITATION: _solicitation,
    icmpv6.NEIGHBOR_ADVERTISEMENT: _advertisement,
    icmpv6.ROUTER_SOLICITATION: lambda host, m, ifp, now: hear_solicitation(host, m, ifp, learn),
    icmpv6.ROUTER_ADVERTISEMENT: lambda host, m, ifp, now: hear_advertisement(host, m, ifp, learn),
}
