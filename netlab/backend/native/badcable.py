"""A bad cable before a device of the kernel, in both directions; it can be waited for like the device."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any

from netlab.stack.drivers.api import Driver
from netlab.stack.drivers.faults import Chance, Faults, Faulty, Injector


class BadCable(Faulty):
    """As `Faulty`, and what is received meets the same fate, by a chance of its own."""

    def __init__(self, inner: Driver, faults: Faults, out: Chance, back: Chance, clock: Callable[[], int]) -> None:
        super().__init__(inner, faults, out, clock)
        self._back = Injector(faults, back)
        self._coming: list[tuple[int, int, bytes]] = []
        self._order = count()

    def receive(self, queue: int = 0) -> bytes | None:
        """The next frame that gets through, in the order of its time."""
        while (frame := super().receive(queue)) is not None:
            now = self._clock()
            for late, copy in self._back.fate(frame):
                heappush(self._coming, (now + late, next(self._order), copy))
        if self._coming and self._coming[0][0] <= self._clock():
            return heappop(self._coming)[2]
        return None

    def filenos(self) -> list[int]:
        """The device's."""
        inner: Any = self.inner
        found: list[int] = inner.filenos()
        return found
