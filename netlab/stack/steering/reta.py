"""The indirection table (RETA): from a hash's low bits to a ring, and how to make it even again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

SIZE = 128
"""Entries: the most that Microsoft's specification asks for, and what many NICs have."""


def default_table(rings: int, size: int = SIZE) -> list[int]:
    """Rings in turn: what drivers begin with."""
    return [entry % rings for entry in range(size)]


def weighted_table(weights: Sequence[int], size: int = SIZE) -> list[int]:
    """Entries in proportion to the rings' weights, as ``ethtool -X weight`` lays them; a ring of weight 0 gets none."""
    total = sum(weights)
    bounds = [sum(weights[: ring + 1]) * size // total for ring in range(len(weights))]
    return [next(ring for ring, bound in enumerate(bounds) if entry < bound) for entry in range(size)]


class Rebalanced(NamedTuple):
    """The new table, and the entries that were given another ring."""

    table: list[int]
    moved: tuple[int, ...]


def ring_loads(table: Sequence[int], loads: Sequence[int], rings: int) -> list[int]:
    """What each ring carries when each entry carries its load."""
    carried = [0] * rings
    for ring, load in zip(table, loads, strict=True):
        carried[ring] += load
    return carried


def rebalance(table: Sequence[int], loads: Sequence[int], rings: int, *, bound: float = 1.1) -> Rebalanced:
    """Move entries until no ring carries more than ``bound`` times the mean, or until no move makes it better.

    Each step takes, of the fullest ring that a move can help, the entry that fits best onto the emptiest. A move may
    reorder the flows of its entry, so few moves matter. One heavy entry stays where it is: nothing here cuts a flow.
    """
    new, moved = list(table), []
    carried = ring_loads(new, loads, rings)
    limit = bound * sum(carried) / rings
    while (entry := _best_move(new, loads, carried, limit)) is not None:
        empty = carried.index(min(carried))
        carried[new[entry]] -= loads[entry]
        carried[empty] += loads[entry]
        new[entry] = empty
        moved.append(entry)
    return Rebalanced(new, tuple(dict.fromkeys(moved)))


def _best_move(table: Sequence[int], loads: Sequence[int], carried: Sequence[int], limit: float) -> int | None:
    """The entry of a ring above the limit whose move to the emptiest leaves both most alike; None when none helps."""
    for full in sorted(range(len(carried)), key=lambda ring: -carried[ring]):
        room = carried[full] - min(carried)
        fits = [entry for entry, ring in enumerate(table) if ring == full and 0 < loads[entry] < room]
        if carried[full] > limit and fits:
            return min(fits, key=lambda entry: abs(room / 2 - loads[entry]))
    return None
