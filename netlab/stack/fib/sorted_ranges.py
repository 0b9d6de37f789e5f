"""Ranges of addresses in one sorted array, in which a binary search finds an address.

FreeBSD's bsearch4 (sys/netinet/in_fib_algo.c) is made so, and is rebuilt at every change; this one is spliced.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from netlab.stack.fib.route import WIDTH, Range, Route, RouteBase, last, ranges


class RangesFib:
    """⌈log2(ranges)⌉ + 1 probes for a lookup; a change moves whatever stands behind it in the array."""

    __slots__ = ("_base", "_found", "_starts", "width")

    def __init__(self, routes: Iterable[Route] = (), *, width: int = WIDTH) -> None:
        self.width = width
        self._base = RouteBase(routes, width=width)
        table = ranges(self._base)
        self._starts = [r.start for r in table]
        self._found = [r.route for r in table]

    @property
    def routes(self) -> tuple[Route, ...]:
        """All routes, longest prefix first."""
        return self._base.longest_first()

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The array."""
        return tuple(map(Range, self._starts, self._found))

    @property
    def octets(self) -> int:
        """Memory as C would have it: first address and next hop of each range."""
        return len(self._starts) * (self.width // 8 + 4)

    def lookup(self, address: int) -> Route | None:
        """The longest prefix that covers the address; None when there is no route."""
        return self._found[bisect_right(self._starts, address) - 1]

    def add(self, route: Route) -> None:
        """Take a route, or replace the one of the same prefix."""
        self._base.add(route)
        self._splice(route.prefix, route.length)

    def remove(self, prefix: int, length: int) -> None:
        """Give up a route; KeyError when there is none for that prefix."""
        self._base.remove(prefix, length)
        self._splice(prefix, length)

    def _splice(self, prefix: int, length: int) -> None:
        """Cut the prefix's ranges anew; what lies outside stays, but for a border that is needed no more."""
        end = last(prefix, length, self.width) + 1
        behind = self.lookup(end) if end >> self.width == 0 else None
        low, high = bisect_left(self._starts, prefix), bisect_left(self._starts, end)
        new = ranges(self._base, prefix, length)
        if end >> self.width == 0:
            high += high < len(self._starts) and self._starts[high] == end
            new.append(Range(end, behind))
        before = [Range(self._starts[low - 1], self._found[low - 1])] if low else []
        kept = [b for a, b in zip([*before, *new], [*before, *new][1:], strict=False) if a.route is not b.route]
        kept = kept if before else [new[0], *kept]
        self._starts[low:high] = [r.start for r in kept]
        self._found[low:high] = [r.route for r in kept]
