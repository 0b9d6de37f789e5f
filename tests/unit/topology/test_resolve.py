"""A plan leaves nothing to guess: names, addresses, MACs and routes, the same every time."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from netlab.errors import BadTopology
from netlab.topology.codec import plan_from_data, plan_to_data
from netlab.topology.generators import cable, several
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Interface, Link, Node, Plan, Route, Topology


def plan_of(*nodes: Node, links: tuple[str, ...]) -> Plan:
    cables = tuple(cable(*link.split("--")) for link in links)
    return resolve(Topology("t", nodes, cables))


def table(plan: Plan, node: str) -> list[tuple[str, str, str]]:
    return [(route.prefix, route.via, route.interface) for route in plan.node(node).routes]


def walk(plan: Plan, source: str, destination: str) -> list[str]:
    """The nodes a packet passes, by the plan's tables alone."""
    owners = {address: node for node in plan.nodes for address in node.addresses}
    node, path = plan.node(source), [source]
    while destination not in node.addresses:
        route = next(r for r in node.routes if IPv4Address(destination) in IPv4Network(r.prefix))
        node = owners[route.via or destination]
        path.append(node.name)
        assert len(path) < 20, f"a packet circles: {path}"
    return path


def test_a_star_is_one_subnet_with_hosts_from_one_up() -> None:
    plan = resolve(load_topology("star,3"))
    assert [node.addresses for node in plan.nodes] == [("10.0.1.1",), ("10.0.1.2",), ("10.0.1.3",), ()]
    assert [i.name for i in plan.node("s1").interfaces] == ["s1-eth1", "s1-eth2", "s1-eth3"]
    assert plan.interface("h2-eth0").peer == "s1-eth2"
    assert plan.node("s1").routes == ()


def test_a_line_has_a_subnet_for_each_link_and_routers_from_254_down() -> None:
    plan = resolve(load_topology("line,2"))
    assert plan.node("h1").addresses == ("10.0.1.1",)
    assert plan.node("r1").addresses == ("10.0.1.254", "10.0.2.254")
    assert plan.node("r2").addresses == ("10.0.2.253", "10.0.3.254")
    assert plan.node("h2").addresses == ("10.0.3.1",)


def test_routes_of_a_line_are_what_a_person_would_write() -> None:
    plan = resolve(load_topology("line,2"))
    assert table(plan, "h1") == [("10.0.1.0/24", "", "h1-eth0"), ("0.0.0.0/0", "10.0.1.254", "h1-eth0")]
    assert table(plan, "r1") == [
        ("10.0.1.0/24", "", "r1-eth0"),
        ("10.0.2.0/24", "", "r1-eth1"),
        ("10.0.3.0/24", "10.0.2.253", "r1-eth1"),
    ]


def test_a_packet_takes_the_fewest_routers() -> None:
    nodes = (*several("h", 2), *several("r", 4, "router"))
    ring = ("h1--r1", "r1--r2", "r2--r3", "r3--r4", "r4--r1", "r3--h2")
    plan = plan_of(*nodes, links=ring)
    assert walk(plan, "h1", plan.node("h2").addresses[0]) == ["h1", "r1", "r2", "r3", "h2"]
    assert walk(plan, "h2", plan.node("h1").addresses[0]) == ["h2", "r3", "r2", "r1", "h1"]


def test_every_host_reaches_every_address_in_a_tree_of_routers() -> None:
    routers = several("r", 5, "router")
    links = ("h1--r1", "h2--s1", "h3--s1", "r4--s1", "h4--r5", "r1--r2", "r2--r3", "r3--r4", "r2--r5", "s1--r5")
    plan = plan_of(*several("h", 4), *routers, *several("s", 1, "switch"), links=links)
    for node in plan.nodes:
        for other in plan.nodes:
            for address in other.addresses if node.kind != "switch" else ():
                assert walk(plan, node.name, address)[-1] == other.name


def test_a_written_route_replaces_the_one_that_would_be_found() -> None:
    h1 = Node("h1", routes=(Route("default", "10.0.1.253"),))
    nodes = (h1, *several("r", 2, "router"), *several("s", 1, "switch"))
    plan = plan_of(*nodes, links=("h1--s1", "r1--s1", "r2--s1"))
    assert table(plan, "h1")[-1] == ("0.0.0.0/0", "10.0.1.253", "h1-eth0")
    assert len(table(plan, "h1")) == 2


def test_macs_are_locally_administered_unique_and_say_whose_they_are() -> None:
    plan = resolve(load_topology("dumbbell,3"))
    macs = [interface.mac for interface in plan.interfaces()]
    assert len(set(macs)) == len(macs)
    assert {mac[:2] for mac in macs} == {"02"}
    assert plan.interface("h2-eth0").mac == "02:00:00:00:02:00"


def test_a_written_mac_pushes_a_chosen_one_aside() -> None:
    h1 = Node("h1", interfaces=(Interface("eth0", mac="02:00:00:00:02:00"),))
    plan = plan_of(h1, Node("h2"), links=("h1--h2",))
    assert plan.interface("h1-eth0").mac == "02:00:00:00:02:00"
    assert plan.interface("h2-eth0").mac == "02:01:00:00:02:00"


