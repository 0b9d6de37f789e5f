"""A bounded first-in first-out queue that counts packets and bytes."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class BoundedQueue(Generic[T]):
    """Holds items with their sizes; ``limit`` is a number of packets, or of bytes when ``in_bytes``."""

    __slots__ = ("_items", "in_bytes", "limit", "octets")

    def __init__(self, limit: int, *, in_bytes: bool = False) -> None:
        self.limit = limit
        self.in_bytes = in_bytes
        self.octets = 0
        self._items: deque[tuple[T, int]] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T, size: int) -> bool:
        """Take the item, or say False when it would pass the limit."""
        used, more = (self.octets, size) if self.in_bytes else (len(self._items), 1)
        if used + more > self.limit:
            return False
        self._items.append((item, size))
        self.octets += size
        return True

    def get(self) -> T:
        """The oldest item; IndexError when there is none."""
        item, size = self._items.popleft()
        self.octets -= size
        return item
