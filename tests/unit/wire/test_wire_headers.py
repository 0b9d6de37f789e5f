"""Headers of layers two and three: the bytes they are, what they say, and what is refused."""

from __future__ import annotations

import struct

import pytest

from netlab.wire import arp, ethernet, icmp, icmpv6, ipv4, ipv6, udp, vlan, vxlan
from netlab.wire.address import parse_ipv4, parse_ipv6, parse_mac

MAC1, MAC2 = parse_mac("02:00:00:00:00:01"), parse_mac("02:00:00:00:00:02")
A, B = parse_ipv4("10.0.1.10"), parse_ipv4("10.0.2.10")
A6, B6 = parse_ipv6("fd00:1::10"), parse_ipv6("fd00:2::10")


def ping(**fields: int) -> bytes:
    return ipv4.build(A, B, ipv4.ICMP, icmp.echo_request(1, 3, b"abc"), **fields)


def test_a_frame_starts_with_where_it_goes():
    frame = ethernet.build(MAC2, MAC1, ethernet.IPV4, b"payload")
    assert frame == MAC2 + MAC1 + b"\x08\x00payload"
    assert ethernet.parse(frame) == ethernet.Header(MAC2, MAC1, 0x0800)
    assert len(ethernet.pad(frame)) == 60


def test_arp_asks_and_is_answered():
    question = arp.parse(arp.request(MAC1, A, B))
    assert question is not None
    assert (question.op, question.target_ip, question.target_mac) == (arp.REQUEST, B, bytes(6))
    answer = arp.parse(arp.reply(question, MAC2))
    assert answer == arp.Header(1, 0x0800, 6, 4, arp.REPLY, MAC2, B, MAC1, A)
    assert not answer.gratuitous


def test_arp_about_anything_but_ipv4_over_ethernet_is_not_read():
    data = bytearray(arp.request(MAC1, A, B))
    data[1] = 6  # hardware type: IEEE 802
    assert arp.parse(data) is None


def test_an_ipv4_header_as_it_stands_in_textbooks():
    """The header that Wikipedia's article on the checksum works through."""
    header = ipv4.header(
        parse_ipv4("192.168.0.1"), parse_ipv4("192.168.0.199"), 17, 95, ttl=64, fragment=ipv4.DONT_FRAGMENT
    )
    assert header.hex() == "45000073000040004011b861c0a80001c0a800c7"


def test_what_an_ipv4_header_says():
    packet = ping(ttl=9, id=77, fragment=ipv4.MORE_FRAGMENTS | 185, tos=0xB9)
    header = ipv4.parse(packet)
    assert header is not None
    assert (header.size, header.length, header.ttl, header.id, header.proto) == (20, 31, 9, 77, ipv4.ICMP)
    assert (header.dscp, header.ecn) == (46, ipv4.ECT1)
    assert (header.more_fragments, header.dont_fragment, header.offset, header.is_fragment) == (True, False, 1480, True)
    assert header.pack() == packet[:20]


def test_a_router_changes_the_ttl_and_the_checksum_stays_right():
    for ttl in (255, 64, 2, 1):
        forwarded = ipv4.with_ttl(ping(ttl=ttl), ttl - 1)
        assert forwarded == ping(ttl=ttl - 1)


def test_a_queue_marks_congestion_and_the_checksum_stays_right():
    assert ipv4.with_ce(ping(tos=ipv4.ECT0)) == ping(tos=ipv4.CE)


def test_options_are_padded_and_read_back():
    packet = ipv4.build(A, B, ipv4.ICMP, b"", options=b"\x01\x94\x04\0\0")
    header = ipv4.parse(packet)
    assert header is not None and header.size == 28
    assert ipv4.fault(packet) == ""
    assert ipv4.options(packet) == [(0x94, b"\0\0")]


@pytest.mark.parametrize("options", [b"\x94\x00\0\0", b"\x94\x01\0\0", b"\x94\x09\0\0", b"\x01\x01\x01\x94"])
def test_malformed_options_are_none(options):
    assert ipv4.options(ipv4.build(A, B, ipv4.ICMP, b"", options=options)) is None


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda p: p[:19], "19 bytes are too few for an IPv4 header"),
        (lambda p: b"\x65" + p[1:], "IP version is 6, not 4"),
        (lambda p: b"\x44" + p[1:], "IPv4 header length 16 is impossible in 31 bytes"),
        (lambda p: b"\x4f" + p[1:], "IPv4 header length 60 is impossible in 31 bytes"),
        (lambda p: p[:2] + b"\0\x13" + p[4:], "IPv4 total length 19 is impossible with a 20 byte header and 31 bytes"),
        (lambda p: p[:30], "IPv4 total length 31 is impossible with a 20 byte header and 30 bytes"),
        (lambda p: p[:8] + b"\x01" + p[9:], "IPv4 header checksum is wrong"),
        (lambda p: p, ""),
    ],
)
def test_a_host_says_why_it_drops_a_packet(spoil, complaint):
    assert ipv4.fault(spoil(ping())) == complaint


