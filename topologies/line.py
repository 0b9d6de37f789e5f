"""Two hosts with routers between them, in a line: every hop is a subnet of its own.

nlab topo show line,3
"""

from itertools import pairwise

from netlab.topology.generators import cable, several
from netlab.topology.mininet_topo import in_mininet
from netlab.topology.spec import Topology


def line(n: int = 2, rate: str = "", delay: str = "", loss: str = "", queue: str = "") -> Topology:
    """h1 --- r1 --- ... --- rn --- h2; what is asked for holds on every link."""
    first, last = several("h", 2)
    nodes = (first, *several("r", n, "router"), last)
    names = [node.name for node in nodes]
    links = tuple(cable(a, b, rate=rate, delay=delay, loss=loss, queue=queue) for a, b in pairwise(names))
    return Topology("line", nodes, links)


topos = {"line": in_mininet(line)}
