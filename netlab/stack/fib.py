"""A forwarding information base: prefixes to next hops, longest prefix first (RFC 1812 §5.2.4.3)."""

from __future__ import annotations

from typing import NamedTuple


class Route(NamedTuple):
    """``prefix``/``length`` goes out of ``interface``, to ``gateway`` (0: the destination itself is the neighbour)."""

    prefix: int
    length: int
    gateway: int
    interface: str


def mask(length: int) -> int:
    """The mask of a prefix length, as an int."""
    return (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF


class LinearFib:
    """Routes in a list ordered by length: the plain answer that faster structures are held against."""

    __slots__ = ("_routes",)

    def __init__(self, routes: tuple[Route, ...] = ()) -> None:
        self._routes = sorted(routes, key=lambda r: (-r.length, r.prefix))

    @property
    def routes(self) -> tuple[Route, ...]:
        """All routes, longest prefix first."""
        return tuple(self._routes)

    def lookup(self, address: int) -> Route | None:
        """The longest prefix that covers the address; None when there is no route."""
        for route in self._routes:
            if address & mask(route.length) == route.prefix:
                return route
        return None
