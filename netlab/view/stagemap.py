"""A host as a metro map: stages are stations; what is received goes up at the left, what is sent down at the right.

A station's place depends on its name alone, so the same stage stands in the same place on every host, in every run,
and whether its records come from our stack or from a kernel.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from math import hypot
from typing import NamedTuple

PLACES: dict[str, tuple[float, float]] = {
    # (column, row): column 0 is received, 4 is sent, between them what turns round or passes on; row 0 is the cable.
    # Chosen so that no track of the stack's graph runs through a foreign station.
    "nic.rx": (0, 0),
    "nic.tx": (4, 0),
    "ifq": (4, 1),
    "arp.input": (1, 1),
    "arp.output": (3, 1),
    "ether.input": (0, 2),
    "bridge.forward": (2, 2),
    "ether.output": (4, 2),
    "ip.forward": (2, 3),
    "ip.input": (0, 4),
    "ip.output": (4, 4),
    "icmp.input": (1, 5),
    "icmp.error": (3, 5),
    "udp.input": (0, 6),
    "icmp.output": (3, 6.5),
    "udp.output": (4, 7),
    "socket.deliver": (0, 7.5),
}
"""What every map shows of these, if the stack has it. A stage that is not here is shown where a log has seen it."""
BESIDE: dict[str, tuple[float, float]] = {"gro": (1, 0.5), "gso": (5, 1.5)}
"""Where others would rather stand that have no family: next to the device."""
COLUMNS = 4
STEP_X, STEP_Y, STATION = 190, 54, (146, 40)
PAD_X, PAD_Y = 92, 42


class Station(NamedTuple):
    """A stage on the map, centred at x, y. ``state`` is "seen" (in this log), "idle", or "hidden" (not observable)."""

    stage: str
    x: float
    y: float
    state: str
    says: str


class Track(NamedTuple):
    """A way between two stations; one that only the log shows has nothing observable in between."""

    a: str
    b: str
    inferred: bool


class StageMap(NamedTuple):
    """One node's map."""

    stations: tuple[Station, ...]
    tracks: tuple[Track, ...]
    width: int
    height: int


def stage_map(
    kind: str, seen: Collection[str], ways: Iterable[tuple[str, str]], observable: Collection[str] | None
) -> StageMap:
    """The map of a node of that kind, of whose stages ``observable`` (None: all) could be seen and ``seen`` were.

    ``ways`` are the transitions that the log shows.
    """
    graph = _graph(kind)
    names = frozenset(name for name in graph if name in PLACES or name in seen) | frozenset(seen)
    own = {name: graph[name] for name in names if name in graph}
    visible = names if observable is None else set(observable) | set(seen)
    known = [Track(a, b, False) for a in sorted(own) for b in own[a][0] if b in names and b != a]
    drawn = {(track.a, track.b) for track in known}
    found = [Track(a, b, True) for a, b in sorted(set(ways)) if a != b and (a, b) not in drawn]
    places = _places(names, tuple(known))
    top = max(row for _, row in places.values())
    stations = tuple(
        Station(
            name,
            PAD_X + places[name][0] * STEP_X,
            PAD_Y + (top - places[name][1]) * STEP_Y,
            "seen" if name in seen else "idle" if name in visible else "hidden",
            own.get(name, ((), ""))[1],
        )
        for name in sorted(names, key=lambda name: (places[name][1], places[name][0]))
    )
    right = max(s.x for s in stations)
    return StageMap(stations, (*known, *found), int(right + PAD_X), int(PAD_Y * 2 + top * STEP_Y))


def _graph(kind: str) -> dict[str, tuple[tuple[str, ...], str]]:
    """Our stack's stages for a node of that kind: where each leads, and what it does."""
    from netlab.stack.host import GRAPHS

    graph = {stage.name: (stage.to, stage.says.replace("`", "")) for stage in GRAPHS[kind]}
    return {**graph, "nic.tx": ((), "The device puts frames on the wire.")}


Spot = tuple[float, float]


@lru_cache(maxsize=64)
def _places(names: frozenset[str], tracks: tuple[Track, ...]) -> dict[str, Spot]:
    """A free place for every name: its own, or for others the best that is left, so that few tracks run through it."""
    places = {name: PLACES[name] for name in names if name in PLACES}
    for name in sorted(names - places.keys()):
        column, row = _suggested(name)
        spots = [(c / 2, r / 2) for c in range(2 * COLUMNS + 3) for r in range(1, 20)]
        free = [spot for spot in spots if _is_free(spot, places.values())]
        places[name] = min(free, key=lambda s: (_cost(name, s, places, tracks) + hypot(s[0] - column, s[1] - row), s))
    return places


def _is_free(spot: Spot, taken: Iterable[Spot]) -> bool:
    return not any(abs(spot[0] - c) < 1 and abs(spot[1] - r) < 1 for c, r in taken)


def _cost(name: str, spot: Spot, places: dict[str, Spot], tracks: tuple[Track, ...]) -> float:
    """What a station costs at that spot: tracks through stations most, then the length of its own tracks."""
    at = {**places, name: spot}
    cost = 0.0
    for a, b in ((at[t.a], at[t.b]) for t in tracks if t.a in at and t.b in at):
        if spot in (a, b):
            cost += 0.4 * hypot(a[0] - b[0], a[1] - b[1])
            cost += 20 * sum(_runs_through(a, b, other) for other in places.values() if other not in (a, b))
        else:
            cost += 20 * _runs_through(a, b, spot)
    return cost


def _runs_through(a: Spot, b: Spot, station: Spot) -> bool:
    """Whether the straight track from a to b touches the station's shape (Liang and Barsky's clipping)."""
    first, last = 0.0, 1.0
    for axis, half in ((0, STATION[0] / STEP_X / 2), (1, STATION[1] / STEP_Y / 2)):
        way, to = b[axis] - a[axis], station[axis] - a[axis]
        if way:
            enter, leave = sorted(((to - half) / way, (to + half) / way))
            first, last = max(first, enter), min(last, leave)
        elif abs(to) > half:
            return False
    return first < last


def _suggested(name: str) -> Spot:
    """Input at the left, output at the right, at the height of the protocol's other stages."""
    if name in BESIDE:
        return BESIDE[name]
    family, _, does = name.partition(".")
    rows = [row for known, (_, row) in PLACES.items() if known.split(".")[0] == family]
    column = {"input": 0, "rx": 0, "deliver": 0, "output": COLUMNS, "tx": COLUMNS, "send": COLUMNS}.get(does, 2)
    return column, rows[0] if rows else 5
