"""Whole frames: layer by layer, in words, and as keys."""

from __future__ import annotations

import pytest

from netlab.wire import arp, ethernet, icmp, ipv4, ipv6, tcp, udp, vlan, vxlan
from netlab.wire.decode import describe, five_tuple, flow_hash, flow_key, layers, malformed
from netlab.wire.samples import IP1, IP2, IP61, IP62, MAC1, MAC2, samples, vxlan_in_vlan

FRAMES = samples()


def names(frame: bytes) -> list[str]:
    return [name for name, _, _ in layers(frame)]


def frame4(packet: bytes) -> bytes:
    return ethernet.build(MAC2, MAC1, ethernet.IPV4, packet)


def test_eight_headers_are_found_where_they_are():
    found = layers(vxlan_in_vlan())
    assert [(name, at) for name, _, at in found] == [
        *(("ethernet", 0), ("vlan", 14), ("ipv4", 18), ("udp", 38), ("vxlan", 46)),
        *(("ethernet", 54), ("ipv4", 68), ("udp", 88), ("payload", 96)),
    ]
    assert found[4][1].vni == 100
    assert found[-1][1] == bytes(range(64))


def test_padding_behind_a_packet_is_no_payload():
    frame = ethernet.pad(frame4(ipv4.build(IP1, IP2, ipv4.UDP, udp.build(1, 2, b"x", IP1, IP2))))
    assert len(frame) == 60
    assert layers(frame)[-1][:2] == ("payload", b"x")


def test_a_bare_packet_can_be_read_too():
    for packet, first in ((ipv4.build(IP1, IP2, 17, b""), "ipv4"), (ipv6.build(IP61, IP62, 17, b""), "ipv6")):
        assert layers(packet, "ip")[0][0] == first


@pytest.mark.parametrize("name", FRAMES)
def test_no_sample_is_malformed(name):
    assert malformed(layers(FRAMES[name])) == ""


@pytest.mark.parametrize("cut", [0, 13, 20, 33, 41])
def test_a_frame_that_is_cut_short_says_so(cut):
    assert malformed(layers(FRAMES["udp"][:cut]))


def test_a_frame_of_nothing_but_tags_ends():
    frame = MAC2 + MAC1 + b"\x81\x00\x00\x01" * 10000
    found = layers(frame)
    assert len(found) < 40 and malformed(found)


def test_packets_in_packets_end():
    packet = b""
    for _ in range(100):
        packet = ipv4.build(IP1, IP2, ipv4.IPIP, packet)
    assert len(layers(packet, "ip")) < 40 and malformed(layers(packet, "ip"))


