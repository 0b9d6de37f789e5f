"""Every packet that a host has is somewhere: a stage that loses one, or uses one twice, is found out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netlab.backend.sim import SimSession
from netlab.errors import BadInput, BadTopology
from netlab.experiment.compare import workloads_of
from netlab.stack.drivers.faults import Faults
from netlab.stack.host import Host
from netlab.stack.mbuf import Mbuf
from netlab.stack.stage import Hop, Stage, drop
from netlab.topology.load import known_names, load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import Plan
from netlab.units import MS, SEC
from netlab.wire.address import parse_ipv4
from netlab.workload.bulk import BulkSender, Sink, pattern
from netlab.workload.spec import Ping, UdpEcho


def plan_of(name: str) -> Plan:
    return resolve(load_topology(name))


def replaced(host: Host, name: str, run: object) -> None:
    host.stages[name] = host.stages[name].running(run)  # type: ignore[arg-type]


TRAFFIC = (
    Ping("h1", "h2", count=5, size=4000),
    UdpEcho("h2", "h1", count=5),
    Ping("h1", "10.0.1.77", start=MS),
    Ping("h1", "172.16.0.9", start=2 * MS),
    Ping("h1", "h2", ttl=1, start=3 * MS),
)


@pytest.mark.parametrize("network", ["pair", "star,4", "line,2", "dumbbell,2"])
@pytest.mark.parametrize("cores", [1, 2])
def test_nothing_is_lost_inside_a_host(network: str, cores: int) -> None:
    with SimSession(plan_of(network), cores=cores, account=True) as session:
        session.run(TRAFFIC)
        assert session.unaccounted() == ()


@pytest.mark.parametrize("network", known_names())
@pytest.mark.parametrize("ipv6", ["", "static"])
def test_nothing_is_lost_in_any_network_of_ours(network: str, ipv6: str) -> None:
    topology = load_topology(network)
    try:
        plan = resolve(replace(topology, ipv6=ipv6))
    except BadTopology:
        plan = resolve(topology)  # an author's own IPv6 stays
    with SimSession(plan, account=True) as session:
        session.run([replace(workload, size=3000, count=2) for workload in workloads_of(plan, 24)])
        assert session.unaccounted() == ()


def test_nothing_is_lost_when_tcp_loses_and_sends_again() -> None:
    plan = plan_of("line,1")
    faults = {i.name: Faults(loss=0.02, duplicate=0.02, reorder=0.02) for i in plan.interfaces()}
    data = pattern(200_000)
    with SimSession(plan, seed=2, account=True, faults=faults) as session:
        sink = Sink(session.executors["h2"].host, 5001)
        src = session.executors["h1"]
        dst = parse_ipv4(plan.node("h2").addresses[0])
        program = BulkSender(src.host, dst, 5001, data, lambda program, now, said, value: None)
        src.inject(program.start(session.now))
        session.loop.run()
        assert len(sink.digests) == 1 and program.error == ""
        assert session.unaccounted() == ()


def test_nothing_is_lost_inside_where_cables_lose_double_and_spoil() -> None:
    plan = plan_of("line,1")
    bad = Faults(loss=0.1, duplicate=0.1, reorder=0.1, corrupt=0.1, jitter=MS)
    with SimSession(plan, seed=3, account=True, faults={i.name: bad for i in plan.interfaces()}) as session:
        session.run([Ping("h1", "h2", count=100, size=3000), UdpEcho("h2", "h1", count=100)])
        assert session.unaccounted() == ()
        assert len({record.data[0] for record in session.log if record.kind == "drop"}) > 1


def test_a_packet_that_a_stage_forgets_is_named() -> None:
    with SimSession(plan_of("line,1"), account=True) as session:
        host = session.executors["r1"].host
        forward = host.stages["ip.forward"]

        def forgetful(host: Host, vector: list[Mbuf], now: int) -> list[Hop]:
            return [hop for m in vector[1:] for hop in forward.run(host, [m], now)]

        replaced(host, "ip.forward", forgetful)
        session.run([Ping("h1", "h2")])
        [said] = session.unaccounted()
    assert said.startswith("r1: packet 1 went into ip.forward and never came out: 84 bytes 4500")


def test_a_packet_that_goes_on_after_its_end_is_named() -> None:
    with SimSession(plan_of("line,1"), account=True) as session:
        host = session.executors["r1"].host
        forward: Stage = host.stages["ip.forward"]

        def careless(host: Host, vector: list[Mbuf], now: int) -> list[Hop]:
            return [*(drop("no more of this", m) for m in vector), *forward.run(host, vector, now)]

        replaced(host, "ip.forward", careless)
        session.run([Ping("h1", "h2")])
        assert any("packet 1 goes to ether.output, and was dropped" in said for said in session.unaccounted())


def test_what_waits_for_an_answer_is_held_and_not_lost() -> None:
    with SimSession(plan_of("pair"), account=True) as session:
        host, executor = session.executors["h1"].host, session.executors["h1"]
        said: list[tuple[str, ...]] = []
        session.loop.at(SEC // 2, lambda _: said.append(session.unaccounted()), None)
        session.loop.at(SEC // 2, lambda _: said.append(tuple(str(len(host.neighbours.held())))), None)
        session.run([Ping("h1", "10.0.1.99")])
        assert said == [(), ("1",)]
        assert session.unaccounted() == () and executor.host.neighbours.held() == []


# ---- bad cables --------------------------------------------------------------------------------------


def test_faults_are_those_of_the_interface_and_of_the_seed() -> None:
    def run(seed: int) -> tuple[int, str]:
        with SimSession(plan_of("pair"), seed=seed, faults={"h1-eth0": Faults(loss=0.5)}) as session:
            [one, other] = session.run([UdpEcho("h1", "h2", count=40), UdpEcho("h2", "h1", count=40, start=10 * SEC)])
        assert {r.obj for r in session.log if r.kind == "drop" and "lost" in r.data[0]} == {"h1-eth0"}
        return one.answered + other.answered, session.log.digest()

    assert run(1) == run(1) != run(2)
    assert 10 < run(1)[0] < 70


def test_a_corrupt_frame_is_noticed_by_its_checksum() -> None:
    with SimSession(plan_of("pair"), faults={"h1-eth0": Faults(corrupt=0.4)}) as session:
        [outcome] = session.run([UdpEcho("h1", "h2", count=100, size=500)])
    noticed = [r.data[0] for r in session.log if r.kind == "drop" and "checksum" in r.data[0]]
    assert 20 < len(noticed) < 60 and outcome.answered < 80


def test_a_duplicate_is_the_same_packet_twice() -> None:
    with SimSession(plan_of("pair"), faults={"h1-eth0": Faults(duplicate=1.0)}) as session:
        session.run([UdpEcho("h1", "h2")])
    arrived = [r.pkt for r in session.log if r.kind == "wire.rx" and r.node == "h2"]
    assert len(arrived) == 2 * len(set(arrived))


def test_faults_at_an_interface_that_is_not_there_are_refused() -> None:
    with pytest.raises(BadInput, match="no interface is called 'h9-eth0'"):
        SimSession(plan_of("pair"), faults={"h9-eth0": Faults(loss=0.5)})
