"""A switch port that several senders share: the network of the studies of queues."""

from __future__ import annotations

from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Node, Plan, Topology

SINK = "sink"
PORT = "s1-port"
"""The interface of the switch towards the sink, where packets wait."""


def shared_port(senders: int, *, rate: str, access: str, delay: str, queue: str, mark: str = "") -> Plan:
    """h1 … hn on a switch by links of ``access``, and ``sink`` behind a link of ``rate``; ``delay`` is each link's.

    Where ``access`` is faster than ``rate``, one sender alone can fill the queue.
    """
    links = [cable(f"h{n}", "s1", rate=access, delay=delay) for n in range(1, senders + 1)]
    links.append(cable(f"s1:{PORT.removeprefix('s1-')}", SINK, rate=rate, delay=delay, queue=queue, mark=mark))
    nodes = (*several("h", senders), *several("s", 1, "switch"), Node(SINK))
    return resolve(Topology("shared port", nodes, tuple(links)))
