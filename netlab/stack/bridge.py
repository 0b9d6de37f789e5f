"""A learning bridge (IEEE 802.1D-2004 §7.7 to §7.9, without spanning tree)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.ifnet import Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.stack.stage import Hop, branching, drop, to
from netlab.units import SEC

if TYPE_CHECKING:
    from netlab.stack.host import Host

AGEING = 300 * SEC
"""How long a station is believed to be where it was last heard (802.1D table 7-5)."""
RESERVED = bytes.fromhex("0180c20000")
"""The first five bytes of the addresses 01-80-C2-00-00-00 to -0F, which a bridge never forwards (§7.12.6)."""


class FilteringDatabase:
    """Which station was last heard at which port."""

    __slots__ = ("_stations",)

    def __init__(self) -> None:
        self._stations: dict[bytes, tuple[Ifnet, int]] = {}

    def learn(self, mac: bytes, port: Ifnet, now: int) -> None:
        """A frame from ``mac`` came in by ``port``. Group addresses are never learned."""
        if not mac[0] & 1:
            self._stations[mac] = (port, now + AGEING)

    def port(self, mac: bytes, now: int) -> Ifnet | None:
        """Where the station is, None when it has not been heard lately."""
        found = self._stations.get(mac)
        return found[0] if found is not None and now < found[1] else None

    def table(self) -> dict[bytes, str]:
        """Station to port name."""
        return {mac: port.name for mac, (port, _) in self._stations.items()}


@branching("bridge.forward", to=("ifq",))
def bridge_forward(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Learn the sender's port; send the frame to the receiver's port, or to all others when that is not known."""
    destination, source = m.data[0:6], m.data[6:12]
    arrived = m.rcvif
    assert arrived is not None
    host.stations.learn(source, arrived, now)
    if destination[:5] == RESERVED and destination[5] < 16:
        return [drop("reserved group address", m)]
    port = None if destination[0] & 1 else host.stations.port(destination, now)
    if port is arrived:
        return [drop("receiver is on the port it came from", m)]
    if port is not None:
        m.ifp = port
        return [to("ifq", m)]
    return _flood(host, m, arrived)


def _flood(host: Host, m: Mbuf, arrived: Ifnet) -> list[Hop]:
    others = [ifp for ifp in host.interfaces.values() if ifp is not arrived]
    if not others:
        return [drop("no other port", m)]
    copies = [m] + [m.copy() for _ in others[1:]]
    for copy, ifp in zip(copies, others, strict=True):
        copy.ifp = ifp
    return [to("ifq", copy) for copy in copies]
