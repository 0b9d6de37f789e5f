"""Forwarding information bases: prefixes to next hops, longest prefix first (RFC 1812 §5.2.4.3).

Five structures behind one Protocol (`FIBS`), and a host's several tables with the rules that choose one (`Fibs`).
"""

from __future__ import annotations

from collections.abc import Callable

from netlab.stack.fib.dir24_8 import Dir24_8Fib
from netlab.stack.fib.dxr import DxrFib
from netlab.stack.fib.linear import LinearFib
from netlab.stack.fib.protocol import Fib
from netlab.stack.fib.radix import RadixFib
from netlab.stack.fib.route import Range, Route, Way, mask, multipath
from netlab.stack.fib.sorted_ranges import RangesFib
from netlab.stack.fib.tables import MAIN, Fibs, Rule

__all__ = [
    "FIBS",
    "MAIN",
    "Dir24_8Fib",
    "DxrFib",
    "Fib",
    "Fibs",
    "LinearFib",
    "RadixFib",
    "Range",
    "RangesFib",
    "Route",
    "Rule",
    "Way",
    "mask",
    "multipath",
]


FIBS: dict[str, Callable[[tuple[Route, ...]], Fib]] = {
    "linear": LinearFib,
    "radix": RadixFib,
    "ranges": RangesFib,
    "dir-24-8": Dir24_8Fib,
    "dxr": DxrFib,
}
"""Name -> what makes a table of routes."""
