"""Two hosts and a cable: the smallest network there is.

nlab topo show pair
nlab topo show 'pair,delay=2 ms'
"""

from netlab.topology.generators import cable, several
from netlab.topology.mininet_topo import in_mininet
from netlab.topology.spec import Topology


def pair(rate: str = "", delay: str = "", loss: str = "", queue: str = "") -> Topology:
    """h1 --- h2; what is asked for holds on their link."""
    link = cable("h1", "h2", rate=rate, delay=delay, loss=loss, queue=queue)
    return Topology("pair", tuple(several("h", 2)), (link,))


topos = {"pair": in_mininet(pair)}
