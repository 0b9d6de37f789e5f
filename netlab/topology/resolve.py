"""From a topology as its author wrote it to a plan in which nothing is left to guess."""

from __future__ import annotations

from netlab.errors import NetlabError
from netlab.topology import policy, values
from netlab.topology.addressing import Addressing, assign
from netlab.topology.ipv6 import with_ipv6
from netlab.topology.mistakes import Mistakes, bad_topology
from netlab.topology.offload import check_offload
from netlab.topology.overlays import over_ipv6, overlay_stations, vtep_name, vteps
from netlab.topology.routing import Routing
from netlab.topology.spec import Link, Node, Plan, PlanInterface, PlanLink, PlanNode, PlanVlan, Topology
from netlab.topology.steering import check_steering
from netlab.topology.vlans import vlan_stations
from netlab.topology.wiring import Port, Wiring, wire

KINDS = ("host", "router", "switch")
STACKS = ("kernel", "netlab")
FIRST_VTEP = 0x80
"""The last number in the MAC address of a node's first end of an overlay."""


def resolve(topology: Topology) -> Plan:
    """The plan of a topology: the same for the same topology, always. BadTopology lists every mistake."""
    plan, errors = attempt(topology)
    if errors or plan is None:
        raise bad_topology(errors)
    return plan


def attempt(topology: Topology) -> tuple[Plan | None, list[NetlabError]]:
    """The plan, or None and what is wrong."""
    mistakes = Mistakes(topology)
    _check_values(topology, mistakes)
    wiring = wire(topology, mistakes)
    vlan_stations(wiring, mistakes)
    overlay_stations(topology, wiring, mistakes)
    addressing = assign(wiring, mistakes)
    if mistakes:
        return None, mistakes.found
    macs = _macs(topology, wiring, mistakes)
    routing = Routing(wiring, addressing, mistakes)
    nodes = tuple(_node(node, wiring, addressing, macs, routing) for node in topology.nodes)
    links = tuple(_link(link, *ends) for link, ends in zip(topology.links, wiring.links, strict=True))
    plan = with_ipv6(Plan(topology.name, nodes, links), wiring, addressing, macs, mistakes)
    plan = over_ipv6(plan, mistakes)
    return (None if mistakes else plan), mistakes.found


def _check_values(topology: Topology, mistakes: Mistakes) -> None:
    """What a file's parser has checked already, for topologies that were made in Python."""
    for node in topology.nodes:
        place = ("node", node.name)
        if node.kind not in KINDS:
            mistakes.note(f"kind of {node.name} is '{node.kind}'", place, right=f"it may be {', '.join(KINDS)}")
        if node.stack not in STACKS:
            mistakes.note(f"stack of {node.name} is '{node.stack}'", place, right=f"it may be {', '.join(STACKS)}")
        for interface in node.interfaces:
            for value, low, high, what in (
                (interface.queues, 1, values.QUEUES_LIMIT, "queues"),
                (interface.mtu, *values.MTU_RANGE, "mtu"),
            ):
                if not isinstance(value, int) or not low <= value <= high:
                    right = f"it is a number from {low} to {high}"
                    mistakes.note(f"{what} of {interface.name} of {node.name} is {value!r}", place, right=right)
            check_steering(node, interface, mistakes)
        check_offload(node, mistakes)
    for index, link in enumerate(topology.links):
        _check_link(index, link, mistakes)
    if topology.ipv6 not in ("", "static", "slaac"):
        mistakes.note(f"ipv6 is '{topology.ipv6}'", right="it may be empty, static or slaac")


