"""Bulk transfers in virtual time: what flows deliver, how they share a link, and how they end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netlab.backend.native.messages import outcome_from_data, outcome_to_data, workload_from_data, workload_to_data
from netlab.backend.sim import SimSession
from netlab.errors import BadInput
from netlab.experiment.run import metrics_of
from netlab.stack.tcp.knobs import linux
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Limit, Link, Plan, Topology
from netlab.units import MS, SEC
from netlab.workload.spec import Bulk, Flow, Outcome, Ping, Reply

MBIT = 1_000_000


def pair(**link: object) -> Plan:
    """h1 and h2, a cable of 100 Mbit/s and 1 ms."""
    wire = replace(Link(End("h1"), End("h2"), rate=100 * MBIT, delay=1 * MS), **link)  # type: ignore[arg-type]
    return resolve(Topology("pair", several("h", 2), (wire,), ipv6="static"))


@pytest.mark.parametrize("family", [4, 6])
def test_a_transfer_of_a_size_takes_its_time(family: int) -> None:
    with SimSession(pair()) as session:
        [outcome] = session.run([Bulk("h1", "h2", size=2_000_000, family=family)])
    [flow] = outcome.flows
    assert (flow.octets, flow.error) == (2_000_000, "")
    assert 0.85 * 100 * MBIT < flow.goodput < 0.96 * 100 * MBIT, "the link's rate less headers and slow start"


def test_a_transfer_of_a_duration_is_cut_and_counts_what_arrived() -> None:
    with SimSession(pair()) as session:
        [outcome] = session.run([Bulk("h1", "h2", duration=200 * MS, start=50 * MS)])
        [flow] = outcome.flows
        assert (flow.ns, flow.error) == (200 * MS, "")
        assert 0.85 * 100 * MBIT < flow.goodput < 0.96 * 100 * MBIT
        assert not session.executors["h1"].host.tcp.layer.endpoints
        assert not session.executors["h2"].host.tcp.layer.endpoints
        assert session.problems == ()


def test_four_flows_share_a_link_that_none_gets_alone() -> None:
    with SimSession(pair(rate=20 * MBIT, queue=Limit(50, "packets")), seed=3) as session:
        [outcome] = session.run([Bulk("h1", "h2", flows=4, duration=2 * SEC)])
    shares = [flow.goodput for flow in outcome.flows]
    assert 0.9 * 20 * MBIT < sum(shares) < 0.96 * 20 * MBIT
    assert min(shares) > MBIT, f"nobody starves: {shares}"


def test_loss_costs_time_and_no_byte() -> None:
    with SimSession(pair(loss=0.02), seed=5) as session:
        [outcome] = session.run([Bulk("h1", "h2", size=500_000)])
    assert (outcome.octets, outcome.error) == (500_000, "")
    assert outcome.goodput < 80 * MBIT


def test_what_flows_came_to_is_measured() -> None:
    outcomes = (
        Outcome(Bulk("h1", "h2"), flows=(Flow(1_000_000, SEC), Flow(500_000, SEC), Flow(0, SEC, "ETIMEDOUT"))),
        Outcome(Ping("h1", "h2"), (Reply(1, "answered", 5),)),
    )
    assert metrics_of(outcomes) == {
        "flows": 3, "flow_errors": 1, "octets": 1_500_000, "goodput": 12_000_000,
        "requests": 1, "answered": 1, "errors": 0, "rtt_median_ns": 5,
    }  # fmt: skip
    assert outcomes[0].error == "ETIMEDOUT"
    assert outcome_from_data(outcomes[0].workload, outcome_to_data(outcomes[0])) == outcomes[0]
    assert workload_from_data(workload_to_data(outcomes[0].workload)) == outcomes[0].workload


def test_two_runs_use_one_port_and_each_ends() -> None:
    with SimSession(pair()) as session:
        first = session.run([Bulk("h1", "h2", size=100_000)])
        again = session.run([Bulk("h2", "h1", size=100_000), Bulk("h1", "h2", size=100_000, congestion="newreno")])
    assert [o.octets for o in (*first, *again)] == [100_000] * 3


def test_dctcp_is_spoken_by_both_ends() -> None:
    with SimSession(pair()) as session:
        controls: list[str] = []

        def look(_: object) -> None:
            for name in ("h1", "h2"):
                for endpoint in session.executors[name].host.tcp.layer.endpoints.values():
                    controls.append(endpoint.connection.control.name)
                    assert endpoint.connection.ecn

        session.loop.at(20 * MS, look)
        session.run([Bulk("h1", "h2", duration=40 * MS, congestion="dctcp")])
    assert controls == ["dctcp", "dctcp"]


def test_an_address_that_nobody_has_costs_the_timeout_and_no_more() -> None:
    with SimSession(pair()) as session:
        nobody = session.plan.node("h2").addresses[0].rsplit(".", 1)[0] + ".77"
        [outcome, far] = session.run(
            [Bulk("h1", nobody, size=1000, timeout=2 * SEC), Bulk("h1", "192.0.2.1", size=1000)]
        )
        assert (outcome.octets, outcome.error) == (0, "not delivered within 2 s")
        assert (far.octets, far.error) == (0, "network unreachable from this host")


def test_a_transfer_that_loses_everything_is_given_up() -> None:
    with SimSession(pair(loss=1.0)) as session:
        [outcome] = session.run([Bulk("h1", "h2", size=1000, timeout=500 * MS)])
    assert (outcome.octets, outcome.error) == (0, "not delivered within 500 ms")


def test_knobs_belong_to_a_node_and_are_its_own() -> None:
    small = replace(linux(), receive_buffer=16_384)
    with SimSession(pair(delay=10 * MS), knobs={"h2": small}) as session:
        [outcome] = session.run([Bulk("h1", "h2", duration=1 * SEC)])
    assert outcome.goodput < 16_384 * 8 / 0.020, "a window of 16 kB in a round trip of 20 ms"
    assert session.executors["h2"].host.tcp.layer.knobs is not small


def test_offload_makes_fewer_and_longer_segments_between_tcp_and_the_wire() -> None:
    def segments(*offload: str) -> int:
        with SimSession(pair(), offload=offload) as session:
            [outcome] = session.run([Bulk("h1", "h2", size=1_000_000)])
            assert outcome.octets == 1_000_000
            passed = [row for row in session.log.rows if row[1] == "stage" and row[3] == "tcp.output"]
        return sum(row[2] == "h1" for row in passed)

    assert segments("h1", "h2") * 2 < segments()


def test_a_ping_beside_a_transfer_waits_in_the_same_queue() -> None:
    with SimSession(pair(rate=10 * MBIT, queue=Limit(100, "packets"))) as session:
        _, ping = session.run([Bulk("h1", "h2", duration=1 * SEC), Ping("h1", "h2", start=900 * MS)])
    assert ping.replies[0].rtt > 50 * MS, "some of the 120 ms that a full queue holds"


@pytest.mark.parametrize(
    ("workload", "said"),
    [
        (Bulk("h1", "h2", size=0), "no bulk transfer has 0 bytes"),
        (Bulk("h1", "h2", flows=0), "0 connections"),
        (Bulk("h1", "h2", port=70_000), "70000 is no TCP port"),
        (Bulk("h1", "h2", congestion="vegas"), "no congestion control 'vegas'"),
        (Bulk("h1", "h9"), "'h9' is no node"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(workload: Bulk, said: str) -> None:
    with SimSession(pair()) as session, pytest.raises(BadInput, match=said):
        session.run([workload])


def test_one_sink_speaks_one_congestion_control() -> None:
    asked = [Bulk("h1", "h2", congestion="newreno"), Bulk("h1", "h2", congestion="dctcp")]
    with SimSession(pair()) as session, pytest.raises(BadInput, match="port 5001 of 'h2' is to be 'newreno' and"):
        session.run(asked)


def test_a_cable_of_the_generators_does_as_well() -> None:
    plan = resolve(Topology("fast", several("h", 2), (cable("h1", "h2"),)))
    with SimSession(plan) as session:
        [outcome] = session.run([Bulk("h1", "h2", size=1_000_000)])
    assert outcome.octets == 1_000_000
