"""A packet's journey as steps that can be gone through one by one, and as legs: the cables it took.

Reads records only, so it is the same for a simulated and a real network, and for captures without any stage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from netlab.trace.log import Log
from netlab.trace.record import Row


class Step(NamedTuple):
    """One thing that happened to a packet, from ``t`` to ``end`` ns. ``lane`` is the cable's lane, -1 inside a node."""

    pkt: int
    t: int
    end: int
    node: str
    kind: str
    place: str
    iface: str
    lane: int
    lost: bool
    """Whether this is the way along a cable whose end the packet was not seen to reach."""
    record: int


Rows = list[tuple[int, Row]]


def by_packet(log: Log) -> dict[int, Rows]:
    """Each packet's records with their indices, in order of time; packets in order of first appearance."""
    found: dict[int, Rows] = defaultdict(list)
    for index, row in enumerate(log.rows):
        if row[5]:
            found[row[5]].append((index, row))
    return {pkt: _in_order(rows) for pkt, rows in found.items()}


def _in_order(rows: Rows) -> Rows:
    """By time. That a packet was made is recorded when its frame can be told, and shown where its journey begins."""
    began = min(row[0] for _, row in rows)
    placed = [(index, (began, *row[1:]) if row[1] == "packet" else row) for index, row in rows]
    return sorted(placed, key=lambda item: (item[1][0], item[1][1] != "packet", item[0]))


def steps_of(rows: Rows, lanes: Mapping[str, int], *, ended: bool = True) -> list[Step]:
    """The steps in order of time. ``lanes`` gives the lane that leaves by an interface.

    A frame that left and was not seen to arrive is lost if the run has ``ended`` and frames were seen to arrive at all.
    """
    partner = _partners(rows)
    judge = ended and any(row[1] == "wire.rx" for _, row in rows)
    return [_step(index, row, lanes, partner.get(index), judge) for index, row in rows]


def _partners(rows: Rows) -> dict[int, Row]:
    """Departure to arrival and back, by record index: the first frame out of a cable is the first that went in."""
    waiting: dict[str, list[tuple[int, Row]]] = defaultdict(list)
    for index, row in rows:
        if row[1] == "wire.rx":
            waiting[row[3]].append((index, row))
    partner: dict[int, Row] = {}
    for index, row in rows:
        if row[1] == "wire.tx" and waiting[row[6][0]]:
            arrived, there = waiting[row[6][0]].pop(0)
            partner[index], partner[arrived] = there, row
    return partner


def _step(index: int, row: Row, lanes: Mapping[str, int], partner: Row | None, judge: bool) -> Step:
    t, kind, node, obj, _, pkt, data = row
    iface, lane, end, lost = "", -1, t, False
    if kind == "wire.tx":
        iface, lane, lost = obj, lanes.get(obj, -1), judge and partner is None
        end = partner[0] if partner else t + (data[2] or 0) + (data[3] or 0)
    elif kind == "wire.rx":
        iface, lane = obj, -1 if partner else lanes.get(data[0], -1)
    elif kind in ("enqueue", "dequeue", "mark"):
        iface = obj
    elif kind == "stage":
        iface, end = data[0] or "", t + (data[1] or 0)
    elif kind == "drop":
        iface = data[1] or ""
    elif kind == "lock":
        end = t + (data[1] or 0)
    return Step(pkt, t, max(t, end), node, kind, obj, iface, lane, lost, index)
