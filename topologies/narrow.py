"""A way that narrows: between its routers a packet has 1,300 bytes, and 1,500 everywhere else. IPv4 and IPv6.

nlab topo show narrow
nlab topo show narrow,slaac     hosts make their IPv6 addresses of what routers advertise
"""

from typing import Literal

from netlab.topology.generators import cable, several
from netlab.topology.mininet_topo import in_mininet
from netlab.topology.spec import Interface, Node, Topology


def narrow(ipv6: Literal["static", "slaac"] = "static", mtu: int = 1300) -> Topology:
    """h1 and h3 at s1, which r1 joins to r2; behind r2 is h2. Routers that advertise run our stack."""
    stack: Literal["kernel", "netlab"] = "netlab" if ipv6 == "slaac" else "kernel"
    r1 = Node("r1", "router", stack, (Interface("eth0"), Interface("eth1", mtu=mtu)))
    r2 = Node("r2", "router", stack, (Interface("eth0", mtu=mtu), Interface("eth1")))
    nodes = (*several("h", 3), *several("s", 1, "switch"), r1, r2)
    links = (("h1", "s1"), ("h3", "s1"), ("s1", "r1:eth0"), ("r1:eth1", "r2:eth0"), ("r2:eth1", "h2"))
    return Topology("narrow", nodes, tuple(cable(a, b) for a, b in links), ipv6=ipv6)


topos = {"narrow": in_mininet(narrow)}
