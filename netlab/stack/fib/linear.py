"""Routes in a list: the plain answer that faster structures are held against."""

from __future__ import annotations

from collections.abc import Iterable

from netlab.stack.fib.route import WIDTH, Route, RouteBase


class LinearFib:
    """Every route is tried, longest prefix first: n steps for a lookup that fails, and nobody doubts the answer."""

    __slots__ = ("_base", "_routes", "_tries", "width")

    def __init__(self, routes: Iterable[Route] = (), *, width: int = WIDTH) -> None:
        self.width = width
        self._base = RouteBase(routes, width=width)
        self._order()

    @property
    def routes(self) -> tuple[Route, ...]:
        """All routes, longest prefix first."""
        return self._routes

    @property
    def octets(self) -> int:
        """Memory as C would have it: address, mask and next hop of each route."""
        return len(self._routes) * (2 * self.width // 8 + 4)

    def lookup(self, address: int) -> Route | None:
        """The longest prefix that covers the address; None when there is no route."""
        for shift, front, route in self._tries:
            if address >> shift == front:
                return route
        return None

    def add(self, route: Route) -> None:
        """Take a route, or replace the one of the same prefix."""
        self._base.add(route)
        self._order()

    def remove(self, prefix: int, length: int) -> None:
        """Give up a route; KeyError when there is none for that prefix."""
        self._base.remove(prefix, length)
        self._order()

    def _order(self) -> None:
        self._routes = self._base.longest_first()
        shifts = ((self.width - route.length, route) for route in self._routes)
        self._tries = [(shift, route.prefix >> shift, route) for shift, route in shifts]
