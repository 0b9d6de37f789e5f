"""One frame of every kind that `netlab.wire` can build: for examples, fuzzing seeds, and comparing with other tools."""

from __future__ import annotations

from netlab.wire import arp, ethernet, icmp, icmpv6, ipv4, ipv6, mptcp, tcp, udp, vlan, vxlan
from netlab.wire.address import (
    BROADCAST,
    link_local,
    multicast_mac6,
    parse_ipv4,
    parse_ipv6,
    parse_mac,
    solicited_node,
)

MAC1, MAC2 = parse_mac("02:00:00:00:00:01"), parse_mac("02:00:00:00:00:02")
IP1, IP2, ROUTER = parse_ipv4("10.0.1.10"), parse_ipv4("10.0.2.10"), parse_ipv4("10.0.1.1")
IP61, IP62 = parse_ipv6("fd00:1::10"), parse_ipv6("fd00:2::10")
LINK1, LINK2, ALL_NODES = link_local(MAC1), link_local(MAC2), parse_ipv6("ff02::1")
ALL_ROUTERS, ALL_MLD2 = parse_ipv6("ff02::2"), parse_ipv6("ff02::16")
KEY1, KEY2 = 0x1FDB5DF328BC3DEF, 0x29A6C86981AD933C


def samples() -> dict[str, bytes]:
    """Frames by name; all are well formed, all checksums are right."""
    frames = {**_arp(), **_ipv4(), **_ipv6(), **_neighbors(), "listener report": _listener(), **_tcp(), **_mptcp()}
    return {**frames, **_tagged(frames), **_tunnelled(frames)}


def vxlan_in_vlan() -> bytes:
    """The 160-byte frame of eight headers by which codecs are compared: a VLAN tag outside, VXLAN within."""
    inner = ethernet.build(MAC2, MAC1, ethernet.IPV4, _udp4(bytes(range(64)), id=2))
    outer = udp.build(50000, vxlan.PORT, vxlan.build(100, inner), IP1, IP2)
    return vlan.push(_frame4(ipv4.build(IP1, IP2, ipv4.UDP, outer, id=1)), 200, pcp=3)


def _frame4(packet: bytes) -> bytes:
    return ethernet.build(MAC2, MAC1, ethernet.IPV4, packet)


def _frame6(packet: bytes, dst: bytes = MAC2) -> bytes:
    return ethernet.build(dst, MAC1, ethernet.IPV6, packet)


def _udp4(payload: bytes, *, id: int) -> bytes:
    return ipv4.build(IP1, IP2, ipv4.UDP, udp.build(40000, 9000, payload, IP1, IP2), id=id)


def _arp() -> dict[str, bytes]:
    asked = arp.request(MAC1, IP1, ROUTER)
    question = arp.parse(asked)
    assert question is not None  # it was just built
    return {
        "arp request": ethernet.build(BROADCAST, MAC1, ethernet.ARP, asked),
        "arp reply": ethernet.build(MAC1, MAC2, ethernet.ARP, arp.reply(question, MAC2)),
    }


def _ipv4() -> dict[str, bytes]:
    ping = ipv4.build(IP1, IP2, ipv4.ICMP, icmp.echo_request(1, 3, b"netlab" * 4), id=7)
    big = udp.build(40000, 9000, bytes(3000), IP1, IP2)
    return {
        "icmp echo request": _frame4(ping),
        "icmp echo reply": _frame4(ipv4.build(IP2, IP1, ipv4.ICMP, icmp.echo_reply(1, 3, b"netlab" * 4), id=8)),
        "icmp time exceeded": _frame4(ipv4.build(ROUTER, IP1, ipv4.ICMP, icmp.time_exceeded(ping))),
        "icmp port unreachable": _frame4(
            ipv4.build(IP2, IP1, ipv4.ICMP, icmp.unreachable(icmp.PORT_UNREACHABLE, _udp4(b"x", id=1)))
        ),
        "icmp fragmentation needed": _frame4(
            ipv4.build(ROUTER, IP1, ipv4.ICMP, icmp.unreachable(icmp.FRAGMENTATION_NEEDED, ping, mtu=1400))
        ),
        "icmp redirect": _frame4(ipv4.build(ROUTER, IP1, ipv4.ICMP, icmp.redirect(ROUTER + 1, ping))),
        "icmp parameter problem": _frame4(ipv4.build(ROUTER, IP1, ipv4.ICMP, icmp.parameter_problem(1, ping))),
        "udp": _frame4(_udp4(b"hello", id=9)),
        "udp odd length": _frame4(_udp4(b"odd", id=10)),
        "ipv4 options": _frame4(ipv4.build(IP1, IP2, ipv4.ICMP, icmp.echo_request(1, 4), options=b"\x94\x04\0\0")),
        "ipv4 first fragment": _frame4(ipv4.build(IP1, IP2, ipv4.UDP, big[:1480], id=11, fragment=ipv4.MORE_FRAGMENTS)),
        "ipv4 middle fragment": _frame4(
            ipv4.build(IP1, IP2, ipv4.UDP, big[1480:2960], id=11, fragment=ipv4.MORE_FRAGMENTS | 185)
        ),
        "ipv4 last fragment": _frame4(ipv4.build(IP1, IP2, ipv4.UDP, big[2960:], id=11, fragment=370)),
    }


