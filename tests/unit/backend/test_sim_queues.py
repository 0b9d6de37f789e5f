"""Queues of the simulated world: several receive rings with a core each, and schedulers before a slow wire."""

from __future__ import annotations

import pytest

from netlab.backend.sim import SimSession
from netlab.backend.sim.queues import Scheduling
from netlab.errors import BadInput
from netlab.stack.fib import FIBS
from netlab.stack.steering import Filter, Moderation, Spray
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import Plan
from netlab.units import MS
from netlab.wire.decode import five_tuple
from netlab.wire.flow import FiveTuple
from netlab.workload.spec import Ping, UdpEcho


def plan_of(name: str) -> Plan:
    return resolve(load_topology(name))


def load(hosts: int = 8, *, count: int = 20, interval: int = MS) -> list[UdpEcho]:
    return [
        UdpEcho(f"h{n}", "sink", count=count, interval=interval, port=1980 + 10 * n + 10) for n in range(1, hosts + 1)
    ]


def cores_of_flows(session: SimSession, node: str, interface: str) -> dict[FiveTuple, set[int]]:
    """The cores on which each flow's packets were taken from the rings of an interface."""
    frames = {r.pkt: r.data[4] for r in session.log if r.kind == "wire.tx"}
    taken: dict[FiveTuple, set[int]] = {}
    for r in session.log:
        if r.kind == "stage" and r.node == node and r.obj == "nic.rx" and r.data[0] == interface:
            flow = five_tuple(frames[r.pkt])
            if flow is not None:
                taken.setdefault(flow, set()).add(r.cpu)
    return taken


def test_flows_spread_over_rings_and_cores_and_each_stays_on_one() -> None:
    with SimSession(plan_of("multiqueue,4"), seed=1, cores=4) as session:
        outcomes = session.run(load())
        assert [outcome.answered for outcome in outcomes] == [20] * 8
        taken = cores_of_flows(session, "r1", "r1-eth0")
        steering = session.executors["r1"].ports["r1-eth0"].steering
    assert len(taken) == 8 and all(len(cores) == 1 for cores in taken.values())
    assert len(set().union(*taken.values())) >= 3
    assert steering is not None and sum(steering.by_ring) == sum(steering.by_entry)


def test_flows_that_are_alike_may_all_have_one_ring() -> None:
    """The hash is linear: addresses and ports that count up together cancel out in its low bits."""
    with SimSession(plan_of("multiqueue,4"), seed=1, cores=4) as session:
        session.run([UdpEcho(f"h{n}", "sink") for n in range(1, 9)])
        assert set().union(*cores_of_flows(session, "r1", "r1-eth0").values()) == {3}


def test_more_rings_with_cores_of_their_own_carry_more() -> None:
    def carried(queues: int) -> int:
        with SimSession(plan_of(f"multiqueue,{queues}"), seed=1, cores=queues, traced=False) as session:
            session.run(load(count=400, interval=1100))
            return session.executors["r1"].host.interfaces["r1-eth1"].counters["opackets"]

    assert carried(4) > 1.5 * carried(1)


def test_one_ring_s_interface_has_nothing_to_steer() -> None:
    with SimSession(plan_of("line,1"), cores=4) as session:
        assert session.executors["r1"].ports["r1-eth0"].steering is None


def test_a_filter_directs_a_flow_to_its_core_and_spraying_tears_it_apart() -> None:
    with SimSession(plan_of("multiqueue,4"), seed=1, cores=4) as session:
        steering = session.executors["r1"].ports["r1-eth0"].steering
        assert steering is not None
        steering.direct(Filter(3, dst_port=2000))
        session.run(load())
        taken = cores_of_flows(session, "r1", "r1-eth0")
    assert {flow.dst_port: cores for flow, cores in taken.items()}[2000] == {3}
    assert steering.by_filter == 20
    with SimSession(plan_of("multiqueue,4"), seed=1, cores=4) as session:
        steering = session.executors["r1"].ports["r1-eth0"].steering
        assert steering is not None
        steering.spray = Spray(4)
        session.run(load(1))
        [cores] = cores_of_flows(session, "r1", "r1-eth0").values()
        assert cores == {0, 1, 2, 3}


SLOW = "multiqueue,1,2,10 Mbit/s"
BEFORE_THE_SLOW_WIRE = ("r1-eth1", "sink-eth0")


def slowest(scheduling: Scheduling | None) -> int:
    """The longest way to and fro of a modest flow beside a burst."""
    schedulers = {} if scheduling is None else dict.fromkeys(BEFORE_THE_SLOW_WIRE, scheduling)
    with SimSession(plan_of(SLOW), seed=1, traced=False, schedulers=schedulers) as session:
        burst = UdpEcho("h1", "sink", count=200, interval=MS // 2, size=1000, port=9)
        modest = UdpEcho("h2", "sink", count=20, interval=5 * MS, size=100, port=7)
        _, outcome = session.run([burst, modest])
    assert outcome.answered == 20
    return max(reply.rtt for reply in outcome.replies)


@pytest.mark.parametrize(("scheduler", "by"), [("drr", "port"), ("wf2q+", "port"), ("drr", "flow"), ("wf2q+", "flow")])
def test_a_modest_flow_does_not_wait_for_a_greedy_one(scheduler: str, by: str) -> None:
    first_come = slowest(None)
    assert slowest(Scheduling(scheduler, by)) < first_come / 5
    assert slowest(Scheduling("fifo")) == first_come, "a scheduler that is none changes nothing"


def test_what_there_is_not_is_refused() -> None:
    with pytest.raises(BadInput, match="there is no 'hfsc'"):
        SimSession(plan_of("pair"), schedulers={"h1-eth0": Scheduling("hfsc")})
    with pytest.raises(BadInput, match="there is no 'colour'"):
        SimSession(plan_of("pair"), schedulers={"h1-eth0": Scheduling("drr", "colour")})
    with pytest.raises(BadInput, match="h9-eth0"):
        SimSession(plan_of("pair"), schedulers={"h9-eth0": Scheduling("drr")})


def test_moderation_trades_interrupts_for_delay() -> None:
    def run(moderation: Moderation | None) -> tuple[int, int]:
        said = {} if moderation is None else {"h2-eth0": moderation}
        with SimSession(plan_of("pair"), seed=1, moderation=said) as session:
            [outcome] = session.run([UdpEcho("h1", "h2", count=40, interval=10_000)])
            ring = session.executors["h2"].ports["h2-eth0"].rings[0]
        assert outcome.answered == 40
        return max(r.rtt for r in outcome.replies[1:]), ring.interrupts.raised if ring.interrupts else 0

    at_once, _ = run(None)
    slow, few = run(Moderation(frames=8, ns=100_000))
    assert few <= 40 // 8 + 2, "the last ones wait for the time, the others for eight"
    assert at_once + 60_000 < slow < at_once + 125_000, "100 us of waiting, and then the work of eight at once"
    each, many = run(Moderation())
    assert each == at_once and many > 30


@pytest.mark.parametrize("fib", list(FIBS))
def test_the_structure_of_the_routes_changes_no_packet_s_way(fib: str) -> None:
    def record(structure: str) -> list[object]:
        with SimSession(plan_of("two_tenants"), seed=1, fib=structure) as session:
            session.run([Ping("red", "server"), Ping("blue", "server"), Ping("red", "blue")])
            return list(session.log)

    assert record(fib) == record("linear")


def test_a_structure_that_there_is_not_is_refused() -> None:
    with pytest.raises(BadInput, match=r"there is no FIB 'hash'.*there are linear, radix"):
        SimSession(plan_of("pair"), fib="hash")
