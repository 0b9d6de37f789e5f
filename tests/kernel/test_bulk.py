"""Bulk transfers on real interfaces: the kernel's TCP, ours, and one to the other through a router of ours."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import pytest

from netlab.backend.base import Session
from netlab.backend.mininet import MininetBackend, MininetSession
from netlab.backend.mininet.checks import problems
from netlab.backend.sim import SimSession
from netlab.errors import BadInput, Unavailable
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Limit, Link, Plan, Topology
from netlab.units import MS
from netlab.view.path import packet_path
from netlab.workload.spec import Bulk, Flow, Ping

MBIT = 1_000_000
TWO = Topology("two", several("h", 2), (cable("h1", "h2"),), ipv6="static")
NODES = (*several("h", 2), *several("r", 1, "router"))
LINE = Topology("line", NODES, (cable("h1", "r1"), cable("r1", "h2")), ipv6="static")


def plan_of(topology: Topology, *ours: str) -> Plan:
    """The topology with our own stack on some nodes."""
    plan = resolve(topology)
    return replace(plan, nodes=tuple(replace(n, stack="netlab") if n.name in ours else n for n in plan.nodes))


def opened(plan: Plan, **settings: int) -> MininetSession:
    for problem in problems(plan):
        pytest.skip(str(problem))
    return MininetBackend(**settings).open(plan)


def whole(size: int, flows: tuple[Flow, ...]) -> None:
    assert [(flow.octets, flow.error) for flow in flows] == [(size, "")] * len(flows)
    assert all(flow.goodput > MBIT for flow in flows)


@pytest.mark.parametrize("ours", [(), ("h1",), ("h2",), ("h1", "h2")], ids=lambda names: "+".join(names) or "kernel")
def test_four_flows_of_each_family_arrive_whole(ours: tuple[str, ...]) -> None:
    with opened(plan_of(TWO, *ours), watched=False) as session:
        asked = [Bulk("h1", "h2", size=1_000_000, flows=4, family=family) for family in (4, 6)]
        for outcome in session.run(asked):
            whole(1_000_000, outcome.flows)


@pytest.mark.parametrize("ours", [("r1",), ("h1", "r1"), ("h2", "r1"), ("h1", "h2", "r1"), ("h1", "h2")], ids="+".join)
@pytest.mark.parametrize("family", [4, 6])
def test_kernel_and_ours_meet_behind_a_router(ours: tuple[str, ...], family: int) -> None:
    with opened(plan_of(LINE, *ours), watched=False) as session:
        both = [Bulk("h1", "h2", size=500_000, family=family), Bulk("h2", "h1", size=500_000, family=family)]
        for outcome in session.run(both):
            whole(500_000, outcome.flows)


@pytest.mark.parametrize("ours", [(), ("h1", "h2")], ids=["kernel", "ours"])
def test_a_duration_on_a_slow_link_gives_the_links_rate(ours: tuple[str, ...]) -> None:
    wire = Link(End("h1"), End("h2"), rate=20 * MBIT)
    with opened(plan_of(replace(TWO, links=(wire,)), *ours)) as session:
        bulk, ping = session.run(
            [Bulk("h1", "h2", duration=800 * MS, start=100 * MS), Ping("h1", "h2", start=600 * MS)]
        )
    [flow] = bulk.flows
    assert (flow.error, round(flow.ns / MS, -2)) == ("", 800)
    assert 0.75 * 20 * MBIT < flow.goodput < 20 * MBIT
    assert ping.answered == 1
    said = [row[6][0] for row in session.log.rows if row[1] == "app" and row[3] == "bulk"]
    assert said == [str(flow)]


@pytest.mark.parametrize("ours", [(), ("h1", "h2")], ids=["kernel", "ours"])
def test_both_worlds_keep_a_ping_waiting_as_long_in_a_full_queue(ours: tuple[str, ...]) -> None:
    narrow = Link(End("r1"), End("h3"), rate=20 * MBIT, queue=Limit(50, "packets"))
    nodes = (*several("h", 3), *several("r", 1, "router"))
    plan = plan_of(Topology("narrow", nodes, (cable("h1", "r1"), cable("h2", "r1"), narrow)), *ours)
    asked = [Bulk(src, "h3", duration=1500 * MS, flows=2, congestion="cubic") for src in ("h1", "h2")]
    asked_too = Ping("h1", "h3", count=30, interval=40 * MS, start=250 * MS)

    def measured(session: Session) -> tuple[float, float]:
        *bulk, ping = session.run([*asked, asked_too])
        waits = [reply.rtt / MS for reply in ping.replies if reply.result == "answered"]
        return sum(outcome.goodput for outcome in bulk) / MBIT, median(waits)

    with SimSession(plan, traced=False) as simulated, opened(plan, watched=False) as real:
        (virtual, waited), (live, waited_live) = measured(simulated), measured(real)
    assert live == pytest.approx(virtual, rel=0.1)
    assert waited_live == pytest.approx(waited, rel=0.25), "50 full frames take 30 ms"


@pytest.mark.parametrize("ours", [("h1",), ("h2",), ("h1", "h2")], ids="+".join)
def test_a_long_segment_is_one_journey_and_is_told_as_one_piece(ours: tuple[str, ...]) -> None:
    with opened(plan_of(TWO, *ours)) as session:
        [outcome] = session.run([Bulk("h1", "h2", size=400_000)])
    whole(400_000, outcome.flows)
    log = session.log
    long = [row[5] for row in log.rows if row[1] == "wire.tx" and row[2] == "h1" and row[6][1] > 1514]
    assert long, "segments cross the cable as they are: nobody on it has to cut them"
    picture = packet_path(log, long[0])
    assert "in one piece: no device on this cable cuts it to frames of 1514 B" in " ".join(picture.narrative)
    arrived = {row[5] for row in log.rows if row[1] == "wire.rx" and row[2] == "h2"}
    assert len(arrived & set(long)) > 0.9 * len(long), "a few may be lost where the machine is busy"


def test_a_log_that_is_full_counts_what_it_lost() -> None:
    with opened(plan_of(TWO, "h1"), log_limit=500) as session:
        [outcome] = session.run([Bulk("h1", "h2", size=2_000_000)])
    whole(2_000_000, outcome.flows)
    assert len(session.log.rows) == 500
    assert session.log.lost > 100


@pytest.mark.parametrize("ours", [(), ("h1",)], ids=["kernel", "ours"])
def test_what_goes_wrong_has_a_name(ours: tuple[str, ...]) -> None:
    with opened(plan_of(LINE, *ours), watched=False) as session:
        h2 = session.plan.node("h2").addresses[0]
        session.command("h2", ["ip", "addr", "del", f"{h2}/24", "dev", "h2-eth0"])
        far, silent = session.run([Bulk("h1", "192.0.2.1"), Bulk("h1", h2, size=1000, timeout=300 * MS)])
    assert (far.octets, far.error) == (0, "ENETUNREACH"), "as r1 said by ICMP"
    assert silent.octets == 0
    assert silent.error in ("not delivered within 300 ms", "EHOSTUNREACH")


def test_a_control_that_nobody_has_is_refused() -> None:
    with opened(plan_of(TWO, "h1"), watched=False) as session:
        with pytest.raises(BadInput, match="no congestion control 'vegas' in our stack"):
            session.run([Bulk("h1", "h2", congestion="vegas")])
        with pytest.raises(Unavailable, match=r"congestion control 'none'; there are .*reno"):
            session.run([Bulk("h2", "h2", congestion="none")])


def test_reno_is_newreno_where_the_kernel_sends() -> None:
    with opened(plan_of(TWO), watched=False) as session:
        [outcome] = session.run([Bulk("h1", "h2", size=100_000, congestion="newreno")])
    whole(100_000, outcome.flows)


def test_two_runs_after_another_use_one_port() -> None:
    with opened(plan_of(TWO, "h2"), watched=False) as session:
        for _ in range(2):
            both = session.run([Bulk("h1", "h2", size=50_000), Bulk("h2", "h1", size=50_000)])
            for outcome in both:
                whole(50_000, outcome.flows)