SAID = {
    "arp request": "ARP who has 10.0.1.1? tell 10.0.1.10",
    "arp reply": "ARP 10.0.1.1 is at 02:00:00:00:00:02",
    "icmp echo request": "ICMP echo request 10.0.1.10 → 10.0.2.10 id 1 seq 3 ttl 64",
    "icmp echo reply": "ICMP echo reply 10.0.2.10 → 10.0.1.10 id 1 seq 3 ttl 64",
    "icmp time exceeded": (
        "ICMP time exceeded 10.0.1.1 → 10.0.1.10 ttl 64 about ICMP echo request 10.0.1.10 → 10.0.2.10 id 1 seq 3 ttl 64"
    ),
    "icmp port unreachable": (
        "ICMP port unreachable 10.0.2.10 → 10.0.1.10 ttl 64 about UDP 10.0.1.10:40000 → 10.0.2.10:9000 1 byte ttl 64"
    ),
    "icmp fragmentation needed": (
        "ICMP fragmentation needed 10.0.1.1 → 10.0.1.10 mtu 1400 ttl 64 about ICMP echo request 10.0.1.10 → "
        "10.0.2.10 id 1 seq 3 ttl 64"
    ),
    "icmp redirect": (
        "ICMP redirect 10.0.1.1 → 10.0.1.10 ttl 64 about ICMP echo request 10.0.1.10 → 10.0.2.10 id 1 seq 3 ttl 64"
    ),
    "icmp parameter problem": (
        "ICMP parameter problem 10.0.1.1 → 10.0.1.10 ttl 64 about "
        "ICMP echo request 10.0.1.10 → 10.0.2.10 id 1 seq 3 ttl 64"
    ),
    "udp": "UDP 10.0.1.10:40000 → 10.0.2.10:9000 5 bytes ttl 64",
    "udp odd length": "UDP 10.0.1.10:40000 → 10.0.2.10:9000 3 bytes ttl 64",
    "ipv4 options": "ICMP echo request 10.0.1.10 → 10.0.2.10 id 1 seq 4 ttl 64",
    "ipv4 first fragment": "UDP 10.0.1.10:40000 → 10.0.2.10:9000 3000 bytes ttl 64 (first fragment)",
    "ipv4 middle fragment": "IPv4 fragment 10.0.1.10 → 10.0.2.10 UDP id 11 bytes 1480–2959 ttl 64",
    "ipv4 last fragment": "IPv4 fragment 10.0.1.10 → 10.0.2.10 UDP id 11 bytes 2960–3007 ttl 64",
    "icmpv6 echo request": "ICMPv6 echo request fd00:1::10 → fd00:2::10 id 1 seq 3 hops 64",
    "icmpv6 packet too big": (
        "ICMPv6 packet too big fd00:2::10 → fd00:1::10 mtu 1280 hops 64 about ICMPv6 echo request fd00:1::10 "
        "→ fd00:2::10 id 1 seq 3 hops 64"
    ),
    "icmpv6 time exceeded": (
        "ICMPv6 time exceeded fd00:2::10 → fd00:1::10 hops 64 about ICMPv6 echo request fd00:1::10 → "
        "fd00:2::10 id 1 seq 3 hops 64"
    ),
    "icmpv6 port unreachable": (
        "ICMPv6 port unreachable fd00:2::10 → fd00:1::10 hops 64 about UDP [fd00:1::10]:40000 → "
        "[fd00:2::10]:9000 5 bytes hops 64"
    ),
    "udp over ipv6": "UDP [fd00:1::10]:40000 → [fd00:2::10]:9000 5 bytes hops 64",
    "ipv6 extensions": "UDP [fd00:1::10]:40000 → [fd00:2::10]:9000 5 bytes hops 64",
    "ipv6 first fragment": "UDP [fd00:1::10]:40000 → [fd00:2::10]:9000 2000 bytes hops 64 (first fragment)",
    "ipv6 last fragment": "IPv6 fragment fd00:1::10 → fd00:2::10 UDP id 77 bytes 1400–2007 hops 64",
    "neighbour solicitation": "ICMPv6 who has fe80::ff:fe00:2? tell fe80::ff:fe00:1",
    "neighbour advertisement": "ICMPv6 fe80::ff:fe00:1 is at 02:00:00:00:00:01",
    "router solicitation": "ICMPv6 router solicitation fe80::ff:fe00:1 → ff02::2 hops 255",
    "router advertisement": "ICMPv6 router advertisement fe80::ff:fe00:1 → ff02::1 hops 255",
    "listener report": "ICMPv6 multicast listener report v2 fe80::ff:fe00:1 → ff02::16 hops 1",
    "tcp syn": (
        "TCP 10.0.1.10:40000 → 10.0.2.10:80 SYN seq 1000 win 65535 mss 1460 wscale 7 sackOK ts 123456 ecr 0 ttl 64"
    ),
    "tcp data": (
        "TCP 10.0.1.10:40000 → 10.0.2.10:80 PSH ACK seq 1001 ack 5001 win 65535 18 bytes ts 123456 ecr 654321 ttl 64"
    ),
    "tcp sack": (
        "TCP 10.0.1.10:40000 → 10.0.2.10:80 ACK seq 1019 ack 5001 win 65535 sack 7000–8000 sack 9000–9500 ts "
        "123456 ecr 654321 ttl 64"
    ),
    "tcp fast open": (
        "TCP 10.0.1.10:40000 → 10.0.2.10:80 SYN seq 1000 win 65535 5 bytes mss 1460 fast open 636f6f6b69653636 ttl 64"
    ),
    "tcp ecn": "TCP 10.0.1.10:40000 → 10.0.2.10:80 ACK ECE seq 1019 ack 6001 win 65535 ttl 64",
    "tcp reset": "TCP 10.0.1.10:40000 → 10.0.2.10:80 RST ACK seq 1019 ack 6001 win 65535 ttl 64",
    "tcp over ipv6": "TCP [fd00:1::10]:40000 → [fd00:2::10]:80 ACK seq 1 ack 2 win 100 8 bytes hops 64",
    "mptcp capable syn": "TCP 10.0.1.10:40000 → 10.0.2.10:80 SYN seq 3000 win 65535 mptcp capable ttl 64",
    "mptcp capable syn ack": (
        "TCP 10.0.1.10:40000 → 10.0.2.10:80 SYN ACK seq 3000 ack 4000 win 65535 mptcp capable ttl 64"
    ),
    "mptcp capable ack": ("TCP 10.0.1.10:40000 → 10.0.2.10:80 ACK seq 3000 ack 4000 win 65535 mptcp capable ttl 64"),
    "mptcp join syn": "TCP 10.0.1.10:40000 → 10.0.2.10:80 SYN seq 3000 win 65535 mptcp join ttl 64",
    "mptcp join syn ack": ("TCP 10.0.1.10:40000 → 10.0.2.10:80 SYN ACK seq 3000 ack 4000 win 65535 mptcp join ttl 64"),
    "mptcp join ack": "TCP 10.0.1.10:40000 → 10.0.2.10:80 ACK seq 3000 ack 4000 win 65535 mptcp join ttl 64",
    "mptcp dss": (
        "TCP 10.0.1.10:40000 → 10.0.2.10:80 ACK seq 3000 ack 4000 win 65535 4 bytes mptcp dss ack 5 dsn "
        "14413541604287230030 ssn 1 length 4 ttl 64"
    ),
    "mptcp add address": (
        "TCP 10.0.1.10:40000 → 10.0.2.10:80 ACK seq 3000 ack 4000 win 65535 mptcp add address 2 10.0.1.1 ttl 64"
    ),
    "mptcp add address echo": (
        "TCP 10.0.1.10:40000 → 10.0.2.10:80 ACK seq 3000 ack 4000 win 65535 mptcp add address 2 fd00:1::10 echo ttl 64"
    ),
    "mptcp remove address": (
        "TCP 10.0.1.10:40000 → 10.0.2.10:80 ACK seq 3000 ack 4000 win 65535 mptcp remove address ttl 64"
    ),
    "mptcp priority": ("TCP 10.0.1.10:40000 → 10.0.2.10:80 ACK seq 3000 ack 4000 win 65535 mptcp priority ttl 64"),
    "mptcp fail": "TCP 10.0.1.10:40000 → 10.0.2.10:80 ACK seq 3000 ack 4000 win 65535 mptcp fail ttl 64",
    "mptcp fast close": ("TCP 10.0.1.10:40000 → 10.0.2.10:80 ACK seq 3000 ack 4000 win 65535 mptcp fast close ttl 64"),
    "mptcp reset": "TCP 10.0.1.10:40000 → 10.0.2.10:80 RST seq 3000 win 65535 mptcp reset ttl 64",
    "vlan": "VLAN 10 pcp 3: ARP who has 10.0.1.1? tell 10.0.1.10",
    "priority tag": "VLAN 0 pcp 6: UDP 10.0.1.10:40000 → 10.0.2.10:9000 5 bytes ttl 64",
    "qinq": "VLAN 200 pcp 1: VLAN 2001 pcp 5: UDP 10.0.1.10:40000 → 10.0.2.10:9000 5 bytes ttl 64",
    "vxlan": ("VLAN 200 pcp 3: VXLAN 100 10.0.1.10 → 10.0.2.10: UDP 10.0.1.10:40000 → 10.0.2.10:9000 64 bytes ttl 64"),
    "vxlan legacy port": ("VXLAN 100 10.0.1.10 → 10.0.2.10: ICMP echo request 10.0.1.10 → 10.0.2.10 id 1 seq 3 ttl 64"),
    "vxlan over ipv6": ("VXLAN 100 fd00:1::10 → fd00:2::10: ICMP echo request 10.0.1.10 → 10.0.2.10 id 1 seq 3 ttl 64"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_in_one_line(name):
    assert describe(FRAMES[name]) == SAID[name]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (b"", "malformed: Ethernet header is cut short or impossible in 0 bytes"),
        (
            FRAMES["udp"][:40],
            "IPv4 10.0.1.10 → 10.0.2.10 UDP 13 bytes ttl 64 "
            "(malformed: UDP header is cut short or impossible in 6 bytes)",
        ),
        (
            ethernet.build(MAC2, MAC1, 0x9000, b"abc"),
            "Ethernet 02:00:00:00:00:01 → 02:00:00:00:00:02 type 0x9000 3 bytes",
        ),
        (ethernet.build(MAC2, MAC1, 3, b"abc"), "Ethernet 02:00:00:00:00:01 → 02:00:00:00:00:02 802.3 length 3"),
        (frame4(ipv4.build(IP1, IP2, 132, b"abc")), "IPv4 10.0.1.10 → 10.0.2.10 protocol 132 3 bytes ttl 64"),
        (
            ethernet.build(MAC2, MAC1, ethernet.ARP, arp.build(3, MAC1, IP1, MAC2, IP2)),
            "ARP operation 3 10.0.1.10 → 10.0.2.10",
        ),
    ],
)
def test_odd_frames_in_one_line(frame, said):
    assert describe(frame) == said


