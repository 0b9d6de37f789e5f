"""How far a broadcast reaches: through cables, switches and overlays, with the VLAN tags that it has on its way.

A *spot* is a place with tags: a cable on which the frame has them, a VLAN of a switch inside of which it has them, or
an overlay. The graph of spots is what the wires of a network are once VLANs have split them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from netlab.topology import values
from netlab.topology.spec import Interface, Overlay, PortVlan, Tag
from netlab.topology.wiring import Port, Wiring, has_vlans

Tags = tuple[tuple[Tag, int], ...]
Spot = tuple[str, object, Tags]
"""("cable", link index, tags), ("switch", (node, VLAN), tags) or ("overlay", name, tags)."""
DEEPEST = 8
"""More tags than this are followed nowhere."""
DEFAULT = PortVlan(access=1)


@dataclass
class Reach:
    """All spots that a broadcast gets to, in the order found; ``loops``: by more than one way."""

    spots: dict[Spot, None] = field(default_factory=dict)
    loops: bool = False


class Broadcasts:
    """The graph of spots of one wiring."""

    def __init__(self, wiring: Wiring, overlays: tuple[Overlay, ...]) -> None:
        self.wiring, self.overlays = wiring, {overlay.name: overlay for overlay in overlays}
        self.aware = {name: any(has_vlans(p.node) for p in ports[:1]) for name, ports in wiring.ports.items()}
        self._ends = {a.link: (a, b) for a, b in wiring.links}

    def reach(self, start: Spot) -> Reach:
        """Everything that a broadcast which begins at ``start`` gets to."""
        found = Reach({start: None})
        edges, queue = 0, [start]
        while queue:
            near = self._next(queue.pop(0))
            edges += len(near)
            for spot in near:
                if spot not in found.spots:
                    found.spots[spot] = None
                    queue.append(spot)
        found.loops = edges // 2 >= len(found.spots)
        return found

    def heard(self, start: Port) -> set[tuple[str, Tags]]:
        """Where a broadcast of a host's or router's interface arrives: ends of cables with tags, overlays of hosts.

        Other than `reach`, it goes one way: never back through the port that it came by.
        """
        arrivals = self._leaving(start, start.tags) if start.overlay is None else self._tunnelled(start, start.tags)
        found: set[tuple[str, Tags]] = set()
        while arrivals:
            port, tags = arrivals.pop()
            if (port.name, tags) in found or len(tags) > DEEPEST:
                continue
            found.add((port.name, tags))
            if port.bridged:
                arrivals += self._forwarded(port, tags)
        return found

    def _leaving(self, port: Port, tags: Tags) -> list[tuple[Port, Tags]]:
        """At the other end of a port's cable."""
        return [(end, tags) for end in self._ends[port.link] if end.node.name != port.node.name]

    def _forwarded(self, port: Port, tags: Tags) -> list[tuple[Port, Tags]]:
        """Where a switch sends what arrived at one of its ports, or came out of one of its tunnels."""
        found: list[tuple[Port, Tags]] = []
        node = port.node.name
        if port.overlay is None:
            spot = self._inside(port, tags)
            if spot is None:
                return []
            (_, vid), tags = cast("tuple[str, int]", spot[1]), spot[2]
        else:
            vid = self._vid(port.overlay.name, node)
        for other in self.wiring.ports[node]:
            framed = _framed(other.spec.vlan or DEFAULT, vid, tags) if self.aware[node] else tags
            if other.bridged and other.name != port.name and framed is not None:
                found += self._leaving(other, framed)
        for overlay in self.overlays.values():
            if node in overlay.members and self._vid(overlay.name, node) == vid and overlay is not port.overlay:
                found += self._tunnelled(Port(port.node, Interface(overlay.name), -1, overlay=overlay), tags)
        return found

    def _tunnelled(self, end: Port, tags: Tags) -> list[tuple[Port, Tags]]:
        """At the other ends of an overlay."""
        overlay = end.overlay
        assert overlay is not None
        nodes = {name: ports[0].node for name, ports in self.wiring.ports.items() if ports and name in overlay.members}
        return [
            (Port(node, Interface(values.plain_name(name, overlay.name)), -1, overlay=overlay), tags)
            for name, node in nodes.items()
            if name != end.node.name
        ]

    def _next(self, spot: Spot) -> list[Spot]:
        kind, place, tags = spot
        if len(tags) > DEEPEST:
            return []
        if kind == "cable":
            ends = self._ends[cast("int", place)]
            return [found for port in ends if port.bridged and (found := self._inside(port, tags))]
        if kind == "switch":
            return self._out(*cast("tuple[str, int]", place), tags)
        members = self.overlays[str(place)].members
        return [
            ("switch", (name, self._vid(str(place), name)), tags)
            for name in members
            if any(p.bridged for p in self.wiring.ports[name])
        ]

    def _vid(self, overlay: str, switch: str) -> int:
        return (self.overlays[overlay].vlan or 1) if self.aware[switch] else 0

    def _inside(self, port: Port, tags: Tags) -> Spot | None:
        """Where a frame on the cable of a switch's port gets to in the switch."""
        name = port.node.name
        if not self.aware[name]:
            return ("switch", (name, 0), tags)
        vid, inner = _classified(port.spec.vlan or DEFAULT, tags)
        return ("switch", (name, vid), inner) if vid else None

    def _out(self, node: str, vid: int, tags: Tags) -> list[Spot]:
        found: list[Spot] = []
        for port in self.wiring.ports[node]:
            framed = _framed(port.spec.vlan or DEFAULT, vid, tags) if self.aware[node] else tags
            if port.bridged and framed is not None:
                found.append(("cable", port.link, framed))
        joined = [o.name for o in self.overlays.values() if node in o.members and self._vid(o.name, node) == vid]
        return found + [("overlay", name, tags) for name in joined]


def _classified(rule: PortVlan, tags: Tags) -> tuple[int, Tags]:
    """The VLAN of a frame that comes in by a port, and the tags that stay on it; VLAN 0: it is dropped."""
    if rule.qinq:
        return rule.qinq, tags
    if not tags or tags[0][0] != rule.tag:
        return rule.access or rule.native, tags
    vid = tags[0][1]
    return (vid if vid in rule.trunk or vid == rule.native else 0), tags[1:]


def _framed(rule: PortVlan, vid: int, tags: Tags) -> Tags | None:
    """The tags of a frame that leaves by a port, None when its VLAN is not there."""
    if vid in (rule.access, rule.qinq, rule.native):
        return tags
    return ((rule.tag, vid), *tags) if vid in rule.trunk else None
