"""Our codec beside scapy's and dpkt's: the same bytes for the same fields, the same fields for the same bytes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.wire import ethernet, icmp, icmpv6, ipv4, ipv6, tcp, udp, vlan, vxlan
from netlab.wire.address import format_ipv4, format_ipv6, format_mac
from netlab.wire.decode import layers
from netlab.wire.samples import MAC1, MAC2, samples

FRAMES = samples()

u8, u16, u32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
u128 = st.integers(0, 2**128 - 1)
payload = st.binary(max_size=64)


@pytest.fixture(scope="module")
def scapy() -> Any:
    """Scapy with the protocols that are compared."""
    import scapy.all as everything
    from scapy.layers import inet, inet6, l2
    from scapy.layers import vxlan as vxlan_layer

    assert inet and inet6 and l2 and vxlan_layer  # importing them is what makes scapy know them
    return everything


SCAPY_NAMES = {
    "Ethernet": "ethernet",
    "802.1Q": "vlan",
    "802_1AD": "vlan",
    "ARP": "arp",
    "IP": "ipv4",
    "IPv6": "ipv6",
    "ICMP": "icmp",
    "UDP": "udp",
    "TCP": "tcp",
    "VXLAN": "vxlan",
    "IPv6 Extension Header - Fragmentation header": "ipv6.fragment",
    "IPv6 Extension Header - Hop-by-Hop Options Header": "ipv6.extension",
    "IPv6 Extension Header - Destination Options Header": "ipv6.extension",
}


def scapy_layers(packet: Any) -> list[str]:
    """The names of scapy's layers up to where it goes on inside an ICMP message."""
    names: list[str] = []
    for layer in packet.layers():
        if layer.__name__.startswith("ICMPv6"):
            return [*names, "icmpv6"]
        name = layer._name
        if name in ("Raw", "Padding"):
            continue
        names.append(SCAPY_NAMES[name])
        if name == "ICMP":
            return names
    return names


@pytest.mark.parametrize("name", FRAMES)
def test_scapy_finds_the_same_layers(scapy, name):
    ours = [layer for layer, _, _ in layers(FRAMES[name]) if layer != "payload"]
    assert scapy_layers(scapy.Ether(FRAMES[name])) == ours


@pytest.mark.parametrize("name", [name for name in FRAMES if "first fragment" not in name])
def test_scapy_builds_the_same_bytes_and_computes_the_same_checksums(scapy, name):
    """(A first fragment is left out: its UDP checksum covers bytes that are not in it.)"""
    packet = scapy.Ether(FRAMES[name])
    layer = packet
    while layer:
        for field in ("chksum", "cksum"):
            if field in layer.fields and not isinstance(layer, scapy.Raw):
                delattr(layer, field)
        layer = layer.payload
    assert scapy.raw(packet).hex() == FRAMES[name].hex()


@given(u32, u32, u16, u8, u8, st.integers(1024, 4000), st.integers(1024, 4000), payload)
@settings(deadline=None)
def test_udp_over_ipv4_as_scapy_builds_it(src, dst, id, ttl, tos, sport, dport, body):
    from scapy.layers.inet import IP, UDP

    theirs = IP(src=format_ipv4(src), dst=format_ipv4(dst), id=id, ttl=ttl, tos=tos, flags=0)
    theirs /= UDP(sport=sport, dport=dport) / body
    ours = ipv4.build(src, dst, ipv4.UDP, udp.build(sport, dport, body, src, dst), id=id, ttl=ttl, tos=tos)
    assert bytes(theirs).hex() == ours.hex()


scapy_options = st.lists(
    st.sampled_from(
        [
            (("MSS", 1460), {"mss": 1460}),
            (("WScale", 7), {"window_scale": 7}),
            (("SAckOK", b""), {"sack_ok": True}),
            (("Timestamp", (5, 6)), {"timestamps": (5, 6)}),
            (("SAck", (1, 2, 3, 4)), {"sack": ((1, 2), (3, 4))}),
            (("NOP", None), {}),
        ]
    ),
    max_size=5,
    unique_by=lambda option: option[0][0],
)


