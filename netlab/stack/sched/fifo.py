"""First come, first served."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Fifo(Generic[T]):
    """One queue for all: who sends most gets most, and everybody waits for everything before him."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: deque[T] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def enqueue(self, item: T, size: int, flow: int = 0) -> None:
        """Behind all others, whatever the flow."""
        self._items.append(item)

    def dequeue(self) -> T:
        """The oldest item; IndexError when none waits."""
        return self._items.popleft()
