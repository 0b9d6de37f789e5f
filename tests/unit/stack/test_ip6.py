"""IPv6, ICMPv6 and UDP over it on one host (RFC 8200, 4443, 8201)."""

from __future__ import annotations

import pytest
from desk6 import FAR, ME, MY_LINK, PEER, PEER_LINK, desk6, echo, frame, message

from netlab.stack.fib import Route
from netlab.stack.ip6.fragment import cut6
from netlab.stack.ip6.sockets import EchoSocket6, UdpSocket6
from netlab.stack.sockets import Datagram, Fault, Message
from netlab.stack.stage import Hop
from netlab.units import SEC
from netlab.wire import icmpv6, ipv6, udp
from netlab.wire.address import parse_ipv6, solicited_node

NOWHERE = parse_ipv6("2001:db8::1")


def test_a_ping_is_answered_with_what_it_carried() -> None:
    d = desk6().receives(frame(echo(size=100)))
    [(_, data)] = d.sent
    header, said = message(data)
    assert (header.src, header.dst, header.hops) == (ME, PEER, 64)
    assert (said.type, said.id, said.seq) == (icmpv6.ECHO_REPLY, 7, 1) and data[62:] == echo(size=100)[48:]
    assert d.visited[:4] == ["nic.rx", "ether.input", "ip6.input", "icmp6.input"]


def test_a_ping_to_all_nodes_is_answered_by_an_address_of_ones_own() -> None:
    d = desk6().receives(frame(echo(parse_ipv6("ff02::1"), src=PEER_LINK), b"\x33\x33\0\0\0\x01"))
    assert "nd.output" in d.visited and d.host.inet6.neighbours.table()["eth0", PEER_LINK][0] == "incomplete"
    header, said = message(d.sent[0][1])
    assert said.type == icmpv6.NEIGHBOR_SOLICITATION and header.src == MY_LINK


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (echo()[:39], "too few for an IPv6 header"),
        (b"\x45" + echo()[1:], "IP version is 4, not 6"),
        (echo()[:-1], "IPv6 payload length 16 is impossible"),
        (echo()[:50] + b"\xff" + echo()[51:], "ICMPv6 checksum is wrong"),
        (echo(solicited_node(FAR)), "no member of the group"),
        (echo(FAR), "packet is for another host"),
        (echo(1), "address cannot be on a wire"),
        (echo(src=parse_ipv6("ff02::1")), "address cannot be on a wire"),
    ],
)
def test_what_is_malformed_or_not_ours_is_dropped_with_the_reason(packet: bytes, reason: str) -> None:
    d = desk6().receives(frame(packet))
    assert d.sent == [] and reason in d.drops[0]


def test_without_addresses_ipv6_is_not_spoken() -> None:
    d = desk6()
    d.host.inet6.enabled = False
    assert d.receives(frame(echo())).drops == ["IPv6 is not spoken here"]


def test_a_router_sends_on_with_one_hop_less() -> None:
    d = desk6("router").receives(frame(echo(FAR, hops=9)))
    [(interface, data)] = d.sent
    header, _ = message(data)
    assert (interface, header.hops) == ("eth1", 8)


def test_the_longest_prefix_wins() -> None:
    routes = (Route(0, 0, PEER, "eth0"), Route(parse_ipv6("2001:db8::"), 32, FAR, "eth1"))
    d = desk6("router", routes=routes).receives(frame(echo(NOWHERE))).receives(frame(echo(parse_ipv6("2002::1"))))
    assert [interface for interface, _ in d.sent] == ["eth1", "eth0"]


@pytest.mark.parametrize(
    ("packet", "type", "code", "rest"),
    [
        (echo(FAR, hops=1), icmpv6.TIME_EXCEEDED, 0, 0),
        (echo(NOWHERE), icmpv6.UNREACHABLE, icmpv6.NO_ROUTE, 0),
        (echo(FAR, size=1400), icmpv6.PACKET_TOO_BIG, 0, 1400),
        (ipv6.build(PEER, ME, 17, udp.build(5, 9, b"x", PEER, ME)), icmpv6.UNREACHABLE, icmpv6.PORT_UNREACHABLE, 0),
        (ipv6.build(PEER, ME, 99, b""), icmpv6.PARAMETER_PROBLEM, 1, 6),
        (ipv6.build(PEER, ME, 0, ipv6.extension(59, b"\x80\0")), icmpv6.PARAMETER_PROBLEM, 2, 42),
        (ipv6.build(PEER, ME, 43, ipv6.extension(59, b"\0\x01\0\0\0\0")), icmpv6.PARAMETER_PROBLEM, 0, 42),
        (ipv6.build(PEER, ME, 44, ipv6.fragment(17, 8, True, 1, b"odd")), icmpv6.PARAMETER_PROBLEM, 0, 4),
    ],
)
def test_what_cannot_be_is_told_to_the_sender(packet: bytes, type: int, code: int, rest: int) -> None:
    d = desk6("router")
    d.host.interfaces["eth1"].mtu = 1400
    [(_, data)] = d.receives(frame(packet)).sent
    header, said = message(data)
    assert (header.src, header.dst) == (ME, PEER) and (said.type, said.code, said.rest) == (type, code, rest)
    assert data[62:] == packet[: icmpv6.QUOTE]


