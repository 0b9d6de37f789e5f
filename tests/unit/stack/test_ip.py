"""IPv4, ICMP and UDP on one host: what is kept, what is forwarded, what is answered (RFC 791, 792, 1122, 1812)."""

from __future__ import annotations

import pytest
from desk import PEER_MAC, Desk, address, host

from netlab.stack.fib import Route
from netlab.stack.sockets import Datagram, EchoSocket, Fault, Message, UdpSocket
from netlab.stack.stage import Hop
from netlab.wire import ethernet, icmp, ipv4, udp
from netlab.wire.decode import describe

ME, PEER, FAR = address("10.0.1.1"), address("10.0.1.2"), address("10.0.2.9")
MY_MAC = bytes((2, 0, 0, 0, 1, 0))


def desk(kind: str = "host", *, routes: tuple[Route, ...] = ()) -> Desk:
    """A host that knows its neighbours' link addresses already."""
    made = Desk(host(kind, routes=routes))
    for n, neighbour in ((0, PEER), (1, FAR), (1, address("10.0.2.254"))):
        made.host.neighbours.learn(neighbour, PEER_MAC, made.host.interfaces[f"eth{n}"], 0, create=True)
    return made


def frame(packet: bytes) -> bytes:
    return ethernet.build(MY_MAC, PEER_MAC, ethernet.IPV4, packet)


def ping(dst: int = ME, *, src: int = PEER, ttl: int = 64, size: int = 8) -> bytes:
    return ipv4.build(src, dst, ipv4.ICMP, icmp.echo_request(7, 1, bytes(size)), ttl=ttl)


def only_answer(desk: Desk) -> tuple[ipv4.Header, icmp.Header]:
    [(_, data)] = desk.sent
    assert ipv4.checksum_ok(data, 14) and icmp.checksum_ok(data, 34)
    header, message = ipv4.parse(data, 14), icmp.parse(data, 34)
    assert header is not None and message is not None
    return header, message


def test_a_ping_is_answered_with_what_it_carried() -> None:
    d = desk().receives(frame(ping(size=100)))
    header, message = only_answer(d)
    assert (header.src, header.dst, header.ttl) == (ME, PEER, 64)
    assert (message.type, message.id, message.seq) == (icmp.ECHO_REPLY, 7, 1)
    assert d.visited[:4] == ["nic.rx", "ether.input", "ip.input", "icmp.input"]


def test_padding_of_a_short_frame_is_not_the_packets() -> None:
    d = desk().receives(ethernet.pad(frame(ping(size=2))))
    header, _ = only_answer(d)
    assert header.length == 30


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda p: p[:15], "too few for an IPv4 header"),
        (lambda p: b"\x65" + p[1:], "IP version is 6, not 4"),
        (lambda p: p[:10] + b"\0\0" + p[12:], "IPv4 header checksum is wrong"),
        (lambda p: p[:-1], "IPv4 total length 36 is impossible"),
        (lambda p: b"\x43" + p[1:], "IPv4 header length 12 is impossible"),
        (lambda p: p[:22] + b"\xff\xff" + p[24:], "ICMP checksum is wrong"),
    ],
)
def test_what_is_malformed_is_dropped_with_the_reason(spoil: object, reason: str) -> None:
    d = desk().receives(frame(spoil(ping())))  # type: ignore[operator]
    assert d.sent == [] and reason in d.drops[0]


def test_a_host_does_not_forward() -> None:
    d = desk().receives(frame(ping(FAR)))
    assert d.drops == ["packet is for another host"] and d.sent == []


def test_a_router_sends_on_with_one_ttl_less_and_a_right_checksum() -> None:
    d = desk("router").receives(frame(ping(FAR, ttl=9)))
    [(interface, data)] = d.sent
    header = ipv4.parse(data, 14)
    assert header is not None and (interface, header.ttl) == ("eth1", 8)
    assert ipv4.checksum_ok(data, 14) and data[34:] == frame(ping(FAR))[34:]


def test_the_longest_prefix_wins_and_a_gateway_is_the_next_hop() -> None:
    gateway = address("10.0.2.254")
    d = desk("router", routes=(Route(0, 0, PEER, "eth0"), Route(address("10.9.0.0"), 16, gateway, "eth1")))
    d.host.neighbours.learn(gateway, b"\x02gate!", d.host.interfaces["eth1"], 0, create=True)
    d.receives(frame(ping(address("10.9.1.1"))))
    assert d.sent[0][0] == "eth1" and d.sent[0][1][:6] == b"\x02gate!"


