"""DIR-24-8-BASIC (Gupta, Lin, McKeown: Routing lookups in hardware at memory access speeds, INFOCOM 1998).

The first 24 bits index a table of 16 Mi slots; where longer prefixes divide a slot, its 256 addresses have a chunk of
the second table. Slots are 4 bytes wide, as in DPDK's rte_lpm, whose structure this is.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from netlab.stack.fib.direct import MIXED, DirectFib
from netlab.stack.fib.route import Range, Route

CHUNK = 256


class Dir24_8Fib(DirectFib):
    """One memory access for a lookup, two where a prefix is longer than 24 bits; 64 MiB before the first route."""

    REST = 8

    __slots__ = ("_chunks", "_spare")

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self._chunks = array("I")
        self._spare: list[int] = []
        super().__init__(routes)

    @property
    def octets(self) -> int:
        """Memory as C would have it: both tables, and 8 bytes for each next hop."""
        return 4 * (len(self._direct) + len(self._chunks)) + 8 * len(self._route)

    def lookup(self, address: int) -> Route | None:
        """The longest prefix that covers the address; None when there is no route."""
        entry = self._direct[address >> 8]
        if entry & MIXED:
            entry = self._chunks[(entry & ~MIXED) << 8 | address & 0xFF]
        return self._route[entry]

    def _divide(self, slot: int, inside: list[Range]) -> int:
        if not self._spare:
            self._spare.append(len(self._chunks) // CHUNK)
            self._chunks.extend([0] * CHUNK)
        chunk = self._spare.pop()
        stops = [r.start for r in inside[1:]] + [(slot + 1) << 8]
        for found, stop in zip(inside, stops, strict=True):
            low, high = chunk * CHUNK + (found.start & 0xFF), chunk * CHUNK + stop - (slot << 8)
            self._chunks[low:high] = array("I", [self._number_of(found.route)]) * (high - low)
        return chunk

    def _undivide(self, slot: int, where: int) -> None:
        self._spare.append(where)