def test_a_chosen_subnet_keeps_away_from_the_written_ones() -> None:
    r1 = Node("r1", "router", interfaces=(Interface("eth1", ("10.0.1.254/24",)),))
    plan = plan_of(Node("h1"), r1, Node("h2"), links=("h1--r1:eth0", "h2--r1:eth1"))
    assert plan.node("h1").addresses == ("10.0.2.1",)
    assert plan.node("h2").addresses == ("10.0.1.1",)


def test_a_declared_interface_is_used_first_whatever_its_name() -> None:
    h1 = Node("h1", interfaces=(Interface("wan", mtu=1400),))
    plan = plan_of(h1, Node("h2"), Node("h3"), links=("h1--h2", "h1--h3"))
    assert [(i.name, i.mtu, i.peer) for i in plan.node("h1").interfaces] == [
        ("h1-wan", 1400, "h2-eth0"),
        ("h1-eth0", 1500, "h3-eth0"),
    ]


def test_an_interface_that_a_later_link_asks_for_is_left_to_it() -> None:
    plan = plan_of(Node("h1"), Node("h2"), Node("h3"), links=("h1--h2", "h1:eth0--h3"))
    assert plan.interface("h1-eth0").peer == "h3-eth0"
    assert plan.interface("h1-eth1").peer == "h2-eth0"


def test_two_cables_between_two_nodes_are_two_subnets() -> None:
    plan = plan_of(Node("h1"), Node("h2"), links=("h1--h2", "h1--h2"))
    assert plan.node("h1").addresses == ("10.0.1.1", "10.0.2.1")


def test_a_point_to_point_subnet_of_two_addresses_is_used_to_the_full() -> None:
    r1 = Node("r1", "router", interfaces=(Interface("eth0", ("10.9.0.0/31",)),))
    plan = plan_of(r1, Node("r2", "router"), links=("r1--r2",))
    assert plan.node("r2").addresses == ("10.9.0.1",)


def test_many_on_one_wire_get_a_larger_subnet() -> None:
    assert resolve(load_topology("star,254")).node("h254").interfaces[0].addresses == ("10.0.1.254/24",)
    plan = resolve(load_topology("star,600"))
    assert plan.node("h1").interfaces[0].addresses == ("10.1.0.1/16",)
    assert plan.node("h600").addresses == ("10.1.2.88",)
    every = [interface.mac for node in plan.nodes for interface in node.interfaces]
    assert len(set(every)) == len(every) == 1200


def test_a_subnet_that_is_full_says_how_to_make_room() -> None:
    full = (Node("h1", interfaces=(Interface("eth0", ("10.1.0.1/24",)),)), *several("h", 254, first=2))
    with pytest.raises(BadTopology, match=r"10\.1\.0\.0/24 has no address left for h255-eth0: .*larger subnet"):
        plan_of(*full, Node("s1", "switch"), links=tuple(f"{h.name}--s1" for h in full))
    first = Node("h1", interfaces=(Interface("eth0", ("10.1.0.1/16",)),))
    hosts = (first, *several("h", 299, first=2))
    plan = plan_of(*hosts, Node("s1", "switch"), links=tuple(f"{h.name}--s1" for h in hosts))
    assert plan.node("h300").addresses == ("10.1.1.44",)


def test_the_same_topology_gives_the_same_plan_and_it_survives_as_data() -> None:
    one, two = resolve(load_topology("line,4")), resolve(load_topology("line,4"))
    assert one == two
    assert plan_from_data(plan_to_data(one)) == one


def test_a_host_without_a_link_is_allowed() -> None:
    plan = resolve(Topology("t", (Node("h1"),), ()))
    assert plan.node("h1").interfaces == ()


@pytest.mark.parametrize(
    ("topology", "says"),
    [
        (Topology("t", (), ()), "has no nodes"),
        (Topology("t", (Node("h1"), Node("h1")), ()), "two nodes are called 'h1'"),
        (Topology("t", (Node("lo"),), ()), "node name 'lo' cannot be used"),
        (Topology("t", (Node("h1", "hub"),), ()), "kind of h1 is 'hub'"),  # type: ignore[arg-type]
        (Topology("t", (Node("h1", stack="bsd"),), ()), "stack of h1 is 'bsd'"),  # type: ignore[arg-type]
        (Topology("t", (Node("h1"), Node("h2")), (Link(End("h1"), End("h2"), loss=3),)), "it is from 0 to 1"),
        (Topology("t", (Node("h1"), Node("h2")), (Link(End("h1"), End("h2"), delay=-1),)), "whole number of ns"),
        (
            Topology("t", (Node("h1", interfaces=(Interface("eth0"), Interface("h1-eth0"))),), ()),
            "h1 has two interfaces called 'h1-eth0'",
        ),
        (
            Topology("t", (Node("h1"), Node("s1", "switch", interfaces=(Interface("eth1", ("10.0.1.1/24",)),))), ()),
            "switch s1 has an address on s1-eth1",
        ),
    ],
)
def test_a_topology_made_in_python_is_checked_as_well(topology: Topology, says: str) -> None:
    with pytest.raises(BadTopology) as caught:
        resolve(topology)
    assert says in str(caught.value)
