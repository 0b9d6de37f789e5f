from __future__ import annotations

from netlab.topology.spec import Kind, Plan, PlanInterface, PlanNode, PlanVlan, PlanVtep, PortVlan
from netlab.view.writing import address_in_shape, interface_lines, node_sentence, tunnel_line


def iface(name: str, *addresses: str, vlan: PortVlan | None = None) -> PlanInterface:
    return PlanInterface(name, name.split("-")[0], "02:00:00:00:00:01", addresses, 1500, 1, "x-eth0", 0, vlan)


def node(kind: Kind, *interfaces: PlanInterface, vlans: tuple[PlanVlan, ...] = ()) -> PlanNode:
    return PlanNode(interfaces[0].node, kind, "kernel", interfaces, (), vlans)


def lines(held: PlanNode) -> list[list[str]]:
    return list(interface_lines(Plan("p", (held,), ())).values())


def vlan(name: str, parent: str, id: int, *addresses: str) -> PlanVlan:
    return PlanVlan(name, "r1", parent, id, "802.1Q", 0, "02:00:00:00:00:02", addresses, 1500)


def test_a_host_s_one_address_stands_in_its_shape_and_not_at_its_cable() -> None:
    host = node("host", iface("h1-eth0", "10.0.0.1/24"))
    assert address_in_shape(host) == "10.0.0.1"
    assert lines(host) == [["eth0"]]


def test_several_addresses_stand_at_their_interfaces() -> None:
    router = node("router", iface("r1-eth0", "10.0.0.1/24"), iface("r1-eth1", "10.0.1.1/24"))
    assert address_in_shape(router) == ""
    assert lines(router) == [["eth0", "10.0.0.1"], ["eth1", "10.0.1.1"]]


def test_vlans_stand_at_the_interface_that_they_lie_on_even_through_another() -> None:
    inner = vlan("r1-e0.5.7", "r1-e0.5", 7, "10.7.0.1/24")
    router = node("router", iface("r1-eth0"), vlans=(vlan("r1-e0.5", "r1-eth0", 5, "10.5.0.1/24"), inner))
    assert lines(router) == [["eth0", "vlan 5 10.5.0.1", "vlan 7 10.7.0.1"]]


def test_a_switch_s_ports_say_what_they_do_with_vlans() -> None:
    switch = node(
        "switch",
        iface("s1-eth1", vlan=PortVlan(access=10)),
        iface("s1-eth2", vlan=PortVlan(trunk=(10, 20), native=1)),
        iface("s1-eth3", vlan=PortVlan(qinq=100)),
        iface("s1-eth4"),
    )
    assert lines(switch) == [["eth1", "vlan 10"], ["eth2", "trunk 10,20 native 1"], ["eth3", "qinq 100"], ["eth4"]]


def test_a_tunnel_s_end_names_its_network() -> None:
    host = PlanVtep("vx0", "h1", "blue", 42, 4789, "10.0.0.1", ("10.0.1.1",), "", ("10.9.0.1/24",), 1450, 0)
    switch = PlanVtep("vx0", "s1", "blue", 42, 4789, "10.0.0.1", ("10.0.1.1",), "", (), 1450, 3)
    assert [tunnel_line(host), tunnel_line(switch)] == ["vx0: VNI 42 10.9.0.1", "vx0: VNI 42 in vlan 3"]


def test_a_node_is_told_in_one_line() -> None:
    router = node("router", iface("r1-eth0", "10.0.0.1/24"), vlans=(vlan("r1-e0.5", "r1-eth0", 5, "10.5.0.1/24"),))
    assert node_sentence(router) == "router r1: r1-eth0 10.0.0.1/24, r1-e0.5 10.5.0.1/24 (802.1Q tag 5 on r1-eth0)"
