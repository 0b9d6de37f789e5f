"""Nodes that run netlab's own stack: their rows, woven into the journeys that the kernel's part is told by.

Such a node reports what its stack did, with packet numbers of its own. At its interfaces the two tales meet: what
lands there continues the journey that the wire brought, and what is launched there is carried on by the wire.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from netlab.probe.journal import Journal
from netlab.topology.spec import Plan
from netlab.trace.record import Row

REMEMBERED = 65536
"""Local packet numbers that are remembered."""


class Wire(Protocol):
    """The other teller: it knows what is under way between nodes."""

    def land(self, t: int, interface: str, frame: bytes) -> tuple[int, int]:
        """The journey that reaches ``interface`` with these bytes (0 where none is known), and when it did."""

    def launch(self, t: int, interface: str, frame: bytes, pkt: int) -> None:
        """A frame of journey ``pkt`` leaves by ``interface``."""


class NativeNodes:
    """The rows of nodes with ``stack: netlab``, in order of time."""

    def __init__(self, plan: Plan, journal: Journal) -> None:
        self.nodes = frozenset(node.name for node in plan.nodes if node.stack == "netlab")
        self.interfaces = frozenset(i.name for i in plan.interfaces() if i.node in self.nodes)
        self._peer = {i.name: i.peer for i in plan.interfaces()}
        self._journal = journal
        self._waiting: deque[Row] = deque()
        self._numbers: dict[tuple[str, int], int] = {}
        self._arriving: set[tuple[str, int]] = set()
        """Local packets whose wire.rx is still to come: they began elsewhere."""
        self._introduced: set[tuple[str, int]] = set()
        """Local packets of whom it has been said what they are: here, or where they came from."""
        self.next = _NEVER
        """When the first waiting row happened."""

    def add(self, rows: Iterable[Row]) -> None:
        """More rows; ``t`` is CLOCK_MONOTONIC ns, ``pkt`` the node's own number. A node's rows come in order."""
        for row in rows:
            self._waiting.append(row)
            if row[1] == "wire.rx":
                self._arriving.add((row[2], row[5]))
        self._waiting = deque(sorted(self._waiting, key=_time))
        self.next = self._waiting[0][0] if self._waiting else _NEVER

    def process(self, until: int, wire: Wire) -> None:
        """Tell the rows up to ``until``."""
        while self._waiting and self._waiting[0][0] <= until:
            self._tell(self._waiting.popleft(), wire)
        self.next = self._waiting[0][0] if self._waiting else _NEVER

    def _tell(self, row: Row, wire: Wire) -> None:
        t, kind, node, obj, cpu, local, data = row
        if not local:
            self._journal.add(t, kind, node, obj, cpu, 0, data)
            return
        key = (node, local)
        if kind == "packet":
            self._begin(row, key)
            return
        if kind == "wire.rx":
            t = self._land(row, key, wire)
        pkt = self._number(key)
        if kind == "wire.tx":
            data = (data[0] or self._peer.get(obj, ""), *data[1:])
            if data[4] is not None:
                self._journal.note(data[4], pkt)
                wire.launch(t, obj, data[4], pkt)
        elif kind == "wire.rx":
            data = (data[0] or self._peer.get(obj, ""), *data[1:])
        self._journal.add(t, kind, node, obj, cpu, pkt, data)

    def _begin(self, row: Row, key: tuple[str, int]) -> None:
        t, kind, node, obj, cpu, _, (parent, said) = row
        if key in self._arriving or key in self._introduced:
            return  # it has an introduction from where it came
        self._introduced.add(key)
        mother = self._numbers.get((node, parent), 0) if parent else 0
        self._journal.add(t, kind, node, obj, cpu, self._number(key), (mother, said))

    def _land(self, row: Row, key: tuple[str, int], wire: Wire) -> int:
        """The arrival's time: the wire knows it better than the node, which had other work before it looked."""
        t, _, node, obj, cpu, _, (_, length, frame) = row
        self._arriving.discard(key)
        if key in self._numbers:
            return t
        self._introduced.add(key)
        pkt, arrived = wire.land(t, obj, frame) if frame is not None else (0, t)
        if not pkt:
            pkt = self._journal.new()
            self._journal.introduce(t, node, cpu, pkt, frame, f"{length} bytes that reached {obj}")
        self._remember(key, pkt)
        return arrived

    def _number(self, key: tuple[str, int]) -> int:
        pkt = self._numbers.get(key)
        if pkt is None:
            pkt = self._journal.new()
            self._remember(key, pkt)
        return pkt

    def _remember(self, key: tuple[str, int], pkt: int) -> None:
        if len(self._numbers) >= REMEMBERED:
            oldest = next(iter(self._numbers))
            del self._numbers[oldest]
            self._introduced.discard(oldest)
        self._numbers[key] = pkt


_NEVER = 1 << 63


def _time(row: Row) -> int:
    return row[0]
