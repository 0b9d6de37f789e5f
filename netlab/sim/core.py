"""A virtual core: work waits in its run queue and is done one item at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from netlab.sim.loop import EventLoop


class Core:
    """Takes work first-in first-out; what a finished item calls for may go ahead of the queue (run to completion).

    ``begin(core, item)`` is called when the core turns to an item. It returns True when the item is done by then (time
    having passed by `EventLoop.skip_to`), or False when `finish` will be called later.
    """

    __slots__ = ("_begin", "_busy", "_queue", "loop", "number")

    def __init__(self, loop: EventLoop, number: int, begin: Callable[[Core, Any], bool]) -> None:
        self.loop, self.number = loop, number
        self._begin = begin
        self._queue: deque[Any] = deque()
        self._busy = False

    def __len__(self) -> int:
        """How many items wait."""
        return len(self._queue)

    def submit(self, item: Any) -> None:
        """Queue an item behind all others."""
        self._queue.append(item)
        if not self._busy:
            self._work()

    def submit_first(self, items: list[Any]) -> None:
        """Queue items ahead of all others, in their order. Only for a core that is busy."""
        self._queue.extendleft(reversed(items))

    def finish(self) -> None:
        """The item in hand is done; turn to the next."""
        self._busy = False
        self._work()

    def _work(self) -> None:
        queue, begin = self._queue, self._begin
        self._busy = True
        while queue:
            if not begin(self, queue.popleft()):
                return
        self._busy = False