@pytest.mark.parametrize(
    "packet",
    [
        ipv6.build(PEER, NOWHERE, icmpv6.PROTO, icmpv6.time_exceeded(echo(), PEER, NOWHERE)),
        ipv6.build(PEER, parse_ipv6("ff02::1"), 17, udp.build(5, 9, b"x", PEER, parse_ipv6("ff02::1"))),
        ipv6.build(PEER, ME, 0, ipv6.extension(59, b"\x40\0")),
    ],
    ids=["an ICMPv6 error", "to a group", "an option that asks for silence"],
)
def test_some_packets_may_never_be_answered_with_an_error(packet: bytes) -> None:
    """RFC 4443 §2.4 e, RFC 8200 §4.2."""
    d = desk6("router").receives(frame(packet))
    assert d.sent == [] and len(d.drops) == 1


def test_extension_headers_are_passed() -> None:
    inner = echo()[40:]
    for kind in (ipv6.HOP_BY_HOP, ipv6.DESTINATION):
        d = desk6().receives(frame(ipv6.build(PEER, ME, kind, ipv6.extension(58, b"\x1e\0", inner))))
        assert message(d.sent[0][1])[1].type == icmpv6.ECHO_REPLY
    d = desk6().receives(frame(ipv6.build(PEER, ME, 43, ipv6.extension(58, bytes(6), inner))))
    assert message(d.sent[0][1])[1].type == icmpv6.ECHO_REPLY


def test_a_large_ping_is_put_together_and_its_answer_is_cut() -> None:
    d = desk6()
    for part in reversed(cut6(echo(size=4000), 1500, 77)):
        d.receives(frame(part))
    parts = [ipv6.parse_fragment(data, 54) for _, data in d.sent]
    assert [(p.offset, p.more_fragments) for p in parts if p] == [(0, True), (1448, True), (2896, False)]
    assert b"".join(data[62:] for _, data in d.sent)[8:] == echo(size=4000)[48:]


def test_an_atomic_fragment_is_a_packet_of_its_own() -> None:
    """RFC 6946: it is nobody's part, even if another packet of that name waits."""
    d = desk6().receives(frame(cut6(echo(size=4000), 1500, 77)[0]))
    d.receives(frame(ipv6.build(PEER, ME, 44, ipv6.fragment(58, 0, False, 77, echo()[40:]))))
    assert message(d.sent[0][1])[1].type == icmpv6.ECHO_REPLY and len(d.host.fragments6) == 1


def test_a_packet_that_stays_incomplete_is_given_up_after_a_minute() -> None:
    d = desk6().receives(frame(cut6(echo(size=4000), 1500, 77)[0])).waits(59 * SEC)
    assert d.sent == []
    d.waits(1 * SEC)
    assert (message(d.sent[0][1])[1].type, message(d.sent[0][1])[1].code) == (icmpv6.TIME_EXCEEDED, 1)


def test_a_datagram_finds_its_socket_and_the_answer_its_way() -> None:
    d = desk6()
    heard: list[Message] = []

    def receive(said: Message, pkt: int, now: int) -> list[Hop]:
        heard.append(said)
        assert isinstance(said, Datagram)
        return [socket.send(said.src, said.port, said.payload.upper(), cause=pkt)]

    socket = UdpSocket6(d.host, 7, receive)
    d.receives(frame(ipv6.build(PEER, ME, 17, udp.build(5000, 7, b"hello", PEER, ME))))
    assert heard == [Datagram(b"hello", PEER, 5000)]
    [(_, data)] = d.sent
    assert udp.checksum_ok(data, 54, ME, PEER) and data.endswith(b"HELLO")


def test_a_datagram_without_a_checksum_is_refused() -> None:
    """RFC 8200 §8.1: over IPv6 there must be one."""
    d = desk6()
    UdpSocket6(d.host, 7, lambda *_: [])
    d.receives(frame(ipv6.build(PEER, ME, 17, udp.header(5, 7, 1) + b"x")))
    assert d.drops == ["UDP checksum is wrong"]


def test_a_path_is_learned_and_then_kept_to() -> None:
    d = desk6()
    heard: list[Message] = []
    socket = EchoSocket6(d.host, 9, lambda said, pkt, now: heard.append(said) or [])  # type: ignore[func-returns-value]
    d.does([socket.send(PEER, 1, bytes(1400))])
    sent = d.takes_sent()[0][1][14:]
    big = icmpv6.packet_too_big(1300, sent, PEER, ME)
    d.receives(frame(ipv6.build(PEER, ME, 58, big)))
    assert heard == [Fault(PEER, icmpv6.PACKET_TOO_BIG, 0, 1, 1300)]
    d.does([socket.send(PEER, 2, bytes(1400))])
    assert [len(data) - 14 for _, data in d.takes_sent()] == [1296, 208]
    d.does([socket.send(PEER, 3, bytes(1400), df=True)])
    assert heard[1:] == [Fault(ME, icmpv6.PACKET_TOO_BIG, 0, 3, 1300)] and d.takes_sent() == []


def test_no_path_is_believed_to_carry_less_than_1280() -> None:
    """RFC 8201 §4."""
    d = desk6()
    socket = EchoSocket6(d.host, 9, lambda *_: [])
    d.does([socket.send(PEER, 1, bytes(1400))])
    sent = d.takes_sent()[0][1][14:]
    d.receives(frame(ipv6.build(PEER, ME, 58, icmpv6.packet_too_big(68, sent, PEER, ME))))
    assert d.host.paths6.mtu(PEER, 0, 1500) == 1280


def test_a_packet_to_oneself_never_touches_a_wire() -> None:
    d = desk6()
    heard: list[Message] = []
    for n, own in enumerate((ME, MY_LINK)):
        socket = EchoSocket6(d.host, n, lambda said, pkt, now: heard.append(said) or [])  # type: ignore[func-returns-value]
        d.does([socket.send(own, 1, b"self")])
    assert d.sent == [] and len(heard) == 2
