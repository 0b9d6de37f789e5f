"""VLANs as written: what each port of a switch does, and the VLAN interfaces of hosts and routers."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from netlab.topology import values
from netlab.topology.mistakes import Mistakes
from netlab.topology.spec import NAME_LIMIT, Interface, Node, PortVlan, Tag, Vlan
from netlab.topology.wiring import Port, Wiring
from netlab.topology.words import listing

TAG_BYTES = 4
RIGHT_VID = f"a VLAN is a number from 1 to {values.VID_LIMIT}"


def vlan_stations(wiring: Wiring, mistakes: Mistakes) -> None:
    """Find what has addresses: of the interfaces that others lie on, only those for which one is written."""
    for port in wiring.all_ports():
        _check_port(port, mistakes)
    for name, ports in wiring.ports.items():
        node = _plainly(mistakes.topology.node(name))
        wiring.declared += [(node, Interface(v.name, v.addresses)) for v in node.vlans]
        routed = [port for port in ports if not port.bridged]
        wiring.vlans[name] = vlans = _stacked(node, routed, mistakes)
        under = {vlan.parent for vlan in vlans}
        wiring.stations[name] = [p for p in (*routed, *vlans) if p.name not in under or p.spec.addresses]


def _plainly(node: Node) -> Node:
    """The node with its VLAN interfaces under their plain names."""
    vlans = tuple(replace(vlan, name=values.plain_name(node.name, vlan.name)) for vlan in node.vlans)
    return replace(node, vlans=vlans)


# ---- ports of switches -----------------------------------------------------------------------------


def _check_port(port: Port, mistakes: Mistakes) -> None:
    rule, places = port.spec.vlan, (("vlan", port.name), ("interface", port.name), ("node", port.node.name))
    if rule is None:
        return
    if port.node.kind != "switch":
        what = f"{port.name} says how a switch's port handles VLANs, but {port.node.name} is a {port.node.kind}"
        mistakes.note(what, *places, right="write its VLAN interfaces under 'vlans' of the node")
    elif port.spec.addresses:
        mistakes.note(f"{port.name} has an address and a part in VLANs", *places, right="take one of them away")
    for what, right in _port_faults(port.name, rule):
        mistakes.note(what, *places, right=right)


def _port_faults(name: str, rule: PortVlan) -> list[tuple[str, str]]:
    said = [key for key in ("access", "trunk", "qinq") if getattr(rule, key)]
    wanted = "write one of {access: 10}, {trunk: [10, 20]} and {qinq: 100}"
    found = []
    if len(said) != 1:
        found.append((f"vlan of {name} names {' and '.join(said) or 'no VLAN'}", wanted))
    for key in ("native", "tag"):
        if getattr(rule, key) not in (0, "802.1Q") and not rule.trunk:
            found.append((f"vlan of {name} has '{key}' without a trunk", "only a trunk has tags of its own"))
    for vid in (rule.access, *rule.trunk, rule.native, rule.qinq):
        if vid and not _is_vid(vid):
            found.append((f"vlan of {name} names VLAN {vid}", RIGHT_VID))
    if rule.tag not in get_args(Tag):
        found.append((f"tag of {name} is '{rule.tag}'", f"it may be {listing(get_args(Tag))}"))
    return found


def _is_vid(vid: object) -> bool:
    return isinstance(vid, int) and 1 <= vid <= values.VID_LIMIT


# ---- VLAN interfaces -------------------------------------------------------------------------------


def _stacked(node: Node, ports: list[Port], mistakes: Mistakes) -> list[Port]:
    """The node's VLAN interfaces, what they lie on first; what lies on nothing is noted."""
    if node.vlans and node.kind == "switch":
        right = "say at its ports what they do with VLANs, as 'vlan: {trunk: [10, 20]}'"
        mistakes.note(f"switch {node.name} has VLAN interfaces", ("interface", node.vlans[0].name), right=right)
        return []
    known = {port.name: port for port in ports}
    waiting = [v for v in node.vlans if _is_sound(node, v, known, mistakes)]
    while ready := [v for v in waiting if values.plain_name(node.name, v.parent) in known]:
        for vlan in ready:
            known[vlan.name] = _on(node, vlan, known, mistakes)
        waiting = [v for v in waiting if v not in ready]
    for vlan in waiting:
        what = f"{vlan.name} lies on '{vlan.parent}', which is no interface of {node.name} with a link"
        right = f"there are {listing(name.removeprefix(node.name + '-') for name in known)}"
        mistakes.note(what, ("interface", vlan.name), ("node", node.name), right=right)
    return [port for port in known.values() if port.vlan is not None]


def _is_sound(node: Node, vlan: Vlan, known: dict[str, Port], mistakes: Mistakes) -> bool:
    places = (("interface", vlan.name), ("node", node.name))
    before = len(mistakes.found)
    if vlan.name in known or [v.name for v in node.vlans].count(vlan.name) > 1:
        mistakes.note(f"{node.name} has two interfaces called '{vlan.name}'", *places, right="rename one")
    if not _is_vid(vlan.id):
        mistakes.note(f"{vlan.name} has the VLAN {vlan.id}", *places, right=RIGHT_VID)
    if vlan.tag not in get_args(Tag):
        mistakes.note(f"tag of {vlan.name} is '{vlan.tag}'", *places, right=f"it may be {listing(get_args(Tag))}")
    if not isinstance(vlan.pcp, int) or not 0 <= vlan.pcp <= 7:
        mistakes.note(f"pcp of {vlan.name} is {vlan.pcp}", *places, right="it is a number from 0 to 7")
    fits_kernel(vlan.name, node.name, places, mistakes)
    return len(mistakes.found) == before


def fits_kernel(name: str, node: str, places: tuple[tuple[str, object], ...], mistakes: Mistakes) -> None:
    """Note a name that a kernel has no room for."""
    if len(name) > NAME_LIMIT:
        what = f"the interface name '{name}' has {len(name)} characters, and {NAME_LIMIT} is the most"
        mistakes.note(what, *places, right=f"behind '{node}-' there is room for {NAME_LIMIT - len(node) - 1}")


def _on(node: Node, vlan: Vlan, known: dict[str, Port], mistakes: Mistakes) -> Port:
    """The VLAN's interface. One tag more fits into every link (IEEE 802.3-2018 §3.2.7); each further one takes room."""
    parent = known[values.plain_name(node.name, vlan.parent)]
    places = (("interface", vlan.name), ("node", node.name))
    tags = (*parent.tags, (vlan.tag, vlan.id))
    twin = next((p for p in known.values() if p.vlan and p.parent == parent.name and p.tags == tags), None)
    if twin is not None:
        what = f"{vlan.name} is VLAN {vlan.id} on {parent.name}, which {twin.name} is already"
        mistakes.note(what, *places, right="give it another id")
    most = parent.spec.mtu - (TAG_BYTES if parent.tags else 0)
    if vlan.mtu > most:
        what = f"the mtu of {vlan.name} is {vlan.mtu} B, and what it lies on leaves {most} B"
        mistakes.note(what, *places, right=f"give {parent.name} a larger mtu")
    spec = Interface(vlan.name, vlan.addresses, parent.spec.mac, mtu=vlan.mtu or most)
    return Port(node, spec, parent.link, vlan=vlan, parent=parent.name, bottom=parent.name_at, tags=tags)
