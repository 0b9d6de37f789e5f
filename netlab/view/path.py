"""The picture of a packet's path: the network, the way it took through it, and each host from inside."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from netlab.errors import BadInput
from netlab.topology.codec import plan_from_data
from netlab.topology.spec import Plan
from netlab.trace.journey import Journey, journeys
from netlab.trace.log import Log
from netlab.units import MS, US, format_time
from netlab.view.branches import Way, way_of
from netlab.view.geometry import Sketch, sketch
from netlab.view.narrative import tell
from netlab.view.picture import Columns, Picture, columns
from netlab.view.stagemap import StageMap, stage_map
from netlab.view.steps import Step, by_packet, steps_of
from netlab.view.uncut import mtus, uncut

STEP_COLUMNS = (
    *("pkt", "n", "leg", "visit", "t", "end", "at"),
    *("node", "kind", "place", "station", "iface", "lane", "lost", "note", "record"),
)
DEVICES = {"wire.tx": "nic.tx", "wire.rx": "nic.rx"}
"""The stations that frames leave and enter a host by: a frame seen on the cable has passed one, recorded or not."""
_SENT = re.compile(r"\b(ICMP|ICMPv6 echo|UDP|TCP) ")
"""What a program sends, by how it is said; ARP and neighbour discovery are what the network does for it."""
LIMIT = 200
"""The number of journeys that one picture holds; it is said when there were more."""


class _Told(NamedTuple):
    """Everything that is drawn of one packet."""

    journey: Journey
    steps: list[Step]
    way: Way
    caused: Sequence[Journey]


def _told(log: Log, journey: Journey, steps: list[Step], caused: Sequence[Journey]) -> _Told:
    return _Told(journey, steps, way_of(log, journey, caused), caused)


def packet_path(log: Log, pkt: int | None = None, *, limit: int = LIMIT) -> Picture:
    """The journeys of a log over its network, with ``pkt`` (None: the one that says most) in front.

    BadInput when the log never saw ``pkt``.
    """
    plan = plan_from_data(log.header.plan)
    drawn = sketch(plan)
    everyone = journeys(log)
    focus = _focus(everyone, pkt)
    chosen = _chosen(everyone, focus, limit)
    rows, caused = by_packet(log), caused_by(everyone)
    told = [_told(log, everyone[p], steps_of(rows[p], drawn.lanes), caused.get(p, ())) for p in chosen]
    maps = _maps(log, plan)
    words = list(_words(log, told))
    return Picture(
        title=_title(plan, everyone.get(focus)),
        axes=_axes(log, drawn, focus, maps),
        layers={
            **drawn.layers,
            **_map_layers(maps),
            "journeys": _journeys(told, everyone, focus),
            "steps": _steps(log, told),
            "drops": _drops(log, told, drawn),
            "words": columns(("pkt", "text", "step", "record"), words),
            "talk": _talk(log),
        },
        caption=_caption(log, plan, len(everyone), len(chosen)),
        narrative=tuple(row[1] for row in words if row[0] == focus),
    )


def network(plan: Plan) -> Picture:
    """The network without any packet."""
    drawn = sketch(plan)
    axes = {"kind": "network", "width": drawn.width, "height": drawn.height}
    return Picture(plan.name, axes, drawn.layers, narrative=tuple(drawn.layers["nodes"]["tells"]))


# ---- which packets -----------------------------------------------------------------------------


def _focus(everyone: Mapping[int, Journey], pkt: int | None) -> int:
    if pkt is None:
        return _says_most(everyone)
    if pkt not in everyone:
        raise BadInput(f"packet {pkt} is not in this log", right=f"it has {_span(everyone)}")
    return pkt


def _says_most(everyone: Mapping[int, Journey]) -> int:
    """The packet to show where none was asked for: one that somebody sent, that no other caused, that saw most nodes.

    0 where there is no packet.
    """

    def interest(pkt: int) -> tuple[bool, bool, int, int]:
        journey = everyone[pkt]
        return bool(_SENT.search(journey.said)), journey.parent == 0, len(set(journey.nodes)), -pkt

    return max(everyone, key=interest, default=0)


def _span(everyone: Iterable[int]) -> str:
    known = sorted(everyone)
    return f"packets {known[0]} to {known[-1]}" if known else "no packets"


def _chosen(everyone: Mapping[int, Journey], focus: int, limit: int) -> list[int]:
    """The focus with its relatives, then the others in order, up to the limit; in order of appearance."""
    family = root_of(everyone, focus) if focus else 0
    ranked = sorted(everyone, key=lambda p: (p != focus, root_of(everyone, p) != family))
    kept = set(ranked[:limit])
    return _by_family(everyone, kept)


def _by_family(everyone: Mapping[int, Journey], kept: Collection[int]) -> list[int]:
    """Those kept by first appearance, each followed by what it caused."""
    ranked = sorted(kept, key=lambda p: (everyone[p].hops[0].t if everyone[p].hops else 0, p))
    children: dict[int, list[int]] = {}
    for p in ranked:
        parent = everyone[p].parent
        children.setdefault(parent if parent in kept else 0, []).append(p)
    ordered: dict[int, None] = {}
    waiting = [*reversed(ranked), *reversed(children.get(0, []))]  # all once more below: causes might go in a circle
    while waiting:
        p = waiting.pop()
        if p not in ordered:
            ordered[p] = None
            waiting += reversed(children.get(p, []))
    return list(ordered)


def root_of(everyone: Mapping[int, Journey], pkt: int) -> int:
    """The first packet of the chain of causes that led to this one."""
    seen = {pkt}
    while (parent := everyone[pkt].parent) in everyone and parent not in seen:
        seen.add(parent)
        pkt = parent
    return pkt


def caused_by(everyone: Mapping[int, Journey]) -> dict[int, list[Journey]]:
    """What each packet caused."""
    found: dict[int, list[Journey]] = {}
    for journey in everyone.values():
        found.setdefault(journey.parent, []).append(journey)
    return found


# ---- layers ------------------------------------------------------------------------------------


def _journeys(told: Sequence[_Told], everyone: Mapping[int, Journey], focus: int) -> Columns:
    rows = []
    for one in told:
        journey, steps = one.journey, one.steps
        first = steps[0] if steps else None
        rows.append(
            (
                journey.pkt,
                journey.said or "not said what",
                journey.parent,
                root_of(everyone, journey.pkt),
                first.node if first else "",
                first.t if first else 0,
                max((s.end for s in steps), default=0),
                _fate(one),
                first.record if first else -1,
            )
        )
    return columns(("pkt", "said", "parent", "root", "node", "t", "end", "fate", "record"), rows)


def _fate(one: _Told) -> str:
    last = one.steps[-1] if one.steps else None
    if one.way.copies:
        found = list(dict.fromkeys(copy[-1] for copy in one.way.copies))
        others = ", ".join(found)
        also = f"a copy went to {others}" if len(found) == 1 else f"copies went to {others}"
        return f"ended at {one.way.end}; {also}" if one.way.end else f"ended in copies, at {others}"
    if one.journey.ended:
        return f"dropped: {one.journey.ended}"
    if last is None:
        return "not observed"
    if last.kind == "wire.tx":
        return "lost on the way" if last.lost else f"last seen leaving {last.node}"
    return f"ended at {last.node}"


def _steps(log: Log, told: Sequence[_Told]) -> Columns:
    rows, known = [], mtus(log)
    for one in told:
        steps = one.steps
        leg, start, span = 0, steps[0].t if steps else 0, steps[-1].end - steps[0].t if steps else 0
        visits: dict[str, int] = {}
        own = {(s.node, s.place) for s in steps if s.kind == "stage" and s.place in DEVICES.values()}
        for n, s in enumerate(steps):
            leg += s.lane >= 0
            station = _station(s, own)
            visits[s.node] = visits.get(s.node, 0) + (station != "")
            visit = visits[s.node] if station else 0
            place = (s.node, s.kind, s.place, station, s.iface, s.lane, s.lost)
            rows.append(
                (
                    s.pkt,
                    n,
                    leg if s.lane >= 0 else 0,
                    visit,
                    s.t,
                    s.end,
                    _at(s.t - start, span),
                    *place,
                    _note(log, s, known),
                    s.record,
                )
            )
    return columns(STEP_COLUMNS, rows)


def _station(step: Step, recorded: Collection[tuple[str, str]]) -> str:
    """Where on its node's map the step is shown; "" for nowhere. ``recorded`` are the devices that have records."""
    if step.kind == "stage":
        return step.place
    device = DEVICES.get(step.kind, "")
    return "" if (step.node, device) in recorded else device


