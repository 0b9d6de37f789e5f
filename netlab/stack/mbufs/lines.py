"""What a walk over a packet costs: the cache lines that it touches."""

from __future__ import annotations

from netlab.stack.mbufs.memory import LINE
from netlab.stack.mbufs.packet import Packet


def lines_of(packet: Packet, start: int = 0, stop: int | None = None) -> frozenset[int]:
    """The numbers of the lines (address // 64) that are read to reach the bytes start…stop and to read them.

    With ``start == stop`` only the way there is counted: descriptors, no bytes.
    """
    return frozenset(
        line
        for address, n in packet.ranges(start, stop)
        for line in range(address // LINE, (address + n - 1) // LINE + 1)
    )


def lines_touched(packet: Packet, start: int = 0, stop: int | None = None) -> int:
    """How many lines `lines_of` has."""
    return len(lines_of(packet, start, stop))
