"""Large packets: cut, put together, given up, and told of; and what a host learns of its paths (RFC 791, 815, 1191)."""

from __future__ import annotations

import pytest
from desk import PEER_MAC, Desk, address, host

from netlab.stack.fragment import cut
from netlab.stack.sockets import EchoSocket, Fault, Message, UdpSocket
from netlab.units import SEC
from netlab.wire import ethernet, icmp, ipv4, udp

ME, PEER, FAR = address("10.0.1.1"), address("10.0.1.2"), address("10.0.2.9")
MY_MAC = bytes((2, 0, 0, 0, 1, 0))
RECORD_ROUTE, SECURITY = b"\x07\x07\x04" + bytes(4) + b"\0", b"\x82\x04\x01\x02"


def desk(kind: str = "host") -> Desk:
    made = Desk(host(kind))
    for n, neighbour in ((0, PEER), (1, FAR)):
        made.host.neighbours.learn(neighbour, PEER_MAC, made.host.interfaces[f"eth{n}"], 0, create=True)
    return made


def frame(packet: bytes) -> bytes:
    return ethernet.build(MY_MAC, PEER_MAC, ethernet.IPV4, packet)


def ping(size: int, *, dst: int = ME, fragment: int = 0, options: bytes = b"") -> bytes:
    echo = icmp.echo_request(7, 1, bytes(n & 0xFF for n in range(size)))
    return ipv4.build(PEER, dst, ipv4.ICMP, echo, id=9, fragment=fragment, options=options)


def headers(packets: list[bytes]) -> list[tuple[int, int, bool]]:
    """(length, offset, more) of each."""
    parsed = [ipv4.parse(p) for p in packets]
    assert all(ipv4.fault(p) == "" for p in packets)
    return [(h.length, h.offset, h.more_fragments) for h in parsed if h is not None]


def test_a_packet_is_cut_into_parts_of_whole_eights() -> None:
    parts = cut(ping(1000), 500)
    assert headers(parts) == [(500, 0, True), (500, 480, True), (68, 960, False)]
    assert b"".join(p[20:] for p in parts) == ping(1000)[20:]


def test_a_fragment_is_cut_like_a_packet() -> None:
    first, middle, last = cut(ping(1000), 500)
    assert headers(cut(middle, 300)) == [(300, 480, True), (220, 760, True)]
    assert headers(cut(last, 60)) == [(60, 960, True), (28, 1000, False)]
    assert headers(cut(first, 300)) == [(300, 0, True), (220, 280, True)]


def test_only_options_that_ask_for_it_stand_in_later_fragments() -> None:
    first, second, *_ = cut(ping(200, options=SECURITY + RECORD_ROUTE), 100)
    assert ipv4.options(first) == [(0x82, b"\x01\x02"), (7, b"\x04" + bytes(4))]
    assert ipv4.options(second) == [(0x82, b"\x01\x02")]


def test_a_large_ping_is_put_together_and_its_answer_is_cut() -> None:
    d = desk()
    for part in cut(ping(4000), 1500):
        d.receives(frame(part))
    assert d.visited.count("ip.reassemble") == 3 and d.visited.count("icmp.input") == 1
    answer = [data[14:] for _, data in d.sent]
    assert headers(answer) == [(1500, 0, True), (1500, 1480, True), (1068, 2960, False)]
    assert b"".join(p[20:] for p in answer)[8:] == ping(4000)[28:]
    assert len(d.host.fragments) == d.host.fragments.octets == 0


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 0, 2), (0, 0, 2, 1)])
def test_order_and_repetition_do_not_matter(order: tuple[int, ...]) -> None:
    d = desk()
    parts = cut(ping(4000), 1500)
    for n in order:
        d.receives(frame(parts[n]))
    assert len(d.sent) == 3
    assert d.drops == ["fragment came twice"] * (len(order) - 3)


def test_a_router_cuts_what_may_be_cut() -> None:
    d = desk("router")
    d.host.interfaces["eth1"].mtu = 600
    d.receives(frame(ping(1000, dst=FAR)))
    assert [ifname for ifname, _ in d.sent] == ["eth1", "eth1"]
    assert headers([data[14:] for _, data in d.sent]) == [(596, 0, True), (452, 576, False)]


