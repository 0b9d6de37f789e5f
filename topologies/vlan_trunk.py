"""Two switches, each with hosts of two VLANs, and one trunk between them that carries both.

nlab topo show vlan_trunk
nlab topo show 'vlan_trunk,2,stack=netlab'

Stock Mininet has no word for VLANs, so that `mn --custom` cannot open this one.
"""

from netlab.topology.generators import at_least, cable, several
from netlab.topology.spec import Interface, Node, PortVlan, StackKind, Topology

VLANS = (10, 20)


def vlan_trunk(n: int = 1, stack: StackKind = "netlab") -> Topology:
    """On each switch ``n`` hosts of VLAN 10, then ``n`` of VLAN 20; the switches run our stack by default."""
    at_least(n, 1, "the number of hosts of a VLAN on a switch")
    hosts = several("h", 4 * n)
    switches, links = [], []
    for number in (1, 2):
        mine = hosts[2 * n * (number - 1) : 2 * n * number]
        ports = [Interface(f"eth{port}", vlan=PortVlan(access=VLANS[(port - 1) // n])) for port in range(1, 2 * n + 1)]
        trunk = Interface("trunk", vlan=PortVlan(trunk=VLANS))
        switches.append(Node(f"s{number}", "switch", stack, (*ports, trunk)))
        links += [cable(host.name, f"s{number}:eth{port}") for port, host in enumerate(mine, start=1)]
    links.append(cable("s1:trunk", "s2:trunk"))
    return Topology("vlan_trunk", (*hosts, *switches), tuple(links))