def test_ipv6_reads_128_bit_addresses():
    packet = ipv6.build(A6, B6, ipv4.UDP, b"abc", hops=9, tos=0xB9, flow=0x12345)
    header = ipv6.parse(packet)
    assert header == ipv6.Header(0x6B912345, 3, ipv4.UDP, 9, A6, B6)
    assert (header.tos, header.ecn, header.flow) == (0xB9, 1, 0x12345)
    assert header.pack() == packet[:40]
    assert ipv6.with_hops(packet, 8) == ipv6.build(A6, B6, ipv4.UDP, b"abc", hops=8, tos=0xB9, flow=0x12345)
    assert ipv6.with_ce(packet) == ipv6.build(A6, B6, ipv4.UDP, b"abc", hops=9, tos=0xBB, flow=0x12345)
    assert (ipv6.fault(packet), ipv6.fault(packet[:42])) == ("", "IPv6 payload length 3 is impossible in 42 bytes")


def test_ipv6_extension_headers_are_walked_to_the_transport():
    datagram = udp.build(1, 2, b"abc", A6, B6)
    inside = ipv6.extension(ipv6.FRAGMENT, b"", ipv6.fragment(ipv4.UDP, 0, True, 5, datagram))
    packet = ipv6.build(A6, B6, ipv6.HOP_BY_HOP, ipv6.extension(ipv6.DESTINATION, bytes(7), inside))
    found = ipv6.upper(packet)
    assert found is not None
    assert (found.proto, packet[found.at :]) == (ipv4.UDP, datagram)
    assert found.fragment == ipv6.Fragment(ipv4.UDP, 0, 1, 5)


def test_behind_a_later_fragment_there_is_no_transport_header_to_walk_to():
    packet = ipv6.build(A6, B6, ipv6.FRAGMENT, ipv6.fragment(ipv6.DESTINATION, 8, False, 5, b"rest"))
    found = ipv6.upper(packet)
    assert found is not None and packet[found.at :] == b"rest"


def test_an_extension_header_that_is_cut_short_ends_the_walk():
    packet = ipv6.build(A6, B6, ipv6.HOP_BY_HOP, ipv6.extension(ipv6.NO_NEXT, bytes(20)))
    assert ipv6.upper(packet) is not None
    assert ipv6.upper(packet[:-1]) is None


def test_an_icmp_error_quotes_and_stays_within_576_bytes():
    message = icmp.time_exceeded(ipv4.build(A, B, ipv4.UDP, bytes(1400)))
    header = icmp.parse(message)
    assert header is not None and header.is_error
    assert (header.type, header.code, len(message) + 20) == (11, 0, 576)
    assert icmp.checksum_ok(message)


def test_an_icmpv6_checksum_covers_the_addresses():
    message = icmpv6.echo_request(1, 2, b"abc", A6, B6)
    assert icmpv6.checksum_ok(message, 0, len(message), A6, B6)
    assert not icmpv6.checksum_ok(message, 0, len(message), A6, B6 + 1)


def test_neighbours_tell_their_link_addresses():
    question = icmpv6.neighbor_solicitation(B6, MAC1, A6, B6)
    assert icmpv6.parse_neighbor(question, 0, len(question)) == icmpv6.Neighbor(B6, MAC1)
    probe = icmpv6.neighbor_solicitation(B6, b"", 0, B6)
    assert icmpv6.parse_neighbor(probe, 0, len(probe)) == icmpv6.Neighbor(B6, b"")
    answer = icmpv6.neighbor_advertisement(B6, MAC2, B6, A6)
    assert icmpv6.parse_neighbor(answer, 0, len(answer)) == icmpv6.Neighbor(B6, MAC2)


def test_a_neighbour_option_of_length_zero_is_malformed():
    """RFC 4861 §4.6: such a packet must be dropped; a reader that goes on would never end."""
    question = bytearray(icmpv6.neighbor_solicitation(B6, MAC1, A6, B6))
    question[25] = 0
    assert icmpv6.parse_neighbor(question, 0, len(question)) is None