def _ipv6() -> dict[str, bytes]:
    ping = ipv6.build(IP61, IP62, ipv4.ICMPV6, icmpv6.echo_request(1, 3, b"netlab" * 4, IP61, IP62))
    datagram = udp.build(40000, 9000, b"hello", IP61, IP62)
    refused = ipv6.build(IP61, IP62, ipv4.UDP, datagram)
    options = ipv6.extension(ipv6.DESTINATION, payload=ipv6.extension(ipv4.UDP, payload=datagram))
    big = udp.build(40000, 9000, bytes(2000), IP61, IP62)
    return {
        "icmpv6 echo request": _frame6(ping),
        "icmpv6 packet too big": _frame6(
            ipv6.build(IP62, IP61, ipv4.ICMPV6, icmpv6.packet_too_big(1280, ping, IP62, IP61))
        ),
        "icmpv6 time exceeded": _frame6(ipv6.build(IP62, IP61, ipv4.ICMPV6, icmpv6.time_exceeded(ping, IP62, IP61))),
        "icmpv6 port unreachable": _frame6(
            ipv6.build(IP62, IP61, ipv4.ICMPV6, icmpv6.unreachable(icmpv6.PORT_UNREACHABLE, refused, IP62, IP61))
        ),
        "udp over ipv6": _frame6(ipv6.build(IP61, IP62, ipv4.UDP, datagram, tos=0x2E << 2, flow=0x12345)),
        "ipv6 extensions": _frame6(ipv6.build(IP61, IP62, ipv6.HOP_BY_HOP, options)),
        "ipv6 first fragment": _frame6(
            ipv6.build(IP61, IP62, ipv6.FRAGMENT, ipv6.fragment(ipv4.UDP, 0, True, 77, big[:1400]))
        ),
        "ipv6 last fragment": _frame6(
            ipv6.build(IP61, IP62, ipv6.FRAGMENT, ipv6.fragment(ipv4.UDP, 1400, False, 77, big[1400:]))
        ),
    }


def _neighbors() -> dict[str, bytes]:
    group = solicited_node(LINK2)
    told = icmpv6.Advertisement(64, 0, 1800, 0, 0, MAC1, 1500, (icmpv6.Prefix(parse_ipv6("fd00:1::"), 64),))
    messages = {
        "neighbour solicitation": (LINK1, group, icmpv6.neighbor_solicitation(LINK2, MAC1, LINK1, group)),
        "neighbour advertisement": (LINK1, LINK2, icmpv6.neighbor_advertisement(LINK1, MAC1, LINK1, LINK2)),
        "router solicitation": (LINK1, ALL_ROUTERS, icmpv6.router_solicitation(MAC1, LINK1, ALL_ROUTERS)),
        "router advertisement": (LINK1, ALL_NODES, icmpv6.router_advertisement(told, LINK1, ALL_NODES)),
    }
    return {
        name: _frame6(
            ipv6.build(src, dst, ipv4.ICMPV6, message, hops=icmpv6.ND_HOPS),
            multicast_mac6(dst) if dst != LINK2 else MAC2,
        )
        for name, (src, dst, message) in messages.items()
    }


def _listener() -> bytes:
    report = icmpv6.listener_report([solicited_node(LINK1)], LINK1, ALL_MLD2)
    body = ipv6.extension(ipv4.ICMPV6, ipv6.ROUTER_ALERT, report)
    return _frame6(ipv6.build(LINK1, ALL_MLD2, ipv6.HOP_BY_HOP, body, hops=1), multicast_mac6(ALL_MLD2))


def _segment(flags: int, said: tcp.Options, payload: bytes = b"", seq: int = 1000, ack: int = 0) -> bytes:
    options = tcp.pack_options(said)
    ack = ack if flags & tcp.ACK else 0
    segment = tcp.build(40000, 80, seq, ack, flags, 65535, payload, IP1, IP2, options=options)
    return _frame4(ipv4.build(IP1, IP2, ipv4.TCP, segment, id=20, fragment=ipv4.DONT_FRAGMENT))


