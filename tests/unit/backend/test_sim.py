"""A network in virtual time: what its programs see, what its log holds, and that both are always the same."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from netlab.backend.sim import SimBackend, SimSession
from netlab.backend.sim.costs import COSTS, FORWARDING_NS
from netlab.errors import BadInput
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Limit, Link, Node, Plan, Topology
from netlab.trace.journey import journeys
from netlab.trace.log import Log
from netlab.units import MS, SEC
from netlab.workload.spec import Ping, UdpEcho


def plan_of(name: str) -> Plan:
    return resolve(load_topology(name))


def pair(**link: object) -> Plan:
    nodes = (Node("h1"), Node("h2"))
    return resolve(Topology("two", nodes, (replace(Link(End("h1"), End("h2")), **link),)))  # type: ignore[arg-type]


def test_a_ping_crosses_three_routers_and_comes_back() -> None:
    with SimBackend().open(plan_of("line,3"), seed=1) as session:
        [outcome] = session.run([Ping("h1", "h2", count=3)])
    assert outcome.answered == 3
    echo = next(j for j in journeys(session.log).values() if j.said.startswith("ICMP echo request"))
    assert echo.nodes == ("h1", "r1", "r2", "r3", "h2")
    assert echo.ended == ""
    assert [hop.place for hop in echo.hops if hop.node == "r2" and hop.kind == "stage"] == [
        "nic.rx",
        "ether.input",
        "ip.input",
        "ip.forward",
        "ether.output",
        "ether.output",
        "ifq",
    ], "the first packet waits in ether.output for an ARP answer"


def test_the_table_of_costs_keeps_its_published_sum() -> None:
    stages = ("nic.rx", "ether.input", "ip.input", "ip.forward", "ether.output", "ifq")
    assert sum(sum(COSTS[stage]) for stage in stages) == FORWARDING_NS


def test_a_router_takes_the_published_time_for_a_packet_it_knows_the_way_of() -> None:
    with SimBackend().open(plan_of("line,1")) as session:
        session.run([Ping("h1", "h2", count=2)])
    second = [j for j in journeys(session.log).values() if "echo request" in j.said][1]
    at = {hop.place: hop.t for hop in second.hops if hop.node == "r1"}
    assert at["r1-eth1"] - at["r1-eth0"] == FORWARDING_NS


def test_delay_and_rate_are_what_the_plan_says() -> None:
    with SimSession(pair(delay=5 * MS, rate=10_000_000)) as session:
        [outcome] = session.run([Ping("h1", "h2", count=2, size=1000, interval=1 * SEC)])
    wire = -(-(14 + 20 + 8 + 1000 + 24) * 8 * 10**9 // 10_000_000)
    rtt = outcome.replies[1].rtt
    assert 2 * (5 * MS + wire) < rtt < 2 * (5 * MS + wire) + 10_000


def test_time_exceeded_unreachable_and_silence_are_told_apart() -> None:
    plan = plan_of("line,2")
    with SimBackend().open(plan) as session:
        spent, nowhere, dead = session.run(
            [Ping("h1", "h2", ttl=1), Ping("h1", "172.16.0.1", start=MS), Ping("h1", "10.0.1.77", start=2 * MS)]
        )
    assert spent.replies[0].said == "time exceeded from 10.0.1.254"
    assert nowhere.replies[0].said == "network unreachable from 10.0.1.254"
    assert (dead.replies[0].result, dead.replies[0].said) == ("silence", "")


def test_udp_is_echoed_through_a_switch() -> None:
    with SimBackend().open(plan_of("star,3")) as session:
        a, b = session.run([UdpEcho("h1", "h3", count=5), UdpEcho("h2", "h3", count=5)])
    assert (a.answered, b.answered) == (5, 5)


def test_a_full_queue_drops_and_says_so() -> None:
    with SimSession(pair(rate=1_000_000, queue=Limit(3, "packets"))) as session:
        [outcome] = session.run([Ping("h1", "h2", count=10, interval=0, size=1000)])
    drops = [record for record in session.log if record.kind == "drop"]
    assert 0 < outcome.answered < 10
    assert {(d.obj, d.data) for d in drops} == {("ifq", ("queue full", "h1-eth0"))}
    assert outcome.answered + len(drops) == 10
    assert max(r.data[0] for r in session.log if r.kind == "enqueue") == 3


def test_a_lossy_link_loses_by_the_seed() -> None:
    def answered(seed: int) -> int:
        with SimSession(pair(loss=0.3), seed=seed) as session:
            [outcome] = session.run([Ping("h1", "h2", count=50)])
        assert any(r.data[0] == "lost on the link" for r in session.log if r.kind == "drop")
        return outcome.answered

    counts = [answered(seed) for seed in (1, 2, 3, 1)]
    assert counts[0] == counts[3] and len(set(counts)) > 1


def test_one_lock_around_everything_makes_cores_wait() -> None:
    def waited(plan_name: str) -> int:
        with SimSession(plan_of("star,4"), cores=2, lock_plan=plan_name) as session:
            session.run([Ping(f"h{n}", "h4", count=20, interval=1000) for n in (1, 2, 3)])
        return sum(r.data[1] for r in session.log if r.kind == "lock")

    assert waited("none") == 0
    assert waited("giant") > 0


def test_a_log_is_bounded_and_counts_what_it_lost() -> None:
    with SimSession(plan_of("pair"), log_limit=20) as session:
        session.run([Ping("h1", "h2", count=5)])
    assert len(session.log) == 20 and session.log.lost > 0
    assert session.log.sealed_header().lost == session.log.lost


def test_nothing_is_kept_where_nobody_watches() -> None:
    with SimSession(plan_of("pair"), traced=False) as session:
        [outcome] = session.run([Ping("h1", "h2", count=5)])
    assert outcome.answered == 5 and len(session.log) == 0


SCRIPT = """
from netlab.backend.sim import SimBackend
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.workload.spec import Ping
with SimBackend().open(resolve(load_topology("star,4")), seed=5) as session:
    session.run([Ping(f"h{n}", "h4", count=5) for n in (1, 2, 3)])
print(session.log.digest())
"""


def test_a_seed_gives_one_trace_in_every_process_and_under_every_hash_seed() -> None:
    def digest(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert digest("0") == digest("1") == digest("4242") != ""


def test_a_saved_log_is_the_same_log_and_the_same_bytes(tmp_path: Path) -> None:
    logs = []
    for name in ("a", "b"):
        with SimBackend().open(plan_of("pair"), seed=3) as session:
            session.run([Ping("h1", "h2", count=2)])
        session.log.save(tmp_path / name)
        logs.append(session.log)
    loaded = Log.load(tmp_path / "a")
    assert loaded.rows == logs[0].rows and loaded.digest() == logs[0].digest()
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_is_no_log_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"rubbish" * 100)
    with pytest.raises(BadInput, match=r"no netlab log can be read .*give the trace\.arrow"):
        Log.load(tmp_path / "x")
    with pytest.raises(BadInput, match="no netlab log can be read"):
        Log.load(tmp_path / "missing")


def test_names_that_are_not_there_are_refused_in_words() -> None:
    with SimBackend().open(plan_of("star,3")) as session:
        with pytest.raises(BadInput, match="'h9' is no node; nodes are"):
            session.run([Ping("h9", "h1")])
        with pytest.raises(BadInput, match="'s1' has no address, so nothing can be sent to it"):
            session.run([Ping("h1", "s1")])
    with pytest.raises(BadInput, match="node 'h1' has no slot 'forward'; a router has 'forward'"):
        SimBackend().open(plan_of("line,1"), slots={("h1", "forward"): lambda *args: []})
