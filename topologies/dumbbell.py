"""Hosts on either side of one link that they all share: the place to see queues fill.

nlab topo show 'dumbbell,4,rate=10 Mbit/s,queue=50 packets,mark=5 packets'
"""

from netlab.topology.generators import cable, several
from netlab.topology.mininet_topo import in_mininet
from netlab.topology.spec import Topology


def dumbbell(n: int = 2, rate: str = "", delay: str = "", loss: str = "", queue: str = "", mark: str = "") -> Topology:
    """h1 ... hn on s1, h(n+1) ... h(2n) on s2; what is asked for holds on s1 --- s2, the shared link."""
    left, right = several("h", n), several("h", n, first=n + 1)
    links = [cable(host.name, "s1") for host in left] + [cable(host.name, "s2") for host in right]
    links.append(cable("s1", "s2", rate=rate, delay=delay, loss=loss, queue=queue, mark=mark))
    return Topology("dumbbell", (*left, *right, *several("s", 2, "switch")), tuple(links))


topos = {"dumbbell": in_mininet(dumbbell)}
