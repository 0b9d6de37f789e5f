"""A host as a metro map: stages are stations; what is received goes up at the left, what is sent down at the right.

A station's place depends on its name alone, so the same stage stands in the same place on every host, in every run,
and whether its records come from our stack or from a kernel.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
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
    "vlan.input": (0, 3),
    "ip.forward": (2, 3),
    "vlan.output": (4, 3),
    "ip.input": (0, 4),
    "ip.output": (4, 4),
    "icmp.input": (1, 5),
    "icmp.error": (3, 5),
    "udp.input": (0, 6),
    "icmp.output": (3, 6.5),
    "udp.output": (4, 7),
    "socket.deliver": (0, 7.5),
    "socket.send": (4, 8),
}
COLUMNS = 4
STEP_X, STEP_Y, STATION = 190, 68, (146, 46)
PAD_X, PAD_Y = 92, 50


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
    own = _graph(kind)
    names = set(own) | set(seen)
    visible = names if observable is None else set(observable) | set(seen)
    places = _places(names)
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
    known = [Track(a, b, False) for a in sorted(own) for b in own[a][0] if b in names]
    drawn = {(track.a, track.b) for track in known}
    found = [Track(a, b, True) for a, b in sorted(set(ways)) if a != b and (a, b) not in drawn]
    right = max(s.x for s in stations)
    return StageMap(stations, (*known, *found), int(right + PAD_X), int(PAD_Y * 2 + top * STEP_Y))


def _graph(kind: str) -> dict[str, tuple[tuple[str, ...], str]]:
    """Our stack's stages for a node of that kind: where each leads, and what it does."""
    from netlab.stack.host import GRAPHS

    graph = {stage.name: (stage.to, stage.says.replace("`", "")) for stage in GRAPHS[kind]}
    return {**graph, "nic.tx": ((), "The device puts frames on the wire.")}


def _places(names: Collection[str]) -> dict[str, tuple[float, float]]:
    """A free place for every name: its own, or for a stranger one that its name suggests."""
    places = {name: PLACES[name] for name in names if name in PLACES}
    for name in sorted(set(names) - set(places)):
        column, row = _suggested(name)
        inwards = sorted(range(COLUMNS + 1), key=lambda other: abs(other - column))
        spots = ((float(c), row + up) for up in range(len(names)) for c in inwards)
        places[name] = next(spot for spot in spots if _is_free(spot, places.values()))
    return places


def _is_free(spot: tuple[float, float], taken: Iterable[tuple[float, float]]) -> bool:
    return not any(abs(spot[0] - c) < 1 and abs(spot[1] - r) < 0.8 for c, r in taken)


def _suggested(name: str) -> tuple[float, float]:
    """Input at the left, output at the right, at the height of the protocol's other stages."""
    family, _, does = name.partition(".")
    rows = [row for known, (_, row) in PLACES.items() if known.split(".")[0] == family]
    column = {"input": 0, "rx": 0, "deliver": 0, "output": COLUMNS, "tx": COLUMNS, "send": COLUMNS}.get(does, 2)
    return column, rows[0] if rows else 8.5
