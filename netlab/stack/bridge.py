"""A learning bridge (IEEE 802.1D-2004 §7.7 to §7.9, without spanning tree), with VLANs where its ports name some
(IEEE 802.1Q-2018 §6.9, §8.6 to §8.8): one filtering database for each VLAN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.bridgeport import classified, framed
from netlab.stack.ifnet import Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import fits, onward
from netlab.stack.stage import Hop, branching, drop
from netlab.stack.vlan import too_long
from netlab.units import SEC

if TYPE_CHECKING:
    from netlab.stack.host import Host

AGEING = 300 * SEC
"""How long a station is believed to be where it was last heard (802.1D table 7-5)."""
RESERVED = bytes.fromhex("0180c20000")
"""The first five bytes of the addresses 01-80-C2-00-00-00 to -0F, which a bridge never forwards (§7.12.6)."""


class FilteringDatabase:
    """Which station of which VLAN was last heard at which port; a bridge without VLANs has the one VLAN 0."""

    __slots__ = ("_stations",)

    def __init__(self) -> None:
        self._stations: dict[tuple[int, bytes], tuple[Ifnet, int]] = {}

    def learn(self, mac: bytes, port: Ifnet, now: int, vid: int = 0) -> None:
        """A frame from ``mac`` came in by ``port``. Group addresses are never learned."""
        if not mac[0] & 1:
            self._stations[vid, mac] = (port, now + AGEING)

    def port(self, mac: bytes, now: int, vid: int = 0) -> Ifnet | None:
        """Where the station is, None when it has not been heard lately."""
        found = self._stations.get((vid, mac))
        return found[0] if found is not None and now < found[1] else None

    def table(self) -> dict[tuple[int, bytes], str]:
        """(VLAN, station) to port name."""
        return {key: port.name for key, (port, _) in self._stations.items()}


@branching("bridge.forward", to=("ifq", "gso", "vxlan.output"))
def bridge_forward(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Learn the sender's port; send the frame to the receiver's port, or to all others when that is not known."""
    arrived = m.rcvif
    assert arrived is not None
    vid = 0
    if host.filters_vlans:
        classed = classified(m, arrived)
        if isinstance(classed, str):
            return [drop(classed, m)]
        vid = classed
    destination = m.data[0:6]
    host.stations.learn(m.data[6:12], arrived, now, vid)
    if destination[:5] == RESERVED and destination[5] < 16:
        return [drop("reserved group address", m)]
    port = None if destination[0] & 1 else host.stations.port(destination, now, vid)
    if port is arrived:
        return [drop("receiver is on the port it came from", m)]
    others = [port] if port is not None else [ifp for ifp in host.bridge_ports if ifp is not arrived]
    return _sent(m, others, vid)


def _sent(m: Mbuf, ports: list[Ifnet], vid: int) -> list[Hop]:
    """A copy for each port that the VLAN is on; the last one is the frame itself."""
    ways = [(ifp, frame) for ifp in ports if (frame := framed(m, ifp, vid)) is not None]
    if not ways:
        return [drop(f"no other port of VLAN {vid}" if vid else "no other port", m)]
    copies = [m] + [m.copy() for _ in ways[1:]]
    for copy, (ifp, frame) in zip(copies, ways, strict=True):
        copy.ifp, copy.data = ifp, frame
    return [_leaving(copy, ifp) for copy, (ifp, _) in zip(copies, ways, strict=True)]


def _leaving(m: Mbuf, port: Ifnet) -> Hop:
    return onward(m, port) if fits(m, port) else drop(too_long(m.data, port), m)