def _at(ns: int, span: int) -> str:
    """A time within ``span`` ns, all in one unit and fine enough to tell neighbours apart: "+163.9 µs"."""
    if span < 10 * US:
        return f"+{ns} ns"
    return f"+{ns / US:,.1f} µs" if span < 100 * MS else f"+{ns / MS:,.3f} ms"


def _note(log: Log, step: Step, known: Mapping[str, int]) -> str:
    """What the record says besides its place and time."""
    data = log.rows[step.record][6]
    match step.kind:
        case "packet":
            return str(data[1])
        case "drop":
            return str(data[0])
        case "enqueue" | "dequeue" | "mark":
            return f"{data[0]} {'packet' if data[0] == 1 else 'packets'}, {data[1]} B in the queue then"
        case "wire.tx" | "wire.rx":
            return uncut(known, step.place, data[1]) or f"{data[1]} B"
        case "lock":
            return f"{data[0]}, held {format_time(data[2] or 0)}"
    return ""


def _drops(log: Log, told: Sequence[_Told], drawn: Sketch) -> Columns:
    """Where packets ended badly: at a node, or half-way along a cable."""
    nodes, lanes = drawn.layers["nodes"], drawn.layers["lanes"]
    where = {name: (nodes["x"][i], nodes["y"][i]) for i, name in enumerate(nodes["name"])}
    rows = []
    for one in told:
        steps, ended = one.steps, False
        for n, s in enumerate(steps):
            if s.kind == "drop":
                lost = next((o for o in steps if o.lost and (o.iface == s.iface or s.place == o.iface)), None)
                x, y = _half_way(lanes, lost.lane) if lost and lost.lane >= 0 else where[s.node]
                rows.append((s.pkt, n, s.node, x, y, lost is not None, str(log.rows[s.record][6][0]), s.record))
                ended = True
        rows += [
            (s.pkt, n, s.node, *_half_way(lanes, s.lane), True, "never arrived", s.record)
            for n, s in enumerate(steps)
            if s.lost and s.lane >= 0 and not ended
        ]
    return columns(("pkt", "n", "node", "x", "y", "on_cable", "reason", "record"), rows)


