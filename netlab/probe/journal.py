"""Records on their way out: numbered journeys, introduced once, rows in order of time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from netlab.probe.causes import Causes, maker
from netlab.trace.record import Row
from netlab.wire.decode import describe

FRAME_BUDGET = 256 << 20
"""Bytes of frames that one run keeps; past it records go on without bytes."""


class Journal:
    """Collects rows that may come a little out of order; ``release`` hands them out in order of time.

    A row that comes later than what was released already gets the time of the release: order is kept, time bends.
    """

    def __init__(self, base: int, *, say: Callable[[bytes], str] = describe, frame_budget: int = FRAME_BUDGET) -> None:
        """``base``: CLOCK_MONOTONIC ns of the run's start."""
        self._base = base
        self._say = say
        self._rows: list[Row] = []
        self._released = 0
        self._last = 0
        self._causes = Causes()
        self._budget = frame_budget
        self.frames_cut = 0

    def new(self) -> int:
        """A number for a journey that begins."""
        self._last += 1
        return self._last

    def add(self, t: int, kind: str, node: str, obj: str, cpu: int, pkt: int, data: tuple[Any, ...]) -> None:
        """One record; ``t`` is CLOCK_MONOTONIC ns."""
        at = t - self._base
        self._rows.append((at if at > self._released else self._released, kind, node, obj, cpu, pkt, data))

    def introduce(self, t: int, node: str, cpu: int, pkt: int, frame: bytes | None, otherwise: str) -> None:
        """The journey's own record: what the packet is and which other one caused it, as its bytes tell."""
        if frame is None:
            self.add(t, "packet", node, "kernel", cpu, pkt, (0, otherwise))
        else:
            self.add(t, "packet", node, maker(frame), cpu, pkt, (self._causes.note(frame, pkt), self._say(frame)))

    def note(self, frame: bytes, pkt: int) -> None:
        """Remember a packet that introduced itself, so that what it causes elsewhere finds it."""
        self._causes.note(frame, pkt)

    def kept(self, frame: bytes | None) -> bytes | None:
        """The frame, or None when no more bytes are kept. To be asked once for each frame."""
        if frame is None:
            return None
        if len(frame) > self._budget:
            self.frames_cut += 1
            return None
        self._budget -= len(frame)
        return frame

    def release(self, until: int) -> list[Row]:
        """The rows up to ``until`` (CLOCK_MONOTONIC ns) in order of time, introductions first in their instant."""
        rows = self._rows
        rows.sort(key=_order)
        at = until - self._base
        cut = bisect_right(rows, at, key=_time)
        self._rows = rows[cut:]
        self._released = max(self._released, at)
        return rows[:cut]

    def flush(self) -> list[Row]:
        """All rows that are left."""
        rows = sorted(self._rows, key=_order)
        self._rows = []
        if rows:
            self._released = max(self._released, rows[-1][0])
        return rows


def _time(row: Row) -> int:
    return row[0]


def _order(row: Row) -> tuple[int, bool]:
    return row[0], row[1] != "packet"
