"""The drawn network: shapes, cables, what is written at their ends, and the lanes that packets take along them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import hypot
from typing import NamedTuple

from netlab.topology.spec import Plan, PlanLink
from netlab.units import format_rate, format_time
from netlab.view.layout import SIZES, Box, Places, Point, around, extent, place
from netlab.view.picture import Columns, columns
from netlab.view.writing import address_in_shape, interface_lines, node_sentence, tunnel_line

LANE = 9.0
"""px from a cable's middle to the lane of each direction."""
EDGE = 12.0
"""px that stay free along the edges of the drawing."""
PARALLEL = 60.0
"""px between two cables that join the same two nodes."""
LINE, CHAR = 17.0, 7.8
"""px of a line of small text, and of a character of it."""


class Cable(NamedTuple):
    """A link as drawn, from shape to shape."""

    start: Point
    end: Point

    def at(self, part: float, aside: float = 0.0) -> Point:
        """The point at that part of the way, ``aside`` px to the left of someone who walks from start to end."""
        dx, dy = self.end.x - self.start.x, self.end.y - self.start.y
        length = hypot(dx, dy) or 1.0
        return Point(
            self.start.x + part * dx + aside * dy / length,
            self.start.y + part * dy - aside * dx / length,
        )

    @property
    def length(self) -> float:
        """px."""
        return hypot(self.end.x - self.start.x, self.end.y - self.start.y)


class Sketch(NamedTuple):
    """A network's layers ``nodes``, ``links``, ``ends`` and ``lanes``, and the size of the drawing."""

    layers: dict[str, Columns]
    width: float
    height: float
    lanes: dict[str, int]
    """The lane that leaves by this interface."""


def sketch(plan: Plan) -> Sketch:
    """The network drawn, without any packet. Equal plans give equal sketches."""
    owner = {i.name: i.node for i in plan.interfaces()}
    places = place(plan, _written(plan))
    cables, shapes, written, taken = _drawn(plan, places, owner)
    right, down = (max(0.0, EDGE - min(box[side] for box in (*shapes, *taken))) for side in (0, 1))
    if right or down:  # something is written beyond the edge of the paper: draw again, further in
        places = {name: Point(at.x + right, at.y + down) for name, at in places.items()}
        cables, shapes, written, taken = _drawn(plan, places, owner)
    layers = {
        "nodes": _nodes(plan, places),
        "links": _links(plan, cables, owner, taken, shapes),
        **written,
        "lanes": _lanes(plan, cables, owner),
    }
    width, height = extent([*shapes, *taken])
    lanes = {name: 2 * k + side for k, link in enumerate(plan.links) for side, name in enumerate((link.a, link.b))}
    return Sketch(layers, round(width), round(height), lanes)


def _drawn(
    plan: Plan, places: Places, owner: dict[str, str]
) -> tuple[list[Cable], list[Box], dict[str, Columns], list[Box]]:
    """Cables, nodes' boxes, what is written, and the boxes that it takes."""
    cables = _cables(plan, places, owner, {node.name: node.kind for node in plan.nodes})
    shapes = [around(places[node.name], *SIZES[node.kind]) for node in plan.nodes]
    ends, taken = _end_labels(plan, cables, shapes)
    return cables, shapes, {"ends": ends, "tunnels": _tunnels(plan, shapes, taken)}, taken


def _nodes(plan: Plan, places: Places) -> Columns:
    return columns(
        ("name", "kind", "stack", "x", "y", "w", "h", "address", "tells"),
        (
            (n.name, n.kind, n.stack, *places[n.name], *SIZES[n.kind], address_in_shape(n), node_sentence(n))
            for n in plan.nodes
        ),
    )


def _tunnels(plan: Plan, shapes: list[Box], taken: list[Box]) -> Columns:
    """The ends of tunnels, each under or over its node where there is room."""
    rows = []
    for node, shape in zip(plan.nodes, shapes, strict=True):
        for vtep in node.vteps:
            line = tunnel_line(vtep)
            x = (shape.left + shape.right) / 2
            heights = [y for k in range(4) for y in (shape.bottom + 12 + k * LINE, shape.top - 12 - k * LINE)]
            box = _settle([around(Point(x, y), len(line) * CHAR, LINE) for y in heights], taken, shapes)
            taken.append(box)
            rows.append((node.name, line, x, box.top))
    return columns(("node", "text", "x", "y"), rows)


