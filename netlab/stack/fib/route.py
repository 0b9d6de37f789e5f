"""Routes, and the base of routes that every structure of lookups is made from."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from typing import NamedTuple

WIDTH = 32
"""Bits of an IPv4 address."""


class Way(NamedTuple):
    """One of several next hops of a route; of every ``sum(weights)`` flows it gets ``weight``."""

    gateway: int
    interface: str
    weight: int = 1


class Route(NamedTuple):
    """``prefix``/``length`` goes out of ``interface``, to ``gateway`` (0: the destination itself is the neighbour).

    With several equal ways (ECMP, RFC 2992) they all stand in ``ways``, and the first of them in the other fields.
    """

    prefix: int
    length: int
    gateway: int
    interface: str
    ways: tuple[Way, ...] = ()

    def chosen(self, flow: int) -> Route:
        """The route with the one way that a flow (by its 32-bit hash) takes; always the same for the same flow."""
        if not self.ways:
            return self
        at = flow * sum(way.weight for way in self.ways) >> 32
        for way in self.ways:
            at -= way.weight
            if at < 0:
                break
        return self._replace(gateway=way.gateway, interface=way.interface, ways=())


def multipath(prefix: int, length: int, ways: Iterable[Way]) -> Route:
    """A route with several ways. ValueError for none, or for a weight below 1."""
    held = tuple(ways)
    if not held or any(way.weight < 1 for way in held):
        raise ValueError("a route has at least one way, and each way a weight of at least 1")
    return Route(prefix, length, held[0].gateway, held[0].interface, held if len(held) > 1 else ())


def mask(length: int, width: int = WIDTH) -> int:
    """The mask of a prefix length, as an int."""
    return ((1 << length) - 1) << (width - length)


def last(prefix: int, length: int, width: int = WIDTH) -> int:
    """The last address of a prefix."""
    return prefix | ((1 << (width - length)) - 1)


def checked(route: Route, width: int = WIDTH) -> Route:
    """The route itself; ValueError for a length that there is not, or for bits behind the length."""
    if not 0 <= route.length <= width or not 0 <= route.prefix < 1 << width:
        raise ValueError(f"{route.prefix:#x}/{route.length} is no prefix of {width} bits")
    if route.prefix & ~mask(route.length, width):
        raise ValueError(f"{route.prefix:#x}/{route.length} has bits behind its length")
    return route


class RouteBase:
    """All routes by prefix and length; a later route for the same prefix replaces the earlier."""

    __slots__ = ("_by_prefix", "_sorted", "width")

    def __init__(self, routes: Iterable[Route] = (), *, width: int = WIDTH) -> None:
        self.width = width
        self._by_prefix = {(r.prefix, r.length): checked(r, width) for r in routes}
        self._sorted = sorted(self._by_prefix)

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, route: Route) -> Route | None:
        """Take a route; the one that it replaces, if any."""
        key = (checked(route, self.width).prefix, route.length)
        old = self._by_prefix.get(key)
        self._by_prefix[key] = route
        if old is None:
            insort(self._sorted, key)
        return old

    def remove(self, prefix: int, length: int) -> Route:
        """Give up a route; KeyError when there is none for that prefix."""
        gone = self._by_prefix.pop((prefix, length))
        del self._sorted[bisect_left(self._sorted, (prefix, length))]
        return gone

    def get(self, prefix: int, length: int) -> Route | None:
        """The route of exactly that prefix."""
        return self._by_prefix.get((prefix, length))

    def within(self, prefix: int, length: int) -> list[Route]:
        """The routes of the prefix itself and of all longer ones inside it, by address, an outer before its inner."""
        low = bisect_left(self._sorted, (prefix, length))
        high = bisect_right(self._sorted, (last(prefix, length, self.width), self.width))
        return [self._by_prefix[key] for key in self._sorted[low:high] if key[1] >= length]

    def around(self, prefix: int, length: int) -> Route | None:
        """The longest route that covers the prefix and is shorter than it."""
        for shorter in range(length - 1, -1, -1):
            route = self._by_prefix.get((prefix & mask(shorter, self.width), shorter))
            if route is not None:
                return route
        return None

    def longest_first(self) -> tuple[Route, ...]:
        """All routes, longest prefix first, then by address."""
        return tuple(sorted(self._by_prefix.values(), key=lambda r: (-r.length, r.prefix)))


class Range(NamedTuple):
    """From address ``start`` to the next range's start, this route is the longest match (None: there is none)."""

    start: int
    route: Route | None


def ranges(base: RouteBase, prefix: int = 0, length: int = 0) -> list[Range]:
    """The addresses of a prefix (all, when it is not given) cut where the longest match changes.

    n routes make at most 2 n + 1 ranges: one route's answer begins at its first address, and its outer route's
    again behind its last.
    """
    found: list[Range] = []

    def begin(start: int, route: Route | None) -> None:
        if found and found[-1].start == start:
            found.pop()
        if not found or found[-1].route is not route:
            found.append(Range(start, route))

    open_ = [(last(prefix, length, base.width), base.around(prefix, length))]
    begin(prefix, open_[0][1])
    for route in base.within(prefix, length):
        while open_[-1][0] < route.prefix:
            ended, _ = open_.pop()
            begin(ended + 1, open_[-1][1])
        begin(route.prefix, route)
        open_.append((last(route.prefix, route.length, base.width), route))
    while len(open_) > 1:
        ended, _ = open_.pop()
        if ended < open_[0][0]:
            begin(ended + 1, open_[-1][1])
    return found
