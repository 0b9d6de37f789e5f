"""A VTEP on a desk: wrapping, unwrapping, learning, flooding, and what is refused (RFC 7348)."""

from __future__ import annotations

import pytest
from desk import PEER_MAC, Desk, address

from netlab.stack.fib import Route
from netlab.stack.host import Host
from netlab.stack.ifnet import Address, Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.stack.stage import to
from netlab.stack.vxlan import AGEING, LIMIT, Vtep
from netlab.topology.spec import PortVlan
from netlab.wire import arp, ecn, ethernet, icmp, icmpv6, ipv4, ipv6, udp, vxlan
from netlab.wire.address import parse_ipv6
from netlab.wire.decode import layers, malformed

MAC, VTEP_MAC = bytes.fromhex("020000000100"), bytes.fromhex("020000000180")
INNER, OTHER = bytes.fromhex("020000000280"), bytes.fromhex("020000000380")
ME, NEAR, FAR = (address(f"10.0.1.{n}") for n in (1, 2, 3))


def desk(*, port: int = vxlan.PORT, kind: str = "host", mtu: int = 1450) -> Desk:
    """blue is VXLAN 42 from 10.0.1.1 to 10.0.1.2 and .3; on a switch it is a port beside eth1."""
    eth0 = Ifnet("eth0", MAC, (Address(ME, 24),))
    held = (Address(address("192.168.42.1"), 24),) if kind == "host" else ()
    blue = Ifnet("blue", VTEP_MAC, held, mtu=mtu, below=Vtep(42, ME, (NEAR, FAR), port=port))
    others = (Ifnet("eth1", MAC), Ifnet("eth2", MAC)) if kind == "switch" else ()
    routes = (Route(address("10.0.1.0"), 24, 0, "eth0"), Route(address("192.168.42.0"), 24, 0, "blue"))
    host = Host("x", kind, (eth0, *others, blue), routes)
    for far in (NEAR, FAR):
        host.neighbours.learn(far, PEER_MAC, eth0, 0, create=True)
    return Desk(host)


def outer(payload: bytes, *, src: int = NEAR, dst: int = ME, port: int = vxlan.PORT) -> bytes:
    datagram = udp.header(50000, port, len(payload)) + payload
    return ethernet.build(MAC, PEER_MAC, ethernet.IPV4, ipv4.build(src, dst, ipv4.UDP, datagram))


def inner(dst: bytes = VTEP_MAC, src: bytes = INNER, body: bytes = bytes(46), type: int = 0x9999) -> bytes:
    return ethernet.build(dst, src, type, body)


def unwrapped(frame: bytes) -> tuple[int, int, int, int, bytes]:
    """(outer source, outer destination, UDP source port, VNI, inner frame); the frame must be sound."""
    assert not malformed(layers(frame))
    ip, datagram, header = ipv4.parse(frame, 14), udp.parse(frame, 34), vxlan.parse(frame, 42)
    assert ip is not None and datagram is not None and header is not None and header.strict
    assert datagram.checksum == 0 and datagram.dst == vxlan.PORT
    return ip.src, ip.dst, datagram.src, header.vni, frame[50:]


def sends(d: Desk, dst: str) -> Desk:
    packet = ipv4.build(address("192.168.42.1"), address(dst), ipv4.UDP, udp.build(5, 6, b"x", 1, 2))
    m = Mbuf(packet, pkt=9)
    m.ifp, m.next_hop = d.host.interfaces["blue"], address(dst)
    return d.does([to("ether.output", m)])


def test_what_is_for_everybody_goes_to_every_far_end() -> None:
    d = sends(desk(), "192.168.42.2")
    copies = [unwrapped(frame) for _, frame in d.takes_sent()]
    assert [(src, dst, vni) for src, dst, _, vni, _ in copies] == [(ME, NEAR, 42), (ME, FAR, 42)]
    question = arp.parse(copies[0][4], 14)
    assert question is not None and question.sender_mac == VTEP_MAC
    assert copies[0][4] == copies[1][4] and copies[0][4][:6] == b"\xff" * 6