def _check_link(index: int, link: Link, mistakes: Mistakes) -> None:
    for value, what in ((link.rate, "rate"), (link.delay, "delay")):
        if not isinstance(value, int) or value < 0:
            right = "it is a whole number of bit/s" if what == "rate" else "it is a whole number of ns"
            mistakes.note(f"{what} of link {link} is {value!r}", ("link", index), right=right)
    if not isinstance(link.loss, (int, float)) or not 0 <= link.loss <= 1:
        mistakes.note(f"loss of link {link} is {link.loss!r}", ("link", index), right="it is from 0 to 1")
    if link.queue is not None and (link.queue.n < 1 or link.queue.unit not in ("packets", "bytes")):
        mistakes.note(f"queue of link {link} is '{link.queue}'", ("link", index), right="as Limit(100, 'packets')")
    if link.mark is not None and (link.mark.n < 1 or link.mark.unit not in ("packets", "bytes")):
        mistakes.note(f"mark of link {link} is '{link.mark}'", ("link", index), right="as Limit(20, 'packets')")


def _macs(topology: Topology, wiring: Wiring, mistakes: Mistakes) -> dict[str, str]:
    """02:00:00:00:<node>:<interface>: locally administered (the 2), and readable in a capture. Past 255 interfaces the
    third pair counts on."""
    written: dict[str, str] = {}
    for port in wiring.all_ports():
        place = (("interface", port.name), ("node", port.node.name))
        if port.spec.mac:
            try:
                mac = values.mac(port.spec.mac, f"mac of {port.name}")
            except NetlabError as error:
                mistakes.take(error, *place)
                continue
            if mac in written:
                mistakes.note(f"{port.name} has the MAC address {mac}, which {written[mac]} has too", *place)
            written[mac] = port.name
    macs = {name: mac for mac, name in written.items()}
    numbers = {node.name: number for number, node in enumerate(topology.nodes, start=1)}
    for name, ports in wiring.ports.items():
        for index, port in enumerate(ports):
            macs.setdefault(port.name, _free_mac(numbers[name], index, written))
        joined = [overlay for overlay in topology.overlays if name in overlay.members]
        for index, overlay in enumerate(joined, FIRST_VTEP):
            macs[vtep_name(overlay, name)] = _free_mac(numbers[name], index, written)
    return macs


def _free_mac(node: int, interface: int, taken: dict[str, str]) -> str:
    number = 0x020000000000 | interface >> 8 << 24 | node << 8 | interface & 0xFF
    while (mac := number.to_bytes(6, "big").hex(":")) in taken:
        number += 1 << 32
    return mac


def _node(node: Node, wiring: Wiring, addressing: Addressing, macs: dict[str, str], routing: Routing) -> PlanNode:
    interfaces = tuple(_interface(port, addressing, macs) for port in wiring.ports[node.name])
    vlans = tuple(_vlan(port, addressing, macs) for port in wiring.vlans[node.name])
    tunnels = vteps(node, wiring, addressing, macs)
    names = [port.name for port in wiring.stations[node.name]]
    return PlanNode(
        node.name,
        node.kind,
        node.stack,
        interfaces,
        routing.routes(node),
        vlans,
        tunnels,
        policy.tables(node, routing),
        policy.rules(node, names, routing.mistakes),
    )


def _interface(port: Port, addressing: Addressing, macs: dict[str, str]) -> PlanInterface:
    addresses = tuple(str(address) for address in addressing.addresses.get(port.name, ()))
    mac = macs.get(port.name, "")
    spec = port.spec
    return PlanInterface(
        port.name,
        port.node.name,
        mac,
        addresses,
        spec.mtu,
        spec.queues,
        port.peer,
        port.link,
        spec.vlan,
        spec.steering,
        port.node.offload if spec.offload is None else spec.offload,
    )


def _vlan(port: Port, addressing: Addressing, macs: dict[str, str]) -> PlanVlan:
    """A VLAN's interface has the MAC address of the port at the bottom."""
    assert port.vlan is not None
    vlan, name, node = port.vlan, port.name, port.node.name
    addresses = tuple(str(address) for address in addressing.addresses.get(name, ()))
    mac = macs[name] = macs[port.parent]
    return PlanVlan(name, node, port.parent, vlan.id, vlan.tag, vlan.pcp, mac, addresses, port.spec.mtu)


def _link(link: Link, a: Port, b: Port) -> PlanLink:
    return PlanLink(a.name, b.name, link.rate, link.delay, float(link.loss), link.queue, link.mark)
