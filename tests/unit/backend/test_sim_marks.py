"""A queue that marks: who finds it long is told so, if it asked to be told."""

from __future__ import annotations

import pytest

from netlab.backend.sim import SimSession
from netlab.topology.generators import cable
from netlab.topology.resolve import resolve
from netlab.topology.spec import Node, Topology
from netlab.trace.journey import journeys
from netlab.view.path import packet_path
from netlab.wire import ecn, ethernet, ipv4
from netlab.workload.spec import Frames


def burst(tos: int, frames: int, mark: str, queue: str = "100 packets") -> SimSession:
    """h1 hands so many frames at once to a slow link."""
    links = (cable("h1", "h2", rate="1 Mbit/s", queue=queue, mark=mark),)
    session = SimSession(resolve(Topology("pair", (Node("h1"), Node("h2")), links)))
    packet = ipv4.build(0x0A000001, 0x0A000002, 17, bytes(80), tos=tos)
    frame = ethernet.build(bytes(6), bytes(6), ethernet.IPV4, packet)
    session.run([Frames("h1", "h1-eth0", (frame,) * frames)])
    return session


def marks(session: SimSession) -> list[tuple[int, bool]]:
    """For each frame that left, in order: how many waited when it came, and whether it left marked."""
    depth = {r.pkt: r.data[0] - 1 for r in session.log if r.kind == "enqueue"}
    sent = [r for r in session.log if r.kind == "wire.tx" and r.node == "h1"]
    return [(depth[r.pkt], ecn.codepoint(r.data[4]) == ipv4.CE) for r in sent]


@pytest.mark.parametrize(("mark", "least"), [("5 packets", 5), ("570 B", 5), ("571 B", 6)])
def test_who_finds_the_limit_waiting_is_marked_and_nobody_else(mark: str, least: int) -> None:
    session = burst(ipv4.ECT0, 12, mark)
    found = marks(session)
    assert [waited for waited, _ in found] == [0, *range(11)], "the first goes out at once"
    assert [marked for _, marked in found] == [waited >= least for waited, _ in found]
    assert session.executors["h1"].host.interfaces["h1-eth0"].counters["oqmarks"] == 11 - least


def test_what_is_not_capable_waits_unmarked_and_a_full_queue_still_drops() -> None:
    session = burst(ipv4.NOT_ECT, 12, "2 packets", queue="8 packets")
    assert [marked for _, marked in marks(session)] == [False] * 9
    counters = session.executors["h1"].host.interfaces["h1-eth0"].counters
    assert (counters["oqmarks"], counters["oqdrops"]) == (0, 3)


def test_a_packets_journey_tells_of_its_mark() -> None:
    session = burst(ipv4.ECT1, 4, "2 packets")
    last = max(journeys(session.log))
    said = " ".join(packet_path(session.log, last).narrative)
    assert "marked it at h1-eth0, where 3 waited: congestion experienced" in said
