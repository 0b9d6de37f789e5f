"""Captures alone become journeys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from netlab.probe import flows
from netlab.probe.capture import Captured
from netlab.probe.flows import FlowJoiner
from netlab.probe.journal import Journal
from netlab.topology.spec import Plan, PlanInterface, PlanLink, PlanNode

A, B = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
PlanWith = Callable[..., Plan]


class Taps:
    """Taps on every interface; ``t`` goes on by 1 µs a frame."""

    def __init__(self, plan: Plan) -> None:
        self.journal = Journal(0)
        self.joiner = FlowJoiner(plan, self.journal)
        self.t = 0

    def see(self, frame: bytes, *places: str) -> None:
        """``h1-eth0>`` for a frame that leaves there, ``m-eth0<`` for one that comes in."""
        for place in places:
            self.t += 1000
            self.joiner.feed([Captured(self.t, place[:-1], place[-1] == ">", len(frame), frame)])

    def journeys(self) -> dict[int, list[str]]:
        self.joiner.finish()
        out: dict[int, list[str]] = {}
        for _, kind, _, obj, _, pkt, _ in self.journal.flush():
            if kind != "packet":
                out.setdefault(pkt, []).append(obj + {"wire.tx": ">", "wire.rx": "<"}[kind])
        return out


THERE = ("h1-eth0>", "m-eth0<", "m-eth1>", "h2-eth0<")
BACK = ("h2-eth0>", "m-eth1<", "m-eth0>", "h1-eth0<")


@pytest.fixture
def taps(plan_with: PlanWith) -> Taps:
    return Taps(plan_with())


def test_a_ping_is_two_journeys(taps: Taps, frames: Any) -> None:
    taps.see(frames.request(), *THERE)
    taps.see(frames.reply(), *BACK)
    assert taps.journeys() == {1: list(THERE), 2: list(BACK)}


def test_a_router_s_ttl_does_not_break_the_journey(plan_with: PlanWith, frames: Any) -> None:
    taps = Taps(plan_with("router"))
    taps.see(frames.request(ttl=64), *THERE[:2])
    taps.see(frames.request(ttl=63), *THERE[2:])
    assert taps.journeys() == {1: list(THERE)}


def test_equal_packets_one_after_another_are_journeys_of_their_own(taps: Taps, frames: Any) -> None:
    for _ in range(3):
        taps.see(frames.arp(1, A, B), *THERE)
    assert taps.journeys() == {pkt: list(THERE) for pkt in (1, 2, 3)}


def test_equal_packets_in_a_row_on_every_hop_keep_their_order(taps: Taps, frames: Any) -> None:
    for place in THERE:
        taps.see(frames.arp(1, A, B), place, place)
    assert taps.journeys() == {1: list(THERE), 2: list(THERE)}


def test_a_host_that_repeats_a_packet_begins_a_new_journey(taps: Taps, frames: Any) -> None:
    taps.see(frames.request(), *THERE, "h2-eth0>")
    assert taps.journeys() == {1: list(THERE), 2: ["h2-eth0>"]}


def test_a_packet_that_a_switch_swallows_ends_there(taps: Taps, frames: Any) -> None:
    taps.see(frames.request(1), *THERE[:2])
    taps.see(frames.request(2), *THERE)
    assert taps.journeys() == {1: list(THERE[:2]), 2: list(THERE)}


def test_a_flood_is_one_journey_on_many_branches(frames: Any) -> None:
    ends = [("h1-eth0", "s-eth0"), ("h2-eth0", "s-eth1"), ("h3-eth0", "s-eth2")]
    made = [PlanInterface(a, a.split("-")[0], "", (), 1500, 1, b, n) for n, (a, b) in enumerate(ends)]
    ports = tuple(PlanInterface(b, "s", "", (), 1500, 1, a, n) for n, (a, b) in enumerate(ends))
    hosts = tuple(PlanNode(i.node, "host", "kernel", (i,), ()) for i in made)
    links = tuple(PlanLink(a, b, 0, 0, 0.0, None) for a, b in ends)
    taps = Taps(Plan("star", (*hosts, PlanNode("s", "switch", "kernel", ports, ())), links))
    flood = ("h1-eth0>", "s-eth0<", "s-eth1>", "s-eth2>", "h2-eth0<", "h3-eth0<")
    taps.see(frames.arp(1, A, B), *flood)
    taps.see(frames.arp(1, A, B), *flood)
    assert taps.journeys() == {1: list(flood), 2: list(flood)}


def test_what_was_not_seen_at_its_first_interfaces_begins_where_it_was(taps: Taps, frames: Any) -> None:
    taps.see(frames.request(), *THERE[1:])
    assert taps.journeys() == {1: list(THERE[1:])}


def test_a_reply_s_parent_is_its_request(taps: Taps, frames: Any) -> None:
    taps.see(frames.request(), *THERE)
    taps.see(frames.reply(), *BACK)
    taps.joiner.finish()
    told = [(row[5], row[6][0]) for row in taps.journal.flush() if row[1] == "packet"]
    assert told == [(1, 0), (2, 1)]


def test_memory_is_bounded(taps: Taps, frames: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "KEYS", 50)
    for seq in range(500):
        taps.see(frames.request(seq), *THERE)
    assert len(taps.journeys()) == 500
    assert taps.joiner.forgotten == 450


def test_a_packet_from_long_ago_is_not_waited_for(taps: Taps, frames: Any) -> None:
    taps.see(frames.arp(1, A, B), *THERE[:2])
    taps.t += 2 * flows.PATIENCE
    taps.see(frames.arp(1, A, B), *THERE[2:])
    assert taps.journeys() == {1: list(THERE[:2]), 2: list(THERE[2:])}
