"""What a simulated device does for the stack: it cuts, sums and checks, and none of that costs a core anything."""

from __future__ import annotations

from netlab.stack.ifcaps import CHECKSUMS, SOFTWARE, Capability
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import Offload, cut, finished, pieces, places, sound

CAN = CHECKSUMS | SOFTWARE | Capability.TSO | Capability.USO | Capability.LRO | Capability.VLAN_MTU
"""All that a simulated interface has a switch for."""


def emitted(m: Mbuf) -> list[Mbuf]:
    """The frames that leave for one that the stack handed over: cut, and with their checksums (TSO, USO, TXCSUM)."""
    offload: Offload | None = m.offload
    if offload is None or not offload.unfinished:
        return [m]
    sent = m.copy()  # the long one is still counted in its ring, and charged to its sender
    sent.born, m.born = m.born, ""
    return pieces(sent, cut(m.data, offload.segsz) if offload.segsz else [finished(m.data)])


def checked(m: Mbuf) -> None:
    """Note that the checksum of a frame that came in is right, where it is (RXCSUM); the stack looks at others."""
    at = places(m.data)
    if at is not None:
        sound(m, at)