# ---- keys ----------------------------------------------------------------------------------------


def forwarded(frame: bytes) -> bytes:
    """The frame as a router sends it on."""
    return ethernet.build(MAC1, MAC2, ethernet.IPV4, ipv4.with_ce(ipv4.with_ttl(frame[14:], frame[22] - 1)))


def test_a_packet_keeps_its_key_through_routers_tags_and_padding():
    frame = FRAMES["icmp echo request"]
    key = flow_key(frame)
    assert flow_key(forwarded(frame)) == key
    assert flow_key(vlan.push(vlan.push(forwarded(frame), 10), 20, tpid=vlan.STAG)) == key
    assert flow_key(ethernet.pad(frame)) == key


def test_an_ipv6_packet_keeps_its_key_through_routers():
    frame = FRAMES["ipv6 extensions"]
    assert flow_key(frame[:14] + ipv6.with_ce(ipv6.with_hops(frame[14:], 3))) == flow_key(frame)


def test_a_checksum_that_was_left_to_the_device_does_not_change_the_key():
    done = udp.build(40000, 9000, b"hello", IP1, IP2)
    undone = udp.partial(40000, 9000, b"hello", IP1, IP2)
    assert done != undone
    assert flow_key(frame4(ipv4.build(IP1, IP2, 17, done))) == flow_key(frame4(ipv4.build(IP1, IP2, 17, undone)))


