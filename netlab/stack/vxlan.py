"""VXLAN: an Ethernet in UDP (RFC 7348). A VTEP is an interface; on a bridge it is a port.

What is inside a tunnel never leaves by another one of the same VTEP, so a full mesh of tunnels has no loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from netlab.stack.ip import Outgoing
from netlab.stack.ip6.state import Outgoing6
from netlab.stack.mbuf import Mbuf
from netlab.stack.stage import Hop, branching, drop, stage, to
from netlab.stack.vlan import too_long
from netlab.units import SEC
from netlab.wire import ecn, ethernet, ipv4, ipv6, udp, vxlan
from netlab.wire.decode import flow_hash

if TYPE_CHECKING:
    from netlab.stack.host import Host
    from netlab.stack.ifnet import Ifnet

AGEING = 20 * 60 * SEC
"""How long an inner station is believed to be behind the tunnel it was heard from (FreeBSD vxlan(4) ftable_timeout)."""
LIMIT = 2000
"""Stations that a VTEP remembers (FreeBSD vxlan(4) ftable_max); more are flooded to."""


class Station(NamedTuple):
    """The tunnel's far end behind which an inner station is, and until when that is believed."""

    remote: int
    expires: int


class Vtep:
    """A tunnel's end. ``local`` and ``remotes`` are outer addresses, of IP version ``family``; what is for everybody
    goes to all remotes."""

    __slots__ = ("family", "local", "output", "port", "remotes", "stations", "vni")

    def __init__(
        self, vni: int, local: int, remotes: tuple[int, ...], *, port: int = vxlan.PORT, family: int = 4
    ) -> None:
        self.vni, self.local, self.remotes, self.port, self.family = vni, local, remotes, port, family
        self.stations: dict[bytes, Station] = {}
        self.output = "vxlan.output"

    def learn(self, mac: bytes, remote: int, now: int) -> None:
        """A frame from ``mac`` came out of the tunnel from ``remote`` (RFC 7348 §4.1)."""
        if mac[0] & 1 or (mac not in self.stations and len(self.stations) >= LIMIT and not self._forgets(now)):
            return
        self.stations[mac] = Station(remote, now + AGEING)

    def _forgets(self, now: int) -> bool:
        """Make room by what is no longer believed; False when everything still is."""
        old = [mac for mac, station in self.stations.items() if station.expires <= now]
        for mac in old:
            del self.stations[mac]
        return bool(old)

    def ways(self, mac: bytes, now: int) -> tuple[int, ...]:
        """Where a frame for ``mac`` goes: to the far end behind which it is, or to all (head-end replication)."""
        found = self.stations.get(mac)
        return (found.remote,) if found is not None and now < found.expires else self.remotes


@branching("vxlan.output", to=("ip.output", "ip6.output"))
def vxlan_output(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Wrap a frame for the tunnel behind which its receiver is, or for all of them while that is not known."""
    ifp = m.ifp
    assert ifp is not None and isinstance(ifp.below, Vtep)
    vtep = ifp.below
    if not ifp.takes(m.data):
        return [drop(too_long(m.data, ifp), m)]
    ways = vtep.ways(m.data[:6], now)
    if not ways:
        return [drop(f"{ifp.name} knows no other end of VXLAN {vtep.vni}", m)]
    ifp.counters["opackets"] += 1
    ifp.counters["obytes"] += len(m.data)
    copies = [m] + [m.copy() for _ in ways[1:]]
    target = "ip6.output" if vtep.family == 6 else "ip.output"
    return [to(target, _wrapped(copy, vtep, remote)) for copy, remote in zip(copies, ways, strict=True)]


def _wrapped(m: Mbuf, vtep: Vtep, remote: int) -> Mbuf:
    """A tunnel's packet can be marked if the inner one can (RFC 6040 §4.1).

    Over IPv4 the UDP checksum is left out, as RFC 7348 §5 has it; over IPv6 it must not be (RFC 8200 §8.1).
    """
    port, capable = vxlan.source_port(flow_hash(m.data)), ecn.codepoint(m.data)
    m.prepend(vxlan.build(vtep.vni))
    if vtep.family == 6:
        m.data = udp.build(port, vtep.port, m.data, vtep.local, remote)
        m.tag = Outgoing6(remote, ipv4.UDP, src=vtep.local, tos=capable)
    else:
        m.prepend(udp.header(port, vtep.port, len(m.data)))
        m.tag = Outgoing(remote, ipv4.UDP, src=vtep.local, tos=capable)
    m.rcvif, m.ifp, m.l3, m.tags, m.offload = None, None, None, (), None
    m.mark, m.fib = 0, None  # the tunnel's way is not the inner packet's
    return m


@stage("vxlan.input", to=("ether.input",))
def vxlan_input(host: Host, m: Mbuf, now: int) -> Hop:
    """Unwrap a frame, learn behind which tunnel its sender is; it comes in by the VTEP of its network."""
    outer, start = m.l3, m.l4
    datagram = udp.parse(m.data, start)
    at = start + udp.SIZE
    header = vxlan.parse(m.data, at)
    if header is None or datagram is None or datagram.length < udp.SIZE + vxlan.SIZE + ethernet.SIZE:
        return drop("VXLAN frame is cut short", m)
    if not header.valid:
        return drop("VXLAN header has no valid VNI (its I flag is 0)", m)
    ifp = host.vteps.get((datagram.dst, header.vni))
    if ifp is None or not _is_for(ifp, outer):
        return drop(f"VXLAN {header.vni} has no end here", m)
    m.data = m.data[at + vxlan.SIZE : start + datagram.length]
    if outer.ecn == ipv4.CE and ecn.codepoint(m.data) != ipv4.CE:
        marked = ecn.with_ce(m.data)
        if marked is None:
            return drop("marked in the tunnel, and it cannot be told so", m)  # RFC 6040 §4.2
        m.data = marked
    m.rcvif, m.l3, m.tag, m.offload = ifp, None, None, None
    assert isinstance(ifp.below, Vtep)
    ifp.below.learn(m.data[6:12], outer.src, now)
    ifp.counters["ipackets"] += 1
    ifp.counters["ibytes"] += len(m.data)
    return to("ether.input", m)


def _is_for(ifp: Ifnet, outer: ipv4.Header | ipv6.Header) -> bool:
    vtep = ifp.below
    six = isinstance(outer, ipv6.Header)
    return isinstance(vtep, Vtep) and vtep.local == outer.dst and six == (vtep.family == 6)
