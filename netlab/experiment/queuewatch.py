"""Watches one queue of a simulated network: how long it is for how long, and how busy the wire behind it.

It stands between the executor and its log, and keeps a histogram: a second at 1 Gbit/s would be a million records.
"""

from __future__ import annotations

from collections import Counter

from netlab.backend.sim import SimSession
from netlab.trace.record import Row


class QueueWatch:
    """What waits at ``interface`` from ``since`` to ``until`` (ns of virtual time); a sample each ``step`` ns.

    What else wants the records of that node goes on to hear them.
    """

    def __init__(self, session: SimSession, interface: str, *, since: int, until: int, step: int) -> None:
        self._interface, self.since, self.until, self.step = interface, since, until, step
        self.samples: list[int] = []
        """Packets that wait at since, since + step, …"""
        self._held: Counter[int] = Counter()
        self._busy = 0
        self._depth, self._changed, self._next = 0, since, since
        executor = session.executors[session.plan.interface(interface).node]
        self._further = executor.emit
        executor.emit = self._seen

    def _seen(self, row: Row) -> None:
        t, kind, _, name, _, _, data = row
        if name == self._interface:
            if kind in ("enqueue", "dequeue"):
                self._moved(t, data[0])
            elif kind == "wire.tx":
                self._busy += max(0, min(t + data[2], self.until) - max(t, self.since))
        if self._further is not None:
            self._further(row)

    def _moved(self, t: int, depth: int) -> None:
        """The queue was as it was until now."""
        now = min(t, self.until)
        while self._next < now:
            self.samples.append(self._depth)
            self._next += self.step
        if now > self._changed:
            self._held[self._depth] += now - self._changed
            self._changed = now
        self._depth = depth

    def finish(self) -> None:
        """The run is over: what holds now holds until ``until``."""
        self._moved(self.until, self._depth)

    def quantile(self, share: float) -> int:
        """The length that the queue did not exceed for that share of the time."""
        passed, wanted = 0, share * sum(self._held.values())
        for depth in sorted(self._held):
            passed += self._held[depth]
            if passed >= wanted:
                return depth
        return self._depth

    @property
    def utilisation(self) -> float:
        """The share of the time in which the wire behind the queue was busy."""
        return self._busy / (self.until - self.since)

    def distribution(self) -> tuple[list[int], list[float]]:
        """Lengths, and the share of the time for which the queue was no longer than that."""
        whole, passed, lengths, shares = sum(self._held.values()), 0, [], []
        for depth in sorted(self._held):
            passed += self._held[depth]
            lengths.append(depth)
            shares.append(passed / whole)
        return lengths, shares