# ---- cables -------------------------------------------------------------------------------------


def _cables(plan: Plan, places: Places, owner: dict[str, str], kinds: Mapping[str, str]) -> list[Cable]:
    pairs = [(owner[link.a], owner[link.b]) for link in plan.links]
    total = Counter(frozenset(pair) for pair in pairs)
    seen: Counter[frozenset[str]] = Counter()
    made = []
    for a, b in pairs:
        nth = seen[frozenset((a, b))]
        seen[frozenset((a, b))] += 1
        aside = (nth - (total[frozenset((a, b))] - 1) / 2) * PARALLEL * (1 if a < b else -1)
        made.append(_cable(places[a], kinds[a], places[b], kinds[b], aside))
    return made


def _cable(a: Point, kind_a: str, b: Point, kind_b: str, aside: float) -> Cable:
    middle = Cable(a, b)
    start, end = middle.at(0, aside), middle.at(1, aside)
    return Cable(_rim(start, end, a, kind_a), _rim(end, start, b, kind_b))


def _rim(inside: Point, towards: Point, centre: Point, kind: str) -> Point:
    """Where the way from inside a node's shape leaves the shape."""
    low, high = 0.0, 1.0
    for _ in range(30):
        half = (low + high) / 2
        at = Point(inside.x + half * (towards.x - inside.x), inside.y + half * (towards.y - inside.y))
        low, high = (half, high) if _inside(at, centre, kind) else (low, half)
    return Point(round(inside.x + low * (towards.x - inside.x), 1), round(inside.y + low * (towards.y - inside.y), 1))


def _inside(at: Point, centre: Point, kind: str) -> bool:
    width, height = SIZES[kind]
    dx, dy = at.x - centre.x, at.y - centre.y
    if kind == "router":
        return hypot(dx, dy) < width / 2
    return abs(dx) < width / 2 and abs(dy) < height / 2


def _links(plan: Plan, cables: list[Cable], owner: dict[str, str], taken: list[Box], shapes: list[Box]) -> Columns:
    rows = []
    for link, cable in zip(plan.links, cables, strict=True):
        said = _link_said(link)
        at = _settle([around(p, len(said) * CHAR, LINE) for p in _middles(cable)], taken, shapes) if said else None
        label = Point((at.left + at.right) / 2, (at.top + at.bottom) / 2) if at else cable.at(0.5)
        rows.append((owner[link.a], owner[link.b], *cable.start, *cable.end, said, *_rounded(label)))
    return columns(("a", "b", "x1", "y1", "x2", "y2", "said", "lx", "ly"), rows)


def _link_said(link: PlanLink) -> str:
    parts = [format_rate(link.rate)] if link.rate else []
    parts += [format_time(link.delay)] if link.delay else []
    parts += [f"{link.loss:.3g} lost"] if link.loss else []
    return ", ".join(parts)


def _middles(cable: Cable) -> list[Point]:
    """Places for a cable's label: under its lanes, first in the middle."""
    flat = abs(cable.end.x - cable.start.x) >= abs(cable.end.y - cable.start.y)
    sides = (-27.0, -45.0, -60.0) if flat else (-60.0, 60.0, -80.0, 80.0)
    if flat and cable.end.x < cable.start.x:
        sides = (27.0, 45.0, 60.0)
    return [cable.at(part, aside) for aside in sides for part in (0.5, 0.4, 0.6)]


def _lanes(plan: Plan, cables: list[Cable], owner: dict[str, str]) -> Columns:
    rows = []
    for link, cable in zip(plan.links, cables, strict=True):
        for back, (tx, rx) in enumerate(((link.a, link.b), (link.b, link.a))):
            way = Cable(cable.end, cable.start) if back else cable
            rows.append((owner[tx], owner[rx], tx, rx, *_rounded(way.at(0, LANE)), *_rounded(way.at(1, LANE))))
    return columns(("a", "b", "tx", "rx", "x1", "y1", "x2", "y2"), rows)


