"""netlab: four NewReno flows over a dumbbell of two routers, whole stacks, real bytes. "recorded" keeps the log."""

from __future__ import annotations

import sys
import time

from netlab.backend.sim.session import SimSession
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Limit, Link, Node, Plan, Topology
from netlab.units import MS, SEC
from netlab.workload.spec import Bulk

FLOWS = 4
MSS = 1448


def dumbbell() -> Plan:
    """Hosts at 1 Gbit/s and 1 ms, 100 Mbit/s and 4 ms between the routers, a queue of 100 packets."""
    hosts = [Node(f"h{n}") for n in range(1, 2 * FLOWS + 1)]
    routers = (Node("r1", "router"), Node("r2", "router"))
    links = [
        Link(End(node.name), End("r1" if n < FLOWS else "r2"), rate=10**9, delay=MS) for n, node in enumerate(hosts)
    ]
    links.append(Link(End("r1"), End("r2"), rate=10**8, delay=4 * MS, queue=Limit(100, "packets")))
    return resolve(Topology("dumbbell", (*hosts, *routers), tuple(links)))


def scenario(*, recorded: bool) -> float:
    """Data packets a second of CPU time, over a second of virtual time."""
    with SimSession(dumbbell(), traced=recorded) as session:
        asked = [Bulk(f"h{n}", f"h{n + FLOWS}", duration=SEC, congestion="newreno") for n in range(1, FLOWS + 1)]
        began = time.process_time()
        outcomes = session.run(asked)
        spent = time.process_time() - began
    octets = sum(outcome.octets for outcome in outcomes)
    assert octets > 0.7 * 100e6 / 8, octets
    return octets / MSS / spent


if __name__ == "__main__":
    print("ready", flush=True)
    for _ in sys.stdin:
        print(scenario(recorded="recorded" in sys.argv), flush=True)
