"""One topology, two worlds, one record: a packet's way is the same in virtual time and on real interfaces."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from netlab.backend.mininet import MininetBackend
from netlab.backend.mininet.checks import problems
from netlab.backend.sim import SimBackend
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Plan, Topology
from netlab.trace.journey import Journey, difference, journeys
from netlab.trace.log import Log
from netlab.units import MS
from netlab.workload.spec import Ping, UdpEcho

NODES = (*several("h", 3), *several("s", 1, "switch"), *several("r", 2, "router"))
CABLES = (("h1", "s1"), ("h2", "s1"), ("s1", "r1"), ("r1", "r2"), ("r2", "h3"))
PLAN = resolve(Topology("worlds", NODES, tuple(cable(a, b) for a, b in CABLES)))
TRAFFIC = (
    Ping("h1", "h3", count=2, interval=60 * MS),
    Ping("h1", "h3", ttl=1, start=200 * MS),
    Ping("h1", "h3", ttl=2, start=300 * MS),
    UdpEcho("h2", "h3", start=400 * MS),
)


def ours_on(*nodes: str) -> Plan:
    """The plan with our own stack on some nodes, Linux on the others."""
    chosen = (replace(node, stack="netlab" if node.name in nodes else "kernel") for node in PLAN.nodes)
    return replace(PLAN, nodes=tuple(chosen))


def packets(log: Log) -> dict[str, Journey]:
    """The first journey of each kind, by what it is; identifiers and ports that a host chooses are left out."""
    found: dict[str, Journey] = {}
    for journey in journeys(log).values():
        found.setdefault(re.sub(r" id \d+|:[3-6]\d{4}", "", journey.said), journey)
    return found


@pytest.mark.parametrize("ours", [(), ("r1",), ("r1", "r2"), ("h1", "h3")], ids=lambda names: "+".join(names) or "none")
def test_packets_take_the_same_way_in_both_worlds(ours: tuple[str, ...]) -> None:
    plan = ours_on(*ours)
    for problem in problems(plan):
        pytest.skip(str(problem))
    logs = []
    for backend in (SimBackend(), MininetBackend()):
        with backend.open(plan, seed=1) as session:
            outcomes = session.run(TRAFFIC)
        assert [[reply.result for reply in outcome.replies] for outcome in outcomes] == [
            ["answered", "answered"],
            ["error"],
            ["error"],
            ["answered"],
        ]
        logs.append(session.log)
    sim, real = (packets(log) for log in logs)
    wanted = [said for said in sim if said.startswith(("ICMP", "UDP"))]
    assert len(wanted) >= 7
    for said in wanted:
        assert said in real, f"{said} was not seen on the real network: {list(real)}"
        assert difference(logs[0], sim[said].pkt, logs[1], real[said].pkt) == "", said
