"""Lookups in each structure of routes beside the plain list, for few routes and for many, in one run."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import cycle, islice
from random import Random
from typing import TYPE_CHECKING

from netlab.cli.benches import Row

if TYPE_CHECKING:
    from netlab.stack.fib import Route

SIZES = (2, 1000, 100_000)
LENGTHS = (16, 19, 20, 21, 22, 22, 23, 23, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24)
"""Roughly as in the Internet's table: six of ten prefixes are /24, and hardly any are longer."""
LEAST = 0.15
"""Seconds that each measurement takes at least."""
ADDRESSES = 4096


def rows(sizes: tuple[int, ...] = SIZES) -> list[Row]:
    """For each size the plain list first; the others with their ratio to it."""
    from netlab.stack.fib import FIBS

    found: list[Row] = []
    for size in sizes:
        random = Random(size)
        routes = table(random, size)
        addresses = some_addresses(random, routes)
        plain = 0.0
        for name, make in FIBS.items():
            fib = make(routes)
            speed = lookups_per_second(fib.lookup, addresses)
            plain = plain or speed
            what = f"{name}, {size:,} routes"
            found.append(Row("fib", what, speed, "lookups/s", f"{_size(fib.octets)} in C", speed / plain))
    return found


def table(random: Random, n: int) -> tuple[Route, ...]:
    """Random prefixes below 224.0.0.0, and a default route."""
    from netlab.stack.fib import Route, mask

    found = {(0, 0): Route(0, 0, 1, "eth0")}
    while len(found) < n:
        length = random.choice(LENGTHS)
        prefix = random.randrange(1 << 24, 224 << 24) & mask(length)
        found[prefix, length] = Route(prefix, length, random.randrange(1, 250), f"eth{random.randrange(8)}")
    return tuple(found.values())


def some_addresses(random: Random, routes: tuple[Route, ...]) -> list[int]:
    """Inside prefixes that are drawn at random, so that a lookup rarely ends at the default route."""
    drawn = random.choices(routes, k=ADDRESSES)
    return [route.prefix + random.randrange(1 << (32 - route.length)) for route in drawn]


def lookups_per_second(lookup: Callable[[int], object], addresses: list[int]) -> float:
    """The best of three, each of so many lookups as fill the time; the loop itself is not taken off."""
    count = 1
    while _spent(lookup, addresses, count) < LEAST / 3:
        count *= 4
    return max(count / _spent(lookup, addresses, count) for _ in range(3))


def _spent(lookup: Callable[[int], object], addresses: list[int], count: int) -> float:
    asked = list(islice(cycle(addresses), count))
    began = time.perf_counter()
    for address in asked:
        lookup(address)
    return time.perf_counter() - began


def _size(octets: int) -> str:
    if octets < 1024:
        return f"{octets} B"
    return f"{octets / 2**20:.1f} MiB" if octets >= 1 << 20 else f"{octets / 1024:.1f} KiB"
