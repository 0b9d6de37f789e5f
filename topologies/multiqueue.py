"""Hosts that send through a router whose interfaces have several rings: flows spread over them, and over its cores.

nlab topo show multiqueue,8
"""

from netlab.topology.generators import cable, several
from netlab.topology.mininet_topo import in_mininet
from netlab.topology.spec import Interface, Node, Topology


def multiqueue(queues: int = 4, hosts: int = 8, rate: str = "") -> Topology:
    """h1 ... hn at s1, then r1, then sink; each interface of r1 has ``queues`` pairs of rings."""
    senders = several("h", hosts)
    rings = (Interface("eth0", queues=queues), Interface("eth1", queues=queues))
    nodes = (*senders, Node("s1", "switch"), Node("r1", "router", interfaces=rings), Node("sink"))
    to_switch = (cable(host.name, "s1") for host in senders)
    return Topology("multiqueue", nodes, (*to_switch, cable("s1", "r1:eth0"), cable("r1:eth1", "sink", rate=rate)))


topos = {"multiqueue": in_mininet(multiqueue)}
