"""Hosts around one switch.

nlab topo show star,20
"""

from netlab.topology.generators import cable, several
from netlab.topology.mininet_topo import in_mininet
from netlab.topology.spec import Topology


def star(n: int = 3, rate: str = "", delay: str = "", loss: str = "", queue: str = "") -> Topology:
    """h1 ... hn, each with a link to s1; what is asked for holds on every link."""
    hosts = several("h", n)
    links = tuple(cable(host.name, "s1", rate=rate, delay=delay, loss=loss, queue=queue) for host in hosts)
    return Topology("star", (*hosts, *several("s", 1, "switch")), links)


topos = {"star": in_mininet(star)}
