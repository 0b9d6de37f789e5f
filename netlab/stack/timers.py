"""Deadlines of a host, asked for by whoever drives it: the stack itself never waits."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from netlab.stack.stage import Hop

Due = Callable[[int], list[Hop]]
"""Called with now when the time has come; what it returns is sent on its way."""


class Timers:
    """Deadlines in ns, each with what is then to be done."""

    __slots__ = ("_heap", "_serial", "changed")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Due]] = []
        self._serial = 0
        self.changed = False
        """Whether a deadline was added since somebody last asked for the next."""

    def at(self, t: int, due: Due) -> None:
        """Do ``due`` at ``t``, or as soon after as somebody drives the host."""
        self._serial += 1
        self.changed = True
        heappush(self._heap, (t, self._serial, due))

    def next(self) -> int | None:
        """The earliest deadline, None when there is none."""
        self.changed = False
        return self._heap[0][0] if self._heap else None

    def run(self, now: int) -> list[Hop]:
        """Do everything whose time has come, in order."""
        hops: list[Hop] = []
        while self._heap and self._heap[0][0] <= now:
            hops += heappop(self._heap)[2](now)
        return hops