def test_an_answer_teaches_where_its_sender_is_and_then_one_copy_is_enough() -> None:
    d = desk()
    reply = arp.build(arp.REPLY, INNER, address("192.168.42.2"), VTEP_MAC, address("192.168.42.1"))
    d.receives(outer(vxlan.build(42, inner(body=reply, type=ethernet.ARP)), src=FAR))
    vtep = d.host.interfaces["blue"].below
    assert isinstance(vtep, Vtep) and vtep.stations[INNER].remote == FAR
    d.host.neighbours.learn(address("192.168.42.2"), INNER, d.host.interfaces["blue"], 0, create=True)
    sends(d, "192.168.42.2")
    [(_, frame)] = d.takes_sent()
    assert unwrapped(frame)[1] == FAR
    d.waits(AGEING)
    assert vtep.ways(INNER, d.now) == (NEAR, FAR), "it is forgotten after 20 minutes"


def test_a_ping_through_the_tunnel_is_answered_through_it() -> None:
    d = desk()
    request = ipv4.build(address("192.168.42.2"), address("192.168.42.1"), ipv4.ICMP, icmp.echo_request(1, 1, b"hello"))
    d.host.neighbours.learn(address("192.168.42.2"), INNER, d.host.interfaces["blue"], 0, create=True)
    d.receives(outer(vxlan.build(42, inner(body=request, type=ethernet.IPV4))))
    [(_, frame)] = d.takes_sent()
    src, dst, _, vni, answer = unwrapped(frame)
    message = icmp.parse(answer, 34)
    assert (src, dst, vni) == (ME, NEAR, 42) and message is not None and message.type == icmp.ECHO_REPLY


def test_the_source_port_is_the_inner_flows() -> None:
    def port(dst: int) -> int:
        vtep = desk()
        packet = ipv4.build(1, 2, ipv4.UDP, udp.build(1000, dst, b"x", 1, 2))
        m = Mbuf(inner(INNER, VTEP_MAC, packet, ethernet.IPV4), pkt=1)
        m.ifp = vtep.host.interfaces["blue"]
        vtep.does([to("vxlan.output", m)])
        return unwrapped(vtep.sent[0][1])[2]

    ports = {dst: port(dst) for dst in range(200)}
    assert all(49152 <= found <= 65535 for found in ports.values())
    assert len(set(ports.values())) > 150 and port(7) == ports[7]


@pytest.mark.parametrize(
    ("payload", "dst", "reason"),
    [
        (vxlan.build(43, inner()), ME, "VXLAN 43 has no end here"),
        (b"\0\0\0\0" + vxlan.build(42, inner())[4:], ME, "VXLAN header has no valid VNI (its I flag is 0)"),
        (vxlan.build(42, inner())[:7], ME, "VXLAN frame is cut short"),
        (vxlan.build(42, inner())[:15], ME, "VXLAN frame is cut short"),
        (vxlan.build(42, inner()), address("10.0.1.255"), "VXLAN 42 has no end here"),
    ],
)
def test_what_is_not_for_this_tunnel_is_dropped_by_name(payload: bytes, dst: int, reason: str) -> None:
    d = desk().receives(outer(payload, dst=dst))
    assert d.drops == [reason]
    vtep = d.host.interfaces["blue"].below
    assert isinstance(vtep, Vtep) and not vtep.stations


def test_reserved_bits_are_ignored_as_the_rfc_says() -> None:
    odd = b"\x8f\xff\xff\xff" + (42 << 8 | 0xFF).to_bytes(4, "big") + inner(dst=OTHER)
    assert desk().receives(outer(odd)).drops == ["frame is for another station"], "the inner frame came out"


def test_the_legacy_port_is_a_port_like_any_other() -> None:
    d = desk(port=vxlan.LEGACY_PORT).receives(outer(vxlan.build(42, inner(dst=OTHER)), port=vxlan.LEGACY_PORT))
    assert d.drops == ["frame is for another station"]
    d = desk(port=vxlan.LEGACY_PORT).receives(outer(vxlan.build(42, inner())))
    assert d.drops == ["no socket at UDP port 4789"]


