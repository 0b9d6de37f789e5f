"""Equal ways (ECMP): in both worlds flows spread over them by weight, and each flow keeps to one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netlab.backend.base import Backend
from netlab.backend.mininet import MininetBackend
from netlab.backend.mininet.checks import problems
from netlab.backend.sim import SimBackend
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import Plan, StackKind
from netlab.trace.journey import journeys
from netlab.units import MS
from netlab.workload.spec import UdpEcho

FLOWS = 24


def plan(stack: StackKind = "kernel", weight: int = 1) -> Plan:
    """Two ways from r1, whose stack is chosen here."""
    made = resolve(load_topology(f"equal_ways,{weight}"))
    return replace(made, nodes=tuple(replace(n, stack=stack) if n.name == "r1" else n for n in made.nodes))


def ways(backend: Backend, made: Plan) -> list[str]:
    """For each flow, the router behind r1 that its datagrams passed."""
    flows = [UdpEcho("h1", "h2", port=2000 + n, count=3, interval=5 * MS, start=n * 3 * MS) for n in range(FLOWS)]
    with backend.open(made, seed=1) as session:
        assert session.verify() == ()
        outcomes = session.run(flows)
        assert [outcome.answered for outcome in outcomes] == [3] * FLOWS
        found: dict[str, list[tuple[str, ...]]] = {}
        for journey in journeys(session.log).values():
            if journey.said.startswith("UDP 10.0.1.1") and "h2" in journey.nodes:
                flow = journey.said.split(" bytes")[0]
                found.setdefault(flow, []).append(journey.nodes)
    taken = {flow: {"r2", "r3"} & set().union(*passed) for flow, passed in found.items()}
    torn = {flow: found[flow] for flow, routers in taken.items() if len(routers) != 1}
    assert not torn, "each flow keeps to one way"
    return ["".join(routers) for routers in taken.values()]


@pytest.mark.parametrize("world", ["sim", "kernel", "ours live"])
def test_flows_spread_and_each_keeps_its_way(world: str) -> None:
    made = plan("netlab" if world == "ours live" else "kernel")
    if world != "sim":
        for problem in problems(made):
            if problem.severity == "refuse":
                pytest.skip(str(problem))
    taken = ways(SimBackend() if world == "sim" else MininetBackend(), made)
    assert len(taken) == FLOWS
    assert 3 <= taken.count("r2") <= FLOWS - 3


def test_a_heavier_way_takes_more() -> None:
    taken = ways(SimBackend(), plan(weight=7))
    assert taken.count("r3") > FLOWS * 0.7


def test_the_kernel_s_own_choice_is_told() -> None:
    notes = [p for p in problems(plan()) if "equal ways" in p.said]
    if not notes:
        pytest.skip(str(problems(plan())[0]))
    assert [(p.severity, p.where) for p in notes] == [("note", "r1")]
    assert not [p for p in problems(plan("netlab")) if "equal ways" in p.said]
