"""Networks of no common shape: springs for a first guess, then a grid on which nothing stands in anything's way.

On the grid each node tries the free cells near it (and swaps) as long as that makes the drawing better: first no link
through a foreign node, then few crossings, then short links. Everything goes in a fixed order, so the result is too.
"""

from __future__ import annotations

from math import atan2, ceil, cos, hypot, sin, sqrt
from typing import Any

Cell = tuple[int, int]
THROUGH, CROSSING = 60.0, 6.0
"""The price of a link that passes through a node, and of two links that cross, in cells of link length."""
ROUNDS = 12


def tidy(graph: Any, names: list[str], step_x: float, step_y: float) -> dict[str, Any]:
    """A centre for every node, at distinct points of a grid with those steps."""
    from netlab.view.layout import Point

    cells = _snap(_guess(graph, names), names)
    edges = [(a, b) for a, b in sorted(map(sorted, graph.edges()))]
    _improve(cells, names, edges)
    return {name: Point(column * step_x, row * step_y * 1.2) for name, (column, row) in cells.items()}


def _guess(graph: Any, names: list[str]) -> dict[str, tuple[float, float]]:
    import networkx as nx

    around = nx.circular_layout(names)
    spots = nx.spring_layout(graph, pos=around, seed=1, iterations=120, method="force")
    return _lying({name: (float(spots[name][0]), float(spots[name][1])) for name in names})


def _lying(spots: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Turned so that the longest extent lies flat, with the first node at the left and in the upper half."""
    n = len(spots)
    mx, my = sum(x for x, _ in spots.values()) / n, sum(y for _, y in spots.values()) / n
    moved = {name: (x - mx, y - my) for name, (x, y) in spots.items()}
    xx, yy = sum(x * x for x, _ in moved.values()), sum(y * y for _, y in moved.values())
    angle = 0.5 * atan2(2 * sum(x * y for x, y in moved.values()), xx - yy)
    turned = {
        name: (x * cos(angle) + y * sin(angle), y * cos(angle) - x * sin(angle)) for name, (x, y) in moved.items()
    }
    first = next(iter(turned.values()))
    flip_x, flip_y = (-1 if first[0] > 0 else 1), (-1 if first[1] > 0 else 1)
    return {name: (x * flip_x, y * flip_y) for name, (x, y) in turned.items()}


def _snap(spots: dict[str, tuple[float, float]], names: list[str]) -> dict[str, Cell]:
    """Each node in the free cell that is nearest to its spot, on a grid with about two cells a node."""
    across, down = max(2, ceil(sqrt(2.6 * len(names)))), max(2, ceil(sqrt(1.5 * len(names))))
    xs, ys = [p[0] for p in spots.values()], [p[1] for p in spots.values()]
    wide, high = (max(xs) - min(xs)) or 1.0, (max(ys) - min(ys)) or 1.0
    cells: dict[str, Cell] = {}
    for name in names:
        x, y = (spots[name][0] - min(xs)) / wide * (across - 1), (spots[name][1] - min(ys)) / high * (down - 1)
        free = [(c, r) for c in range(across) for r in range(down) if (c, r) not in cells.values()]
        cells[name] = min(free, key=lambda cell: (hypot(cell[0] - x, cell[1] - y), cell))
    return cells


def _improve(cells: dict[str, Cell], names: list[str], edges: list[tuple[str, str]]) -> None:
    for _ in range(ROUNDS):
        before = dict(cells)
        for name in names:
            _settle(cells, name, edges)
        if cells == before:
            return


def _settle(cells: dict[str, Cell], name: str, edges: list[tuple[str, str]]) -> None:
    """Move a node to the best cell within reach, or swap it with who is there, if that is better."""
    here = cells[name]
    taken = {cell: other for other, cell in cells.items()}
    saved, at = 1e-9, here
    for cell in _near(here):
        other = taken.get(cell)
        moved = {name} | ({other} if other else set())
        before = _cost(cells, moved, edges)
        _swap(cells, name, other, cell, here)
        gain = before - _cost(cells, moved, edges)
        _swap(cells, name, other, here, cell)
        if gain > saved:
            saved, at = gain, cell
    if at != here:
        _swap(cells, name, taken.get(at), at, here)


def _near(cell: Cell) -> list[Cell]:
    c, r = cell
    return [(c + dc, r + dr) for dc in (-2, -1, 0, 1, 2) for dr in (-2, -1, 0, 1, 2) if dc or dr]


def _swap(cells: dict[str, Cell], name: str, other: str | None, to: Cell, here: Cell) -> None:
    cells[name] = to
    if other:
        cells[other] = here


def _cost(cells: dict[str, Cell], moved: set[str], edges: list[tuple[str, str]]) -> float:
    """What the links of the moved nodes cost, and what links through the moved nodes do."""
    total = 0.0
    for a, b in edges:
        own = a in moved or b in moved
        if own:
            total += hypot(cells[a][0] - cells[b][0], cells[a][1] - cells[b][1]) ** 1.3
        watched = cells if own else moved
        total += THROUGH * sum(_hits(cells[a], cells[b], cells[name]) for name in watched if name not in (a, b))
        if own:
            total += CROSSING * sum(
                _cross(cells[a], cells[b], cells[c], cells[d]) for c, d in edges if not {a, b} & {c, d}
            )
    return total


def _hits(a: Cell, b: Cell, node: Cell) -> bool:
    """Whether the line from a to b comes within 0.45 cells of the node."""
    length = (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2
    if not length:
        return False
    along = ((node[0] - a[0]) * (b[0] - a[0]) + (node[1] - a[1]) * (b[1] - a[1])) / length
    along = min(1.0, max(0.0, along))
    return hypot(a[0] + along * (b[0] - a[0]) - node[0], a[1] + along * (b[1] - a[1]) - node[1]) < 0.45


def _side(a: Cell, b: Cell, c: Cell) -> int:
    cross = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (cross > 0) - (cross < 0)


def _cross(a: Cell, b: Cell, c: Cell, d: Cell) -> bool:
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0
