"""Strict priority: a class is served only when no class above it waits (dummynet's prio, ALTQ's PRIQ)."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class StrictPriority(Generic[T]):
    """Class 0 goes first. A class that never rests starves all below it: priority is no share of the bandwidth."""

    __slots__ = ("_classes", "_count", "_waiting")

    def __init__(self, levels: int = 8) -> None:
        self._classes: list[deque[T]] = [deque() for _ in range(levels)]
        self._waiting = 0
        """Bit n is set while class n waits, so that the first one is found without a search."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def enqueue(self, item: T, size: int, flow: int = 0) -> None:
        """Behind its class. ValueError for a class that there is not."""
        if not 0 <= flow < len(self._classes):
            raise ValueError(f"class {flow} is not one of 0 to {len(self._classes) - 1}")
        self._classes[flow].append(item)
        self._waiting |= 1 << flow
        self._count += 1

    def dequeue(self) -> T:
        """The oldest item of the first class that waits; IndexError when none does."""
        if not self._waiting:
            raise IndexError("dequeue from an empty scheduler")
        lowest = self._waiting & -self._waiting
        queue = self._classes[lowest.bit_length() - 1]
        item = queue.popleft()
        if not queue:
            self._waiting ^= lowest
        self._count -= 1
        return item
