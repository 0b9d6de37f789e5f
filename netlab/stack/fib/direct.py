"""Lookups that begin with the address's first bits as an index: DIR-24-8 and DXR.

A table has a slot for each value of the first bits. A slot in which one route answers for all addresses holds that
route's number; a slot that prefixes divide further ("mixed") holds, with its top bit set, where to look on. A change
repaints the slots of the prefix that changed, and no other.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from netlab.stack.fib.route import Range, Route, RouteBase, last, mask, ranges

MIXED = 1 << 31


class DirectFib:
    """What both have in common; ``REST`` is how many bits of the address the direct table leaves over."""

    REST = 0

    __slots__ = ("_base", "_direct", "_free", "_mixed", "_number", "_route")

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self._base = RouteBase(routes)
        self._direct = array("I", bytes(4 << (32 - self.REST)))
        self._mixed: set[int] = set()
        """The slots that are divided."""
        self._route: list[Route | None] = [None]
        """Number to route; 0 is no route."""
        self._number: dict[Route, int] = {}
        self._free: list[int] = []
        self._paint(0, 0)

    @property
    def routes(self) -> tuple[Route, ...]:
        """All routes, longest prefix first."""
        return self._base.longest_first()

    def lookup(self, address: int) -> Route | None:
        """The longest prefix that covers the address; None when there is no route."""
        raise NotImplementedError

    def add(self, route: Route) -> None:
        """Take a route, or replace the one of the same prefix."""
        old = self._base.add(route)
        self._paint(route.prefix, route.length)
        if old is not None and old != route:
            self._retire(old)

    def remove(self, prefix: int, length: int) -> None:
        """Give up a route; KeyError when there is none for that prefix."""
        gone = self._base.remove(prefix, length)
        self._paint(prefix, length)
        self._retire(gone)

    def _divide(self, slot: int, inside: list[Range]) -> int:
        """Keep the ranges of a mixed slot; where, as a number below `MIXED`."""
        raise NotImplementedError

    def _undivide(self, slot: int, where: int) -> None:
        """Give back what a mixed slot kept."""
        raise NotImplementedError

    def _number_of(self, route: Route | None) -> int:
        if route is None:
            return 0
        number = self._number.get(route)
        if number is None:
            if not self._free:
                self._free.append(len(self._route))
                self._route.append(None)
            number = self._number[route] = self._free.pop()
            self._route[number] = route
        return number

    def _retire(self, route: Route) -> None:
        number = self._number.pop(route, None)
        if number is not None:
            self._route[number] = None
            self._free.append(number)

    def _paint(self, prefix: int, length: int) -> None:
        """Write the slots that a prefix touches."""
        length = min(length, 32 - self.REST)
        prefix &= mask(length)
        low, high = prefix >> self.REST, last(prefix, length) >> self.REST
        for slot in [s for s in self._mixed if low <= s <= high] if high > low else self._mixed & {low}:
            self._undivide(slot, self._direct[slot] & ~MIXED)
            self._mixed.discard(slot)
        self._write(ranges(self._base, prefix, length), last(prefix, length))

    def _write(self, cut: list[Range], end: int) -> None:
        """Whole slots of a range at once; a slot in which a range begins behind its first address is mixed."""
        inside: list[Range] = []
        stops = [r.start for r in cut[1:]] + [end + 1]
        size = 1 << self.REST
        for found, stop in zip(cut, stops, strict=True):
            first = found.start
            if first % size:
                inside.append(found)
                first = first - first % size + size
                if stop < first:
                    continue
                self._mix(first - size, inside)
            whole = stop - stop % size
            if whole > first:
                fill = array("I", [self._number_of(found.route)])
                self._direct[first >> self.REST : whole >> self.REST] = fill * ((whole - first) >> self.REST)
            inside = [Range(whole, found.route)] if whole < stop else []

    def _mix(self, start: int, inside: list[Range]) -> None:
        slot = start >> self.REST
        self._direct[slot] = MIXED | self._divide(slot, inside)
        self._mixed.add(slot)
