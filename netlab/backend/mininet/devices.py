"""A plan's devices: their kernel names and numbers, and the messages that make them.

Every interface index is unique in the arena. That is more than tidiness: the kernel calls a veth's change of carrier
urgent when its index differs from its peer's, and lets it wait up to a second when they are equal by chance. So
bridge ports forward at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from netlab.backend.mininet import rtnl
from netlab.backend.mininet.policy import MAIN, multipath, rule_messages
from netlab.backend.mininet.qdisc import create, disciplines
from netlab.backend.mininet.tunnels import vxlan_messages
from netlab.topology.spec import Plan, PlanInterface, PlanLink, PlanNode, PlanRoute, PlanWay

FIRST_INDEX = 101
TAG_BYTES = 4
_NEW = rtnl.ACK | rtnl.CREATE | rtnl.EXCL
_NAME, _ADDRESS, _MTU, _MASTER, _LINKINFO, _NET_NS_FD, _TX_QUEUES, _RX_QUEUES = 3, 1, 4, 10, 18, 28, 31, 32
_PROP_LIST, _ALT_NAME = 52, 53
_BRIDGE_STP, _BRIDGE_SNOOPING = 5, 23


@dataclass(frozen=True)
class Device:
    """An interface or a bridge as the kernel knows it. ``room``: the node whose namespace it is in, "" the arena's."""

    name: str
    """The plain name, which is the device's altname."""
    kernel: str
    """The device's own name: what trace events say."""
    index: int
    node: str
    room: str
    bridge: bool = False
    cabled: bool = True
    """Whether it is an end of a cable, whose frames can be watched."""

    def data(self) -> dict[str, Any]:
        """Plain data, for a message."""
        return asdict(self)


def is_bridge(node: PlanNode) -> bool:
    """Whether the node is a bridge of the kernel, living in the arena's own namespace."""
    return node.kind == "switch" and node.stack == "kernel"


def devices(plan: Plan, suffix: str) -> dict[str, Device]:
    """Every device of the plan by its plain name, bridges first."""
    made: dict[str, Device] = {}
    names = [(n.name, n, True, False) for n in plan.nodes if is_bridge(n)]
    names += [(i.name, n, False, True) for n in plan.nodes for i in n.interfaces]
    names += [
        (v.name, n, False, False) for n in plan.nodes for v in n.vteps if n.stack == "kernel" and not is_bridge(n)
    ]
    for index, (name, node, bridge, cabled) in enumerate(names, FIRST_INDEX):
        room = "" if is_bridge(node) else node.name
        made[name] = Device(name, f"{name}~{suffix}", index, node.name, room, bridge, cabled)
    return made


def bridge_message(device: Device) -> bytes:
    """Make a bridge: no spanning tree, no multicast snooping (its queries would be nobody's traffic)."""
    options = rtnl.nested(2, rtnl.u32(_BRIDGE_STP, 0), rtnl.attr(_BRIDGE_SNOOPING, b"\0"))
    info = rtnl.nested(_LINKINFO, rtnl.text(1, "bridge"), options)
    body = rtnl.link_body(device.index, rtnl.IFF_UP, rtnl.IFF_UP)
    return rtnl.message(rtnl.NEWLINK, _NEW, body, rtnl.text(_NAME, device.kernel), info)


def veth_message(plan: Plan, link: PlanLink, made: dict[str, Device], rooms: dict[str, int]) -> bytes:
    """Make a cable, each end in its node's namespace (``rooms``: node to descriptor)."""
    a, b = made[link.a], made[link.b]
    peer = rtnl.nested(1, rtnl.link_body(b.index), *_end(plan, b, rooms))
    info = rtnl.nested(_LINKINFO, rtnl.text(1, "veth"), rtnl.nested(2, peer))
    return rtnl.message(rtnl.NEWLINK, _NEW, rtnl.link_body(a.index), *_end(plan, a, rooms), info)


def device_mtu(interface: PlanInterface, node: PlanNode) -> int:
    """What the kernel is told. It lets frames with an 802.1Q tag be four bytes longer, but not those with an 802.1ad
    one; our own stack, which keeps to the plan's MTU by itself, is given the room for both."""
    return interface.mtu + (TAG_BYTES if node.stack == "netlab" else 0)


def _end(plan: Plan, device: Device, rooms: dict[str, int]) -> Iterator[bytes]:
    interface = plan.interface(device.name)
    yield rtnl.text(_NAME, device.kernel)
    yield rtnl.attr(_ADDRESS, bytes.fromhex(interface.mac.replace(":", "")))
    yield rtnl.u32(_MTU, device_mtu(interface, plan.node(device.node)))
    yield rtnl.u32(_TX_QUEUES, interface.queues)
    yield rtnl.u32(_RX_QUEUES, interface.queues)
    if device.room:
        yield rtnl.u32(_NET_NS_FD, rooms[device.room])


def altname_message(device: Device) -> bytes:
    """Let the plain name find the device too."""
    names = rtnl.nested(_PROP_LIST, rtnl.text(_ALT_NAME, device.name))
    return rtnl.message(rtnl.NEWLINKPROP, _NEW, rtnl.link_body(device.index), names)


def port_message(device: Device, bridge: Device) -> bytes:
    """Plug an interface that is in the arena's namespace into its bridge, and switch it on."""
    body = rtnl.link_body(device.index, rtnl.IFF_UP, rtnl.IFF_UP)
    return rtnl.message(rtnl.NEWLINK, rtnl.ACK, body, rtnl.u32(_MASTER, bridge.index))