def test_the_tunnel_takes_fifty_bytes_of_the_mtu() -> None:
    d = desk()
    for size in (1450, 1451):
        m = Mbuf(inner(body=bytes(size)), pkt=1)
        m.ifp = d.host.interfaces["blue"]
        d.does([to("vxlan.output", m)])
    assert [len(frame) for _, frame in d.sent] == [14 + 1500] * 2, "one frame, twice: nobody is known yet"
    assert d.drops == ["frame with 1451 bytes is too long for blue, whose MTU is 1450"]


def test_group_addresses_are_not_learned_and_the_table_has_a_bound() -> None:
    vtep = Vtep(42, ME, (NEAR,))
    vtep.learn(b"\x01" + bytes(5), FAR, 0)
    for n in range(LIMIT + 5):
        vtep.learn(bytes((2, 0, 1, 0)) + n.to_bytes(2, "big"), FAR, 0)
    assert len(vtep.stations) == LIMIT
    vtep.learn(INNER, FAR, 1)
    assert INNER not in vtep.stations
    vtep.learn(INNER, FAR, AGEING)
    assert list(vtep.stations) == [INNER], "what is no longer believed makes room"


# ---- as a port of a bridge -----------------------------------------------------------------------


def test_a_bridge_learns_through_its_tunnels_and_never_sends_back_into_them() -> None:
    d = desk(kind="switch").receives(outer(vxlan.build(42, inner(dst=b"\xff" * 6))))
    assert [name for name, _ in d.takes_sent()] == ["eth1", "eth2"]
    d.receives(inner(dst=INNER, src=OTHER), "eth1")
    [(name, frame)] = d.takes_sent()
    assert name == "eth0" and unwrapped(frame)[1] == NEAR and unwrapped(frame)[4] == inner(dst=INNER, src=OTHER)
    d.receives(outer(vxlan.build(42, inner(dst=OTHER)), src=FAR))
    assert [name for name, _ in d.takes_sent()] == ["eth1"]


def test_a_tunnel_is_of_one_vlan_of_a_bridge() -> None:
    d = desk(kind="switch")
    eth0, blue = d.host.interfaces["eth0"], d.host.interfaces["blue"]
    ports = [Ifnet("eth1", MAC, vlan=PortVlan(access=10)), Ifnet("eth2", MAC, vlan=PortVlan(access=20))]
    tunnel = Ifnet("blue", VTEP_MAC, mtu=1450, below=blue.below, vlan=PortVlan(access=10))
    host = Host("x", "switch", (eth0, *ports, tunnel), (Route(address("10.0.1.0"), 24, 0, "eth0"),))
    host.neighbours.learn(NEAR, PEER_MAC, eth0, 0, create=True)
    host.neighbours.learn(FAR, PEER_MAC, eth0, 0, create=True)
    d = Desk(host).receives(inner(), "eth1")
    assert [name for name, _ in d.takes_sent()] == ["eth0", "eth0"]
    d.receives(inner(), "eth2")
    assert d.sent == [] and d.drops == ["no other port of VLAN 20"]
    d.receives(outer(vxlan.build(42, inner(dst=b"\xff" * 6))))
    assert [name for name, _ in d.takes_sent()] == ["eth1"]


# ---- over IPv6 -----------------------------------------------------------------------------------

ME6, NEAR6 = parse_ipv6("fd00::1"), parse_ipv6("fd00::2")


def desk6() -> Desk:
    """blue is VXLAN 42 from fd00::1 to fd00::2."""
    eth0 = Ifnet("eth0", MAC)
    blue = Ifnet("blue", VTEP_MAC, mtu=1430, below=Vtep(42, ME6, (NEAR6,), family=6))
    host = Host("x", "host", (eth0, blue), ())
    host.inet6.add(eth0, ME6, 64)
    return Desk(host)


