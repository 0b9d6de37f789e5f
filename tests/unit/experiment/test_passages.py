"""What a router did with packets, read from records."""

from __future__ import annotations

import weakref

from netlab.experiment.passages import passages
from netlab.topology.codec import plan_to_data
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Link, Node, Topology
from netlab.trace.log import Header, Log
from netlab.wire import ethernet

PACKET = bytes(20)
FRAME = ethernet.build(b"\2" * 6, b"\4" * 6, ethernet.IPV4, PACKET)


def empty_log() -> Log:
    """h1-r1-h2; the router's interface towards h1 has a name of its own."""
    nodes = (Node("h1"), Node("r1", "router"), Node("h2"))
    links = (Link(End("h1"), End("r1", "lan")), Link(End("r1"), End("h2")))
    return Log(Header("sim", 1, plan_to_data(resolve(Topology("names", nodes, links)))))


def sent(log: Log, t: int, node: str, iface: str, to: str, pkt: int) -> None:
    log.add((t, "wire.tx", node, iface, -1, pkt, (to, 0, 0, 0, FRAME)))


def through(log: Log, t: int, node: str, stage: str, pkt: int, following: str = "") -> None:
    log.add((t, "stage", node, stage, 0, pkt, (following, 100)))


def test_a_packet_that_crosses_a_router_is_one_passage() -> None:
    log = empty_log()
    sent(log, 0, "h1", "h1-eth0", "r1-lan", 1)
    through(log, 10, "r1", "ip.forward", 1)
    sent(log, 20, "r1", "r1-eth0", "h2-eth0", 1)
    (passage,) = passages(log, "r1", "ip.forward")
    assert (passage.pkt, passage.came_by, passage.before, passage.after) == (1, "r1-lan", PACKET, PACKET)


def test_a_log_that_grows_is_read_again() -> None:
    log = empty_log()
    assert passages(log, "r1", "ip.forward") == ()
    sent(log, 0, "h1", "h1-eth0", "r1-lan", 1)
    through(log, 10, "r1", "ip.forward", 1)
    assert len(passages(log, "r1", "ip.forward")) == 1
    assert passages(log, "r1", "ip.forward") is passages(log, "r1", "ip.forward"), "and not a third time"


def test_answers_keep_no_log_alive() -> None:
    log = empty_log()
    passages(log, "r1", "ip.forward")
    alive = weakref.ref(log)
    del log
    assert alive() is None