def _half_way(lanes: Columns, lane: int) -> tuple[float, float]:
    return (lanes["x1"][lane] + lanes["x2"][lane]) / 2, (lanes["y1"][lane] + lanes["y2"][lane]) / 2


def _words(log: Log, told: Sequence[_Told]) -> Iterable[tuple[Any, ...]]:
    for one in told:
        for sentence in tell(log, one.journey, one.steps, one.way, one.caused):
            yield (one.journey.pkt, *sentence)


def _talk(log: Log) -> Columns:
    said = [(r.t, r.node, r.obj, r.data[0], r.data[1], i) for i, r in enumerate(log) if r.kind == "app"]
    return columns(("t", "node", "program", "said", "value", "record"), said[:LIMIT])


# ---- the inside of hosts --------------------------------------------------------------------------


def _maps(log: Log, plan: Plan) -> dict[str, StageMap]:
    seen: dict[str, set[str]] = {node.name: set() for node in plan.nodes}
    ways: dict[str, set[tuple[str, str]]] = {node.name: set() for node in plan.nodes}
    last: dict[int, tuple[str, str]] = {}
    for row in log.rows:
        if row[1] == "wire.rx":
            last.pop(row[5], None)
        if row[1] in ("stage", "wire.tx", "wire.rx") and row[2] in seen:
            stage = row[3] if row[1] == "stage" else DEVICES[row[1]]
            seen[row[2]].add(stage)
            node, before = last.get(row[5], ("", ""))
            if node == row[2] and row[5]:
                ways[node].add((before, stage))
            last[row[5]] = (row[2], stage)
    return {n.name: stage_map(n.kind, seen[n.name], ways[n.name], log.header.stages.get(n.name)) for n in plan.nodes}


def _map_layers(maps: Mapping[str, StageMap]) -> dict[str, Columns]:
    stations = ((node, *station) for node, held in maps.items() for station in held.stations)
    tracks = ((node, *track) for node, held in maps.items() for track in held.tracks)
    return {
        "stations": columns(("node", "stage", "x", "y", "state", "says"), stations),
        "tracks": columns(("node", "a", "b", "inferred"), tracks),
    }


# ---- what stands around the picture -----------------------------------------------------------------


def _axes(log: Log, drawn: Sketch, focus: int, maps: Mapping[str, StageMap]) -> dict[str, Any]:
    return {
        "kind": "packet path",
        "width": drawn.width,
        "height": drawn.height,
        "unit": "ns",
        "focus": focus,
        "backend": log.header.backend,
        "maps": {name: [held.width, held.height] for name, held in maps.items()},
    }


def _title(plan: Plan, journey: Journey | None) -> str:
    if journey is None:
        return f"{plan.name}: no packet was seen"
    return f"{plan.name}: the path of packet {journey.pkt}" + (f", {journey.said}" if journey.said else "")


_WHAT = {
    "packet": "what caused a packet",
    "stage": "stages",
    "drop": "drops",
    "enqueue": "what enters queues",
    "dequeue": "what leaves queues",
    "mark": "what queues mark",
    "lock": "locks",
    "app": "what programs said",
    "wire.tx": "departures",
    "wire.rx": "arrivals",
}
"""Kinds of records, for people."""


def _caption(log: Log, plan: Plan, packets: int, drawn: int) -> tuple[str, ...]:
    header = log.header
    world = {"sim": "Simulated", "mininet": "Real packets in Mininet"}.get(header.backend, header.backend)
    kernel = f", Linux {header.kernel}" if header.kernel else ""
    seed = f", seed {header.seed}" if header.clock == "virtual" else ""
    said = [f"{world}{kernel}, {header.clock} clock{seed}."]
    if packets > drawn:
        said.append(f"{packets} packets were seen; {drawn} of them can be chosen here.")
    inferred = [kind for kind, how in header.fidelity.items() if how == "inferred"]
    absent = [kind for kind, how in header.fidelity.items() if how == "none"]
    said += [f"Inferred, not measured: {', '.join(_WHAT.get(k, k) for k in inferred)}."] if inferred else []
    said += [f"Not observable here: {', '.join(_WHAT.get(k, k) for k in absent)}."] if absent else []
    partly = [node.name for node in plan.nodes if node.name in header.stages]
    said += [f"Of {', '.join(partly)} only some stages can be seen."] if partly else []
    said += [f"{log.lost} records were lost, so what is drawn has gaps."] if log.lost else []
    return (*said, *header.notes)
