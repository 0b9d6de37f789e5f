"""What a node did with each packet that came to one of its stages: as it came, as it left, and what was decided.

Read from records alone, so it is the same for any stack that reports its stages and its frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple
from weakref import WeakKeyDictionary

from netlab.topology.codec import plan_from_data
from netlab.trace.log import Log
from netlab.trace.record import Record
from netlab.wire import ethernet
from netlab.wire.address import parse_ipv4

NO_ANSWER = "no ARP answer from "


class Passage(NamedTuple):
    """One packet's way through a stage. Packets are bytes from the network header on."""

    pkt: int
    before: bytes
    came_by: str
    """The interface it came in by."""
    decided: str
    """The next stage, "" when there was none."""
    after: bytes | None
    """As it left the node; None when it did not."""
    left_by: str
    """The interface that the next stage was given, "" when that was not to send."""
    to_mac: bytes
    """The neighbour's link address, b"" when it did not leave."""
    asked_for: int
    """The next hop that never answered ARP, 0 otherwise."""
    reason: str
    """Why the node dropped it, "" otherwise."""
    record: int
    """The index of the stage's record."""


_known: WeakKeyDictionary[Log, dict[tuple[str, str, int], tuple[Passage, ...]]] = WeakKeyDictionary()
"""Answers, for as long as their log lives: several checks ask the same of one run. By node, stage, records so far."""


def passages(log: Log, node: str, stage: str) -> tuple[Passage, ...]:
    """Every passage of a packet from another node through a stage of ``node``, in order of time for each packet."""
    answers, key = _known.setdefault(log, {}), (node, stage, len(log))
    if key not in answers:
        histories = _histories(log, node)
        answers[key] = tuple(passage for history in histories for passage in _passages(history, node, stage))
    return answers[key]


History = list[tuple[int, Record]]


def _histories(log: Log, node: str) -> list[History]:
    """The records of each packet on its way to, in and from the node, in order of time."""
    own = {interface.name for interface in plan_from_data(log.header.plan).node(node).interfaces}
    found: dict[int, History] = {}
    for index, record in enumerate(log):
        if record.pkt and (record.node == node or _towards(record, own)):
            found.setdefault(record.pkt, []).append((index, record))
    return [sorted(history, key=lambda item: (item[1].t, item[0])) for history in found.values()]


def _towards(record: Record, interfaces: set[str]) -> bool:
    return record.kind == "wire.tx" and record.data[0] in interfaces


def _passages(history: History, node: str, stage: str) -> Iterator[Passage]:
    arrived: Record | None = None
    for start, (index, record) in enumerate(history):
        if record.node != node:  # a history has no other records than those of its way to the node
            arrived = record
        elif record.kind == "stage" and record.obj == stage and record.node == node and arrived is not None:
            yield _passage(arrived, index, list(_stay(history, start + 1, node, stage)))


def _stay(history: History, start: int, node: str, stage: str) -> Iterator[Record]:
    """The node's records up to where the packet leaves it, or comes to the stage again."""
    for _, record in islice(history, start, None):
        if record.node == node:
            if record.kind == "stage" and record.obj == stage:
                return
            yield record
            if record.kind == "wire.tx":
                return


def _passage(arrived: Record, index: int, later: list[Record]) -> Passage:
    following = next((r for r in later if r.kind == "stage"), None)
    left = next((r for r in later if r.kind == "wire.tx"), None)
    dropped = next((r for r in later if r.kind == "drop"), None)
    decided = following.obj if following else ""
    reason = dropped.data[0] if dropped else ""
    return Passage(
        arrived.pkt,
        arrived.data[4][ethernet.SIZE :],
        arrived.data[0],
        decided,
        left.data[4][ethernet.SIZE :] if left else None,
        following.data[0] if following and decided == "ether.output" else "",
        left.data[4][:6] if left else b"",
        parse_ipv4(reason.removeprefix(NO_ANSWER)) if reason.startswith(NO_ANSWER) else 0,
        reason,
        index,
    )