@given(u128, u128, u32, u32, st.integers(0, 511), u16, payload, scapy_options)
@settings(deadline=None)
def test_tcp_over_ipv6_as_scapy_builds_it(src, dst, seq, ack, flags, window, body, options):
    from scapy.layers.inet import TCP
    from scapy.layers.inet6 import IPv6

    segment = TCP(sport=4000, dport=4001, seq=seq, ack=ack, flags=flags, window=window, options=[o for o, _ in options])
    theirs = bytes(IPv6(src=format_ipv6(src), dst=format_ipv6(dst)) / segment / body)
    found = {name: (header, at) for name, header, at in layers(theirs, "ip")}
    header, at = found["tcp"]
    assert (header.seq, header.ack, header.flags, header.window) == (seq, ack, flags, window)
    assert tcp.checksum_ok(theirs, at, len(theirs), src, dst)
    said = tcp.options(theirs, at, header)
    want: dict[str, Any] = {key: value for _, fields in options for key, value in fields.items()}
    assert said == tcp.Options(**want)
    packed = theirs[at + 20 : at + header.size]
    ours = tcp.build(4000, 4001, seq, ack, flags, window, body, src, dst, options=packed)
    assert ipv6.build(src, dst, ipv4.TCP, ours).hex() == theirs.hex()


@given(u128, u128, u16, u16, payload)
@settings(deadline=None)
def test_ping_over_ipv6_as_scapy_builds_it(src, dst, id, seq, body):
    from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6

    theirs = IPv6(src=format_ipv6(src), dst=format_ipv6(dst)) / ICMPv6EchoRequest(id=id, seq=seq, data=body)
    ours = ipv6.build(src, dst, ipv4.ICMPV6, icmpv6.echo_request(id, seq, body, src, dst))
    assert bytes(theirs).hex() == ours.hex()


@given(st.integers(0, 4095), st.integers(0, 7), st.booleans(), st.integers(0, 2**24 - 1), payload)
@settings(deadline=None)
def test_vxlan_in_qinq_as_scapy_builds_it(vid, pcp, dei, vni, body):
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
    from scapy.layers.vxlan import VXLAN

    inner = ethernet.build(MAC2, MAC1, 0x9999, body)
    link = {"src": format_mac(MAC1), "dst": format_mac(MAC2)}
    theirs = Ether(**link) / Dot1AD(vlan=vid, prio=pcp, dei=dei) / Dot1Q(vlan=7) / IP(src="1.2.3.4", dst="5.6.7.8")
    theirs /= UDP(sport=50000, dport=4789) / VXLAN(vni=vni, flags=8) / Ether(**link, type=0x9999) / body
    datagram = udp.build(50000, vxlan.PORT, vxlan.build(vni, inner), 0x01020304, 0x05060708)
    packet = ipv4.build(0x01020304, 0x05060708, ipv4.UDP, datagram, id=1)
    ours = vlan.push(ethernet.build(MAC2, MAC1, ethernet.IPV4, packet), 7)
    assert bytes(theirs).hex() == vlan.push(ours, vid, pcp=pcp, dei=dei, tpid=vlan.STAG).hex()


@given(u32, u32, u16, u8, u16, u16, payload)
@settings(deadline=None)
def test_dpkt_reads_the_same_ping(src, dst, id, ttl, echo_id, seq, body):
    import dpkt

    frame = ethernet.build(MAC2, MAC1, ethernet.IPV4, b"")
    frame += ipv4.build(src, dst, ipv4.ICMP, icmp.echo_request(echo_id, seq, body), id=id, ttl=ttl)
    ip = dpkt.ethernet.Ethernet(frame).data
    assert (int.from_bytes(ip.src, "big"), int.from_bytes(ip.dst, "big")) == (src, dst)
    assert (ip.id, ip.ttl, ip.data.data.id, ip.data.data.seq) == (id, ttl, echo_id, seq)
    assert ip.data.data.data == body
    built = dpkt.ip.IP(src=ip.src, dst=ip.dst, id=id, ttl=ttl, p=1)
    built.data = dpkt.icmp.ICMP(type=8, data=dpkt.icmp.ICMP.Echo(id=echo_id, seq=seq, data=body))
    built.len = len(built)
    assert bytes(built).hex() == frame[14:].hex()


@given(u32, u32, u32, u32, st.integers(0, 255), u16, payload)
@settings(deadline=None)
def test_dpkt_reads_the_same_segment(src, dst, seq, ack, flags, window, body):
    import dpkt

    options = tcp.pack_options(tcp.Options(mss=1460, timestamps=(1, 2)))
    segment = tcp.build(1, 2, seq, ack, flags, window, body, src, dst, options=options)
    theirs = dpkt.ip.IP(ipv4.build(src, dst, ipv4.TCP, segment)).data
    assert (theirs.seq, theirs.ack, theirs.flags, theirs.win, theirs.data) == (seq, ack, flags, window, body)
    assert dict(dpkt.tcp.parse_opts(theirs.opts))[dpkt.tcp.TCP_OPT_MSS] == (1460).to_bytes(2, "big")
