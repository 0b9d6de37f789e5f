"""Overlays: a VXLAN's members, each with a tunnel's end (VTEP) of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from netlab.topology import values
from netlab.topology.mistakes import Mistakes
from netlab.topology.spec import Interface, Node, Overlay, Plan, PlanNode, PlanVtep, Topology, Underlay
from netlab.topology.vlans import fits_kernel
from netlab.topology.wiring import Port, Wiring, has_vlans

if TYPE_CHECKING:
    from netlab.topology.addressing import Addressing

IPV6_MORE = 20
"""What an IPv6 header takes more than one of IPv4."""
OVERHEAD = 50
"""What IPv4, UDP, VXLAN and the inner Ethernet header take of the outer MTU (20 + 8 + 8 + 14)."""


def overlay_stations(topology: Topology, wiring: Wiring, mistakes: Mistakes) -> None:
    """Give each host or router in an overlay its end of it; a switch's end is one of its ports."""
    for overlay in topology.overlays:
        _check(overlay, topology, wiring, mistakes)
    if mistakes:
        return
    for overlay in topology.overlays:
        for node in (topology.node(name) for name in overlay.members):
            if node.kind != "switch":
                spec = Interface(vtep_name(overlay, node.name))
                wiring.stations[node.name].append(Port(node, spec, -1, overlay=overlay))


def vtep_name(overlay: Overlay, node: str) -> str:
    """The plain name of a member's end."""
    return values.plain_name(node, overlay.name)


def _check(overlay: Overlay, topology: Topology, wiring: Wiring, mistakes: Mistakes) -> None:
    place = ("overlay", overlay.name)
    for what, right in _faults(overlay, topology):
        mistakes.note(f"overlay {overlay.name} {what}", place, right=right)
    for name in dict.fromkeys(overlay.members):
        if name not in wiring.stations:
            right = values.known_nodes(list(wiring.stations))
            mistakes.note(f"overlay {overlay.name} names '{name}', which is no node", place, right=right)
        else:
            _check_member(overlay, topology.node(name), wiring, mistakes)


def _faults(overlay: Overlay, topology: Topology) -> list[tuple[str, str]]:
    found = []
    if len(set(overlay.members)) < 2:
        found.append(("joins fewer than two nodes", "name its members, as [h1, h3]"))
    if len(set(overlay.members)) < len(overlay.members):
        found.append(("names a member twice", "take one away"))
    for value, limit, what in (
        (overlay.vni, values.VNI_LIMIT, "vni"),
        (overlay.port, 65535, "port"),
        (overlay.vlan or 1, values.VID_LIMIT, "vlan"),
    ):
        if not isinstance(value, int) or not 1 <= value <= limit:
            found.append((f"has the {what} {value!r}", f"it is a number from 1 to {limit}"))
    if overlay.underlay not in get_args(Underlay):
        found.append((f"goes over '{overlay.underlay}'", "it may be ipv4 or ipv6"))
    twins = [o.name for o in topology.overlays if o is not overlay and (o.vni, o.port) == (overlay.vni, overlay.port)]
    if twins:
        found.append((f"has the vni {overlay.vni}, which {twins[0]} has too", "give each overlay a number of its own"))
    return found


def _check_member(overlay: Overlay, node: Node, wiring: Wiring, mistakes: Mistakes) -> None:
    name = vtep_name(overlay, node.name)
    places = (("overlay", overlay.name), ("node", node.name))
    fits_kernel(name, node.name, places, mistakes)
    if any(port.name == name for port in (*wiring.ports[node.name], *wiring.stations[node.name])):
        mistakes.note(f"overlay {overlay.name} makes a second interface '{name}'", *places, right="rename one")
    if not wiring.stations[node.name]:
        hint = "write one on the interface by which its tunnels go, as 'eth1: {addresses: [10.0.0.1/24]}'"
        right = hint if node.kind == "switch" else "give it a link"
        mistakes.note(f"overlay {overlay.name} joins {node.name}, which has no address", *places, right=right)
    vid = overlay.vlan or 1
    if node.kind == "switch" and overlay.vlan and not any(_carries(port, vid) for port in wiring.ports[node.name]):
        what = f"overlay {overlay.name} is of VLAN {vid}, which is at no port of {node.name}"
        mistakes.note(what, *places, right=f"give it a port with 'vlan: {{access: {vid}}}'")


