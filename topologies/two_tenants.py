"""Two tenants with the same prefix in a table each: it leads red's packets by r2 and blue's by r3.

A tenant's table holds nothing else: so red cannot reach blue, though r1's main table knows the way.

nlab topo show two_tenants
"""

from netlab.topology.generators import cable, several
from netlab.topology.mininet_topo import in_mininet
from netlab.topology.spec import Interface, Node, Route, Rule, Table, Topology

SHARED = "10.99.0.0/24"


def two_tenants() -> Topology:
    """red and blue at r1; r1 to r2 and to r3; both of these, and the server, at s1."""
    ports = tuple(
        Interface(f"eth{n}", (address,))
        for n, address in enumerate(("10.0.1.254/24", "10.0.2.254/24", "10.0.12.1/24", "10.0.13.1/24"))
    )
    r1 = Node(
        "r1",
        "router",
        interfaces=ports,
        tables=(Table(100, (Route(SHARED, "10.0.12.2"),)), Table(200, (Route(SHARED, "10.0.13.3"),))),
        rules=(Rule(10, 100, iif="r1-eth0"), Rule(20, 200, iif="r1-eth1")),
    )
    r2 = Node("r2", "router", interfaces=(Interface("eth0", ("10.0.12.2/24",)), Interface("eth1", ("10.99.0.2/24",))))
    r3 = Node("r3", "router", interfaces=(Interface("eth0", ("10.0.13.3/24",)), Interface("eth1", ("10.99.0.3/24",))))
    back = (Route("10.0.1.0/24", "10.99.0.2"), Route("10.0.2.0/24", "10.99.0.3"))
    server = Node("server", interfaces=(Interface("eth0", ("10.99.0.1/24",)),), routes=back)
    links = (
        cable("red", "r1:eth0"),
        cable("blue", "r1:eth1"),
        cable("r1:eth2", "r2:eth0"),
        cable("r1:eth3", "r3:eth0"),
        cable("r2:eth1", "s1"),
        cable("r3:eth1", "s1"),
        cable("server", "s1"),
    )
    return Topology("two_tenants", (Node("red"), Node("blue"), r1, r2, r3, *several("s", 1, "switch"), server), links)


topos = {"two_tenants": in_mininet(two_tenants)}
