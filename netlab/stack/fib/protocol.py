"""What every structure of routes offers."""

from __future__ import annotations

from typing import Protocol

from netlab.stack.fib.route import Route


class Fib(Protocol):
    """One table of routes. Addresses and prefixes are ints."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """All routes, longest prefix first."""

    @property
    def octets(self) -> int:
        """Memory that the structure would take in C."""

    def lookup(self, address: int) -> Route | None:
        """The longest prefix that covers the address; None when there is no route."""

    def add(self, route: Route) -> None:
        """Take a route, or replace the one of the same prefix. ValueError for what is no prefix."""

    def remove(self, prefix: int, length: int) -> None:
        """Give up a route; KeyError when there is none for that prefix."""
