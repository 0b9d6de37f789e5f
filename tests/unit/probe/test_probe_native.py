"""A node that runs our own stack tells its part; the kernel, or captures, tell the rest; it is one journey."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from netlab.probe.capture import Captured
from netlab.probe.event import KFREE, QUEUE, RECEIVE, XMIT
from netlab.probe.flows import FlowJoiner
from netlab.probe.join import KernelJoiner
from netlab.probe.journal import Journal
from netlab.topology.spec import Plan
from netlab.trace.record import Row

PlanWith = Callable[..., Plan]
X, Y = 0xAA, 0xBB


class KernelTells:
    """h1 and the switch are told by the kernel."""

    def __init__(self, plan: Plan) -> None:
        self.journal = Journal(0)
        self.joiner = KernelJoiner(plan, self.journal, stage_at=lambda at: "", reasons={}, captured=("h1-eth0",))

    def goes_there(self, t: int, frame: bytes, skb: int = X) -> None:
        self.joiner.feed([(t, QUEUE, 0, skb, "h1-eth0", 98)], [Captured(t + 400, "h1-eth0", True, 98, frame)])
        self.joiner.feed([(t + 1_100, XMIT, 0, skb, "h1-eth0", 98), (t + 2_000, RECEIVE, 0, skb, "m-eth0", 84)])
        self.joiner.feed([(t + 3_000, QUEUE, 0, skb, "m-eth1", 98), (t + 3_100, XMIT, 0, skb, "m-eth1", 98)])
        self.joiner.feed([(t + 4_000, RECEIVE, 0, skb, "h2-eth0", 84), (t + 4_100, KFREE, 0, skb, 1, 5)])

    def comes_back(self, t: int, frame: bytes, skb: int = Y) -> None:
        self.joiner.feed([(t, QUEUE, 0, skb, "h2-eth0", 98), (t + 1_100, XMIT, 0, skb, "h2-eth0", 98)])
        self.joiner.feed([(t + 2_000, RECEIVE, 0, skb, "m-eth1", 84)])
        self.joiner.feed([(t + 3_000, QUEUE, 0, skb, "m-eth0", 98), (t + 3_100, XMIT, 0, skb, "m-eth0", 98)])
        self.joiner.feed([(t + 4_000, RECEIVE, 0, skb, "h1-eth0", 84)])


class TapsTell:
    """h1 and the switch are told by captures."""

    def __init__(self, plan: Plan) -> None:
        self.journal = Journal(0)
        self.joiner = FlowJoiner(plan, self.journal)

    def goes_there(self, t: int, frame: bytes) -> None:
        for i, (name, out) in enumerate((("h1-eth0", True), ("m-eth0", False), ("m-eth1", True))):
            self.joiner.feed([Captured(t + 1_000 * i, name, out, 98, frame)])

    def comes_back(self, t: int, frame: bytes) -> None:
        for i, (name, out) in enumerate((("m-eth1", False), ("m-eth0", True), ("h1-eth0", False)), start=1):
            self.joiner.feed([Captured(t + 1_000 * i, name, out, 98, frame)])


Teller = KernelTells | TapsTell


@pytest.fixture(params=[KernelTells, TapsTell], ids=["kernel", "captures"])
def teller(request: pytest.FixtureRequest, plan_with: PlanWith) -> Iterator[Teller]:
    yield request.param(plan_with(h2="netlab"))


def arrives(t: int, frame: bytes, local: int) -> list[Row]:
    """What our stack tells of a frame that comes in."""
    return [
        (t, "wire.rx", "h2", "h2-eth0", -1, local, ("m-eth1", len(frame), frame)),
        (t + 10, "stage", "h2", "nic.rx", 0, local, ("h2-eth0", 5)),
        (t + 20, "stage", "h2", "icmp.input", 0, local, ("h2-eth0", 5)),
    ]


def leaves(t: int, frame: bytes, local: int, parent: int, said: str = "a reply") -> list[Row]:
    return [
        (t, "packet", "h2", "icmp.input", 0, local, (parent, said)),
        (t + 10, "stage", "h2", "ifq", 0, local, ("h2-eth0", 5)),
        (t + 20, "wire.tx", "h2", "h2-eth0", 0, local, ("", len(frame), None, None, frame)),
    ]


def told(teller: Teller) -> dict[int, list[tuple[str, str]]]:
    teller.joiner.finish()
    out: dict[int, list[tuple[str, str]]] = {}
    for _, kind, node, obj, _, pkt, _ in teller.journal.flush():
        if kind in ("stage", "wire.rx", "wire.tx", "drop") and obj not in ("ether.input",):
            out.setdefault(pkt, []).append((node, obj))
    return out


def nodes(places: list[tuple[str, str]]) -> list[str]:
    """The nodes as they were entered."""
    return [node for i, (node, _) in enumerate(places) if not i or places[i - 1][0] != node]


def test_one_journey_crosses_the_kernel_and_our_stack_and_its_answer_comes_back(teller: Teller, frames: Any) -> None:
    teller.goes_there(1_000_000, frames.request())
    teller.joiner.add_native(arrives(1_500_000, frames.request(), 41))
    teller.joiner.add_native(leaves(1_600_000, frames.reply(), 42, 41))
    teller.comes_back(1_700_000, frames.reply())
    teller.joiner.finish()
    rows = teller.journal.flush()
    path: dict[int, list[tuple[str, str]]] = {}
    for row in rows:
        if row[1] != "packet":
            path.setdefault(row[5], []).append((row[2], row[3]))
    assert sorted(path) == [1, 2]
    assert nodes(path[1]) == ["h1", "m", "h2"] and path[1][-3:] == [
        ("h2", "h2-eth0"),
        ("h2", "nic.rx"),
        ("h2", "icmp.input"),
    ]
    assert nodes(path[2]) == ["h2", "m", "h1"] and path[2][:2] == [("h2", "ifq"), ("h2", "h2-eth0")]
    introductions = {row[5]: row[6] for row in rows if row[1] == "packet"}
    assert introductions[2] == (1, "a reply") and "echo request" in introductions[1][1]


def test_packets_that_our_stack_read_late_and_all_at_once_keep_their_journeys(teller: Teller, frames: Any) -> None:
    for n in range(5):
        if isinstance(teller, KernelTells):
            teller.goes_there(1_000_000 + 50_000 * n, frames.request(n), skb=X + n)
        else:
            teller.goes_there(1_000_000 + 50_000 * n, frames.request(n))
    for n in range(5):
        teller.joiner.add_native(arrives(2_000_000 + 100 * n, frames.request(n), 100 + n))
    paths = told(teller)
    assert [nodes(paths[pkt]) for pkt in sorted(paths)] == [["h1", "m", "h2"]] * 5
    assert [places.count(("h2", "h2-eth0")) for places in paths.values()] == [1] * 5


def test_a_frame_that_our_stack_never_read_does_not_shift_the_others(teller: Teller, frames: Any) -> None:
    for n in range(3):
        if isinstance(teller, KernelTells):
            teller.goes_there(1_000_000 + 50_000 * n, frames.request(n), skb=X + n)
        else:
            teller.goes_there(1_000_000 + 50_000 * n, frames.request(n))
    teller.joiner.add_native(arrives(2_000_000, frames.request(2), 100))
    paths = told(teller)
    assert [nodes(paths[pkt]) for pkt in (1, 2, 3)] == [["h1", "m"], ["h1", "m"], ["h1", "m", "h2"]]


def test_what_came_from_nowhere_begins_in_our_stack(teller: Teller, frames: Any) -> None:
    teller.joiner.add_native(arrives(1_000_000, frames.request(), 7))
    teller.joiner.finish()
    rows = teller.journal.flush()
    assert {row[5] for row in rows} == {1}
    assert rows[0][1] == "packet" and "echo request" in rows[0][6][1]


def test_its_peer_is_filled_in(teller: Teller, frames: Any) -> None:
    teller.joiner.add_native(leaves(1_000_000, frames.reply(), 1, 0))
    teller.joiner.finish()
    assert [row[6][0] for row in teller.journal.flush() if row[1] == "wire.tx"] == ["m-eth1"]


def test_records_without_a_packet_pass_as_they_are(teller: Teller) -> None:
    teller.joiner.add_native([(5_000, "app", "h2", "ping", -1, 0, ("hello", 1))])
    teller.joiner.finish()
    assert teller.journal.flush() == [(5_000, "app", "h2", "ping", -1, 0, ("hello", 1))]


def test_an_introduction_by_a_node_that_only_passes_the_packet_on_is_not_told_twice(
    teller: Teller, frames: Any
) -> None:
    teller.goes_there(1_000_000, frames.request())
    rows = arrives(1_500_000, frames.request(), 9)
    teller.joiner.add_native([(1_500_000, "packet", "h2", "nic.rx", 0, 9, (0, "again")), *rows])
    teller.joiner.finish()
    assert [
        row[6][1] for row in teller.journal.flush() if row[1] == "packet" and row[5] == 1 and row[6][1] == "again"
    ] == []


def test_an_arrival_has_the_time_at_which_the_kernel_had_it(plan_with: PlanWith, frames: Any) -> None:
    teller = KernelTells(plan_with(h2="netlab"))
    teller.goes_there(1_000_000, frames.request())
    teller.joiner.add_native(arrives(9_000_000, frames.request(), 1))
    teller.joiner.finish()
    [row] = [row for row in teller.journal.flush() if row[1] == "wire.rx" and row[2] == "h2"]
    assert row[0] == 1_004_000


def test_what_the_kernel_does_to_its_own_copy_is_not_told(plan_with: PlanWith, frames: Any) -> None:
    teller = KernelTells(plan_with(h2="netlab"))
    teller.goes_there(1_000_000, frames.request())
    teller.joiner.finish()
    assert not [row for row in teller.journal.flush() if row[2] == "h2"]
