"""The event loop of virtual time.

Events are tuples (t, priority, serial, callback, argument) in one heap: the serial breaks every tie, so a run has
one order, and no Python-level comparison is ever called.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

Callback = Callable[[Any], None]
Event = tuple[int, int, int, Callback, Any]


class EventLoop:
    """Calls callbacks in order of time, then priority (lower first), then of being scheduled."""

    __slots__ = ("_heap", "_serial", "_until", "now")

    def __init__(self) -> None:
        self.now = 0
        """Virtual ns since the start."""
        self._heap: list[Event] = []
        self._serial = 0
        self._until: int | None = None
        """Where the run under way will stop; a time may not be skipped to beyond it."""

    def at(self, t: int, callback: Callback, argument: Any = None, priority: int = 0) -> None:
        """Call ``callback(argument)`` at ``t``; ValueError for a time that is over."""
        heappush(self._heap, self.event(t, callback, argument, priority))

    def event(self, t: int, callback: Callback, argument: Any, priority: int = 0) -> Event:
        """What `at` schedules, with its place in the order, and not yet scheduled: `push` does that."""
        if t < self.now:
            raise ValueError(f"an event at {t} ns was scheduled at {self.now} ns")
        self._serial += 1
        return t, priority, self._serial, callback, argument

    def push(self, event: Event) -> None:
        """Schedule what `event` made, before its time."""
        heappush(self._heap, event)

    def skip_to(self, t: int) -> bool:
        """Let it be ``t`` at once, if nothing is to happen before then or at that time; whether it is now ``t``.

        What is done then is done exactly when an event at ``t`` would have been: this only spares the heap.
        """
        heap = self._heap
        if (heap and heap[0][0] <= t) or (self._until is not None and t > self._until):
            return False
        self.now = t
        return True

    def __len__(self) -> int:
        """How many events wait."""
        return len(self._heap)

    def run_towards(self, until: int, most: int | None = None) -> bool:
        """Run events up to and at ``until``, at most ``most``; whether none is left. ``now`` stays at the last."""
        heap, self._until = self._heap, until
        count = 0
        while heap and heap[0][0] <= until and count != most:
            self.now, _, _, callback, argument = heappop(heap)
            callback(argument)
            count += 1
        return not heap

    def run(self, until: int | None = None) -> None:
        """Run every event, or those up to and at ``until``, after which ``now`` is ``until``."""
        heap, self._until = self._heap, until
        if until is None:
            while heap:
                self.now, _, _, callback, argument = heappop(heap)
                callback(argument)
            return
        while heap and heap[0][0] <= until:
            self.now, _, _, callback, argument = heappop(heap)
            callback(argument)
        self.now = max(self.now, until)


class Procession:
    """Events of one source whose times do not fall, as the frames on a wire: only the first of them is in the heap.

    The order is what it would be if each event were there: `EventLoop.event` has settled it.
    So the heap stays small however many frames a long wire holds.
    """

    __slots__ = ("_events", "_loop")

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop
        self._events: deque[Event] = deque()

    def at(self, t: int, callback: Callback, argument: Any) -> None:
        """Call ``callback(argument)`` at ``t``; a time before that of the last one is scheduled by itself."""
        events, loop = self._events, self._loop
        if events and t < events[-1][0]:
            loop.at(t, callback, argument)
            return
        event = loop.event(t, self._first, (callback, argument))
        events.append(event)
        if len(events) == 1:
            loop.push(event)

    def _first(self, call: tuple[Callback, Any]) -> None:
        events = self._events
        events.popleft()
        if events:
            self._loop.push(events[0])
        call[0](call[1])
