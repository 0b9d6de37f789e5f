"""Spraying one flow over several rings, and what it does to the order of its packets (RFC 4737)."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
DUPLICATES = 3
"""A TCP sender takes three duplicate ACKs for a loss (RFC 5681 §3.2)."""


class Spray:
    """Packet after packet to ring after ring: the load is even even for one flow, its order is not kept."""

    __slots__ = ("_next", "rings")

    def __init__(self, rings: int) -> None:
        self.rings = rings
        self._next = 0

    def ring(self) -> int:
        """The next packet's ring."""
        ring, self._next = self._next, (self._next + 1) % self.rings
        return ring


class Reordering(NamedTuple):
    """Of a flow's packets, by the order in which they were sent: how they arrived."""

    packets: int
    late: int
    """Packets that came after one which was sent later (RFC 4737 §3.3: type-P-reordered)."""
    extent: int
    """The most places by which one came late (§4.2)."""
    false_losses: int
    """Late packets that three or more later ones overtook: a TCP receiver asks for them three times (§5.4)."""

    @property
    def ratio(self) -> float:
        """The share of late packets."""
        return self.late / self.packets if self.packets else 0.0


def reordering(arrived: Iterable[int]) -> Reordering:
    """How packets with these numbers (0, 1, 2, … as sent) arrived."""
    order = list(arrived)
    place: list[tuple[int, int]] = []
    """The maxima so far: (number, place), rising."""
    late = extent = false_losses = 0
    for here, number in enumerate(order):
        if place and number < place[-1][0]:
            late += 1
            first = next(at for bigger, at in place if bigger > number)
            extent = max(extent, here - first)
            false_losses += _overtaken(order, first, here) >= DUPLICATES
        else:
            place.append((number, here))
    return Reordering(len(order), late, extent, false_losses)


def _overtaken(order: list[int], first: int, here: int) -> int:
    return sum(1 for number in order[first:here] if number > order[here])


class ReorderBuffer(Generic[T]):
    """Hands numbered items on in order; holds ``limit`` at most, then gives up waiting for what is missing."""

    __slots__ = ("_held", "_limit", "next")

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._held: list[tuple[int, T]] = []
        self.next = 0
        """The number that is due."""

    def put(self, number: int, item: T) -> list[T]:
        """What may now go on. An item that comes when its turn is over goes on at once."""
        if number < self.next:
            return [item]
        heappush(self._held, (number, item))
        if len(self._held) > self._limit:
            self.next = self._held[0][0]
        ready: list[T] = []
        while self._held and self._held[0][0] == self.next:
            ready.append(heappop(self._held)[1])
            self.next += 1
        return ready