def test_every_sample_has_a_key_of_its_own():
    keys = {name: flow_key(frame) for name, frame in FRAMES.items() if name not in ("vlan", "priority tag", "qinq")}
    assert len(set(keys.values())) == len(keys)


@pytest.mark.parametrize(
    "other",
    [
        ipv4.build(IP1, IP2, ipv4.ICMP, icmp.echo_request(1, 4, b"abc"), id=7),
        ipv4.build(IP1, IP2, ipv4.ICMP, icmp.echo_request(1, 3, b"abd"), id=7),
        ipv4.build(IP1, IP2, ipv4.ICMP, icmp.echo_request(1, 3, b"abc"), id=8),
        ipv4.build(IP2, IP1, ipv4.ICMP, icmp.echo_request(1, 3, b"abc"), id=7),
        ipv4.build(IP1, IP2, ipv4.ICMP, icmp.echo_request(1, 3, b"abc"), id=7, fragment=1),
    ],
)
def test_another_packet_has_another_key(other):
    packet = ipv4.build(IP1, IP2, ipv4.ICMP, icmp.echo_request(1, 3, b"abc"), id=7)
    assert flow_key(frame4(other)) != flow_key(frame4(packet))


def test_frames_of_other_kinds_have_keys_that_padding_does_not_change():
    frame = ethernet.build(MAC2, MAC1, 0x88CC, b"who I am")
    assert flow_key(ethernet.pad(frame)) == flow_key(frame)
    assert flow_key(ethernet.build(MAC2, MAC1, 0x88CD, b"who I am")) != flow_key(frame)
    assert flow_key(b"") != flow_key(b"x")


def test_layers_of_tcp_give_the_place_of_its_options():
    found = {name: (header, at) for name, header, at in layers(FRAMES["tcp syn"])}
    header, at = found["tcp"]
    assert tcp.options(FRAMES["tcp syn"], at, header).mss == 1460


def test_what_is_no_vxlan_on_its_port_is_payload():
    datagram = udp.build(1, vxlan.PORT, b"\0" * 60, IP1, IP2)
    assert names(frame4(ipv4.build(IP1, IP2, 17, datagram)))[-2:] == ["udp", "payload"]


# ---- flows ---------------------------------------------------------------------------------------


def test_a_flow_is_addresses_protocol_and_ports():
    assert five_tuple(FRAMES["udp"]) == (IP1, IP2, 17, 40000, 9000)
    assert five_tuple(FRAMES["tcp over ipv6"]) == (IP61, IP62, 6, 40000, 80)
    assert five_tuple(FRAMES["ipv6 extensions"]) == (IP61, IP62, 17, 40000, 9000)
    assert five_tuple(FRAMES["icmp echo request"]) == (IP1, IP2, 1, 0, 0)
    assert five_tuple(FRAMES["arp request"]) is None


def test_all_fragments_are_of_one_flow():
    for version, proto in (("ipv4", 17), ("ipv6", 17)):
        flows = {five_tuple(FRAMES[f"{version} {which} fragment"]) for which in ("first", "last")}
        assert len(flows) == 1
        flow = flows.pop()
        assert flow is not None and (flow.proto, flow.src_port, flow.dst_port) == (proto, 0, 0)


def test_a_tunnel_is_a_flow_of_its_own():
    assert five_tuple(vxlan_in_vlan()) == (IP1, IP2, 17, 50000, vxlan.PORT)


def test_a_hash_stays_the_same_on_the_way_and_spreads_flows_over_source_ports():
    frame = FRAMES["udp"]
    assert flow_hash(forwarded(frame)) == flow_hash(vlan.push(frame, 10)) == flow_hash(frame)
    flows = [frame4(ipv4.build(IP1, IP2, 17, udp.build(port, 9, b"", IP1, IP2))) for port in range(1000)]
    ports = {vxlan.source_port(flow_hash(flow)) for flow in flows}
    assert min(ports) >= 49152 and max(ports) <= 65535
    assert len(ports) > 900
