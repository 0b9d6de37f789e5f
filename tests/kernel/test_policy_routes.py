"""Policy routing in the kernel: the tables and rules of a plan are in force, and lead where our own stack leads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from netlab.backend.mininet import MininetBackend
from netlab.backend.mininet.arena import Arena
from netlab.backend.mininet.checks import problems
from netlab.backend.mininet.verify import differences
from netlab.backend.sim import SimBackend
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import Plan
from netlab.trace.journey import journeys
from netlab.trace.log import Log
from netlab.units import MS
from netlab.workload.spec import Ping

TWO_TENANTS = resolve(load_topology("two_tenants"))
MULTIHOMED = resolve(load_topology("multihomed"))


@pytest.fixture(autouse=True)
def possible() -> None:
    for problem in problems(TWO_TENANTS):
        pytest.skip(str(problem))


def ours_on(plan: Plan, *nodes: str) -> Plan:
    return replace(plan, nodes=tuple(replace(n, stack="netlab" if n.name in nodes else n.stack) for n in plan.nodes))


def ways(log: Log) -> dict[tuple[str, str], tuple[str, ...]]:
    """Source and last node of each ping's journey, and the nodes on the way."""
    found = [j.nodes for j in journeys(log).values() if j.said.startswith("ICMP echo")]
    return {(nodes[0], nodes[-1]): nodes for nodes in found}


@pytest.mark.parametrize("ours", [(), ("r1",)], ids=["kernel", "ours"])
def test_each_tenant_goes_its_own_way_in_both_worlds(ours: tuple[str, ...]) -> None:
    plan = ours_on(TWO_TENANTS, *ours)
    traffic = (
        Ping("red", "server"),
        Ping("blue", "server", start=100 * MS),
        Ping("red", "blue", start=200 * MS),
    )
    seen = []
    for backend in (SimBackend(), MininetBackend()):
        with backend.open(plan, seed=1) as session:
            assert session.verify() == ()
            outcomes = session.run(traffic)
            seen.append(([(r.result, r.said) for o in outcomes for r in o.replies], ways(session.log)))
    assert seen[0][0][2] == ("error", "network unreachable from 10.0.1.254"), "a failed lookup stays failed"
    assert seen[0][1]["red", "server"] == ("red", "r1", "r2", "s1", "server")
    assert seen[0][1]["blue", "server"] == ("blue", "r1", "r3", "s1", "server")
    assert seen[1] == seen[0]


@pytest.mark.parametrize("ours", [(), ("h1",)], ids=["kernel", "ours"])
def test_an_answer_leaves_by_the_router_of_its_address(ours: tuple[str, ...]) -> None:
    with MininetBackend().open(ours_on(MULTIHOMED, *ours), seed=1) as session:
        outcomes = session.run([Ping("h2", "10.0.2.1"), Ping("h2", "10.0.1.1", start=100 * MS)])
        assert [outcome.answered for outcome in outcomes] == [1, 1]
        replies = [j.nodes for j in journeys(session.log).values() if j.said.startswith("ICMP echo reply")]
    assert replies == [("h1", "r2", "r3", "h2"), ("h1", "r1", "r3", "h2")]


@pytest.fixture
def arena() -> Iterator[Arena]:
    with Arena() as made:
        made.build(TWO_TENANTS)
        yield made


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("ip rule del pref 10 unreachable", "the end of rule 10 is missing"),
        ("ip rule del pref 20", "rule 20 is missing"),
        ("ip route flush table 100", "table 100's route to 10.99.0.0/24 by 10.0.12.2 is missing"),
    ],
)
def test_what_is_taken_away_is_missed(arena: Arena, command: str, said: str) -> None:
    assert differences(TWO_TENANTS, arena.state()) == ()
    assert arena.command("r1", command.split()).ok
    assert any(said in str(problem) for problem in differences(TWO_TENANTS, arena.state()))
