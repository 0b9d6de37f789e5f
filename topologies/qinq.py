"""Two customers of one provider, who both use VLAN 10: the provider's tag goes outside of theirs (802.1ad).

h1 --- c1 --- p1 --- p2 --- c2 --- h2     customer 1, in the provider's VLAN 100
h3 --- c3 --- p1     p2 --- c4 --- h4     customer 2, in the provider's VLAN 200

nlab topo show qinq

Stock Mininet has no word for VLANs, so that `mn --custom` cannot open this one.
"""

from netlab.topology.generators import at_least, cable, several
from netlab.topology.spec import Interface, Node, PortVlan, StackKind, Topology

TAG_BYTES = 4


def qinq(customers: int = 2, vlan: int = 10, stack: StackKind = "netlab") -> Topology:
    """Customer n has the provider's VLAN 100 n; the switches run our stack unless told otherwise."""
    at_least(customers, 1, "the number of customers")
    hosts, nodes, links = several("h", 2 * customers), [], []
    for number in range(1, 2 * customers + 1):
        to_host, up = Interface("eth1", vlan=PortVlan(access=vlan)), Interface("up", vlan=PortVlan(trunk=(vlan,)))
        nodes.append(Node(f"c{number}", "switch", stack, (to_host, up)))
        links.append(cable(f"h{number}", f"c{number}:eth1"))
    services = tuple(100 * customer for customer in range(1, customers + 1))
    for side in (1, 2):
        ports = [Interface(f"eth{n}", vlan=PortVlan(qinq=vid)) for n, vid in enumerate(services, start=1)]
        core = Interface("core", vlan=PortVlan(trunk=services, tag="802.1ad"), mtu=1500 + TAG_BYTES)
        nodes.append(Node(f"p{side}", "switch", stack, (*ports, core)))
        links += [cable(f"c{2 * n - 2 + side}:up", f"p{side}:eth{n}") for n in range(1, customers + 1)]
    links.append(cable("p1:core", "p2:core"))
    return Topology("qinq", (*hosts, *nodes), tuple(links))
