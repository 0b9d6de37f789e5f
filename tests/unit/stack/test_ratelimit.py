"""Errors have a limit: two hosts that cannot make sense of each other do not answer each other for ever."""

from __future__ import annotations

from desk import PEER_MAC, Desk, address, host

from netlab.backend.sim import SimSession
from netlab.backend.sim.session import ENDLESS
from netlab.stack.ratelimit import ERRORS_A_SECOND, TOO_MANY_ERRORS, TokenBucket
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.units import MS, SEC
from netlab.wire import ethernet, ipv4
from netlab.workload.spec import Ping


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=10, burst=3)
    assert [bucket.take(0) for _ in range(5)] == [True, True, True, False, False]
    assert not bucket.take(99 * MS)
    assert bucket.take(100 * MS) and not bucket.take(100 * MS)
    assert [bucket.take(10 * SEC) for _ in range(4)] == [True, True, True, False], "no more than the burst is saved up"


def test_a_router_tells_two_hundred_and_drops_the_rest_by_name() -> None:
    desk = Desk(host("router"))
    sender = address("10.0.1.9")
    desk.host.neighbours.learn(sender, PEER_MAC, desk.host.interfaces["eth0"], 0, create=True)
    spent = ipv4.build(sender, address("10.0.2.9"), ipv4.UDP, bytes(16), ttl=1)
    frame = ethernet.build(bytes((2, 0, 0, 0, 1, 0)), PEER_MAC, ethernet.IPV4, spent)
    for _ in range(ERRORS_A_SECOND + 7):
        desk.receives(frame)
    assert len(desk.sent) == ERRORS_A_SECOND
    assert desk.drops.count(TOO_MANY_ERRORS) == 7


def test_packets_that_circle_for_ever_end_the_run_with_a_word() -> None:
    """A forwarding function that sets every TTL back, on both routers of a loop."""
    plan = resolve(load_topology("line,2"))
    back = {name: plan.node(name) for name in ("r1", "r2")}

    def to_the_other(name: str, other: str):  # type: ignore[no-untyped-def]
        out = next(i for i in back[name].interfaces if i.peer.startswith(other))
        there = next(i for i in back[other].interfaces if i.name == out.peer)
        hop = address(there.addresses[0].split("/")[0])
        return lambda packets, routes, addresses: [("send", out.name, hop, p) for p, _ in packets]

    slots = {("r1", "forward"): to_the_other("r1", "r2"), ("r2", "forward"): to_the_other("r2", "r1")}
    with SimSession(plan, slots=slots, traced=False) as session:
        [outcome] = session.run([Ping("h1", "h2", count=1, timeout=1 * MS)])
        assert outcome.answered == 0
        assert session.problems == (ENDLESS,)