def outer6(payload: bytes, *, checksum: bool = True, dst: int = ME6) -> bytes:
    datagram = udp.build(50000, vxlan.PORT, payload, NEAR6, dst)
    if not checksum:
        datagram = datagram[:6] + b"\0\0" + datagram[8:]
    return ethernet.build(MAC, PEER_MAC, ethernet.IPV6, ipv6.build(NEAR6, dst, udp.PROTO, datagram))


def test_over_ipv6_the_checksum_is_made_and_asked_for() -> None:
    d = desk6()
    m = Mbuf(inner(body=bytes(1430)), pkt=1)
    m.ifp = d.host.interfaces["blue"]
    d.does([to("vxlan.output", m)]).takes_sent()
    told = icmpv6.neighbor_advertisement(NEAR6, PEER_MAC, NEAR6, ME6)
    answer = ipv6.build(NEAR6, ME6, icmpv6.PROTO, told, hops=255)
    d.receives(ethernet.build(MAC, PEER_MAC, ethernet.IPV6, answer))
    [(_, frame)] = d.takes_sent()
    datagram, header = udp.parse(frame, 54), vxlan.parse(frame, 62)
    assert datagram is not None and datagram.checksum and udp.checksum_ok(frame, 54, ME6, NEAR6)
    assert header is not None and header.vni == 42 and frame[70:] == inner(body=bytes(1430))
    assert len(frame) == 14 + 1500, "the tunnel takes seventy bytes"

    d.receives(outer6(vxlan.build(42, inner(dst=OTHER))))
    assert d.drops == ["frame is for another station"], "the inner frame came out"
    d.receives(outer6(vxlan.build(42, inner()), checksum=False))
    assert d.drops[1:] == ["UDP checksum is wrong"]


def test_a_tunnel_over_one_version_of_ip_takes_nothing_by_the_other() -> None:
    d = desk()
    d.host.inet6.add(d.host.interfaces["eth0"], ME6, 64)
    d.receives(outer6(vxlan.build(42, inner())))
    assert d.drops == ["VXLAN 42 has no end here"]


def packet(tos: int) -> bytes:
    """A frame of an IP packet, as it travels inside."""
    return inner(OTHER, body=ipv4.build(1, 2, ipv4.UDP, bytes(40), tos=tos), type=ethernet.IPV4)


@pytest.mark.parametrize("tos", [ipv4.NOT_ECT, ipv4.ECT1, ipv4.ECT0, ipv4.CE])
def test_a_tunnels_packet_can_be_marked_if_the_inner_one_can(tos: int) -> None:
    """RFC 6040 §4.1; a whole DSCP stays inside."""
    d = desk(kind="switch").receives(packet(0xB8 | tos), "eth1")
    assert [ecn.codepoint(f) for name, f in d.sent if name == "eth0"] == [tos, tos]


@pytest.mark.parametrize(
    ("within", "without", "after"),
    [
        (ipv4.ECT0, ipv4.ECT0, ipv4.ECT0),
        (ipv4.ECT0, ipv4.CE, ipv4.CE),
        (ipv4.ECT1, ipv4.CE, ipv4.CE),
        (ipv4.CE, ipv4.ECT0, ipv4.CE),
        (ipv4.NOT_ECT, ipv4.ECT0, ipv4.NOT_ECT),
        (ipv4.NOT_ECT, ipv4.CE, None),
    ],
)
def test_a_mark_on_the_way_through_the_tunnel_is_taken_inside(within: int, without: int, after: int | None) -> None:
    """RFC 6040 §4.2: what cannot be told of it is dropped, for that is what the mark stood for."""
    datagram = udp.header(50000, vxlan.PORT, 8 + len(packet(within))) + vxlan.build(42) + packet(within)
    frame = ethernet.build(MAC, PEER_MAC, ethernet.IPV4, ipv4.build(NEAR, ME, ipv4.UDP, datagram, tos=without))
    d = desk(kind="switch").receives(frame)
    came = [ecn.codepoint(f) for name, f in d.sent if name == "eth1"]
    assert came == ([] if after is None else [after])
    assert d.drops == (["marked in the tunnel, and it cannot be told so"] if after is None else [])
