"""What a live picture is sent, and how often: events, not frames, and never more than the browser has painted.

A reader takes new records from a log and turns them into events; a pacer keeps at most two updates unpainted and lets
the rest wait and merge. Neither knows a notebook, a clock or a thread: all of them are handed in.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from netlab.trace.log import Log
from netlab.trace.record import Row
from netlab.units import MS

UNPAINTED = 2
"""Updates under way to the browser; a third waits until one is painted."""
PATIENCE = 1000.0
"""ms after which an update that nobody painted (a hidden tab, no browser) no longer holds up the next."""
WIDTH = 3
"""Numbers in one event."""
EVENTS = 3000
"""Flights in one update; more could not be told apart, and are counted only."""


@dataclass
class Update:
    """Events since the last update. ``stamp`` is a time (ms) at which none of its records was older than the log."""

    stamp: float
    events: array[float] = field(default_factory=lambda: array("d"))
    """Threes: the exchange (its first packet); lane and ms on the cable for a flight, -1 - node and 0 for a drop."""
    skipped: int = 0

    def merge(self, later: Update) -> None:
        """Append what happened later; the stamp stays the oldest."""
        room = max(0, WIDTH * EVENTS - len(self.events))
        self.events.extend(later.events[:room])
        self.skipped += later.skipped + max(0, len(later.events) - room) // WIDTH


class Reader:
    """Turns what is new in a log into updates."""

    def __init__(self, log: Log, lanes: Mapping[str, int], nodes: Sequence[str]) -> None:
        self.log, self.lanes = log, lanes
        self.nodes = {name: i for i, name in enumerate(nodes)}
        self.read = 0
        self.dropped = 0
        self._first: dict[int, int] = {}
        """For each packet the one that its exchange began with."""

    @property
    def seen(self) -> int:
        """Packets so far."""
        return len(self._first)

    def news(self, stamp: float) -> Update | None:
        """The events of all records that came since the last call; None when none came."""
        rows = self.log.since(self.read)
        if not rows:
            return None
        self.read += len(rows)
        update = Update(stamp)
        update.merge(Update(stamp, array("d", self._events(rows))))
        return update

    def _events(self, rows: Iterable[Row]) -> Iterable[float]:
        for _, kind, node, obj, _, pkt, data in rows:
            if pkt not in self._first and pkt:
                self._first[pkt] = self._first.get(data[0], pkt) if kind == "packet" else pkt
            if kind == "wire.tx" and obj in self.lanes:
                yield from (self._first.get(pkt, 0), self.lanes[obj], ((data[2] or 0) + (data[3] or 0)) / MS)
            elif kind == "drop" and node in self.nodes:
                self.dropped += 1
                yield from (self._first.get(pkt, 0), -1 - self.nodes[node], 0.0)


class Pacer:
    """Holds updates back while two are unpainted; what waits is merged into one."""

    def __init__(self) -> None:
        self.waiting: Update | None = None
        self.sequence = 0
        self.latencies: deque[float] = deque(maxlen=10_000)
        """ms from record to pixel, one value an update: its oldest record's, so an upper bound for all of it."""
        self._unpainted: dict[int, float] = {}

    def offer(self, update: Update | None) -> None:
        """Something to be sent when there is room."""
        if update is None:
            return
        if self.waiting is None:
            self.waiting = update
        else:
            self.waiting.merge(update)

    def take(self, now: float) -> tuple[int, Update] | None:
        """What may be sent at ``now`` (ms), with its number; None while there is nothing or the browser is behind."""
        self._unpainted = {seq: sent for seq, sent in self._unpainted.items() if now - sent < PATIENCE}
        if self.waiting is None or len(self._unpainted) >= UNPAINTED:
            return None
        update, self.waiting = self.waiting, None
        self.sequence += 1
        self._unpainted[self.sequence] = now
        return self.sequence, update

    def painted(self, sequence: int, stamp: float, at: float) -> None:
        """The browser says that update ``sequence``, stamped ``stamp``, was painted ``at`` (both ms)."""
        for seq in [seq for seq in self._unpainted if seq <= sequence]:
            del self._unpainted[seq]
        self.latencies.append(at - stamp)
