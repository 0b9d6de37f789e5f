from __future__ import annotations

from netlab.topology.codec import plan_to_data
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.trace.journey import journeys
from netlab.trace.log import Header, Log
from netlab.view.branches import Way, way_of
from netlab.view.path import packet_path
from netlab.view.render.terminal import render

Row = tuple[int, str, str, str, int, int, tuple[object, ...]]


def hop(t: int, a: str, b: str, pkt: int = 1) -> list[Row]:
    """A frame from interface to interface."""
    there = (t + 5, "wire.rx", b.split("-")[0], b, -1, pkt, (a, 42, None))
    return [(t, "wire.tx", a.split("-")[0], a, -1, pkt, (b, 42, 5, 0, None)), there]


def stage(t: int, node: str, name: str, pkt: int = 1) -> Row:
    return (t, "stage", node, name, 0, pkt, (f"{node}-eth0", 1))


def flood(*further: Row) -> Log:
    """h1 asks through s1; h2's copy leaves first and h3's last."""
    plan = resolve(load_topology("star,3"))
    log = Log(Header("sim", 1, plan_to_data(plan), clock="virtual"))
    born: Row = (0, "packet", "h1", "arp.output", -1, 1, (0, "ARP who has 10.0.0.2?"))
    rows = [born, *hop(1, "h1-eth0", "s1-eth1"), *hop(10, "s1-eth2", "h2-eth0"), *hop(11, "s1-eth3", "h3-eth0")]
    for row in sorted([*rows, *further], key=lambda row: row[0]):
        log.add(row)
    return log


def way(log: Log) -> Way:
    found = journeys(log)
    return way_of(log, found[1], [other for other in found.values() if other.parent == 1])


ANSWER: Row = (30, "packet", "h2", "arp.output", -1, 2, (1, "ARP 10.0.0.2 is at …"))


def test_the_copy_that_was_answered_is_the_end_though_another_was_seen_later() -> None:
    log = flood(ANSWER, *hop(31, "h2-eth0", "s1-eth2", 2))
    assert str(way(log)) == "h1 → s1 → h2, which took it; copies: s1 → h3"
    picture = packet_path(log, 1)
    assert picture.rows("journeys")[0]["fate"] == "ended at h2; a copy went to h3"
    (h2,) = [line for line in picture.narrative if ": h2 " in line]
    (h3,) = [line for line in picture.narrative if ": h3 " in line]
    assert "this is the copy that counted" in h2 and "nothing came of this copy" in h3
    assert any("s1" in line and "sent copies out of s1-eth2" in line for line in picture.narrative)


def test_without_an_answer_the_copy_that_came_furthest_up_is_the_end() -> None:
    log = flood(stage(17, "h3", "ip.input"), stage(18, "h3", "udp.input"), stage(17, "h2", "ether.input"))
    assert way(log).end == "h3"


def test_a_copy_that_was_dropped_does_not_make_the_packet_dropped() -> None:
    dropped: Row = (17, "drop", "h3", "ether.input", 0, 1, ("not for us", "h3-eth0", 42))
    log = flood(dropped, stage(17, "h2", "ip.input"))
    assert way(log).end == "h2"
    assert packet_path(log, 1).rows("journeys")[0]["fate"].startswith("ended at h2")


def test_when_nothing_tells_copies_apart_none_is_chosen() -> None:
    told = way(flood())
    assert told == Way(("h1", "s1"), (("s1", "h2"), ("s1", "h3")), "")
    assert str(told) == "h1 → s1, which copied it; copies: s1 → h2, s1 → h3"


def test_a_packet_that_comes_by_twice_made_no_copies() -> None:
    plan = resolve(load_topology("star,3"))
    log = Log(Header("sim", 1, plan_to_data(plan), clock="virtual"))
    for row in (*hop(1, "h1-eth0", "s1-eth1"), *hop(10, "s1-eth2", "h2-eth0"), *hop(20, "h2-eth0", "s1-eth2")):
        log.add(row)
    for row in hop(30, "s1-eth3", "h3-eth0"):
        log.add(row)
    assert str(way(log)) == "h1 → s1 → h2 → s1 → h3"


def test_the_terminal_draws_a_line_for_each_copy() -> None:
    text = render(packet_path(flood(ANSWER), 1), unicode=True)
    assert "  [h1] ─1·+1 ns→ =s1= ─2·+10 ns→ [h2]\n      =s1= ─3·+11 ns→ [h3]\n" in text


def test_packets_stand_behind_the_one_that_caused_them() -> None:
    other = [(12, "packet", "h3", "udp.output", -1, 7, (0, "UDP")), *hop(13, "h3-eth0", "s1-eth3", 7)]
    log = flood(ANSWER, *hop(31, "h2-eth0", "s1-eth2", 2), *other)
    assert packet_path(log, 7).layers["journeys"]["pkt"] == [1, 2, 7]
