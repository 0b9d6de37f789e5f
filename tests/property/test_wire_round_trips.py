"""Whatever a header can hold survives the way to bytes and back."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from netlab.wire import (
    address,
    arp,
    checksum,
    ethernet,
    icmp,
    icmpv6,
    ipv4,
    ipv6,
    mptcp,
    pcap,
    pcapng,
    tcp,
    udp,
    vlan,
    vxlan,
)

u4, u8, u13, u16 = (st.integers(0, 2**bits - 1) for bits in (4, 8, 13, 16))
u20, u24, u32, u64 = (st.integers(0, 2**bits - 1) for bits in (20, 24, 32, 64))
u128 = st.integers(0, 2**128 - 1)
mac = st.binary(min_size=6, max_size=6)
payload = st.binary(max_size=600)
before = st.binary(max_size=40)
"""Bytes in front of a header, so that offsets are tried too."""


@given(before, mac, mac, u16, payload)
def test_ethernet(lead, dst, src, kind, body):
    header = ethernet.parse(lead + ethernet.build(dst, src, kind, body), len(lead))
    assert header == (dst, src, kind)
    assert header.pack() + body == ethernet.build(dst, src, kind, body)


@given(before, u16, mac, u32, mac, u32)
def test_arp(lead, op, sender, sender_ip, target, target_ip):
    data = arp.build(op, sender, sender_ip, target, target_ip)
    header = arp.parse(lead + data, len(lead))
    assert header is not None and header.pack() == data
    assert header[4:] == (op, sender, sender_ip, target, target_ip)


@given(before, u32, u32, u8, payload, u8, u16, u16, u8, st.binary(max_size=40))
def test_ipv4(lead, src, dst, proto, body, ttl, id, fragment, tos, options):
    data = ipv4.build(src, dst, proto, body, ttl=ttl, id=id, fragment=fragment, tos=tos, options=options)
    header = ipv4.parse(lead + data, len(lead))
    assert header is not None
    assert (header.src, header.dst, header.proto, header.ttl) == (src, dst, proto, ttl)
    assert (header.id, header.fragment, header.tos, header.length) == (id, fragment, tos, len(data))
    assert header.size == 20 + (len(options) + 3) // 4 * 4
    assert ipv4.fault(lead + data, len(lead)) == ""
    assert header.pack() == data[:20] and data.endswith(body)


@given(u32, u32, st.integers(1, 255), u8, st.integers(0, 255), payload)
def test_an_ipv4_header_changed_on_its_way_is_the_one_built_anew(src, dst, ttl, tos, new, body):
    packet = ipv4.build(src, dst, 17, body, ttl=ttl, tos=tos)
    assert ipv4.fault(ipv4.with_ttl(packet, new)) == ""
    assert ipv4.with_ttl(packet, new) == ipv4.build(src, dst, 17, body, ttl=new, tos=tos)
    assert ipv4.with_ce(packet) == ipv4.build(src, dst, 17, body, ttl=ttl, tos=tos | 3)


@given(before, u128, u128, u8, payload, u8, u8, u20)
def test_ipv6(lead, src, dst, proto, body, hops, tos, flow):
    data = ipv6.build(src, dst, proto, body, hops=hops, tos=tos, flow=flow)
    header = ipv6.parse(lead + data, len(lead))
    assert header is not None and header.pack() == data[:40]
    assert (header.src, header.dst, header.proto, header.hops) == (src, dst, proto, hops)
    assert (header.tos, header.flow, header.length) == (tos, flow, len(body))
    assert ipv6.fault(data) == ""


@given(st.lists(st.sampled_from([ipv6.HOP_BY_HOP, ipv6.DESTINATION, ipv6.ROUTING]), max_size=5), payload, before)
def test_any_chain_of_ipv6_extensions_is_walked_to_its_end(kinds, body, inside):
    data, proto = body, 17
    for kind in kinds:
        data, proto = ipv6.extension(proto, inside, data), kind
    packet = ipv6.build(1, 2, proto, data)
    found = ipv6.upper(packet)
    assert found is not None and found.proto == 17 and packet[found.at :] == body


@given(u8, u13, st.booleans(), u32, payload)
def test_ipv6_fragments(proto, units, more, id, body):
    header = ipv6.parse_fragment(ipv6.fragment(proto, units * 8, more, id, body))
    assert header is not None
    assert (header.proto, header.offset, header.more_fragments, header.id) == (proto, units * 8, more, id)
    assert header.pack() + body == ipv6.fragment(proto, units * 8, more, id, body)


@given(before, u8, u8, u32, payload)
def test_icmp(lead, kind, code, rest, body):
    data = icmp.build(kind, code, rest, body)
    header = icmp.parse(lead + data, len(lead))
    assert header is not None and header.pack() == data[:8]
    assert (header.type, header.code, header.rest) == (kind, code, rest)
    assert icmp.checksum_ok(lead + data, len(lead))


@given(u8, u8, u32, payload, u128, u128)
def test_icmpv6(kind, code, rest, body, src, dst):
    data = icmpv6.build(kind, code, rest, body, src, dst)
    assert icmpv6.checksum_ok(data, 0, len(data), src, dst)


@given(st.lists(st.tuples(u8, st.binary(min_size=6, max_size=6)), max_size=5))
def test_neighbour_discovery_options(options):
    data = b"".join(icmpv6.option(kind, value) for kind, value in options)
    assert icmpv6.options(data, 0, len(data)) == options


prefixes = st.builds(icmpv6.Prefix, u128, u8, st.booleans(), st.booleans(), u32, u32)
advertisements = st.builds(
    icmpv6.Advertisement, u8, u8, u16, u32, u32, mac, u32, st.lists(prefixes, max_size=3).map(tuple)
)


@given(advertisements)
def test_router_advertisements(said):
    data = icmpv6.router_advertisement(said, 1, 2)
    assert icmpv6.parse_advertisement(data, 0, len(data)) == said


@given(before, u16, u16, payload, u128, u128)
def test_udp(lead, src, dst, body, src_ip, dst_ip):
    data = udp.build(src, dst, body, src_ip, dst_ip)
    header = udp.parse(lead + data, len(lead))
    assert header is not None and header.pack() + body == data
    assert (header.src, header.dst, header.length) == (src, dst, len(data))
    assert header.checksum != 0 and udp.checksum_ok(lead + data, len(lead), src_ip, dst_ip)


maybe = st.none
tcp_options = st.builds(
    tcp.Options,
    mss=maybe() | u16,
    window_scale=maybe() | u8,
    sack_ok=st.booleans(),
    sack=st.lists(st.tuples(u32, u32), max_size=4).map(tuple),
    timestamps=maybe() | st.tuples(u32, u32),
    fast_open=maybe() | st.binary(max_size=16),
    mptcp=st.lists(st.binary(min_size=1, max_size=20), max_size=2).map(tuple),
    other=st.just(()),
).filter(lambda said: len(tcp.pack_options(said)) <= tcp.MAXIMUM_OPTIONS)


@given(before, u16, u16, u32, u32, st.integers(0, 511), u16, payload, u128, u128, tcp_options, u16)
def test_tcp(lead, src, dst, seq, ack, flags, window, body, src_ip, dst_ip, said, urgent):
    options = tcp.pack_options(said)
    data = tcp.build(src, dst, seq, ack, flags, window, body, src_ip, dst_ip, options=options, urgent=urgent)
    whole = lead + data
    header = tcp.parse(whole, len(lead))
    assert header is not None and header.pack() == data[:20]
    assert (header.src, header.dst, header.seq, header.ack) == (src, dst, seq, ack)
    assert (header.flags, header.window, header.urgent) == (flags, window, urgent)
    assert tcp.options(whole, len(lead), header) == said
    assert tcp.checksum_ok(whole, len(lead), len(whole), src_ip, dst_ip)


proof8, proof20 = st.binary(min_size=8, max_size=8), st.binary(min_size=20, max_size=20)
dss = st.tuples(maybe() | u32, u32, u32, u16, maybe() | u16, st.booleans()).map(lambda fields: mptcp.Dss(*fields))
mptcp_options = st.one_of(
    st.builds(mptcp.Capable, u64, u64, u16, maybe() | u16, u8, u4),
    st.builds(mptcp.JoinSyn, st.booleans(), u8, u32, u32),
    st.builds(mptcp.JoinSynAck, st.booleans(), u8, proof8, u32),
    st.builds(mptcp.JoinAck, proof20),
    dss,
    dss.map(lambda said: said._replace(wide_dsn=False)),
    u64.map(mptcp.Dss),
    u32.map(lambda ack: mptcp.Dss(ack, wide_ack=False)),
    st.builds(mptcp.AddAddr, u8, st.just(4), u32, maybe() | u16, proof8 | st.just(b"")),
    st.builds(mptcp.AddAddr, u8, st.just(6), u128, maybe() | u16, proof8 | st.just(b"")),
    st.builds(mptcp.RemoveAddr, st.lists(u8, min_size=1, max_size=5).map(tuple)),
    st.builds(mptcp.Prio, st.booleans()),
    st.builds(mptcp.Fail, u64),
    st.builds(mptcp.FastClose, u64),
    st.builds(mptcp.Reset, u4, u8),
)


@given(mptcp_options)
def test_mptcp(said):
    assert mptcp.parse(said.pack()) == said


@given(before, st.integers(0, 4095), st.integers(0, 7), st.booleans(), u16, payload)
def test_vlan(lead, vid, pcp, dei, kind, body):
    header = vlan.parse(lead + vlan.build(vid, kind, body, pcp=pcp, dei=dei), len(lead))
    assert header is not None
    assert (header.vid, header.pcp, header.dei, header.type) == (vid, pcp, dei, kind)


@given(
    st.binary(min_size=14, max_size=100), st.integers(0, 4095), st.integers(0, 4095), st.sampled_from(sorted(vlan.TAGS))
)
def test_what_is_pushed_is_popped(frame, vid, other, tpid):
    popped = vlan.pop(vlan.swap(vlan.push(frame, vid, tpid=tpid), other))
    assert popped is not None
    assert (popped[0], popped[1].vid, popped[2]) == (tpid, other, frame)


@given(before, u24, payload)
def test_vxlan(lead, vni, frame):
    header = vxlan.parse(lead + vxlan.build(vni, frame), len(lead))
    assert header is not None and header.strict and header.vni == vni
    assert header.pack() + frame == vxlan.build(vni, frame)


@given(u32, u128, mac)
def test_addresses(four, six, link):
    assert address.parse_ipv4(address.format_ipv4(four)) == four
    assert address.parse_ipv6(address.format_ipv6(six)) == six
    assert address.parse_mac(address.format_mac(link)) == link


@given(u16, u16, st.lists(u16, min_size=1, max_size=30), st.data())
def test_an_updated_checksum_still_sums_up(old, new, words, data):
    """RFC 1624: equal to the one computed anew, except where all words are zero, which no IP header is."""
    place = data.draw(st.integers(0, len(words)))
    before = [*words[:place], old, *words[place:], 0x4500]
    after = [*words[:place], new, *words[place:], 0x4500]
    sums = [checksum.internet(b"".join(word.to_bytes(2, "big") for word in all)) for all in (before, after)]
    assert checksum.update16(sums[0], old, new) == sums[1]


records = st.lists(
    st.tuples(u64, st.sampled_from(["h1-eth0", "h2-eth0", "é"]), payload, st.text(max_size=30)), max_size=8
)


@given(records)
def test_captures(packets):
    file = io.BytesIO()
    writer = pcapng.Writer(file)
    for t, name, frame, comment in packets:
        writer.packet(writer.interface(name), t, frame, comment=comment)
    file.seek(0)
    reader = pcapng.Reader(file)
    assert [(p.t, p.interface, p.data, p.comment) for p in reader] == packets
    assert not reader.cut_short


@given(st.lists(st.tuples(st.integers(0, 2**32 * 10**9 - 1), payload), max_size=8))
def test_classic_captures(packets):
    file = io.BytesIO()
    writer = pcap.Writer(file)
    for t, frame in packets:
        writer.packet(t, frame)
    file.seek(0)
    assert [(p.t, p.data) for p in pcap.Reader(file)] == packets
