"""Descriptor rings: what a driver and its device share, and when the device interrupts."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class DescriptorRing(Generic[T]):
    """``size`` descriptors (a power of two), of which one stays empty, so that full and empty look different.

    The producer writes at ``tail`` (the device on a receive ring, the driver on a transmit ring), the consumer reads at
    ``head``. The counters go round; nobody locks, since each is written by one side only.
    """

    __slots__ = ("_slots", "drops", "head", "size", "tail")

    def __init__(self, size: int = 256) -> None:
        if size < 2 or size & (size - 1):
            raise ValueError(f"a ring of {size} descriptors: the number must be a power of two, at least 2")
        self.size = size
        self._slots: list[T | None] = [None] * size
        self.head = self.tail = 0
        self.drops = 0
        """How many found no free descriptor."""

    def __len__(self) -> int:
        return (self.tail - self.head) & (self.size - 1)

    @property
    def free(self) -> int:
        """How many more it takes."""
        return self.size - 1 - len(self)

    def put(self, item: T) -> bool:
        """Write one; False, counted as a drop, when the ring is full."""
        if not self.free:
            self.drops += 1
            return False
        self._slots[self.tail] = item
        self.tail = (self.tail + 1) & (self.size - 1)
        return True

    def take(self, budget: int) -> list[T]:
        """Read up to ``budget`` in order."""
        taken: list[T] = []
        while len(taken) < budget and self.head != self.tail:
            item, self._slots[self.head] = self._slots[self.head], None
            assert item is not None
            taken.append(item)
            self.head = (self.head + 1) & (self.size - 1)
        return taken


class Moderation(NamedTuple):
    """Interrupt after ``frames`` frames or ``ns`` after the first of them, whichever comes first (``ethtool -C``)."""

    frames: int = 1
    ns: int = 0


class Interrupts:
    """Counts what a ring has received and says when its interrupt is due. Times are ns, handed in."""

    __slots__ = ("_first", "_waiting", "moderation", "raised")

    def __init__(self, moderation: Moderation = Moderation()) -> None:  # noqa: B008  (immutable)
        self.moderation = moderation
        self._waiting = 0
        self._first = 0
        self.raised = 0

    def received(self, now: int) -> None:
        """A frame is in the ring."""
        if not self._waiting:
            self._first = now
        self._waiting += 1

    def due(self) -> int | None:
        """When to interrupt: a time that may be over, or None while nothing waits."""
        if not self._waiting:
            return None
        return self._first if self._waiting >= self.moderation.frames else self._first + self.moderation.ns

    def fire(self, now: int) -> bool:
        """Interrupt if it is due; whether it was."""
        due = self.due()
        if due is None or due > now:
            return False
        self._waiting = 0
        self.raised += 1
        return True
