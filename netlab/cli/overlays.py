"""A plan's VLANs and overlays in tables, for `nlab topo show`."""

from __future__ import annotations

from netlab.cli.table import table
from netlab.topology.spec import Plan, PortVlan


def ports_table(plan: Plan) -> str:
    """What each port of a switch does with VLANs; empty when none does anything."""
    rows = [(i.node, i.name, *_rule(i.vlan)) for i in plan.interfaces() if i.vlan is not None]
    return table(("switch", "port", "VLAN", "its frames"), rows) if rows else ""


def _rule(vlan: PortVlan) -> tuple[str, str]:
    if vlan.access:
        return str(vlan.access), "untagged"
    if vlan.qinq:
        return str(vlan.qinq), "any, kept whole"
    native = f", {vlan.native} untagged" if vlan.native else ""
    return " ".join(map(str, vlan.trunk)), f"tagged ({vlan.tag}){native}"


def vlans_table(plan: Plan) -> str:
    """Every VLAN interface; empty when there is none."""
    rows = [
        (v.node, v.name, f"{v.id} ({v.tag})", v.parent, " ".join(v.addresses) or "-", v.mtu)
        for node in plan.nodes
        for v in node.vlans
    ]
    return table(("node", "interface", "VLAN", "on", "address", "MTU"), rows) if rows else ""


def overlays_table(plan: Plan) -> str:
    """Every end of an overlay; empty when there is none."""
    rows = [
        (v.overlay, v.vni, v.name, " ".join(v.addresses) or f"VLAN {v.vlan or '-'}", v.local, " ".join(v.remotes))
        for node in plan.nodes
        for v in node.vteps
    ]
    return table(("overlay", "VNI", "interface", "address", "tunnels from", "to"), rows) if rows else ""
