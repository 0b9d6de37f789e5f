"""Queues, links, cores and locks of virtual time, each on its own."""

from __future__ import annotations

from typing import Any

import pytest

from netlab.sim.core import Core
from netlab.sim.link import LinkDirection
from netlab.sim.lock import Lock
from netlab.sim.loop import EventLoop
from netlab.sim.queue import BoundedQueue
from netlab.sim.rng import Streams


def test_a_queue_counts_packets_or_bytes() -> None:
    packets: BoundedQueue[str] = BoundedQueue(2)
    assert packets.put("a", 1500) and packets.put("b", 1500) and not packets.put("c", 1)
    assert (packets.get(), len(packets), packets.octets) == ("a", 1, 1500)
    octets: BoundedQueue[str] = BoundedQueue(2000, in_bytes=True)
    assert octets.put("a", 1500) and not octets.put("b", 501) and octets.put("c", 500)


@pytest.mark.parametrize(("length", "rate", "ns"), [(1514, 10**9, 12304), (1514, 10**10, 1231), (42, 10**10, 68)])
def test_a_frame_takes_its_time_on_the_wire(length: int, rate: int, ns: int) -> None:
    """1,538 bytes with preamble, check sequence and gap: 1230.4 ns at 10 Gbit/s; 84 bytes: 67.2 ns (IEEE 802.3)."""
    link = LinkDirection(rate, 0, 0.0, Streams(0).stream("x"))
    assert link.serialisation(length) == ns


def test_a_link_loses_the_share_it_is_told_to() -> None:
    link = LinkDirection(10**9, 0, 0.25, Streams(0).stream("x"))
    lost = sum(link.loses() for _ in range(4000))
    assert 900 < lost < 1100
    assert not LinkDirection(10**9, 0, 0.0, Streams(0).stream("x")).loses()


def test_a_core_does_one_thing_at_a_time_and_follow_ups_first() -> None:
    loop, seen = EventLoop(), []

    def begin(core: Core, item: Any) -> bool:
        seen.append((loop.now, item))
        if item == "a":
            core.submit_first(["a1", "a2"])
        loop.at(loop.now + 10, lambda _: core.finish())
        return False

    core = Core(loop, 0, begin)
    core.submit("a")
    core.submit("b")
    loop.run()
    assert seen == [(0, "a"), (10, "a1"), (20, "a2"), (30, "b")]


def test_readers_share_and_a_writer_waits_its_turn() -> None:
    lock, seen = Lock("table"), []
    for name, mode in (("r1", "read"), ("r2", "read"), ("w", "write"), ("r3", "read")):
        lock.acquire(mode, lambda name=name: seen.append(name))  # type: ignore[arg-type, misc]
    assert seen == ["r1", "r2"], "a reader behind a waiting writer waits too"
    lock.release("read")
    assert seen == ["r1", "r2"]
    lock.release("read")
    assert seen == ["r1", "r2", "w"]
    lock.release("write")
    assert seen == ["r1", "r2", "w", "r3"]
