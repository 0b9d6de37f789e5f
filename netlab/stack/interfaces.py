"""A planned node's interfaces: devices first, then VLANs, then the ends of overlays, each on what it lies on."""

from __future__ import annotations

from netlab.stack.ifcaps import CHECKSUMS, NEEDS_SUMS, SOFTWARE, Capability, capabilities
from netlab.stack.ifnet import Address, Ifnet
from netlab.stack.vlan import TPIDS, VlanLink
from netlab.stack.vxlan import Vtep
from netlab.topology.spec import Offloads, Plan, PlanNode, PlanVtep, PortVlan
from netlab.wire.address import parse_cidr, parse_ipv4, parse_ipv6, parse_mac


def interfaces_of(node: PlanNode, plan: Plan) -> tuple[Ifnet, ...]:
    """All of them, in the plan's order."""
    links = {end: link for link in plan.links for end in (link.a, link.b)}
    made = {
        i.name: Ifnet(
            i.name,
            parse_mac(i.mac),
            _addresses(i.addresses),
            mtu=i.mtu,
            peer=i.peer,
            queue=links[i.name].queue if i.name in links else None,
            mark=links[i.name].mark if i.name in links else None,
            vlan=i.vlan,
        )
        for i in node.interfaces
    }
    for v in node.vlans:  # a VLAN on another VLAN stands behind it
        below = VlanLink(made[v.parent], v.id, TPIDS[v.tag], v.pcp)
        made[v.name] = Ifnet(v.name, parse_mac(v.mac), _addresses(v.addresses), mtu=v.mtu, below=below)
    for vtep in node.vteps:
        made[vtep.name] = _vtep(vtep)
    return tuple(made.values())


def switch(ifp: Ifnet, offload: Offloads) -> None:
    """Turn on what a plan says, as far as the device has it, and all else off; None leaves the switches alone."""
    if offload is not None:
        kept = ifp.capenable & ~(CHECKSUMS | SOFTWARE | NEEDS_SUMS | Capability.LRO)
        ifp.capenable = kept | capabilities(offload) & ifp.capabilities


def _vtep(planned: PlanVtep) -> Ifnet:
    family = 6 if ":" in planned.local else 4
    parse = parse_ipv6 if family == 6 else parse_ipv4
    remotes = tuple(parse(remote) for remote in planned.remotes)
    return Ifnet(
        planned.name,
        parse_mac(planned.mac),
        _addresses(planned.addresses),
        mtu=planned.mtu,
        vlan=PortVlan(access=planned.vlan) if planned.vlan else None,
        below=Vtep(planned.vni, parse(planned.local), remotes, port=planned.port, family=family),
    )


def _addresses(texts: tuple[str, ...]) -> tuple[Address, ...]:
    return tuple(Address(cidr.address, cidr.length) for cidr in map(parse_cidr, texts) if cidr.version == 4)
