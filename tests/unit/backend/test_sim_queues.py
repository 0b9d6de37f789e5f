"""Queues of the simulated world: several receive rings with a core each, and schedulers before a slow wire."""

from __future__ import annotations

import pytest

from netlab.backend.sim import SimSession
from netlab.backend.sim.queues import Scheduling
from netlab.errors import BadInput
from netlab.stack.steering import Filter, Spray
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import Plan
from netlab.units import MS
from netlab.wire.decode import five_tuple
from netlab.wire.flow import FiveTuple
from netlab.workload.spec import UdpEcho


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
