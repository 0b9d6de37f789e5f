from __future__ import annotations

from itertools import combinations

import pytest

from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Kind, Link, Node, Plan, Topology
from netlab.view.geometry import CHAR, LINE, sketch
from netlab.view.grid import _cross, _hits
from netlab.view.layout import SIZES, Box, Point, around, place

KINDS: dict[str, Kind] = {"h": "host", "s": "switch", "r": "router"}
RING = "h1-r1 r1-r2 r2-r3 r3-r4 r4-r1 r3-h2"
MESH = "h1-s1 s1-r1 r1-r2 r1-r3 r2-r4 r3-r4 r2-r3 r4-s2 s2-h2 s2-h3"
FAT = "r1-r3 r1-r4 r1-r5 r2-r3 r2-r4 r2-r5 r3-s3 r4-s4 r5-s5 s3-h1 s3-h2 s4-h3 s4-h4 s5-h5 s5-h6"
NAMED = (
    "pair",
    "line",
    "line,5",
    "line,12",
    "star,3",
    "star,7",
    "star,20",
    "star,30",
    "dumbbell",
    "dumbbell,10",
    "vlan_trunk",
    "qinq",
    "vxlan",
    "vxlan_vlan",
)


def drawn(edges: str) -> Plan:
    """A plan from "h1-s1 s1-h2"; a name's first letter is its kind."""
    pairs = [tuple(edge.split("-")) for edge in edges.split()]
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    nodes = tuple(Node(name, KINDS[name[0]]) for name in names)
    return resolve(Topology("drawn", nodes, tuple(Link(End(a), End(b)) for a, b in pairs)))


def named(name: str) -> Plan:
    return resolve(load_topology(name))


def shapes(plan: Plan) -> dict[str, Box]:
    layers = sketch(plan).layers["nodes"]
    rows = zip(layers["name"], layers["x"], layers["y"], layers["w"], layers["h"], strict=True)
    return {name: around(Point(x, y), w, h) for name, x, y, w, h in rows}


def labels(plan: Plan) -> dict[str, Box]:
    ends = sketch(plan).layers["ends"]
    found = {}
    for iface, lines, x, y in zip(*(ends[k] for k in ("iface", "lines", "x", "y")), strict=True):
        width = max(map(len, lines)) * CHAR
        found[iface] = Box(x - width / 2, y, x + width / 2, y + len(lines) * LINE)
    return found


@pytest.mark.parametrize("name", NAMED)
def test_no_two_nodes_touch_and_no_label_covers_anything(name: str) -> None:
    plan = named(name)
    boxes, written = shapes(plan), labels(plan)
    assert not [(a, b) for (a, x), (b, y) in combinations(boxes.items(), 2) if x.grown(5).overlaps(y)]
    assert not [(a, b) for a, x in written.items() for b, y in boxes.items() if x.overlaps(y)]
    assert not [(a, b) for (a, x), (b, y) in combinations(written.items(), 2) if x.grown(-1).overlaps(y)]


@pytest.mark.parametrize("edges", [RING, MESH, FAT])
def test_any_other_network_has_no_node_on_another_or_on_a_foreign_cable(edges: str) -> None:
    plan = drawn(edges)
    boxes = shapes(plan)
    assert not [(a, b) for (a, x), (b, y) in combinations(boxes.items(), 2) if x.grown(10).overlaps(y)]
    links = sketch(plan).layers["links"]
    for a, b, x1, y1, x2, y2 in zip(*(links[k] for k in ("a", "b", "x1", "y1", "x2", "y2")), strict=True):
        on_it = [
            name
            for name, box in boxes.items()
            if name not in (a, b)
            and any(
                box.overlaps(around(Point(x1 + (x2 - x1) * k / 50, y1 + (y2 - y1) * k / 50), 2, 2)) for k in range(51)
            )
        ]
        assert not on_it, f"cable {a}-{b} runs through {on_it}"


def test_a_ring_is_drawn_without_crossings() -> None:
    links = sketch(drawn(RING)).layers["links"]
    ends = [((x1, y1), (x2, y2)) for x1, y1, x2, y2 in zip(*(links[k] for k in ("x1", "y1", "x2", "y2")), strict=True)]
    assert not [1 for (a, b), (c, d) in combinations(ends, 2) if _cross(a, b, c, d)]  # type: ignore[arg-type]


def test_equal_plans_give_equal_drawings() -> None:
    for edges in (RING, MESH):
        assert sketch(drawn(edges)) == sketch(drawn(edges))
    assert sketch(named("star,9")) == sketch(named("star,9"))


def test_a_line_is_a_row_in_its_order() -> None:
    plan = named("line,3")
    at = place(plan)
    row = ["h1", "r1", "r2", "r3", "h2"]
    assert len({at[name].y for name in row}) == 1
    assert [at[name].x for name in row] == sorted(at[name].x for name in row)


def test_a_long_line_goes_back_and_forth() -> None:
    at = place(named("line,12"))
    assert len({p.y for p in at.values()}) > 1
    width = max(p.x for p in at.values()) - min(p.x for p in at.values())
    assert width < 1700, "still fits on a slide"


def test_a_star_has_its_switch_in_the_middle_and_its_first_host_at_the_left() -> None:
    at = place(named("star,8"))
    hosts = [p for name, p in at.items() if name.startswith("h")]
    assert abs(at["s1"].x - (min(p.x for p in hosts) + max(p.x for p in hosts)) / 2) < 2
    assert at["h1"].x == min(p.x for p in hosts)


def test_a_dumbbell_has_its_hosts_in_two_columns() -> None:
    at = place(named("dumbbell,3"))
    left, right = {at[f"h{i}"].x for i in (1, 2, 3)}, {at[f"h{i}"].x for i in (4, 5, 6)}
    assert len(left) == len(right) == 1
    assert left.pop() < at["s1"].x < at["s2"].x < right.pop()


def test_two_cables_between_the_same_nodes_are_two_lines() -> None:
    links = sketch(drawn("h1-r1 r1-r2 r1-r2 r2-h2")).layers["links"]
    assert abs(links["y1"][1] - links["y1"][2]) > 30


def test_networks_that_are_not_joined_stand_one_above_the_other() -> None:
    at = place(drawn("h1-h2 h3-h4"))
    assert at["h3"].y - at["h1"].y > SIZES["host"][1]


def test_long_addresses_push_routers_apart() -> None:
    near = place(drawn("h1-r1 r1-r2 r2-h2"), {})
    far = place(drawn("h1-r1 r1-r2 r2-h2"), {"r1-eth1": 150.0, "r2-eth0": 150.0})
    assert far["r2"].x - far["r1"].x > near["r2"].x - near["r1"].x


def test_hits_sees_a_node_on_a_line_and_not_beside_it() -> None:
    assert _hits((0, 0), (4, 0), (2, 0))
    assert not _hits((0, 0), (4, 0), (2, 1))
    assert not _hits((1, 1), (1, 1), (1, 1)), "a point is no line"


@pytest.mark.parametrize("name", NAMED)
def test_nothing_is_written_beyond_the_edge(name: str) -> None:
    plan = named(name)
    drawing = sketch(plan)
    for box in (*shapes(plan).values(), *labels(plan).values()):
        assert 0 < box.left < box.right < drawing.width and 0 < box.top < box.bottom < drawing.height
