"""A host with two ways out: what it sends from its second address leaves by its second router.

Without the rule, an answer from the second address would leave by the first router, as the default route says.

nlab topo show multihomed
"""

from netlab.topology.generators import cable
from netlab.topology.mininet_topo import in_mininet
from netlab.topology.spec import Interface, Node, Route, Rule, Table, Topology


def multihomed(rate1: str = "", rate2: str = "") -> Topology:
    """h1 at r1 and at r2, which both lead to r3 and to h2 behind it; the rates are those of h1's two cables."""
    h1 = Node(
        "h1",
        interfaces=(Interface("eth0", ("10.0.1.1/24",)), Interface("eth1", ("10.0.2.1/24",))),
        tables=(Table(2, (Route("default", "10.0.2.254"),)),),
        rules=(Rule(10, 2, source="10.0.2.0/24"),),
    )
    r1 = Node("r1", "router", interfaces=(Interface("eth0", ("10.0.1.254/24",)), Interface("eth1", ("10.0.13.1/24",))))
    r2 = Node("r2", "router", interfaces=(Interface("eth0", ("10.0.2.254/24",)), Interface("eth1", ("10.0.23.2/24",))))
    r3 = Node(
        "r3",
        "router",
        interfaces=(Interface("eth0", ("10.0.13.3/24",)), Interface("eth1", ("10.0.23.3/24",)), Interface("eth2")),
    )
    links = (
        cable("h1:eth0", "r1:eth0", rate=rate1),
        cable("h1:eth1", "r2:eth0", rate=rate2),
        cable("r1:eth1", "r3:eth0"),
        cable("r2:eth1", "r3:eth1"),
        cable("r3:eth2", "h2"),
    )
    return Topology("multihomed", (h1, r1, r2, r3, Node("h2")), links)


topos = {"multihomed": in_mininet(multihomed)}
