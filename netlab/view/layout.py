"""Where the nodes of a network stand: legible, and the same in every run.

Three shapes are told apart, since people draw each in one way only: a row (with what hangs on it, which makes a line
and a dumbbell), a star, and anything else, which springs lay out roughly and a grid makes tidy. Coordinates are px,
y grows downwards, a point is a node's centre.
"""

from __future__ import annotations

from itertools import pairwise
from math import cos, hypot, pi, sin
from typing import Any, NamedTuple

from netlab.topology.spec import Plan

SIZES = {"host": (116, 56), "switch": (128, 50), "router": (84, 84)}
"""Width and height of a node's shape."""
STEP_X, STEP_Y = 238, 150
"""The least distance of neighbours; across, what is written at a cable's ends may ask for more."""
COLUMN, HUNG = 78, 140
"""px between the centres of hosts in one column, and of those that hang side by side."""
MARGIN = 34
ROW = 5
"""A line longer than this goes on in the next row, back and forth."""


class Point(NamedTuple):
    """A place in px."""

    x: float
    y: float


Places = dict[str, Point]


class Box(NamedTuple):
    """A rectangle in px."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two share more than an edge."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def grown(self, by: float) -> Box:
        """The rectangle with ``by`` px added on each side."""
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)


def around(at: Point, width: float, height: float) -> Box:
    """The rectangle of that size around its centre."""
    return Box(at.x - width / 2, at.y - height / 2, at.x + width / 2, at.y + height / 2)


def place(plan: Plan, written: dict[str, float] | None = None) -> Places:
    """A centre for every node, all of them at least ``MARGIN`` from the top and left edges of the drawing.

    ``written`` is the width in px of what is written at each interface.
    """
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(node.name for node in plan.nodes)
    owner = {i.name: i.node for i in plan.interfaces()}
    graph.add_edges_from((owner[link.a], owner[link.b]) for link in plan.links if owner[link.a] != owner[link.b])
    order = {node.name: i for i, node in enumerate(plan.nodes)}
    parts = sorted(nx.connected_components(graph), key=lambda names: min(order[name] for name in names))
    places: Places = {}
    below = 0.0
    steps = _steps(plan, owner, written or {})
    for names in parts:
        part = _place_part(graph.subgraph(names), sorted(names, key=order.__getitem__), steps)
        top = min(p.y for p in part.values())
        places.update({name: Point(p.x, p.y - top + below) for name, p in part.items()})
        below = max(p.y for p in places.values()) + STEP_Y
    return _at_origin(places, {node.name: SIZES[node.kind] for node in plan.nodes})


def extent(boxes: list[Box]) -> tuple[float, float]:
    """Width and height of the drawing that holds all the boxes, with its margin."""
    return (
        max((box.right for box in boxes), default=0.0) + MARGIN,
        max((box.bottom for box in boxes), default=0.0) + MARGIN,
    )


def _at_origin(places: Places, sizes: dict[str, tuple[int, int]]) -> Places:
    boxes = [around(at, *sizes[name]) for name, at in places.items()]
    left, top = min(box.left for box in boxes) - MARGIN, min(box.top for box in boxes) - MARGIN
    return {name: Point(round(at.x - left, 1), round(at.y - top, 1)) for name, at in places.items()}


class _Steps:
    """How far apart neighbours stand so that no two ends of a cable write into each other."""

    def __init__(self) -> None:
        self.asked: dict[frozenset[str], float] = {}

    def ask(self, a: str, b: str, step: float) -> None:
        self.asked[frozenset((a, b))] = max(step, self.between(a, b))

    def between(self, a: str, b: str) -> float:
        return self.asked.get(frozenset((a, b)), STEP_X)

    def longest(self, names: list[str]) -> float:
        return max([STEP_X, *(step for pair, step in self.asked.items() if pair <= set(names))])


def _steps(plan: Plan, owner: dict[str, str], written: dict[str, float]) -> _Steps:
    half = {node.name: SIZES[node.kind][0] / 2 for node in plan.nodes}
    steps = _Steps()
    for link in plan.links:
        a, b = owner[link.a], owner[link.b]
        steps.ask(a, b, half[a] + half[b] + written.get(link.a, 0) + written.get(link.b, 0) + 26)
    return steps


def _place_part(graph: Any, names: list[str], steps: _Steps) -> Places:
    core = [name for name in names if graph.degree(name) > 1] or names
    row = _as_row(graph, core)
    if not row:
        return _springs(graph, names, steps.longest(names))
    if len(row) == 1 and len(names) > 3:
        return _star(row[0], [name for name in names if name != row[0]], steps.longest(names))
    return _row(graph, row, names, steps)


def _as_row(graph: Any, core: list[str]) -> list[str]:
    """The core in the order of a path, or [] when it is none."""
    inner = graph.subgraph(core)
    ends = [name for name in core if inner.degree(name) <= 1]
    if any(inner.degree(name) > 2 for name in core) or not ends or inner.number_of_edges() != len(core) - 1:
        return []
    path, last = [ends[0]], ""
    while len(path) < len(core):
        following = next(n for n in inner.neighbors(path[-1]) if n != last)
        last = path[-1]
        path.append(following)
    return path


def _star(centre: str, leaves: list[str], step: float) -> Places:
    """Leaves on an ellipse, the first at the left, then clockwise."""
    n = len(leaves)
    wide, high = max(step, n * 26), max(STEP_Y, n * 17)
    angles = _even_angles(n, wide, high)
    places = {centre: Point(0, 0)}
    for leaf, angle in zip(leaves, angles, strict=True):
        places[leaf] = Point(-wide * cos(angle), -high * sin(angle))
    return places


def _even_angles(n: int, wide: float, high: float) -> list[float]:
    """n angles whose points are evenly spaced along the ellipse's rim, in px of a node's box (wider than high)."""
    fine = 7200
    stretch = SIZES["host"][0] / SIZES["host"][1]
    reached = [0.0]
    for i in range(fine):
        a, b = 2 * pi * i / fine, 2 * pi * (i + 1) / fine
        reached.append(reached[-1] + hypot(wide * (cos(b) - cos(a)), stretch * high * (sin(b) - sin(a))))
    angles, at = [], 0
    for k in range(n):
        while reached[at] < reached[-1] * k / n:
            at += 1
        angles.append(2 * pi * at / fine)
    return angles


def _row(graph: Any, row: list[str], names: list[str], steps: _Steps) -> Places:
    """The core from left to right, its ends' leaves in columns outside, the others' leaves above and below."""
    leaves = {name: [n for n in names if n not in row and n in graph.adj[name]] for name in row}
    if names.index(row[-1]) < names.index(row[0]):
        row = row[::-1]
    first, last = leaves.pop(row[0]), leaves.get(row[-1], [])
    if len(row) == 1:
        first, last = first[:1], first[1:]
    if all(not hung for name, hung in leaves.items() if name != row[-1]) and len(first) < 2 and len(last) < 2:
        return _snake([*first, *row, *last], steps)
    places = _spine(row, leaves, steps)
    for node, column, side in ((row[0], first, -1), (row[-1], last, 1)):
        away = max((steps.between(node, leaf) for leaf in column), default=STEP_X) + max(0, len(column) - 4) * 10
        places.update(_column(column, Point(places[node].x + side * away, places[node].y)))
    return places


def _snake(line: list[str], steps: _Steps) -> Places:
    """Back and forth in as many rows as needed; a column is as wide as its widest step."""
    rows = -(-len(line) // ROW) if len(line) > ROW + 1 else 1
    per = -(-len(line) // rows)
    cells: dict[str, tuple[int, int]] = {}
    for i, name in enumerate(line):
        row, along = divmod(i, per)
        cells[name] = (row, along if row % 2 == 0 else per - 1 - along)
    wide: list[float] = [STEP_X] * per
    for a, b in pairwise(line):
        if cells[a][0] == cells[b][0]:
            at = min(cells[a][1], cells[b][1])
            wide[at] = max(wide[at], steps.between(a, b))
    return {name: Point(sum(wide[:column]), row * STEP_Y) for name, (row, column) in cells.items()}


def _spine(row: list[str], leaves: dict[str, list[str]], steps: _Steps) -> Places:
    places: Places = {}
    x = before = 0.0
    for i, name in enumerate(row):
        hung = leaves.get(name, []) if 0 < i < len(row) - 1 else []
        half = -(-len(hung) // 2) * HUNG / 2
        x += max(steps.between(row[i - 1], name), before + half) if i else 0
        places[name], before = Point(x, 0), half
        for side, group in ((-1, hung[::2]), (1, hung[1::2])):
            for k, leaf in enumerate(group):
                places[leaf] = Point(x + (k - (len(group) - 1) / 2) * HUNG, side * STEP_Y)
    return places


def _column(leaves: list[str], at: Point) -> Places:
    middle = (len(leaves) - 1) / 2
    return {leaf: Point(at.x, at.y + (i - middle) * COLUMN) for i, leaf in enumerate(leaves)}


def _springs(graph: Any, names: list[str], step: float) -> Places:
    from netlab.view.grid import tidy

    return tidy(graph, names, step, STEP_Y)
