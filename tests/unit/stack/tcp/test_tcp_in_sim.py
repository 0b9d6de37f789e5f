"""TCP between two hosts of a simulated network: every byte arrives, whatever the links do, and nothing is left."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from netlab.backend.sim import SimSession
from netlab.stack.host import Host
from netlab.stack.stage import Hop
from netlab.topology.generators import cable
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Interface, Limit, Link, Node, Topology
from netlab.trace.journey import journeys
from netlab.units import MS, SEC
from netlab.wire.address import parse_ipv4
from netlab.workload.bulk import BulkSender, Sink, pattern


def network(seed: int = 1, **link: object) -> SimSession:
    nodes = (Node("h1"), Node("h2"))
    plan = resolve(Topology("two", nodes, (replace(Link(End("h1"), End("h2")), **link),)))  # type: ignore[arg-type]
    return SimSession(plan, seed=seed)


def silent(program: str, now: int, said: str, value: int) -> None:
    """A program nobody listens to."""


def address(session: SimSession, node: str) -> int:
    [first] = session.executors[node].host.addresses
    return first


def pour(session: SimSession, data: bytes, senders: int = 1) -> tuple[list[BulkSender], Sink]:
    """Have h1 send ``data`` to h2 over ``senders`` connections at once, to the end."""
    sink = Sink(session.executors["h2"].host, 5001)
    programs = []
    for _ in range(senders):
        program = BulkSender(session.executors["h1"].host, address(session, "h2"), 5001, data, silent)
        session.executors["h1"].inject(program.start(session.now))
        programs.append(program)
    session.loop.run()
    return programs, sink


def test_a_megabyte_arrives_whole_and_the_connection_goes() -> None:
    data = pattern(1_000_000)
    session = network(rate=100_000_000, delay=1 * MS)
    [program], sink = pour(session, data)
    assert sink.digests == [hashlib.sha256(data).hexdigest()]
    assert program.error == ""
    assert program.finished is not None and program.finished < SEC
    assert not session.executors["h1"].host.tcp.layer.endpoints, "TIME-WAIT is over too"
    assert not session.executors["h2"].host.tcp.layer.endpoints


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_lossy_link_costs_time_and_not_bytes(seed: int) -> None:
    data = pattern(400_000, seed)
    [program], sink = pour(network(seed, rate=50_000_000, delay=5 * MS, loss=0.03), data)
    assert sink.digests == [hashlib.sha256(data).hexdigest()]
    assert program.error == ""


def test_many_connections_share_a_short_queue() -> None:
    data = pattern(100_000)
    session = network(rate=10_000_000, delay=2 * MS, queue=Limit(20, "packets"))
    programs, sink = pour(session, data, senders=8)
    assert sink.digests == [hashlib.sha256(data).hexdigest()] * 8
    assert session.executors["h1"].host.interfaces["h1-eth0"].counters["oqdrops"] > 0, "the queue was full at times"
    assert all(program.error == "" for program in programs)


def narrow_path() -> SimSession:
    """h1 and h2 with links of 1,500 bytes, and a link of 1,300 bytes between their routers; both IPs."""
    narrow, wide = Interface("eth1", mtu=1300), Interface("eth0", mtu=1500)
    r1 = Node("r1", "router", interfaces=(wide, narrow))
    r2 = Node("r2", "router", interfaces=(replace(narrow, name="eth0"), replace(wide, name="eth1")))
    links = (cable("h1", "r1"), cable("r1", "r2"), cable("r2", "h2"))
    return SimSession(resolve(Topology("narrow", (Node("h1"), r1, r2, Node("h2")), links, ipv6="static")))


@pytest.mark.parametrize("family", [4, 6])
def test_a_narrow_link_on_the_way_is_learned(family: int) -> None:
    data = pattern(200_000)
    session = narrow_path()
    hosts = {name: executor.host for name, executor in session.executors.items()}
    dst = address(session, "h2") if family == 4 else global6(hosts["h2"])
    sink = Sink(hosts["h2"], 5001)
    program = BulkSender(hosts["h1"], dst, 5001, data, silent)
    session.executors["h1"].inject(program.start(session.now))
    session.loop.run(60 * SEC)
    assert sink.digests == [hashlib.sha256(data).hexdigest()]
    learned = hosts["h1"].paths if family == 4 else hosts["h1"].paths6
    assert learned.mtu(dst, session.now, 1500) == 1300


def global6(host: Host) -> int:
    """The host's IPv6 address that routers forward to."""
    [found] = [a for a in host.inet6.addresses if a >> 118 != 0x3FA]
    return found


def test_nobody_listens_and_the_program_is_refused() -> None:
    session = network()
    program = BulkSender(session.executors["h1"].host, address(session, "h2"), 9, b"hello", silent)
    session.executors["h1"].inject(program.start(0))
    session.loop.run()
    assert program.error == "ECONNREFUSED"


def test_a_peer_that_says_nothing_times_out() -> None:
    session = network(loss=1.0)
    h1, dst = session.executors["h1"].host, address(session, "h2")
    ifp = next(iter(h1.interfaces.values()))
    h1.neighbours.learn(h1.fib.lookup(dst).gateway or dst, bytes(6), ifp, 0, create=True)  # type: ignore[union-attr]
    program = BulkSender(h1, dst, 9, b"hello", silent)
    session.executors["h1"].inject(program.start(0))
    session.loop.run()
    assert program.error == "ETIMEDOUT"
    assert program.finished is not None
    assert 60 * SEC < program.finished < 300 * SEC, "six SYNs more, each after twice the time (Linux: 127 s)"


def test_a_neighbour_that_is_not_there_is_told_of_sooner() -> None:
    session = network(loss=1.0)
    program = BulkSender(session.executors["h1"].host, address(session, "h2"), 9, b"hello", silent)
    session.executors["h1"].inject(program.start(0))
    session.loop.run()
    assert program.error == "EHOSTUNREACH"
    assert program.finished is not None
    assert program.finished // SEC == 3, "three questions for its address, a second each"


def test_a_segment_passes_the_stages_of_tcp() -> None:
    session = network(rate=100_000_000)
    pour(session, b"x" * 100)
    passed = {hop.place for journey in journeys(session.log).values() for hop in journey.hops}
    assert {"tcp.output", "ip.output", "tcp.input", "socket.deliver"} <= passed


def test_the_same_seed_gives_the_same_trace() -> None:
    def digest() -> str:
        session = network(7, rate=50_000_000, delay=1 * MS, loss=0.02)
        pour(session, pattern(100_000))
        return hashlib.sha256(repr(session.log.rows).encode()).hexdigest()

    assert digest() == digest()


def test_no_route_is_said_at_once() -> None:
    session = network()
    program = BulkSender(session.executors["h1"].host, parse_ipv4("192.0.2.1"), 9, b"", silent)
    hops: list[Hop]
    with pytest.raises(ValueError, match="no route"):
        hops = program.start(0)
        assert hops
