"""Whatever is in a topology file, it is answered: by a plan that holds together, or by lines that say why not."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.errors import BadTopology
from netlab.topology.codec import plan_from_data, plan_to_data
from netlab.topology.resolve import attempt, resolve
from netlab.topology.spec import End, Interface, Limit, Link, Node, Plan, Route, Topology
from netlab.topology.write import to_yaml
from netlab.topology.yaml_file import read_yaml

KEYS = [
    "name",
    "nodes",
    "links",
    "kind",
    "stack",
    "interfaces",
    "routes",
    "ends",
    "rate",
    "delay",
    "loss",
    "queue",
    "mark",
]
POLICY = ["tables", "rules", "priority", "from", "mark", "iif", "table", "main", "100", "prefix", "via", "steering"]
STEERING = ["filters", "weights", "also", "weight", "spread", "spray", "ring", "queues", "3"]
WORDS = st.sampled_from(
    [*KEYS, *POLICY, *STEERING, "h1", "s1", "eth0", "host", "10.0.1.1/24", "1 %", "2 ms", "", "addresses", "mac"]
)
TREES = st.recursive(
    WORDS | st.integers() | st.none() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=25,
)


@given(st.text(max_size=200))
def test_any_text_is_answered(text: str) -> None:
    read_yaml(text, "x.yaml")


@given(st.dictionaries(st.sampled_from(["nodes", "links", "name"]), TREES, max_size=3))
def test_any_tree_is_answered_and_each_mistake_has_its_line(tree: object) -> None:
    topology, errors = read_yaml(yaml.safe_dump(tree), "x.yaml")
    for error in [*errors, *attempt(topology)[1]]:
        assert error.where.startswith("x.yaml") or not topology.nodes
        assert "\n" not in error.what


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """Forests of hosts, routers and switches, some with interfaces and limits of their own."""
    kinds = draw(st.lists(st.sampled_from(["host", "router", "switch"]), min_size=1, max_size=12))
    names = [f"{kind[0]}{number}" for number, kind in enumerate(kinds)]
    parents = [draw(st.integers(0, max(0, number - 1))) for number in range(len(names))]
    joined = [(number, parent) for number, parent in enumerate(parents) if number and draw(st.booleans())]
    links = tuple(draw(limited_links(names[a], names[b])) for a, b in joined)
    degree = {name: sum(name in (link.a.node, link.b.node) for link in links) for name in names}
    nodes = []
    for name, kind in zip(names, kinds, strict=True):
        some = draw(st.integers(0, degree[name]))
        interfaces = tuple(
            Interface(f"{name}-p{n}", queues=draw(st.integers(1, 64)), mtu=draw(st.integers(68, 65535)))
            for n in range(some)
        )
        nodes.append(Node(name, kind, draw(st.sampled_from(["kernel", "netlab"])), interfaces))  # type: ignore[arg-type]
    return Topology(draw(st.text(min_size=1, max_size=8).filter(lambda t: bool(t.strip()))), tuple(nodes), links)


@st.composite
def limited_links(draw: st.DrawFn, a: str, b: str) -> Link:
    limits = st.none() | st.builds(Limit, st.integers(1, 10**9), st.sampled_from(["packets", "bytes"]))
    percent = draw(st.integers(0, 1000))
    return Link(
        End(a),
        End(b),
        draw(st.integers(0, 10**12)),
        draw(st.integers(0, 10**10)),
        percent / 1000,
        draw(limits),
        draw(limits),
    )


@given(topologies())
def test_a_plan_holds_together(topology: Topology) -> None:
    plan = resolve(topology)
    names = [interface.name for interface in plan.interfaces()]
    addresses = [address for node in plan.nodes for address in node.addresses]
    assert len(set(names)) == len(names) and len(set(addresses)) == len(addresses)
    for interface in plan.interfaces():
        peer = plan.interface(interface.peer)
        assert peer.peer == interface.name and peer.link == interface.link
        assert {interface.name, peer.name} == {plan.links[interface.link].a, plan.links[interface.link].b}
        ends = {plan.node(end.node).kind for end in (interface, peer)}
        if "switch" not in ends:
            assert IPv4Interface(interface.addresses[0]).network == IPv4Interface(peer.addresses[0]).network
    assert plan_from_data(plan_to_data(plan)) == plan


@given(topologies())
@settings(max_examples=60)
def test_every_router_reaches_every_address_it_is_joined_to(topology: Topology) -> None:
    plan = resolve(topology)
    owners = {address: node.name for node in plan.nodes for address in node.addresses}
    for node in plan.nodes:
        if node.kind == "router":
            for route in node.routes:
                network = IPv4Network(route.prefix)
                for address in (a for a in owners if IPv4Address(a) in network):
                    assert owners[address] in _walk(plan, owners, node.name, address)


def _walk(plan: Plan, owners: dict[str, str], here: str, address: str) -> list[str]:
    path = [here]
    while address not in plan.node(path[-1]).addresses:
        routes = plan.node(path[-1]).routes
        route = next(r for r in routes if IPv4Address(address) in IPv4Network(r.prefix))
        path.append(owners[route.via or address])
        assert len(path) <= len(plan.nodes) + 1, f"a packet circles: {path}"
    return path


@given(topologies())
def test_written_as_a_file_it_is_the_same_topology(topology: Topology) -> None:
    again, errors = read_yaml(to_yaml(topology), "x.yaml")
    assert not errors
    assert (again.name, again.nodes) == (topology.name, topology.nodes)
    assert [_without_loss(link) for link in again.links] == [_without_loss(link) for link in topology.links]
    assert all(abs(a.loss - b.loss) < 1e-12 for a, b in zip(again.links, topology.links, strict=True))


def _without_loss(link: Link) -> tuple[object, ...]:
    return (link.a, link.b, link.rate, link.delay, link.queue, link.mark)


def test_routes_and_addresses_are_written_too() -> None:
    h1 = Node("h1", interfaces=(Interface("h1-eth0", ("10.3.0.1/24",), "02:00:00:00:00:09"),))
    h2 = Node("h2", routes=(Route("0.0.0.0/0", "10.3.0.1"),))
    topology = Topology("two", (h1, h2), (Link(End("h1", "eth0"), End("h2")),))
    again, errors = read_yaml(to_yaml(topology), "x.yaml")
    assert not errors and again == topology


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8))
def test_any_cabling_of_switches_is_a_plan_or_a_loop_that_is_named(pairs: list[tuple[int, int]]) -> None:
    nodes = tuple(Node(f"s{n}", "switch") for n in range(6))
    links = tuple(Link(End(f"s{a}"), End(f"s{b}")) for a, b in pairs)
    try:
        resolve(Topology("t", nodes, links))
        loop = False
    except BadTopology as error:
        assert all("loop" in str(e) or "to itself" in str(e) for e in error.errors)
        loop = True
    assert loop == _has_loop(pairs)


def _has_loop(pairs: list[tuple[int, int]]) -> bool:
    groups = {n: {n} for n in range(6)}
    for a, b in pairs:
        if groups[a] is groups[b]:
            return True
        groups[a] |= groups[b]
        for member in groups[b]:
            groups[member] = groups[a]
    return False
