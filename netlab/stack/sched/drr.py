"""Deficit round robin (Shreedhar and Varghese: Efficient fair queuing using deficit round robin, SIGCOMM 1995)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Generic, TypeVar

T = TypeVar("T")

QUANTUM = 1514
"""Bytes a flow of weight 1 may send in its turn. At least the largest frame, or a turn may pass without one."""


class _Flow(Generic[T]):
    __slots__ = ("deficit", "items", "quantum")

    def __init__(self, quantum: int) -> None:
        self.items: deque[tuple[T, int]] = deque()
        self.quantum = quantum
        self.deficit = 0
        """Bytes that it may still send in this turn, and takes into the next as long as it waits."""


class Drr(Generic[T]):
    """Shares by weight over a round, at a constant price; within a round a flow sends its whole share in one burst."""

    __slots__ = ("_count", "_flows", "_quantum", "_turn", "_weights")

    def __init__(self, weights: Mapping[int, int] | None = None, *, quantum: int = QUANTUM) -> None:
        self._weights, self._quantum = dict(weights or {}), quantum
        self._flows: dict[int, _Flow[T]] = {}
        """The flows that wait. One that has nothing left is forgotten, and its deficit with it."""
        self._turn: deque[int] = deque()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def deficit(self, flow: int) -> int:
        """Bytes that a flow has saved; 0 for one that does not wait."""
        return self._flows[flow].deficit if flow in self._flows else 0

    def enqueue(self, item: T, size: int, flow: int = 0) -> None:
        """Behind its flow; a flow that did not wait joins the end of the round."""
        found = self._flows.get(flow)
        if found is None:
            found = self._flows[flow] = _Flow(self._quantum * self._weights.get(flow, 1))
            self._turn.append(flow)
            if len(self._turn) == 1:
                found.deficit = found.quantum
        found.items.append((item, size))
        self._count += 1

    def dequeue(self) -> T:
        """The next item of the flow whose turn it is, if its deficit covers it; else the turn passes on."""
        if not self._turn:
            raise IndexError("dequeue from an empty scheduler")
        flow = self._flows[self._turn[0]]
        while flow.items[0][1] > flow.deficit:
            self._turn.rotate(-1)
            flow = self._begin_turn()
        item, size = flow.items.popleft()
        flow.deficit -= size
        self._count -= 1
        if not flow.items:
            del self._flows[self._turn.popleft()]
            if self._turn:
                self._begin_turn()
        return item

    def _begin_turn(self) -> _Flow[T]:
        flow = self._flows[self._turn[0]]
        flow.deficit += flow.quantum
        return flow
