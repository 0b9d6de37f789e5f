"""The learning bridge, and the forwarding slot with other people's functions in it."""

from __future__ import annotations

from typing import Any

import pytest
from desk import PEER_MAC, Desk, address, host

from netlab.stack.bridge import AGEING
from netlab.stack.slot import SlotFailure
from netlab.wire import ethernet, icmp, ipv4

A, B, C = (bytes((2, 0, 0, 0, 9, n)) for n in (1, 2, 3))
ALL = b"\xff" * 6


def ports_of(desk: Desk) -> list[str]:
    return [name for name, _ in desk.takes_sent()]


def test_it_floods_what_it_does_not_know_and_then_knows() -> None:
    desk = Desk(host("switch", ports=3))
    desk.receives(ethernet.build(B, A, 0x9999), "eth0")
    assert ports_of(desk) == ["eth1", "eth2"]
    desk.receives(ethernet.build(A, B, 0x9999), "eth1")
    assert ports_of(desk) == ["eth0"]
    desk.receives(ethernet.build(ALL, B, 0x9999), "eth1")
    assert ports_of(desk) == ["eth0", "eth2"]


def test_it_forgets_after_five_minutes() -> None:
    desk = Desk(host("switch", ports=3)).receives(ethernet.build(B, A, 0x9999), "eth0")
    desk.takes_sent()
    desk.waits(AGEING)
    desk.receives(ethernet.build(A, B, 0x9999), "eth1")
    assert ports_of(desk) == ["eth0", "eth2"]


def test_a_station_that_moves_is_followed() -> None:
    desk = Desk(host("switch", ports=3)).receives(ethernet.build(B, A, 0x9999), "eth0")
    desk.receives(ethernet.build(B, A, 0x9999), "eth2").takes_sent()
    desk.receives(ethernet.build(A, B, 0x9999), "eth1")
    assert ports_of(desk) == ["eth2"]


def test_what_is_for_the_same_port_or_for_bridges_is_dropped() -> None:
    desk = Desk(host("switch", ports=3)).receives(ethernet.build(B, A, 0x9999), "eth0")
    desk.takes_sent()
    desk.receives(ethernet.build(A, C, 0x9999), "eth0")
    desk.receives(ethernet.build(bytes.fromhex("0180c2000000"), A, 0x9999), "eth0")
    assert ports_of(desk) == []
    assert desk.drops == ["receiver is on the port it came from", "reserved group address"]


# ---- the slot ----------------------------------------------------------------------------------


def router_with(forward: Any) -> Desk:
    router = host("router")
    router.fill("forward", forward)
    for n in (0, 1):
        router.neighbours.learn(address(f"10.0.{n + 1}.9"), PEER_MAC, router.interfaces[f"eth{n}"], 0, create=True)
    return Desk(router)


PACKET = ipv4.build(address("10.0.1.9"), address("10.0.2.9"), ipv4.UDP, bytes(16), ttl=9)
FRAME = ethernet.build(bytes((2, 0, 0, 0, 1, 0)), PEER_MAC, ethernet.IPV4, PACKET)


def test_a_slot_is_given_plain_data_and_its_hop_is_taken() -> None:
    given: list[Any] = []

    def forward(packets: Any, routes: Any, addresses: Any) -> Any:
        given.extend((packets, routes, addresses))
        return [("send", "eth1", address("10.0.2.9"), ipv4.with_ttl(packet, packet[8] - 1)) for packet, _ in packets]

    desk = router_with(forward).receives(FRAME)
    assert given[0] == [(PACKET, "eth0")]
    assert given[1] == [(address("10.0.1.0"), 24, 0, "eth0"), (address("10.0.2.0"), 24, 0, "eth1")]
    assert given[2] == {"eth0": address("10.0.1.1"), "eth1": address("10.0.2.1")}
    [(interface, data)] = desk.sent
    assert interface == "eth1" and data[22] == 8


def test_a_slot_may_answer_instead() -> None:
    spoken = address("10.0.2.1")
    desk = router_with(lambda packets, routes, addresses: [("time-exceeded", spoken)]).receives(FRAME)
    header, message = ipv4.parse(desk.sent[0][1], 14), icmp.parse(desk.sent[0][1], 34)
    assert header is not None and message is not None
    assert (header.src, message.type) == (spoken, icmp.TIME_EXCEEDED)
    desk = router_with(lambda packets, routes, addresses: [("no-route",)]).receives(FRAME)
    message = icmp.parse(desk.sent[0][1], 34)
    assert message is not None and message.code == icmp.NET_UNREACHABLE


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "returned nothing (None); a list with one hop for each packet was due"),
        ([], "returned 0 hops for 1 packets"),
        ([("send",)], "returned the hop ('send',)"),
        ([("send", "eth9", 1, PACKET)], "'eth9', which is no interface here; there are eth0, eth1"),
        ([("send", "eth1", -1, PACKET)], "next hop -1, which is no IPv4 address"),
        ([("send", "eth1", 1, b"rubbish")], "do not begin with an IPv4 header"),
        ([("time-exceeded", 12)], "one of the router's own addresses"),
        ("send", "returned a str"),
    ],
)
def test_nonsense_is_refused_in_words_and_loses_only_its_packets(answer: Any, said: str) -> None:
    desk = router_with(lambda packets, routes, addresses: answer).receives(FRAME)
    assert desk.sent == []
    [failure] = desk.host.slot_failures
    assert failure.kind == "invalid" and said in failure.said and said in desk.drops[0]


def test_a_function_that_breaks_down_is_noted() -> None:
    def forward(*args: Any) -> Any:
        raise SlotFailure("raised", "answer.py:3: ZeroDivisionError: division by zero")

    desk = router_with(forward).receives(FRAME)
    assert [f.kind for f in desk.host.slot_failures] == ["raised"] and "answer.py:3" in desk.drops[0]


def test_only_a_router_has_the_slot() -> None:
    with pytest.raises(KeyError, match=r"ip\.forward"):
        host("host").fill("forward", lambda *args: [])