def _tcp() -> dict[str, bytes]:
    times = (123456, 654321)
    segment6 = tcp.build(40000, 80, 1, 2, tcp.ACK, 100, b"over six", IP61, IP62)
    return {
        "tcp syn": _segment(tcp.SYN, tcp.Options(mss=1460, window_scale=7, sack_ok=True, timestamps=(123456, 0))),
        "tcp data": _segment(tcp.ACK | tcp.PSH, tcp.Options(timestamps=times), b"GET / HTTP/1.0\r\n\r\n", 1001, 5001),
        "tcp sack": _segment(
            tcp.ACK, tcp.Options(timestamps=times, sack=((7000, 8000), (9000, 9500))), b"", 1019, 5001
        ),
        "tcp fast open": _segment(tcp.SYN, tcp.Options(mss=1460, fast_open=b"cookie66"), b"early"),
        "tcp ecn": _segment(tcp.ACK | tcp.ECE, tcp.NONE, b"", 1019, 6001),
        "tcp reset": _segment(tcp.RST | tcp.ACK, tcp.NONE, b"", 1019, 6001),
        "tcp over ipv6": _frame6(ipv6.build(IP61, IP62, ipv4.TCP, segment6)),
    }


def _mptcp() -> dict[str, bytes]:
    proof = mptcp.join_hmac(KEY1, KEY2, 1, 2)
    dsn = mptcp.initial_dsn(KEY1) + 1
    said: dict[str, tuple[int, mptcp.Option]] = {
        "mptcp capable syn": (tcp.SYN, mptcp.Capable()),
        "mptcp capable syn ack": (tcp.SYN | tcp.ACK, mptcp.Capable(KEY2)),
        "mptcp capable ack": (tcp.ACK, mptcp.Capable(KEY1, KEY2)),
        "mptcp join syn": (tcp.SYN, mptcp.JoinSyn(False, 1, mptcp.token(KEY2), 1)),
        "mptcp join syn ack": (tcp.SYN | tcp.ACK, mptcp.JoinSynAck(False, 1, proof[:8], 2)),
        "mptcp join ack": (tcp.ACK, mptcp.JoinAck(proof[:20])),
        "mptcp dss": (tcp.ACK, mptcp.Dss(data_ack=5, dsn=dsn, ssn=1, length=4)),
        "mptcp add address": (
            tcp.ACK,
            mptcp.AddAddr(2, 4, ROUTER, None, mptcp.add_addr_hmac(KEY1, KEY2, 2, 4, ROUTER)),
        ),
        "mptcp add address echo": (tcp.ACK, mptcp.AddAddr(2, 6, IP61, 8080)),
        "mptcp remove address": (tcp.ACK, mptcp.RemoveAddr((2,))),
        "mptcp priority": (tcp.ACK, mptcp.Prio(True)),
        "mptcp fail": (tcp.ACK, mptcp.Fail(dsn)),
        "mptcp fast close": (tcp.ACK, mptcp.FastClose(KEY2)),
        "mptcp reset": (tcp.RST, mptcp.Reset(1, mptcp.PROHIBITED)),
    }
    data = {"mptcp dss": b"data"}
    return {
        name: _segment(flags, tcp.Options(mptcp=(option.pack(),)), data.get(name, b""), 3000, 4000)
        for name, (flags, option) in said.items()
    }


def _tagged(frames: dict[str, bytes]) -> dict[str, bytes]:
    inner = vlan.push(frames["udp"], 2001, pcp=5)
    return {
        "vlan": vlan.push(frames["arp request"], 10, pcp=3),
        "priority tag": vlan.push(frames["udp"], vlan.PRIORITY_ONLY, pcp=6),
        "qinq": vlan.push(inner, 200, pcp=1, dei=True, tpid=vlan.STAG),
    }


def _tunnelled(frames: dict[str, bytes]) -> dict[str, bytes]:
    payload = vxlan.build(100, frames["icmp echo request"])
    legacy = udp.build(50001, vxlan.LEGACY_PORT, payload, IP1, IP2)
    over6 = udp.build(50002, vxlan.PORT, payload, IP61, IP62)
    return {
        "vxlan": vxlan_in_vlan(),
        "vxlan legacy port": _frame4(ipv4.build(IP1, IP2, ipv4.UDP, legacy, id=30)),
        "vxlan over ipv6": _frame6(ipv6.build(IP61, IP62, ipv4.UDP, over6)),
    }