def test_the_last_ttl_is_answered_by_the_interface_it_came_to() -> None:
    d = desk("router").receives(frame(ping(FAR, ttl=1)))
    header, message = only_answer(d)
    assert (header.src, header.dst) == (ME, PEER)
    assert (message.type, message.code) == (icmp.TIME_EXCEEDED, icmp.TTL_EXCEEDED)
    assert d.drops == ["TTL exceeded"]


def test_no_route_and_too_big_are_told_to_the_sender() -> None:
    d = desk("router").receives(frame(ping(address("172.16.0.1"))))
    assert only_answer(d)[1].code == icmp.NET_UNREACHABLE
    d = desk("router")
    d.host.interfaces["eth1"].mtu = 600
    d.receives(frame(ipv4.build(PEER, FAR, ipv4.ICMP, bytes(1000), fragment=ipv4.DONT_FRAGMENT)))
    _, message = only_answer(d)
    assert (message.code, message.mtu) == (icmp.FRAGMENTATION_NEEDED, 600)


@pytest.mark.parametrize(
    "packet",
    [
        ipv4.build(PEER, FAR, ipv4.ICMP, icmp.time_exceeded(ping()), ttl=1),
        ipv4.build(PEER, FAR, ipv4.UDP, bytes(16), ttl=1, fragment=7),
    ],
    ids=["an ICMP error", "a later fragment"],
)
def test_some_packets_may_never_be_answered_with_an_error(packet: bytes) -> None:
    """RFC 1122 §3.2.2."""
    d = desk("router").receives(frame(packet))
    assert d.drops == ["TTL exceeded"] and d.sent == []


def test_a_datagram_finds_its_socket_and_the_answer_its_way() -> None:
    d = desk()
    heard: list[Message] = []

    def echo(message: Message, pkt: int, now: int) -> list[Hop]:
        heard.append(message)
        assert isinstance(message, Datagram)
        return [socket.send(message.src, message.port, message.payload.upper(), cause=pkt)]

    socket = UdpSocket(d.host, 7, echo)
    d.receives(frame(ipv4.build(PEER, ME, ipv4.UDP, udp.build(5000, 7, b"hello", PEER, ME))))
    assert heard == [Datagram(b"hello", PEER, 5000)]
    [(_, data)] = d.sent
    assert describe(data).startswith("UDP 10.0.1.1:7 → 10.0.1.2:5000") and data.endswith(b"HELLO")
    assert udp.checksum_ok(data, 34, ME, PEER)


def test_a_datagram_without_a_socket_is_answered_port_unreachable() -> None:
    d = desk().receives(frame(ipv4.build(PEER, ME, ipv4.UDP, udp.build(5000, 9, b"x", PEER, ME))))
    _, message = only_answer(d)
    assert (message.type, message.code) == (icmp.UNREACHABLE, icmp.PORT_UNREACHABLE)


def test_an_error_reaches_the_socket_whose_packet_it_quotes() -> None:
    d = desk()
    heard: list[Message] = []
    socket = EchoSocket(d.host, 7, lambda message, pkt, now: heard.append(message) or [])  # type: ignore[func-returns-value]
    d.does([socket.send(FAR, 3, b"")])
    sent = d.takes_sent()[0][1][14:]
    d.receives(frame(ipv4.build(PEER, ME, ipv4.ICMP, icmp.time_exceeded(sent))))
    assert heard == [Fault(PEER, icmp.TIME_EXCEEDED, 0, 3)]


def test_a_port_can_be_bound_once() -> None:
    d = desk()
    UdpSocket(d.host, 7, lambda message, pkt, now: [])
    with pytest.raises(ValueError, match="udp 7 is taken"):
        UdpSocket(d.host, 7, lambda message, pkt, now: [])


def test_a_packet_to_oneself_never_touches_a_wire() -> None:
    d = desk()
    heard: list[Message] = []
    socket = EchoSocket(d.host, 7, lambda message, pkt, now: heard.append(message) or [])  # type: ignore[func-returns-value]
    d.does([socket.send(ME, 1, b"self")])
    assert d.sent == [] and len(heard) == 1


def test_every_hop_goes_where_the_graph_says() -> None:
    """The drawn graph and the code agree: a stage's targets are the ones it declares."""
    for kind in ("host", "router", "switch"):
        graph = host(kind).graph()
        assert set(graph) == {*host(kind).stages, "nic.tx"}
        for stage in host(kind).stages.values():
            assert stage.says, f"{stage.name} says nothing of itself"
