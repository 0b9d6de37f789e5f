"""Two equal ways from r1 to h2: flows share them by weight, and each flow keeps to its own (ECMP).

nlab topo show equal_ways,3
"""

from netlab.topology.generators import cable
from netlab.topology.mininet_topo import in_mininet
from netlab.topology.spec import Interface, Node, Route, Topology, Way


def equal_ways(weight: int = 1) -> Topology:
    """h1 at r1, then r2 or r3, then r4 with h2; of 1 + ``weight`` flows to h2, ``weight`` go by r3.

    r1 runs our stack: which of two equal ways a kernel takes for a flow is its secret, and another one each time.
    """
    to_r2, to_r3 = "10.0.12.2", "10.0.13.3"
    ports = tuple(
        Interface(f"eth{n}", (address,)) for n, address in enumerate(("10.0.1.254/24", "10.0.12.1/24", "10.0.13.1/24"))
    )
    shared = Route("10.0.9.0/24", to_r2, 1, (Way(to_r3, weight),))
    r1 = Node("r1", "router", "netlab", interfaces=ports, routes=(shared,))
    r2 = Node("r2", "router", interfaces=(Interface("eth0", (f"{to_r2}/24",)), Interface("eth1", ("10.0.24.2/24",))))
    r3 = Node("r3", "router", interfaces=(Interface("eth0", (f"{to_r3}/24",)), Interface("eth1", ("10.0.34.3/24",))))
    r4 = Node("r4", "router", interfaces=tuple(Interface(f"eth{n}") for n in range(3)))
    h2 = Node("h2", interfaces=(Interface("eth0", ("10.0.9.1/24",)),))
    links = (
        cable("h1", "r1:eth0"),
        cable("r1:eth1", "r2:eth0"),
        cable("r1:eth2", "r3:eth0"),
        cable("r2:eth1", "r4:eth0"),
        cable("r3:eth1", "r4:eth1"),
        cable("r4:eth2", "h2:eth0"),
    )
    return Topology("equal_ways", (Node("h1"), r1, r2, r3, r4, h2), links)


topos = {"equal_ways": in_mininet(equal_ways)}
