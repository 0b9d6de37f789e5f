"""A structure like DXR (Zec, Rizzo, Mikuc: DXR: towards a billion routing lookups per second in software, CCR 2012).

The first 20 bits index a table of 1 Mi slots; where prefixes divide a slot, the ranges inside it are searched in
halves. Real DXR packs those ranges into one array, about 2.5 bytes a prefix; here each slot keeps its own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from netlab.stack.fib.direct import MIXED, DirectFib
from netlab.stack.fib.route import Range, Route


class DxrFib(DirectFib):
    """One access and a short search; small enough for a cache where DIR-24-8 is not."""

    REST = 12

    __slots__ = ("_fragments", "_spare")

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self._fragments: list[tuple[list[int], list[int]]] = []
        """For each mixed slot: where its ranges start (the last 12 bits), and their routes' numbers."""
        self._spare: list[int] = []
        super().__init__(routes)

    @property
    def octets(self) -> int:
        """Memory as C would have it: 4 bytes a slot and a range, and 8 for each next hop."""
        held = sum(len(starts) for starts, _ in self._fragments)
        return 4 * (len(self._direct) + held) + 8 * len(self._route)

    def lookup(self, address: int) -> Route | None:
        """The longest prefix that covers the address; None when there is no route."""
        entry = self._direct[address >> 12]
        if entry & MIXED:
            starts, numbers = self._fragments[entry & ~MIXED]
            entry = numbers[bisect_right(starts, address & 0xFFF) - 1]
        return self._route[entry]

    def _divide(self, slot: int, inside: list[Range]) -> int:
        fragment = [r.start & 0xFFF for r in inside], [self._number_of(r.route) for r in inside]
        if self._spare:
            where = self._spare.pop()
            self._fragments[where] = fragment
            return where
        self._fragments.append(fragment)
        return len(self._fragments) - 1

    def _undivide(self, slot: int, where: int) -> None:
        self._fragments[where] = [], []
        self._spare.append(where)
