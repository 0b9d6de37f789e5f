"""Two switches with hosts of two VLANs, and a routed network between them: each VLAN goes on in a VXLAN of its own.

h1, h2 --- s1 --- r1 --- s2 --- h3, h4

nlab topo show vxlan_vlan

Stock Mininet has no word for VLANs and overlays, so that `mn --custom` cannot open this one.
"""

from netlab.topology.generators import cable, several
from netlab.topology.spec import Interface, Node, Overlay, PortVlan, StackKind, Topology

VLANS = (10, 20)
TUNNEL_BYTES = 50


def vxlan_vlan(stack: StackKind = "netlab") -> Topology:
    """h1 and h3 are in VLAN 10, h2 and h4 in VLAN 20; the links by r1 have room for what a tunnel adds."""
    switches, links = [], []
    for side in (1, 2):
        ports = [Interface(f"eth{n}", vlan=PortVlan(access=vid)) for n, vid in enumerate(VLANS, start=1)]
        up = Interface("up", addresses=(f"172.16.{side}.1/24",), mtu=1500 + TUNNEL_BYTES)
        switches.append(Node(f"s{side}", "switch", stack, (*ports, up)))
        links += [cable(f"h{2 * side - 2 + n}", f"s{side}:eth{n}") for n in (1, 2)]
    faces = tuple(Interface(f"eth{side}", mtu=1500 + TUNNEL_BYTES) for side in (1, 2))
    links += [cable(f"s{side}:up", f"r1:eth{side}") for side in (1, 2)]
    overlays = tuple(Overlay(f"v{vid}", 10000 + vid, ("s1", "s2"), vlan=vid) for vid in VLANS)
    nodes = (*several("h", 4), *switches, Node("r1", "router", interfaces=faces))
    return Topology("vxlan_vlan", nodes, tuple(links), overlays=overlays)