def test_overlapping_fragments_end_the_whole_packet() -> None:
    d = desk()
    first, second, third = cut(ping(4000), 1500)
    evil = ipv4.build(PEER, ME, ipv4.ICMP, bytes(16), id=9, fragment=ipv4.MORE_FRAGMENTS | 1)
    for part in (first, evil, second, third):
        d.receives(frame(part))
    assert d.sent == [] and d.drops == ["fragments overlap"] * 4


def test_a_packet_that_stays_incomplete_is_given_up_and_its_sender_told() -> None:
    d = desk()
    first, second, _ = cut(ping(4000), 1500)
    d.receives(frame(second)).receives(frame(first)).waits(29 * SEC)
    assert d.sent == []
    d.waits(1 * SEC)
    [(_, data)] = d.sent
    message = icmp.parse(data, 34)
    assert message is not None and (message.type, message.code) == (icmp.TIME_EXCEEDED, icmp.REASSEMBLY_EXCEEDED)
    assert data[42:70] == first[:28] and d.drops == ["reassembly timed out"] * 2


def test_without_the_first_fragment_nobody_is_told() -> None:
    d = desk().receives(frame(cut(ping(4000), 1500)[1])).waits(31 * SEC)
    assert d.sent == [] and d.drops == ["reassembly timed out"]


@pytest.mark.parametrize(
    ("fragment", "size", "reason"),
    [
        (ipv4.MORE_FRAGMENTS, 12, "fragment before the last is no multiple of 8 bytes"),
        (ipv4.MORE_FRAGMENTS, 0, "fragment before the last is no multiple of 8 bytes"),
        (0x1FFF, 16, "fragment ends behind the largest packet"),
    ],
)
def test_what_no_packet_can_contain_is_dropped(fragment: int, size: int, reason: str) -> None:
    d = desk().receives(frame(ipv4.build(PEER, ME, ipv4.UDP, bytes(size), fragment=fragment)))
    assert d.drops == [reason] and len(d.host.fragments) == 0


def test_what_may_not_be_cut_teaches_the_sender_its_path() -> None:
    d = desk()
    heard: list[Message] = []
    socket = EchoSocket(d.host, 7, lambda message, pkt, now: heard.append(message) or [])  # type: ignore[func-returns-value]
    d.does([socket.send(PEER, 1, bytes(1400), df=True)])
    [(_, sent)] = d.takes_sent()
    quoted = icmp.unreachable(icmp.FRAGMENTATION_NEEDED, sent[14:], mtu=800)
    d.receives(frame(ipv4.build(PEER, ME, ipv4.ICMP, quoted)))
    assert heard == [Fault(PEER, icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED, 1, 800)]
    d.does([socket.send(PEER, 2, bytes(1400), df=True)])
    assert heard[1:] == [Fault(ME, icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED, 2, 800)] and d.takes_sent() == []
    d.does([socket.send(PEER, 3, bytes(1400))])
    assert [len(data) - 14 for _, data in d.takes_sent()] == [796, 652]
    d.waits(601 * SEC).does([socket.send(PEER, 4, bytes(1400), df=True)])
    assert len(d.takes_sent()) == 1, "after ten minutes the larger packet is tried again"


def test_a_message_about_a_packet_of_somebody_else_teaches_nothing() -> None:
    d = desk()
    alien = icmp.unreachable(icmp.FRAGMENTATION_NEEDED, ping(1400), mtu=800)
    d.receives(frame(ipv4.build(PEER, ME, ipv4.ICMP, alien)))
    assert len(d.host.paths) == 0


def test_more_than_a_packet_holds_is_refused_at_home() -> None:
    d = desk()
    echo, socket = EchoSocket(d.host, 7, lambda *_: []), UdpSocket(d.host, 7, lambda *_: [])
    d.does(
        [
            echo.send(PEER, 1, bytes(65_508)),
            socket.send(PEER, 7, bytes(udp.MAXIMUM)),
            socket.send(PEER, 7, bytes(65_528)),
        ]
    )
    assert [reason.split()[:4] for reason in d.drops] == [
        [n, "bytes", "are", "more"] for n in ("65516", "65535", "65528")
    ]
