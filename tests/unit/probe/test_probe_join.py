"""Kernel events, written here, become journeys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from netlab.probe import join
from netlab.probe.capture import Captured
from netlab.probe.event import CONSUME, COPY, KFREE, QUEUE, READY, RECEIVE, XMIT, Event
from netlab.probe.join import KernelJoiner
from netlab.probe.journal import Journal
from netlab.topology.spec import Plan
from netlab.trace.record import Row

ICMP_RCV, UDP_RCV, IP_FORWARD, ARP, BACKLOG, NOWHERE = range(1, 7)
STAGE_AT = {
    ICMP_RCV: "icmp.input",
    UDP_RCV: "udp.input",
    IP_FORWARD: "ip.forward",
    ARP: "arp.input",
    BACKLOG: "nic.rx",
}
REASONS = {2: "NOT_SPECIFIED", 3: "NO_SOCKET", 15: "IP_INHDR", 64: "QDISC_DROP", 71: "CPU_BACKLOG", 104: "QUEUE_PURGE"}
X, Y, Z = 0xAA, 0xBB, 0xCC
A, B = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))

PlanWith = Callable[..., Plan]


class Kernel:
    """A kernel that says what happens to packets, and the joiner that listens. ``t`` goes on by 1 µs an event."""

    def __init__(self, plan: Plan, captured: tuple[str, ...] = ("h1-eth0", "h2-eth0")) -> None:
        self.journal = Journal(0)
        self.joiner = KernelJoiner(
            plan, self.journal, stage_at=lambda at: STAGE_AT.get(at, ""), reasons=REASONS, captured=captured
        )
        self.events: list[Event] = []
        self.frames: list[Captured] = []
        self.t = 1_000_000

    def say(self, what: int, skb: int, at: Any, n: int = 0, *, cpu: int = 0, after: int = 1_000) -> None:
        self.t += after
        self.events.append((self.t, what, cpu, skb, at, n))

    def sends(self, skb: int, interface: str, frame: bytes | None = None, *, length: int = 0, cpu: int = 0) -> None:
        """Queued, seen by the tap, handed to the driver."""
        length = length or len(frame or b"")
        self.say(QUEUE, skb, interface, length, cpu=cpu)
        if frame is not None:
            self.frames.append(Captured(self.t + 400, interface, True, length, frame))
        self.say(XMIT, skb, interface, length, cpu=cpu, after=1_100)

    def crosses(self, skb: int, *interfaces: str, length: int = 98, cpu: int = 0) -> None:
        """Received at the first, sent at the second, received at the third, ..."""
        for i, interface in enumerate(interfaces):
            if i % 2:
                self.sends(skb, interface, length=length, cpu=cpu)
            else:
                self.say(RECEIVE, skb, interface, length - 14, cpu=cpu)

    def rows(self) -> list[Row]:
        self.joiner.feed(self.events, self.frames)
        self.joiner.finish()
        self.events, self.frames = [], []
        return self.journal.flush()

    def paths(self) -> dict[int, list[str]]:
        return paths(self.rows())


def paths(rows: list[Row]) -> dict[int, list[str]]:
    """pkt -> its places in order: "h1:ifq", "h1-eth0>" for sent, "m-eth0<" for received, "!" before a drop."""
    out: dict[int, list[str]] = {}
    for _, kind, node, obj, _, pkt, _ in rows:
        if kind != "packet":
            end = {"wire.tx": f"{obj}>", "wire.rx": f"{obj}<", "drop": f"!{node}:{obj}"}
            out.setdefault(pkt, []).append(end.get(kind, f"{node}:{obj}"))
    return out


THERE = ["h1:ifq", "h1-eth0>", "m-eth0<", "m:ether.input", "m:ifq", "m-eth1>", "h2-eth0<", "h2:ether.input"]
BACK = ["h2:ifq", "h2-eth0>", "m-eth1<", "m:ether.input", "m:ifq", "m-eth0>", "h1-eth0<", "h1:ether.input"]


@pytest.fixture
def kernel(plan_with: PlanWith) -> Kernel:
    return Kernel(plan_with())


def test_one_ping_is_two_journeys_and_the_reply_is_the_request_s_child(kernel: Kernel, frames: Any) -> None:
    kernel.sends(X, "h1-eth0", frames.request())
    kernel.crosses(X, "m-eth0", "m-eth1", "h2-eth0")
    kernel.sends(Y, "h2-eth0", frames.reply())  # the kernel answers inside the work on the request
    kernel.say(CONSUME, X, ICMP_RCV)
    kernel.crosses(Y, "m-eth1", "m-eth0", "h1-eth0")
    kernel.say(CONSUME, Y, ICMP_RCV)
    rows = kernel.rows()
    assert paths(rows) == {1: [*THERE, "h2:icmp.input"], 2: [*BACK, "h1:icmp.input"]}
    assert [(row[5], row[6][0]) for row in rows if row[1] == "packet"] == [(1, 0), (2, 1)]


def test_the_end_of_the_work_is_told_as_its_beginning(kernel: Kernel, frames: Any) -> None:
    """So that the request is in icmp.input before the reply is queued, as it was."""
    kernel.sends(X, "h1-eth0", frames.request())
    kernel.crosses(X, "m-eth0", "m-eth1", "h2-eth0")
    arrived = kernel.t
    kernel.say(CONSUME, X, ICMP_RCV, after=500_000)
    [row] = [row for row in kernel.rows() if row[3] == "icmp.input"]
    assert row[0] == arrived + 1


def test_every_wire_record_has_the_bytes_peer_and_length(kernel: Kernel, frames: Any) -> None:
    kernel.sends(X, "h1-eth0", frames.request())
    kernel.crosses(X, "m-eth0", "m-eth1", "h2-eth0")
    wire = [(row[1], row[3], row[6]) for row in kernel.rows() if row[1].startswith("wire")]
    f = frames.request()
    assert wire == [
        ("wire.tx", "h1-eth0", ("m-eth0", 98, None, None, f)),
        ("wire.rx", "m-eth0", ("h1-eth0", 98, f)),
        ("wire.tx", "m-eth1", ("h2-eth0", 98, None, None, f)),
        ("wire.rx", "h2-eth0", ("m-eth1", 98, f)),
    ]


def test_an_address_used_again_after_its_packet_ended_is_another_packet(kernel: Kernel, frames: Any) -> None:
    for seq in (1, 2, 3):
        kernel.sends(X, "h1-eth0", frames.request(seq))
        kernel.crosses(X, "m-eth0", "m-eth1", "h2-eth0")
        kernel.say(CONSUME, X, ICMP_RCV)
    assert kernel.paths() == {pkt: [*THERE, "h2:icmp.input"] for pkt in (1, 2, 3)}


def test_an_address_freed_in_silence_and_used_again_by_the_receiver_is_another_packet(
    kernel: Kernel, frames: Any
) -> None:
    kernel.sends(X, "h1-eth0", frames.udp(A, B, (1, 2), b"x" * 56))
    kernel.crosses(X, "m-eth0", "m-eth1", "h2-eth0")
    kernel.sends(X, "h2-eth0", frames.reply())
    assert kernel.paths() == {1: THERE, 2: ["h2:ifq", "h2-eth0>"]}


def test_a_router_passes_the_journey_on_with_new_bytes(plan_with: PlanWith, frames: Any) -> None:
    kernel = Kernel(plan_with("router"), ("h1-eth0", "m-eth0", "m-eth1", "h2-eth0"))
    kernel.sends(X, "h1-eth0", frames.request(ttl=64))
    kernel.crosses(X, "m-eth0")
    kernel.sends(X, "m-eth1", frames.request(ttl=63))
    kernel.crosses(X, "h2-eth0")
    rows = kernel.rows()
    assert paths(rows) == {1: THERE}
    assert [row[6][-1] for row in rows if row[1] == "wire.rx"] == [frames.request(ttl=64), frames.request(ttl=63)]


def test_what_a_router_says_itself_in_a_used_address_is_another_packet(plan_with: PlanWith, frames: Any) -> None:
    kernel = Kernel(plan_with("router"), ("h1-eth0", "m-eth0"))
    kernel.sends(X, "h1-eth0", frames.request(ttl=1))
    kernel.crosses(X, "m-eth0")
    kernel.say(KFREE, X, IP_FORWARD, 15)
    kernel.sends(X, "m-eth0", frames.time_exceeded(frames.request(ttl=1)))
    rows = kernel.rows()
    assert paths(rows)[1][-1] == "!m:ip.forward"
    assert paths(rows)[2] == ["m:ifq", "m-eth0>"]
    assert [row[6] for row in rows if row[1] == "drop"] == [("time to live ran out (IP_INHDR)", "m-eth0")]
    assert [row[6][0] for row in rows if row[1] == "packet"] == [0, 1]


def test_a_switch_s_copy_is_the_same_journey_and_its_own_look_at_the_packet_is_no_end(
    kernel: Kernel, frames: Any
) -> None:
    question = frames.arp(1, A, B)
    kernel.sends(X, "h1-eth0", question)
    kernel.crosses(X, "m-eth0", length=42)
    kernel.sends(Y, "m-eth1", length=42)  # the copy
    kernel.say(CONSUME, X, ARP)  # the bridge's own stack has read the original
    kernel.crosses(Y, "h2-eth0", length=42)
    kernel.say(CONSUME, Y, ARP)
    rows = kernel.rows()
    assert paths(rows) == {1: [*THERE, "h2:arp.input"]}
    assert all(row[6][-1] == question for row in rows if row[1].startswith("wire"))


@pytest.mark.parametrize(
    ("cpu", "length", "after"), [(1, 42, 0), (0, 60, 0), (0, 42, 20_000_000)], ids=["core", "length", "time"]
)
def test_what_a_switch_sends_that_is_no_copy_is_a_journey_of_its_own(
    kernel: Kernel, frames: Any, cpu: int, length: int, after: int
) -> None:
    kernel.sends(X, "h1-eth0", frames.arp(1, A, B))
    kernel.crosses(X, "m-eth0", length=42)
    kernel.t += after
    kernel.sends(Y, "m-eth1", length=length, cpu=cpu)
    assert kernel.paths()[2] == ["m:ifq", "m-eth1>"]


def test_a_drop_is_told_with_stage_and_reason(kernel: Kernel, frames: Any) -> None:
    kernel.sends(X, "h1-eth0", frames.udp(A, B, (4000, 9), b"anybody?"))
    kernel.crosses(X, "m-eth0", "m-eth1", "h2-eth0", length=50)
    kernel.say(KFREE, X, UDP_RCV, 3)
    [row] = [row for row in kernel.rows() if row[1] == "drop"]
    assert row[2:4] == ("h2", "udp.input") and row[6] == ("no socket (NO_SOCKET)", "h2-eth0")


def test_a_drop_in_the_sender_s_queue_is_told_though_its_bytes_were_never_seen(kernel: Kernel) -> None:
    kernel.say(QUEUE, X, "h1-eth0", 98)
    kernel.say(KFREE, X, NOWHERE, 64, after=300_000_000)
    rows = kernel.rows()
    assert paths(rows) == {1: ["h1:ifq", "!h1:ifq"]}
    assert [row[6] for row in rows if row[1] == "packet"] == [(0, "98 bytes from h1-eth0")]


def test_a_drop_of_an_unknown_address_is_noise(kernel: Kernel) -> None:
    kernel.say(KFREE, Z, UDP_RCV, 3)
    kernel.say(CONSUME, Z, ICMP_RCV)
    kernel.say(COPY, Z, 0, 10)
    assert kernel.rows() == []


def test_a_reply_that_a_program_s_raw_socket_got_is_no_drop(kernel: Kernel, frames: Any) -> None:
    kernel.sends(Y, "h2-eth0", frames.reply())
    kernel.crosses(Y, "m-eth1", "m-eth0", "h1-eth0")
    kernel.say(KFREE, Y, ICMP_RCV, 3)
    assert kernel.paths() == {1: [*BACK, "h1:icmp.input"]}


def test_the_end_of_an_address_that_may_be_another_s_by_now_is_not_believed(kernel: Kernel, frames: Any) -> None:
    tcp = frames.ip(A, B, 6, bytes(20))
    kernel.sends(X, "h1-eth0", tcp)
    kernel.crosses(X, "m-eth0", "m-eth1", "h2-eth0", length=len(tcp))
    kernel.say(KFREE, X, UDP_RCV, 3, after=50_000_000)
    assert kernel.paths() == {1: THERE}


def test_a_socket_emptied_when_it_closes_drops_nothing(kernel: Kernel, frames: Any) -> None:
    kernel.sends(X, "h1-eth0", frames.ip(A, B, 6, bytes(20)))
    kernel.crosses(X, "m-eth0", "m-eth1", "h2-eth0", length=54)
    kernel.say(KFREE, X, NOWHERE, 104)
    assert kernel.paths() == {1: THERE}


def test_a_frame_lost_between_two_interfaces_is_dropped_by_its_receiver(kernel: Kernel, frames: Any) -> None:
    kernel.sends(X, "h1-eth0", frames.request())
    kernel.say(KFREE, X, BACKLOG, 71)
    assert kernel.paths() == {1: ["h1:ifq", "h1-eth0>", "!m:nic.rx"]}


def test_a_datagram_is_put_into_a_socket_and_taken_out_by_a_program(kernel: Kernel, frames: Any) -> None:
    kernel.sends(X, "h1-eth0", frames.udp(A, B, (4000, 5000), b"hello"))
    kernel.crosses(X, "m-eth0", "m-eth1", "h2-eth0", length=47)
    kernel.say(READY, 0, 17)
    kernel.say(COPY, X, 0, 5, cpu=1, after=800_000_000)
    assert kernel.paths() == {1: [*THERE, "h2:udp.input", "h2:socket.deliver"]}


def test_another_socket_s_data_is_not_this_packet_s(kernel: Kernel, frames: Any) -> None:
    kernel.sends(X, "h1-eth0", frames.request())
    kernel.crosses(X, "m-eth0", "m-eth1", "h2-eth0")
    kernel.say(READY, 0, 17)
    kernel.say(READY, 0, 6, cpu=1)
    assert kernel.paths() == {1: THERE}


def test_a_packet_that_changed_its_buffer_on_the_wire_is_found_by_device_and_length(
    kernel: Kernel, frames: Any
) -> None:
    kernel.sends(X, "h1-eth0", frames.request())
    kernel.crosses(Y, "m-eth0", "m-eth1", "h2-eth0")
    rows = kernel.rows()
    assert paths(rows) == {1: THERE}
    assert [row[6][-1] for row in rows if row[3] == "h2-eth0"] == [frames.request()]


def test_an_arrival_that_nobody_sent_is_a_journey_that_begins_there(kernel: Kernel) -> None:
    kernel.crosses(Y, "m-eth0", "m-eth1", "h2-eth0")
    assert kernel.paths() == {1: THERE[2:]}


def test_a_frame_that_no_queue_saw_begins_where_the_driver_got_it(kernel: Kernel, frames: Any) -> None:
    kernel.t += 1_000
    kernel.frames.append(Captured(kernel.t, "h1-eth0", True, 98, frames.request()))
    kernel.say(XMIT, X, "h1-eth0", 98, after=700)
    kernel.crosses(X, "m-eth0", "m-eth1", "h2-eth0")
    assert kernel.paths() == {1: THERE[1:]}


def test_events_of_two_cores_are_told_in_order_of_time(kernel: Kernel, frames: Any) -> None:
    kernel.sends(X, "h1-eth0", frames.request())
    kernel.crosses(X, "m-eth0", cpu=1)
    kernel.sends(X, "m-eth1", length=98, cpu=0)
    kernel.crosses(X, "h2-eth0", cpu=1)
    kernel.events.sort(key=lambda e: (e[2], e[0]))
    assert kernel.paths() == {1: THERE}


def test_it_can_be_fed_in_pieces_and_asked_in_between(kernel: Kernel, frames: Any) -> None:
    kernel.sends(X, "h1-eth0", frames.request())
    kernel.crosses(X, "m-eth0", "m-eth1", "h2-eth0")
    kernel.say(CONSUME, X, ICMP_RCV)
    events, rows = kernel.events, []
    kernel.joiner.feed([], kernel.frames)
    for event in events:
        kernel.joiner.feed([event])
        kernel.joiner.advance(event[0])
        rows += kernel.journal.release(event[0] - 10_000)
    kernel.joiner.finish()
    rows += kernel.journal.flush()
    assert paths(rows) == {1: [*THERE, "h2:icmp.input"]}
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


def test_packets_under_way_are_bounded(kernel: Kernel, frames: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "CHAINS", 100)
    for n in range(1000):
        kernel.say(QUEUE, 0x1000 + n, "h1-eth0", 98)
    assert len(kernel.paths()) == 1000
    assert kernel.joiner.forgotten == 900