def _rounded(at: Point) -> Point:
    return Point(round(at.x, 1), round(at.y, 1))


# ---- what is written at the ends of cables --------------------------------------------------------


def _end_labels(plan: Plan, cables: list[Cable], shapes: list[Box]) -> tuple[Columns, list[Box]]:
    interfaces = {i.name: i for i in plan.interfaces()}
    texts = interface_lines(plan)
    crowd = Counter(i.node for i in interfaces.values())
    taken: list[Box] = []
    free = [_badge_room(cable) for cable in cables]
    rows = []
    for link, cable in zip(plan.links, cables, strict=True):
        for name, way in ((link.a, cable), (link.b, Cable(cable.end, cable.start))):
            interface, text = interfaces[name], texts[name]
            size = (max(map(len, text)) * CHAR, len(text) * LINE)
            others = [other for other in cables if other is not cable]
            box = _settle(_end_spots(way, *size, crowded=crowd[interface.node] > 3), taken, shapes, others, free)
            taken.append(box)
            rows.append(
                (name, interface.node, text, round((box.left + box.right) / 2, 1), round(box.top, 1), *way.start)
            )
    return columns(("iface", "node", "lines", "x", "y", "px", "py"), rows), taken


def _badge_room(cable: Cable) -> Box:
    """Where a packet's number and time are mostly written: above a flat cable, right of a steep one."""
    middle = cable.at(0.5)
    if abs(cable.end.x - cable.start.x) >= abs(cable.end.y - cable.start.y):
        return around(Point(middle.x, middle.y - LANE - 14), 74, 48)
    return around(Point(middle.x + LANE + 34, middle.y), 74, 28)


def _written(plan: Plan) -> dict[str, float]:
    return {name: max(map(len, lines)) * CHAR for name, lines in interface_lines(plan).items()}


def _end_spots(way: Cable, width: float, height: float, *, crowded: bool) -> list[Box]:
    """Boxes near the start of the way: beside it, nearest first; on it where many ways start."""
    spots = []
    dx, dy = way.end.x - way.start.x, way.end.y - way.start.y
    flat = abs(dx) > 1.2 * abs(dy)
    along = abs(width * dx / way.length) / 2 + abs(height * dy / way.length) / 2
    reach = LANE + 7 + (height / 2 if flat else width / 2)
    # Below a flat cable, to the right of a steep one: the lane of who reads from left to right stays free.
    aside = (-1 if dx >= 0 else 1) * reach if flat else (1 if dy >= 0 else -1) * -reach
    for more in (0, 14, 28, 42, 60, 80, 105, 130, 160):
        part = (along + 5 + more) / (way.length or 1)
        if part > 0.62:
            break
        both = (0.0,) if crowded else (aside, -aside)
        spots += [around(way.at(part, side), width, height) for side in both]
    return spots or [around(way.at(0.3, aside), width, height)]


def _settle(
    candidates: list[Box],
    taken: list[Box],
    shapes: list[Box],
    cables: Sequence[Cable] = (),
    free: Sequence[Box] = (),
) -> Box:
    """The first candidate that overlaps nothing; else the one that overlaps least.

    A cable weighs little, and what should stay ``free`` for packets not much more.
    """
    blocked = [*taken, *shapes]
    return min(
        candidates,
        key=lambda box: (
            sum(box.overlaps(o) for o in blocked)
            + 0.1 * sum(_crosses(c, box) for c in cables)
            + 0.3 * sum(box.overlaps(o) for o in free)
        ),
    )


def _crosses(cable: Cable, box: Box) -> bool:
    """Whether the cable runs through the box (looked at every 6 px of it)."""
    far = max(box.right - box.left, box.bottom - box.top) + cable.length
    middle = Point((box.left + box.right) / 2, (box.top + box.bottom) / 2)
    if hypot(cable.start.x - middle.x, cable.start.y - middle.y) > far:
        return False
    n = int(cable.length / 6) + 1
    return any(_holds(box, cable.at(k / n)) for k in range(n + 1))


def _holds(box: Box, at: Point) -> bool:
    return box.left < at.x < box.right and box.top < at.y < box.bottom