def up_message(index: int, node: PlanNode | None = None) -> bytes:
    """Switch a device on; where our own stack lives, the kernel neither answers ARP nor filters by address."""
    flags = rtnl.IFF_UP
    if node is not None and node.stack == "netlab":
        flags |= rtnl.IFF_NOARP | rtnl.IFF_PROMISC
    return rtnl.message(rtnl.NEWLINK, rtnl.ACK, rtnl.link_body(index, flags, flags))


def address_message(index: int, cidr: str) -> bytes:
    """Give a device an address ("10.0.0.1/24")."""
    import ipaddress
    import struct

    address = ipaddress.ip_interface(cidr)
    family, no_dad = (2, 0) if address.version == 4 else (10, 2)
    body = struct.pack("=BBBBI", family, address.network.prefixlen, no_dad, 0, index)
    attrs = [rtnl.attr(1, address.packed), rtnl.attr(2, address.packed)]
    if address.version == 4 and address.network.prefixlen < 31:
        attrs.append(rtnl.attr(4, address.network.broadcast_address.packed))
    return rtnl.message(rtnl.NEWADDR, _NEW, body, *attrs)


def route_message(route: PlanRoute, made: dict[str, Device], table: int = MAIN) -> bytes:
    """Add a route to a table: by way of a neighbour, or to what is on the link itself."""
    import ipaddress
    import struct

    network = ipaddress.ip_network(route.prefix)
    family = 2 if network.version == 4 else 10
    scope = 0 if route.via else 253
    body = struct.pack("=BBBBBBBBI", family, network.prefixlen, 0, 0, 0, 4, scope, 1, 0)
    attrs = [rtnl.u32(15, table)]
    if network.prefixlen:
        attrs.append(rtnl.attr(1, network.network_address.packed))
    if route.also:
        first = PlanWay(route.via, route.interface, route.weight)
        attrs.append(multipath([(w.via, made[w.interface].index, w.weight) for w in (first, *route.also)]))
        return rtnl.message(rtnl.NEWROUTE, _NEW, body, *attrs)
    if route.via:
        attrs.append(rtnl.attr(5, ipaddress.ip_address(route.via).packed))
    if route.interface:
        attrs.append(rtnl.u32(4, made[route.interface].index))
    return rtnl.message(rtnl.NEWROUTE, _NEW, body, *attrs)


def arena_messages(plan: Plan, made: dict[str, Device], rooms: dict[str, int]) -> list[bytes]:
    """What the arena's own namespace is sent: bridges, all cables, altnames and ports."""
    messages = [bridge_message(d) for d in made.values() if d.bridge]
    messages += [veth_message(plan, link, made, rooms) for link in plan.links]
    here = [d for d in made.values() if not d.room]
    messages += [altname_message(d) for d in here]
    messages += [port_message(d, made[d.node]) for d in here if not d.bridge]
    return messages


def room_messages(node: PlanNode, made: dict[str, Device]) -> list[bytes]:
    """What a node's own namespace is sent: loopback, its interfaces, addresses, and routes by way of others."""
    messages = [up_message(1)]
    for interface in node.interfaces:
        device = made[interface.name]
        messages += [altname_message(device), up_message(device.index, node)]
        if node.stack == "kernel":
            messages += [address_message(device.index, cidr) for cidr in interface.addresses]
    for vtep in node.vteps if node.stack == "kernel" else ():
        device = made[vtep.name]
        messages += vxlan_messages(vtep, device.kernel, device.index)
        messages += [altname_message(device), up_message(device.index, node)]
        messages += [address_message(device.index, cidr) for cidr in vtep.addresses]
    if node.stack == "kernel":
        # On-link routes first: a neighbour must be known to be one.
        routes = sorted(added_routes(node), key=lambda route: bool(route.via))
        messages += [route_message(route, made) for route in routes]
        messages += [route_message(route, made, table.number) for table in node.tables for route in table.routes]
        messages += rule_messages(node, {name: device.kernel for name, device in made.items()})
    return messages


def configured(plan: Plan) -> Plan:
    """The plan without what kernel hosts find by themselves: addresses and routes that routers advertise."""
    if plan.ipv6 != "slaac":
        return plan
    return replace(plan, nodes=tuple(_without_ipv6(n) if n.kind == "host" else n for n in plan.nodes))


def _without_ipv6(node: PlanNode) -> PlanNode:
    interfaces = tuple(replace(i, addresses=_four(i.addresses)) for i in node.interfaces)
    vteps = tuple(replace(v, addresses=_four(v.addresses)) for v in node.vteps)
    routes = tuple(route for route in node.routes if ":" not in route.prefix)
    return replace(node, interfaces=interfaces, vteps=vteps, routes=routes)


def _four(addresses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(address for address in addresses if ":" not in address)


def added_routes(node: PlanNode) -> list[PlanRoute]:
    """The node's routes but those that its addresses bring by themselves."""
    import ipaddress

    held = [cidr for i in node.interfaces for cidr in i.addresses] + [cidr for v in node.vteps for cidr in v.addresses]
    own = {str(ipaddress.ip_interface(cidr).network) for cidr in held}
    return [route for route in node.routes if route.via or route.prefix not in own]


def queue_messages(plan: Plan, made: dict[str, Device]) -> dict[str, list[bytes]]:
    """For each room ("" the arena's), the disciplines of the interfaces in it."""
    messages: dict[str, list[bytes]] = {}
    for link in plan.links:
        for name in (link.a, link.b):
            chain = [create(made[name].index, d) for d in asked(plan, link, name)]
            messages.setdefault(made[name].room, []).extend(chain)
    return {room: batch for room, batch in messages.items() if batch}


def asked(plan: Plan, link: PlanLink, name: str) -> tuple[Any, ...]:
    """The disciplines that the plan asks for at the interface ``name`` of a link."""
    return disciplines(link, plan.interface(name).mtu)
