"""WF²Q+ (Bennett and Zhang: Hierarchical packet fair queueing algorithms, SIGCOMM 1996), as dummynet has it.

Each waiting flow has its first packet's virtual start S and finish F = S + size / weight. A packet is eligible when
an ideal fluid server would have begun it (S <= V); of those, the one with the least F goes. So no flow is ever ahead
of the fluid server by more than a packet, where DRR is ahead by a whole quantum.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T")

SCALE = 1 << 20
"""Virtual time counts this many units for a byte at weight 1, so that it is a whole number."""


class _Flow(Generic[T]):
    __slots__ = ("finish", "items", "start", "weight")

    def __init__(self, weight: int) -> None:
        self.items: deque[tuple[T, int]] = deque()
        self.weight = weight
        self.start = 0
        self.finish = 0


class Wf2qPlus(Generic[T]):
    """Shares by weight from packet to packet; an operation costs log N of N waiting flows."""

    __slots__ = ("_count", "_eligible", "_flows", "_later", "_sum", "_weights", "virtual")

    def __init__(self, weights: Mapping[int, int] | None = None) -> None:
        self._weights = dict(weights or {})
        self.virtual = 0
        """V: how far the fluid server has come."""
        self._flows: dict[int, _Flow[T]] = {}
        """The flows known: those that have waited since the scheduler was last empty, and the one served before."""
        self._sum = sum(self._weights.values())
        """The weights that were given, and 1 for each other flow that is known."""
        self._eligible: list[tuple[int, int]] = []
        """(F, flow) of the flows whose S <= V."""
        self._later: list[tuple[int, int]] = []
        """(S, flow) of the others that wait."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def enqueue(self, item: T, size: int, flow: int = 0) -> None:
        """Behind its flow; a flow that did not wait starts now, or where its last packet finished if that is later."""
        found = self._flows.get(flow)
        if found is None:
            found = self._flows[flow] = self._met(flow)
        found.items.append((item, size))
        self._count += 1
        if len(found.items) == 1:
            self._stamp(flow, found, max(self.virtual, found.finish))
            if self._count == 1:
                self._catch_up()

    def dequeue(self) -> T:
        """Of the eligible first packets, the one that would finish first; IndexError when none waits."""
        if not self._count:
            raise IndexError("dequeue from an empty scheduler")
        _, name = heappop(self._eligible)
        flow = self._flows[name]
        item, size = flow.items.popleft()
        self._count -= 1
        self.virtual -= -size * SCALE // self._sum  # rounded up, and F down: a tie is never missed by a hair
        if flow.items:
            self._stamp(name, flow, flow.finish)
        self._catch_up()
        if not self._count:
            self._forget_all_but(name)
        return item

    def _met(self, flow: int) -> _Flow[T]:
        if flow not in self._weights:
            self._sum += 1
        return _Flow(self._weights.get(flow, 1))

    def _stamp(self, name: int, flow: _Flow[T], start: int) -> None:
        """Times for the packet that is now its flow's first."""
        flow.start, flow.finish = start, start + flow.items[0][1] * SCALE // flow.weight
        if start <= self.virtual:
            heappush(self._eligible, (flow.finish, name))
        else:
            heappush(self._later, (start, name))

    def _catch_up(self) -> None:
        """V is never behind the least S of those that wait, and whoever V has reached becomes eligible."""
        if not self._eligible and self._later:
            self.virtual = max(self.virtual, self._later[0][0])
        while self._later and self._later[0][0] <= self.virtual:
            _, name = heappop(self._later)
            heappush(self._eligible, (self._flows[name].finish, name))

    def _forget_all_but(self, last: int) -> None:
        """Nobody waits, so the fluid server is through too once this packet has left: only its flow may come early."""
        self._flows = {last: self._flows[last]}
        self._sum = sum(self._weights.values()) + (last not in self._weights)
