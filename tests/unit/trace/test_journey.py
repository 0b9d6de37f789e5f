"""Journeys: the way of a packet, read from records; two ways compared."""

from __future__ import annotations

import pytest

from netlab.trace.journey import common_path, difference, journey, journeys
from netlab.trace.log import Header, Log
from netlab.trace.record import Row


def log_of(*rows: Row, backend: str = "sim", stages: dict[str, tuple[str, ...]] | None = None) -> Log:
    log = Log(Header(backend, 0, {}, stages=stages or {}))
    log.extend(rows)
    return log


def stage(t: int, node: str, name: str, pkt: int = 1) -> Row:
    return (t, "stage", node, name, 0, pkt, ("", 5))


def sent(t: int, node: str, interface: str, pkt: int = 1) -> Row:
    return (t, "wire.tx", node, interface, -1, pkt, ("", 60, 1, 1, b""))


def came(t: int, node: str, interface: str, pkt: int = 1) -> Row:
    return (t, "wire.rx", node, interface, -1, pkt, ("", 60, None))


WAY = (
    stage(0, "h1", "ip.output"),
    (10, "packet", "h1", "ip.output", -1, 1, (0, "a ping")),
    sent(10, "h1", "h1-eth0"),
    came(20, "r1", "r1-eth0"),
    stage(21, "r1", "ip.input"),
    stage(22, "r1", "ip.forward"),
    (23, "drop", "r1", "ip.forward", 0, 1, ("no route", "r1-eth0")),
)


def test_a_journey_is_told_in_order_of_time_whatever_the_order_of_records() -> None:
    found = journey(log_of(*reversed(WAY)), 1)
    assert (found.said, found.parent, found.ended, found.nodes) == ("a ping", 0, "no route", ("h1", "r1"))
    assert [hop.place for hop in found.hops] == [
        "ip.output",
        "h1-eth0",
        "r1-eth0",
        "ip.input",
        "ip.forward",
        "ip.forward",
    ]


def test_packets_do_not_mix_and_an_unknown_one_is_no_journey() -> None:
    log = log_of(*WAY, stage(5, "h2", "ip.output", pkt=2))
    assert {pkt: found.nodes for pkt, found in journeys(log).items()} == {1: ("h1", "r1"), 2: ("h2",)}
    with pytest.raises(KeyError):
        journey(log, 3)


def test_worlds_are_compared_by_what_both_can_see() -> None:
    whole = log_of(*WAY)
    partial = log_of(
        *(row for row in WAY if row[3] != "ip.output" and row[3] != "ip.input"),
        backend="mininet",
        stages={"h1": (), "r1": ("ip.forward",)},
    )
    assert ("r1", "ip.input") not in common_path(whole, 1, partial)
    assert difference(whole, 1, partial, 1) == ""


def test_a_difference_is_said_in_words() -> None:
    other = log_of(*WAY[:-2], backend="mininet")
    assert difference(log_of(*WAY), 1, other, 1) == (
        "at r1: r1-eth0, ip.input, ip.forward, ip.forward in sim, r1-eth0, ip.input in mininet"
    )


def test_copies_may_leave_in_any_order() -> None:
    flood = [sent(1, "h1", "h1-eth0"), came(2, "s1", "s1-eth1")]
    one = [stage(3, "s1", "ifq"), sent(4, "s1", "s1-eth2"), stage(5, "s1", "ifq"), sent(6, "s1", "s1-eth3")]
    two = [stage(3, "s1", "ifq"), sent(4, "s1", "s1-eth3"), stage(5, "s1", "ifq"), sent(6, "s1", "s1-eth2")]
    assert difference(log_of(*flood, *one), 1, log_of(*flood, *two, backend="mininet"), 1) == ""
    assert difference(log_of(*flood, *one), 1, log_of(*flood, *two[:3], backend="mininet"), 1) != ""
