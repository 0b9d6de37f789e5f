"""Long packets on their way through hosts: datagrams, LRO, routers, VLANs and tunnels; on the wire nothing differs."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from desk import PEER_MAC, Desk, address
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.stack import ifapi
from netlab.stack.fib import Route
from netlab.stack.host import Host
from netlab.stack.ifcaps import CHECKSUMS, Capability
from netlab.stack.ifnet import Address, Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import LroLimits, Offload, coalesce, cut, lro, places
from netlab.stack.offload.cut import fragments
from netlab.stack.sockets import Datagram, Message, UdpSocket
from netlab.stack.stage import Hop, to
from netlab.stack.vlan import VlanLink
from netlab.stack.vxlan import Vtep
from netlab.wire import ethernet, icmp, icmpv6, ipv4, ipv6, tcp, udp
from netlab.wire.checksum import internet
from netlab.wire.tcp import ACK, CWR, FIN, PSH, URG

NEAR, FAR = address("10.0.1.2"), address("10.0.2.2")
FAR_MAC = bytes.fromhex("0200000000aa")


def stamps(value: int) -> bytes:
    return b"\x01\x01" + tcp.option(tcp.TIMESTAMPS, value.to_bytes(4, "big") + (77).to_bytes(4, "big"))


def segment(
    text: bytes,
    seq: int = 1000,
    *,
    ack: int = 77,
    flags: int = ACK,
    ident: int = 0,
    window: int = 500,
    ts: int = 5,
    port: int = 5000,
    dst: int = FAR,
    mac: bytes = bytes((2, 0, 0, 0, 1, 0)),
    tos: int = 0,
    ttl: int = 64,
    options: bytes | None = None,
) -> bytes:
    said = stamps(ts) if options is None else options
    made = tcp.build(port, 80, seq, ack, flags, window, text, NEAR, dst, options=said)
    packet = ipv4.build(NEAR, dst, ipv4.TCP, made, id=ident, fragment=ipv4.DONT_FRAGMENT, tos=tos, ttl=ttl)
    return ethernet.build(mac, PEER_MAC, ethernet.IPV4, packet)


def stream(count: int, size: int = 1000, **more: int) -> list[bytes]:
    return [segment(bytes([n]) * size, 1000 + n * size, ident=n, **more) for n in range(count)]  # type: ignore[arg-type]


def sums_up(frame: bytes) -> bool:
    """By a parser that nobody here wrote."""
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.l2 import Ether

    made, again = Ether(frame), Ether(frame)
    layer = TCP if TCP in made else UDP
    del again[IP].chksum
    del again[layer].chksum
    again = Ether(bytes(again))
    return bool(made[IP].chksum == again[IP].chksum and made[layer].chksum == again[layer].chksum)


# ---- LRO -----------------------------------------------------------------------------------------


def joined(frames: list[bytes], limits: LroLimits = LroLimits()) -> list[bytes]:  # noqa: B008  (immutable)
    return [m.data for m in lro([Mbuf(frame) for frame in frames], limits)[0]]


def test_lro_keeps_the_newest_acknowledgement_window_and_timestamp() -> None:
    old = segment(b"a" * 100, 1000, ack=77, window=500, ts=5)
    new = segment(b"b" * 100, 1100, ack=99, window=700, ts=6, flags=ACK | PSH)
    (one,) = joined([old, new])
    assert one == segment(b"a" * 100 + b"b" * 100, 1000, ack=99, window=700, ts=6, flags=ACK | PSH)
    assert sums_up(one)


def test_pure_acknowledgements_become_one_but_a_duplicate_is_seen() -> None:
    acks = [segment(b"", 1000, ack=77 + 1000 * n) for n in range(5)]
    assert joined(acks) == [acks[-1]]
    assert joined([acks[0], acks[0], acks[0]]) == [acks[0]] * 3


REFUSED = {
    "FIN": segment(b"b" * 100, 1100, flags=ACK | FIN),
    "URG": segment(b"b" * 100, 1100, flags=ACK | URG),
    "CWR": segment(b"b" * 100, 1100, flags=ACK | CWR),
    "a hole": segment(b"b" * 100, 1101),
    "an older timestamp": segment(b"b" * 100, 1100, ts=4),
    "no timestamp": segment(b"b" * 100, 1100, options=b""),
    "other options": segment(b"b" * 100, 1100, options=tcp.option(tcp.SACK, bytes(8)) + b"\x01\x01"),
    "an older acknowledgement": segment(b"b" * 100, 1100, ack=76),
    "another time to live": segment(b"b" * 100, 1100, ttl=63),
    "a mark of congestion": segment(b"b" * 100, 1100, tos=3),
    "another port": segment(b"b" * 100, 1100, port=5001),
    "a wrong checksum": segment(b"b" * 100, 1100)[:-1] + b"!",
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_says_something_else_goes_up_by_itself_and_not_before_its_flow(what: str) -> None:
    first = segment(b"a" * 100)
    assert joined([first, REFUSED[what]]) == [first, REFUSED[what]]


FOLLOWING = {**REFUSED, "SYN": segment(b"b" * 100, 1100, ident=1, flags=ACK | tcp.SYN)}
ENDS = ("FIN",)
"""What GRO may join, for the whole says it in its last piece."""


@pytest.mark.parametrize("what", [what for what in FOLLOWING if what not in ENDS])
def test_gro_does_not_join_what_could_not_be_cut_again(what: str) -> None:
    first = segment(b"a" * 100)
    frame = FOLLOWING[what]
    frame = frame[:18] + b"\0\1" + frame[20:]  # the identifier that would follow
    frame = frame[:24] + b"\0\0" + frame[26:]
    frame = frame[:24] + ipv4_sum(frame[14:34]) + frame[26:]
    assert [m.data for m in coalesce([Mbuf(first), Mbuf(frame)])[0]] == [first, frame]


def ipv4_sum(header: bytes) -> bytes:
    return internet(header).to_bytes(2, "big")


def test_gro_tells_eight_flows_of_a_bucket_apart_and_lets_the_oldest_go() -> None:
    mixed = [segment(b"x" * 10, 1000 + 10 * n, ident=n, port=port) for n in range(2) for port in range(400)]
    _, absorbed = coalesce([Mbuf(frame) for frame in mixed])
    assert not absorbed, "of 400 flows none is still held when its second segment comes"
    assert len(coalesce([Mbuf(frame) for frame in mixed if frame[34:36] < b"\0\x08"])[1]) == 8


@settings(max_examples=40)
@given(st.integers(2, 40), st.integers(1, 1200), st.integers(0, 1199))
def test_datagrams_joined_and_cut_are_the_same_datagrams(count: int, size: int, last: int) -> None:
    sizes = [size] * (count - 1) + [min(max(last, 1), size)]
    frames = []
    for n, length in enumerate(sizes):
        datagram = udp.build(7000, 9, bytes([n]) * length, NEAR, FAR)
        packet = ipv4.build(NEAR, FAR, ipv4.UDP, datagram, id=65530 + n & 0xFFFF)
        frames.append(ethernet.build(bytes(6), PEER_MAC, ethernet.IPV4, packet))
    (whole,), absorbed = coalesce([Mbuf(frame) for frame in frames], {9})
    assert len(absorbed) == count - 1
    assert whole.offload == Offload(size, partial=True)
    assert cut(whole.data, size) == frames


def test_datagrams_for_others_are_left_alone() -> None:
    datagram = udp.build(7000, 9, b"x" * 100, NEAR, FAR)
    frames = [
        ethernet.build(bytes(6), PEER_MAC, ethernet.IPV4, ipv4.build(NEAR, FAR, ipv4.UDP, datagram, id=n))
        for n in range(3)
    ]
    assert not coalesce([Mbuf(frame) for frame in frames], {10})[1]


def test_a_ninth_flow_goes_up_as_it_comes_unless_the_batch_is_sorted() -> None:
    mixed = [segment(b"x" * 10, 1000 + 10 * n, port=port) for n in range(4) for port in range(12)]
    assert len(joined(mixed)) == 8 + 4 * 4
    assert len(joined(mixed, LroLimits(sort=True))) == 12


def test_lro_stops_at_its_limits() -> None:
    assert len(joined(stream(60, 1400))) == 2, "an IP packet has 65,535 bytes"
    assert len(joined(stream(9, 100), LroLimits(acks=3))) == 3


def test_lro_is_refused_on_a_router() -> None:
    eth0 = Ifnet("eth0", bytes(6))
    eth0.capabilities = Capability.LRO | Capability.GRO
    Host("r", "router", (eth0,), ())
    with pytest.raises(ValueError, match="LRO cannot be undone, and its host forwards; GRO can be"):
        ifapi.if_set_capenable(ifapi.If(eth0), Capability.LRO)
    ifapi.if_set_capenable(ifapi.If(eth0), Capability.GRO)
    assert eth0.joins == "gro"


def test_what_was_switched_on_before_there_was_a_host_counts_too() -> None:
    eth0 = Ifnet("eth0", bytes(6))
    eth0.capenable = Capability.LRO | Capability.TXCSUM
    host = Host("r", "router", (eth0,), ())
    assert eth0.joins == "gro" and host.tcp.delays4


def test_who_cuts_must_sum() -> None:
    eth0 = Ifnet("eth0", bytes(6))
    eth0.capabilities = Capability.TSO | Capability.TXCSUM
    with pytest.raises(ValueError, match="who cuts must sum, so TSO needs TXCSUM"):
        ifapi.if_set_capenable(ifapi.If(eth0), Capability.TSO)


# ---- datagrams -----------------------------------------------------------------------------------


def datagrams(payload: bytes, segsz: int, *, can: Capability = Capability.NONE) -> Desk:
    eth0 = Ifnet("eth0", bytes((2, 0, 0, 0, 1, 0)), (Address(address("10.0.1.1"), 24),))
    eth0.capenable = can
    host = Host("x", "host", (eth0,), (Route(address("10.0.1.0"), 24, 0, "eth0"),))
    host.neighbours.learn(NEAR, PEER_MAC, eth0, 0, create=True)
    socket = UdpSocket(host, 7000, lambda *_: [], segsz=segsz)
    return Desk(host).does([socket.send(NEAR, 9, payload)])


@settings(max_examples=25)
@given(st.integers(1, 6000), st.integers(8, 1472))
def test_a_payload_is_sent_as_datagrams_as_if_each_had_been_given_alone(size: int, segsz: int) -> None:
    payload = random.Random(size).randbytes(size)
    together = [frame for _, frame in datagrams(payload, segsz).sent]
    alone = Desk(datagrams(b"", 0).host)
    alone.host.ip_id = 0
    socket = UdpSocket(alone.host, 7001, lambda *_: [])
    for at in range(0, size, segsz):
        alone.does([socket.send(NEAR, 9, payload[at : at + segsz])])
    sevens = [frame[:34] + (7000).to_bytes(2, "big") + frame[36:] for _, frame in alone.sent]
    assert [f[:40] + f[42:] for f in together] == [f[:40] + f[42:] for f in sevens], "all but the checksum of the port"
    assert all(udp.checksum_ok(f, 34, address("10.0.1.1"), NEAR) for f in together)


def test_a_device_that_cuts_datagrams_gets_them_whole() -> None:
    d = datagrams(bytes(5000), 1000, can=CHECKSUMS | Capability.USO)
    ((_, frame),) = d.sent
    assert len(frame) == 14 + 28 + 5000
    assert "gso" not in d.visited


def test_datagrams_larger_than_the_mtu_are_not_cut_into_fragments_behind_ones_back() -> None:
    frames = [frame for _, frame in datagrams(bytes(6000), 2000).sent]
    assert len(frames) == 6, "three datagrams of two fragments each"
    assert all(len(frame) <= 1514 for frame in frames)


@pytest.mark.parametrize("asked", [True, False])
def test_datagrams_that_came_together_are_given_together_to_who_asked(asked: bool) -> None:
    heard: list[Message] = []

    def hear(message: Message, pkt: int, now: int) -> list[Hop]:
        heard.append(message)
        return []

    eth0 = Ifnet("eth0", bytes((2, 0, 0, 0, 1, 0)), (Address(address("10.0.1.1"), 24),))
    eth0.capenable = Capability.GRO
    host = Host("x", "host", (eth0,), ())
    UdpSocket(host, 9, hear, joined=asked)
    vector = []
    for n in range(4):
        payload = udp.build(7000, 9, bytes([n]) * (100 if n < 3 else 40), NEAR, address("10.0.1.1"))
        packet = ipv4.build(NEAR, address("10.0.1.1"), ipv4.UDP, payload, id=n)
        vector.append(Mbuf(ethernet.build(eth0.mac, PEER_MAC, ethernet.IPV4, packet), pkt=n + 1, rcvif=eth0))
    batch(Desk(host), vector)
    whole = b"".join(bytes([n]) * (100 if n < 3 else 40) for n in range(4))
    assert all(isinstance(message, Datagram) for message in heard)
    assert b"".join(m.payload for m in heard if isinstance(m, Datagram)) == whole
    assert [m.segsz for m in heard if isinstance(m, Datagram)] == ([100] if asked else [0] * 4)


def test_a_long_datagram_is_cut_into_the_same_fragments_late_as_early() -> None:
    early = [frame for _, frame in datagrams(bytes(range(256)) * 20, 0).sent]
    d = datagrams(bytes(range(256)) * 20, 0, can=Capability.GSO)
    assert [frame for _, frame in d.sent] == early and len(early) == 4
    assert "gso" in d.visited and "ip.fragment" not in d.visited


@pytest.mark.parametrize("six", [False, True])
def test_a_long_echo_request_is_cut_late_as_well(six: bool) -> None:
    request = icmpv6.echo_request(1, 1, bytes(5000), 1, 2) if six else icmp.echo_request(1, 1, bytes(5000))
    packet = ipv6.build(1, 2, 58, request) if six else ipv4.build(1, 2, ipv4.ICMP, request)
    frame = ethernet.build(bytes(6), bytes(6), ethernet.IPV6 if six else ethernet.IPV4, packet)
    made = fragments(frame, 1500, 7)
    assert len(made) == 4 and all(len(one) <= 1514 for one in made)


# ---- on their way --------------------------------------------------------------------------------


def router(mtu: int = 1500, use: Capability = Capability.GRO) -> Desk:
    eth0 = Ifnet("eth0", bytes((2, 0, 0, 0, 1, 0)), (Address(address("10.0.1.1"), 24),))
    eth1 = Ifnet("eth1", bytes((2, 0, 0, 0, 1, 1)), (Address(address("10.0.2.1"), 24),), mtu=mtu)
    eth0.capenable = use
    routes = (Route(address("10.0.1.0"), 24, 0, "eth0"), Route(address("10.0.2.0"), 24, 0, "eth1"))
    host = Host("r", "router", (eth0, eth1), routes)
    host.neighbours.learn(FAR, FAR_MAC, eth1, 0, create=True)
    host.neighbours.learn(NEAR, PEER_MAC, eth0, 0, create=True)
    return Desk(host)


def batch(d: Desk, vector: list[Mbuf]) -> Desk:
    """As one vector through the ring and what joins; from there on a packet at a time, as desks do it."""
    hops = d.host.stages["nic.rx"].run(d.host, vector, 0)
    if hops[0][0] == "gro":
        hops = d.host.stages["gro"].run(d.host, vector, 0)
    return d.does(hops)


def arrive(d: Desk, frames: list[bytes], interface: str = "eth0") -> Desk:
    ifp = d.host.interfaces[interface]
    return batch(d, [Mbuf(frame, pkt=n + 1, rcvif=ifp) for n, frame in enumerate(frames)])


def test_what_a_router_joins_leaves_it_as_it_came() -> None:
    frames = stream(20, 1000)
    plain = arrive(router(use=Capability.NONE), frames)
    joining = arrive(router(), frames)
    assert joining.sent == plain.sent and len(plain.sent) == 20
    assert joining.visited.count("ip.forward") == 1 and "gso" in joining.visited
    assert all(sums_up(frame) for _, frame in joining.sent)


def test_a_router_refuses_a_joined_segment_whose_pieces_do_not_fit() -> None:
    d = arrive(router(mtu=900), stream(5, 1000))
    assert [interface for interface, _ in d.sent] == ["eth0"], "one message: fragmentation needed"
    assert "larger than the MTU 900" in d.drops[0]


def bridge(use: Capability) -> Desk:
    ports = tuple(Ifnet(f"eth{n}", bytes((2, 0, 0, 0, 1, n))) for n in range(3))
    for port in ports:
        port.capenable = use
    return Desk(Host("s", "switch", ports, ()))


def test_what_a_bridge_joins_and_floods_leaves_every_port_as_it_came() -> None:
    frames = stream(10, 1000)
    found = sorted(arrive(bridge(Capability.GRO), frames).sent)
    assert found == sorted(arrive(bridge(Capability.NONE), frames).sent)
    assert len(found) == 20


def sender(below: str, use: Capability) -> Desk:
    eth0 = Ifnet("eth0", bytes((2, 0, 0, 0, 1, 0)), (Address(address("10.0.9.1"), 24),), mtu=1600)
    eth0.capenable = use
    link = VlanLink(eth0, 5) if below == "vlan" else Vtep(42, address("10.0.9.1"), (address("10.0.9.2"),))
    upper = Ifnet("up", bytes((2, 0, 0, 0, 1, 9)), (Address(address("10.0.2.1"), 24),), below=link)
    routes = (Route(address("10.0.2.0"), 24, 0, "up"), Route(address("10.0.9.0"), 24, 0, "eth0"))
    host = Host("x", "host", (eth0, upper), routes)
    host.neighbours.learn(FAR, FAR_MAC, upper, 0, create=True)
    host.neighbours.learn(address("10.0.9.2"), PEER_MAC, eth0, 0, create=True)
    return Desk(host)


def sends_long(d: Desk, text: bytes) -> Iterator[bytes]:
    made = tcp.build(5000, 80, 1000, 77, ACK, 500, text, NEAR, FAR, options=stamps(5), partial=True)
    m = Mbuf(ipv4.build(NEAR, FAR, ipv4.TCP, made, id=7, fragment=ipv4.DONT_FRAGMENT), pkt=1)
    m.offload, m.ifp, m.next_hop = Offload(1000, partial=True), d.host.interfaces["up"], FAR
    d.does([to("ether.output", m)])
    return (frame for _, frame in d.sent)


def test_a_vlan_hands_long_segments_down_to_a_device_that_cuts_them() -> None:
    text = bytes(range(250)) * 20
    (whole,) = sends_long(sender("vlan", CHECKSUMS | Capability.TSO), text)
    cut_here = list(sends_long(sender("vlan", Capability.NONE), text))
    assert cut(whole, 1000) == cut_here and len(cut_here) == 5
    assert all(frame[12:16] == b"\x81\x00\x00\x05" and len(frame) == 18 + 52 + 1000 for frame in cut_here)


def test_a_tunnel_wraps_only_what_can_be_on_a_wire() -> None:
    text = bytes(range(250)) * 20
    wrapped = list(sends_long(sender("vxlan", CHECKSUMS | Capability.TSO), text))
    inner = [frame[50:] for frame in wrapped]
    assert len(inner) == 5 and all(sums_up(frame) for frame in inner)
    joined_again, _ = coalesce([Mbuf(frame) for frame in inner])
    at = places(joined_again[0].data)
    assert at is not None and joined_again[0].data[at.text :] == text


def test_what_was_checked_outside_a_tunnel_is_not_believed_inside() -> None:
    d = sender("vxlan", Capability.NONE)
    bad = segment(b"x" * 50, dst=address("10.0.2.1"), mac=bytes((2, 0, 0, 0, 1, 9)))[:-1] + b"!"
    payload = b"\x08\0\0\0\0\0\x2a\0" + bad
    outer = ipv4.build(address("10.0.9.2"), address("10.0.9.1"), ipv4.UDP, udp.header(5, 4789, len(payload)) + payload)
    m = Mbuf(ethernet.build(bytes((2, 0, 0, 0, 1, 0)), PEER_MAC, ethernet.IPV4, outer), pkt=1)
    m.rcvif, m.offload = d.host.interfaces["eth0"], Offload(checked=True)
    d.does([to("nic.rx", m)])
    assert d.drops == ["TCP checksum is wrong"]
