"""Forwarding information bases: prefixes to next hops, longest prefix first (RFC 1812 §5.2.4.3).

Five structures behind one Protocol (`FIBS`), and a host's several tables with the rules that choose one (`Fibs`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from netlab.stack.fib.dir24_8 import Dir24_8Fib
from netlab.stack.fib.dxr import DxrFib
from netlab.stack.fib.linear import LinearFib
from netlab.stack.fib.radix import RadixFib
from netlab.stack.fib.route import Range, Route, Way, mask, multipath
from netlab.stack.fib.sorted_ranges import RangesFib

__all__ = [
    "FIBS",
    "Dir24_8Fib",
    "DxrFib",
    "Fib",
    "LinearFib",
    "RadixFib",
    "Range",
    "RangesFib",
    "Route",
    "Way",
    "mask",
    "multipath",
]


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


FIBS: dict[str, Callable[[tuple[Route, ...]], Fib]] = {
    "linear": LinearFib,
    "radix": RadixFib,
    "ranges": RangesFib,
    "dir-24-8": Dir24_8Fib,
    "dxr": DxrFib,
}
"""Name -> what makes a table of routes."""
