"""What is written on a drawn network: at each interface, at each node, and for who cannot see it."""

from __future__ import annotations

from netlab.topology.spec import Plan, PlanInterface, PlanNode, PlanVlan, PlanVtep, PortVlan


def interface_lines(plan: Plan) -> dict[str, list[str]]:
    """The lines at each interface: its short name, its address if the node does not show it, its VLANs."""
    return {i.name: _lines(node, i) for node in plan.nodes for i in node.interfaces}


def address_in_shape(node: PlanNode) -> str:
    """The one address of a host, which stands in its shape; "" for all others. A tunnel's is written at the tunnel."""
    held = [_bare(a) for i in node.interfaces for a in i.addresses]
    held += [_bare(a) for v in node.vlans for a in v.addresses]
    return held[0] if node.kind == "host" and len(held) == 1 else ""


def tunnel_line(vtep: PlanVtep) -> str:
    """A tunnel's end, to be written beside its node."""
    where = f" {_bare(vtep.addresses[0])}" if vtep.addresses else f" in vlan {vtep.vlan}" if vtep.vlan else ""
    return f"{short(vtep.name, vtep.node)}: VNI {vtep.vni}{where}"


def node_sentence(node: PlanNode) -> str:
    """Everything about a node in one line."""
    held = [f"{i.name} {' '.join(i.addresses)} {_port(i.vlan)}" for i in node.interfaces]
    held += [f"{v.name} {' '.join(v.addresses)} ({v.tag} tag {v.id} on {v.parent})" for v in node.vlans]
    held += [f"{tunnel_line(t)} from {t.local} to {' '.join(t.remotes)}" for t in node.vteps]
    return f"{node.kind} {node.name}" + (f": {', '.join(' '.join(part.split()) for part in held)}" if held else "")


def short(name: str, node: str) -> str:
    """An interface's name without its node's, which stands beside it anyway."""
    return name.removeprefix(node + "-")


def _lines(node: PlanNode, interface: PlanInterface) -> list[str]:
    own = [_bare(a) for a in interface.addresses[:1]] if not address_in_shape(node) else []
    vlans = [_vlan_line(node, v) for v in node.vlans if _lowest(node, v) == interface.name]
    return list(filter(None, (short(interface.name, node.name), *own, _port(interface.vlan), *vlans)))


def _lowest(node: PlanNode, vlan: PlanVlan) -> str:
    """The interface on the cable that a VLAN interface lies on, through others (QinQ)."""
    parents = {v.name: v.parent for v in node.vlans}
    parent = vlan.parent
    while parent in parents:
        parent = parents[parent]
    return parent


def _vlan_line(node: PlanNode, vlan: PlanVlan) -> str:
    address = f" {_bare(vlan.addresses[0])}" if vlan.addresses and not address_in_shape(node) else ""
    return f"vlan {vlan.id}{address}"


def _port(port: PortVlan | None) -> str:
    """What a switch's port does with VLANs."""
    if port is None:
        return ""
    if port.trunk:
        return f"trunk {','.join(map(str, port.trunk))}" + (f" native {port.native}" if port.native else "")
    return f"vlan {port.access}" if port.access else f"qinq {port.qinq}" if port.qinq else ""


def _bare(address: str) -> str:
    return address.split("/")[0]