def test_a_router_advertises_and_is_understood():
    said = icmpv6.Advertisement(
        64, 0x40, 1800, 30000, 1000, MAC1, 1400, (icmpv6.Prefix(A6, 64), icmpv6.Prefix(B6, 48, False, False, 10, 5))
    )
    message = icmpv6.router_advertisement(said, A6, B6)
    assert icmpv6.parse_advertisement(message, 0, len(message)) == said


def test_udp_sends_a_checksum_of_zero_as_its_complement():
    """RFC 768: 0 would mean that there is none."""
    payload = struct.pack("!H", 0xFFFF - (1 + 2 + 10 + 17 + 10))
    datagram = udp.build(1, 2, payload, 0, 0)
    header = udp.parse(datagram)
    assert header == udp.Header(1, 2, 10, 0xFFFF)
    assert udp.checksum_ok(datagram, 0, 0, 0)


def test_a_udp_datagram_without_a_checksum_is_believed():
    datagram = udp.header(1, 2, 3) + b"abc"
    assert udp.checksum_ok(datagram, 0, A, B)


def test_a_partial_checksum_is_finished_by_summing_the_datagram():
    """What a device does for a stack that leaves the checksum to it."""
    from netlab.wire.checksum import internet

    undone = udp.partial(40000, 9000, b"hello", A, B)
    assert undone[:6] + internet(undone).to_bytes(2, "big") + undone[8:] == udp.build(40000, 9000, b"hello", A, B)


def test_udp_of_a_length_below_its_header_is_not_read():
    assert udp.parse(udp.header(1, 2, 0)[:4] + b"\0\x07\0\0") is None


def test_vlan_tags_nest():
    plain = ethernet.build(MAC2, MAC1, ethernet.IPV4, b"payload")
    tagged = vlan.push(vlan.push(plain, 2001, pcp=5), 200, pcp=1, dei=True, tpid=vlan.STAG)
    assert tagged[12:22].hex() == "88a830c8" + "8100a7d1" + "0800"
    assert [(tpid, tag.vid, tag.pcp, tag.dei) for tpid, tag in vlan.tags(tagged)] == [
        (vlan.STAG, 200, 1, True),
        (vlan.CTAG, 2001, 5, False),
    ]
    outer = vlan.pop(tagged)
    assert outer is not None and outer[1].vid == 200
    inner = vlan.pop(outer[2])
    assert inner is not None and inner[2] == plain
    assert vlan.pop(plain) is None


def test_a_bridge_swaps_a_vlan_and_keeps_its_priority():
    plain = ethernet.build(MAC2, MAC1, ethernet.IPV4, b"payload")
    assert vlan.swap(vlan.push(plain, 10, pcp=6), 20) == vlan.push(plain, 20, pcp=6)
    assert vlan.swap(plain, 20) == plain


def test_priority_zero_is_not_the_lowest():
    """IEEE 802.1Q: 1 is background, and comes below best effort."""
    assert vlan.SERVICE_ORDER.index(1) < vlan.SERVICE_ORDER.index(0) < vlan.SERVICE_ORDER.index(2)


def test_a_vxlan_header_is_a_flag_and_a_network():
    assert vxlan.build(0x123456).hex() == "0800000012345600"
    header = vxlan.parse(vxlan.build(100, b"frame"))
    assert header is not None
    assert (header.vni, header.valid, header.strict) == (100, True, True)
    odd = vxlan.Header(vxlan.VNI_VALID | 1, 100 << 8)
    assert (odd.valid, odd.strict) == (True, False)


def test_a_listener_tells_which_groups_it_joined():
    report = icmpv6.listener_report([A6, B6], 1, 2)
    assert report[6:8] == b"\x00\x02"
    assert report[8:] == b"\x04\0\0\0" + A6.to_bytes(16, "big") + b"\x04\0\0\0" + B6.to_bytes(16, "big")
    assert icmpv6.listener_report([A6], 1, 2, joined=False)[8] == icmpv6.TO_INCLUDE


def test_icmp_errors_that_advise_and_that_point():
    header = icmp.parse(icmp.redirect(B, ping()))
    assert header is not None and (header.type, header.code, header.rest) == (icmp.REDIRECT, 1, B)
    header = icmp.parse(icmp.parameter_problem(20, ping()))
    assert header is not None and (header.type, header.rest >> 24) == (icmp.PARAMETER_PROBLEM, 20)
