"""Two hosts with two cables between them, each a network of its own: for connections that use both.

What h1 sends from its second address leaves by its second cable, whoever it is for.

nlab topo show 'two_paths,rate1=10 Mbit/s,rate2=10 Mbit/s'
"""

from netlab.topology.generators import cable
from netlab.topology.mininet_topo import in_mininet
from netlab.topology.spec import Interface, Node, Route, Rule, Table, Topology


def two_paths(rate1: str = "", rate2: str = "", delay1: str = "", delay2: str = "", queue: str = "") -> Topology:
    """h1 and h2 at 10.0.1.1 and 10.0.1.2 on the first cable, at 10.0.2.1 and 10.0.2.2 on the second."""
    return Topology(
        "two_paths",
        (_host("h1", 1, 2), _host("h2", 2, 1)),
        (
            cable("h1:eth0", "h2:eth0", rate=rate1, delay=delay1, queue=queue),
            cable("h1:eth1", "h2:eth1", rate=rate2, delay=delay2, queue=queue),
        ),
    )


def _host(name: str, own: int, other: int) -> Node:
    return Node(
        name,
        interfaces=(Interface("eth0", (f"10.0.1.{own}/24",)), Interface("eth1", (f"10.0.2.{own}/24",))),
        tables=(Table(2, (Route("default", f"10.0.2.{other}"),)),),
        rules=(Rule(10, 2, source="10.0.2.0/24"),),
    )


topos = {"two_paths": in_mininet(two_paths)}