def _carries(port: Port, vid: int) -> bool:
    rule = port.spec.vlan
    if rule is None:
        return vid == 1 and has_vlans(port.node)
    return vid in (rule.access, rule.qinq, rule.native, *rule.trunk)


def vteps(node: Node, wiring: Wiring, addressing: Addressing, macs: dict[str, str]) -> tuple[PlanVtep, ...]:
    """A node's ends of overlays, complete; tunnels go by its first address that is not itself in an overlay."""
    return tuple(
        _vtep(overlay, node, wiring, addressing, macs)
        for overlay in addressing.overlays
        if node.name in overlay.members
    )


def _vtep(overlay: Overlay, node: Node, wiring: Wiring, addressing: Addressing, macs: dict[str, str]) -> PlanVtep:
    name = vtep_name(overlay, node.name)
    under, local = _outer(node.name, wiring, addressing)
    remotes = tuple(_outer(other, wiring, addressing)[1] for other in overlay.members if other != node.name)
    addresses = tuple(str(address) for address in addressing.addresses.get(name, ()))
    vlan = (overlay.vlan or 1) if node.kind == "switch" and has_vlans(node) else 0
    mtu = under.spec.mtu - OVERHEAD
    return PlanVtep(
        name, node.name, overlay.name, overlay.vni, overlay.port, local, remotes, macs[name], addresses, mtu, vlan
    )


def over_ipv6(plan: Plan, mistakes: Mistakes) -> Plan:
    """The plan with the tunnels of overlays over IPv6 at their nodes' IPv6 addresses; they leave 20 bytes less."""
    six = {overlay.name for overlay in mistakes.topology.overlays if overlay.underlay == "ipv6"}
    outer = {node.name: _first_ipv6(node) for node in plan.nodes}
    for overlay in (o for o in mistakes.topology.overlays if o.name in six):
        for name in (name for name in overlay.members if not outer[name] or plan.node(name).kind == "switch"):
            what = f"overlay {overlay.name} goes over IPv6, which {name} has not"
            right = "write 'ipv6: static' for the network, or leave out switches; or let it go over IPv4"
            mistakes.note(what, ("overlay", overlay.name), right=right)
            return plan
    return replace(plan, nodes=tuple(_tunnelled(node, six, outer, mistakes) for node in plan.nodes)) if six else plan


def _first_ipv6(node: PlanNode) -> str:
    held = [a for i in node.interfaces for a in i.addresses] + [a for v in node.vlans for a in v.addresses]
    return next((a.partition("/")[0] for a in held if ":" in a), "")


def _tunnelled(node: PlanNode, six: set[str], outer: dict[str, str], mistakes: Mistakes) -> PlanNode:
    members = {overlay.name: overlay.members for overlay in mistakes.topology.overlays}
    vteps = tuple(
        replace(
            vtep,
            local=outer[node.name],
            remotes=tuple(outer[name] for name in members[vtep.overlay] if name != node.name),
            mtu=vtep.mtu - IPV6_MORE,
        )
        if vtep.overlay in six
        else vtep
        for vtep in node.vteps
    )
    return replace(node, vteps=vteps)


def _outer(node: str, wiring: Wiring, addressing: Addressing) -> tuple[Port, str]:
    stations = [port for port in wiring.stations[node] if port.overlay is None and addressing.addresses[port.name]]
    return stations[0], str(addressing.addresses[stations[0].name][0].ip)
