"""Hosts on networks of their own behind routers, joined by a VXLAN as if they were on one wire.

nlab topo show vxlan
nlab topo show 'vxlan,4,port=8472'
nlab topo show vxlan,underlay=ipv6

Stock Mininet has no word for overlays, so that `mn --custom` cannot open this one.
"""

from netlab.topology.generators import at_least, cable, several
from netlab.topology.spec import Ipv6, Overlay, StackKind, Topology, Underlay


def vxlan(
    n: int = 3, vni: int = 42, port: int = 4789, underlay: Underlay = "ipv4", stack: StackKind = "kernel"
) -> Topology:
    """h1 ... hn around the router r1, each in its own subnet, and all of them in 192.168.42.0/24 by VXLAN ``vni``."""
    at_least(n, 2, "the number of hosts")
    hosts = several("h", n, stack=stack)
    links = tuple(cable(host.name, "r1") for host in hosts)
    blue = Overlay(
        "blue", vni, tuple(host.name for host in hosts), port=port, network="192.168.42.0/24", underlay=underlay
    )
    ipv6: Ipv6 = "static" if underlay == "ipv6" else ""
    return Topology("vxlan", (*hosts, *several("r", 1, "router")), links, overlays=(blue,), ipv6=ipv6)
