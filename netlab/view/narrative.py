"""A packet's journey in words: who did what to it, when, and what that caused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from netlab.trace.journey import Journey
from netlab.trace.log import Log
from netlab.units import format_time
from netlab.view.branches import Way
from netlab.view.steps import Step
from netlab.view.uncut import mtus, uncut
from netlab.wire.decode import layers


class Sentence(NamedTuple):
    """One sentence. ``step`` is the first step that it tells of, ``record`` that step's record."""

    text: str
    step: int
    record: int


class _Visit(NamedTuple):
    node: str
    first: int
    """Index of its first step."""
    steps: list[Step]

    def of(self, *kinds: str) -> list[Step]:
        return [step for step in self.steps if step.kind in kinds]


def tell(
    log: Log, journey: Journey, steps: Sequence[Step], way: Way | None = None, caused: Iterable[Journey] = ()
) -> list[Sentence]:
    """The journey, a sentence a visit, and a last one that says how it ended and what it caused.

    ``way`` tells its copies apart, if it has any.
    """
    copied = way is not None and bool(way.copies)
    visits = _by_node(steps) if copied else _visits(steps)
    sentences = []
    frame: bytes | None = None
    for visit in visits:
        left = visit.of("wire.tx")
        after = _frame(log, left[0]) if left else None
        end = _copy_end(visit.node, way) if copied and way else _END if visit is visits[-1] else ""
        sentences.append(_sentence(log, journey, visit, steps[0].t, _changes(frame, after), end))
        frame = after or frame
    if steps:
        said = "; ".join(f"{other.said or 'a packet'} (packet {other.pkt})" for other in caused)
        sentences += [Sentence(f"It caused: {said}.", len(steps) - 1, steps[-1].record)] if said else []
    return sentences


def _visits(steps: Sequence[Step]) -> list[_Visit]:
    visits, first = [], 0
    for node, group in groupby(steps, key=lambda step: step.node):
        held = list(group)
        visits.append(_Visit(node, first, held))
        first += len(held)
    return visits


def _by_node(steps: Sequence[Step]) -> list[_Visit]:
    """Copies go on at the same time: what a node did with its own is told in one."""
    found: dict[str, _Visit] = {}
    for n, step in enumerate(steps):
        found.setdefault(step.node, _Visit(step.node, n, [])).steps.append(step)
    return list(found.values())


_END = "kept it: here its journey ended"


def _copy_end(node: str, way: Way) -> str:
    """How a copy ended that went no further than this node."""
    if node == way.end:
        return "kept it: this is the copy that counted"
    return "that was all: nothing came of this copy" if node in {copy[-1] for copy in way.copies} else ""


def _sentence(log: Log, journey: Journey, visit: _Visit, start: int, changes: list[str], end: str) -> Sentence:
    verbs = [
        *_came(log, journey, visit),
        *_stages(visit),
        *changes,
        *_waited(log, visit),
        *_left(log, visit, end),
    ]
    told = _joined(verbs) or "saw it"
    text = f"+{format_time(visit.steps[0].t - start)}: {visit.node} {told}."
    return Sentence(text, visit.first, visit.steps[0].record)


def _came(log: Log, journey: Journey, visit: _Visit) -> list[str]:
    if made := visit.of("packet"):
        return [f"made it ({log.rows[made[0].record][6][1] or journey.said}, by {made[0].place})"]
    return [f"took it in at {_listed(step.place for step in visit.of('wire.rx'))}"] if visit.of("wire.rx") else []


def _stages(visit: _Visit) -> list[str]:
    runs = [list(group) for _, group in groupby(visit.of("stage"), key=lambda step: step.place)]
    names = [_run(steps) for steps in runs]
    return [f"passed it through {_listed(names)}"] if names else []


def _run(steps: list[Step]) -> str:
    """A stage's name; one that is passed again holds the packet in between."""
    name, waited = steps[0].place, sum(b.t - a.end for a, b in pairwise(steps))
    if len(steps) == 1:
        return name
    times = "twice" if len(steps) == 2 else f"{len(steps)} times"
    return f"{name} ({times}, waiting {format_time(waited)} in between)" if waited > 0 else f"{name} ({times})"


def _waited(log: Log, visit: _Visit) -> list[str]:
    told = []
    out = {step.place: step for step in visit.of("dequeue")}
    for step in visit.of("enqueue"):
        depth = log.rows[step.record][6][0]
        left = out.get(step.place)
        wait = left.t - step.t if left else 0
        if wait or (depth or 0) > 1:
            told.append(f"held it {format_time(wait)} in the queue of {step.place}, as number {depth}")
    for step in visit.of("mark"):
        told.append(f"marked it at {step.place}, where {log.rows[step.record][6][0]} waited: congestion experienced")
    for step in visit.of("lock"):
        if step.end > step.t:
            told.append(f"waited {format_time(step.end - step.t)} for the lock {step.place}")
    return told


def _left(log: Log, visit: _Visit, end: str) -> list[str]:
    departures, drops = visit.of("wire.tx"), visit.of("drop")
    told = []
    if departures:
        spent = departures[0].t - visit.steps[0].t
        ways = _listed(f"{step.place} (to {log.rows[step.record][6][0]}{_way(step)})" for step in departures)
        what = "copies" if len(departures) > max(1, len(visit.of("wire.rx"))) else "it"
        told.append(f"sent {what} out of {ways} after {format_time(spent)}{_whole(log, departures[0])}")
    told += [f"dropped it at {step.place}: {log.rows[step.record][6][0]}" for step in drops]
    if end and not departures and not drops:
        told.append(end)
    return told


def _whole(log: Log, step: Step) -> str:
    said = uncut(mtus(log), step.place, log.rows[step.record][6][1])
    return f" ({said})" if said else ""


def _way(step: Step) -> str:
    if step.lost:
        return ", where it never arrived"
    return f", {format_time(step.end - step.t)} on the way" if step.end > step.t else ""


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}" if found else ""


def _joined(verbs: list[str]) -> str:
    return verbs[0] if len(verbs) == 1 else f"{', '.join(verbs[:-1])}, and {verbs[-1]}" if verbs else ""


# ---- what a node changed in the bytes --------------------------------------------------------------


def _frame(log: Log, step: Step) -> bytes | None:
    frame = log.rows[step.record][6][4]
    return bytes(frame) if frame else None


def _changes(before: bytes | None, after: bytes | None) -> list[str]:
    """What differs between the frame that came and the one that left, in words."""
    if before is None or after is None:
        return []
    old, new = _headers(before), _headers(after)
    told = []
    if {"ipv4"} <= old.keys() & new.keys() and old["ipv4"].ttl != new["ipv4"].ttl:
        verb = "lowered" if new["ipv4"].ttl < old["ipv4"].ttl else "raised"
        told.append(f"{verb} its TTL from {old['ipv4'].ttl} to {new['ipv4'].ttl}")
    if {"ethernet"} <= old.keys() & new.keys() and old["ethernet"][:2] != new["ethernet"][:2]:
        told.append("wrote new MAC addresses")
    return told


def _headers(frame: bytes) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for name, header, _ in layers(frame):
        found.setdefault(name, header)
    return found
