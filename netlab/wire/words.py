"""A frame in one line, as people say it: "ICMP echo request 10.0.1.10 → 10.0.2.10 id 1 seq 3 ttl 64".

Each protocol has a function that is given the frame, all layers and the index of its own. The last layer that has one
speaks, and the tunnels and tags around it are put in front.
"""

from __future__ import annotations

from collections.abc import Callable

from netlab.wire import Octets, arp, ethernet, icmp, icmpv6, ipv4, ipv6, mptcp, tcp, vlan
from netlab.wire.address import format_ipv4, format_ipv6, format_mac
from netlab.wire.dissect import Layer, layers

Words = Callable[[Octets, list[Layer], int], str]


def describe(frame: Octets, link: str = "ethernet") -> str:
    """The frame in one line. What is wrong with it is said at the end."""
    return _say(frame, layers(frame, link))


def _say(frame: Octets, found: list[Layer]) -> str:
    around: list[str] = []
    said = ""
    complaint = ""
    for i, (name, header, _) in enumerate(found):
        if name in AROUND:
            around.append(AROUND[name](frame, found, i))
        elif name in SAID:
            said = SAID[name](frame, found, i)
        elif name == "malformed":
            complaint = complaint or str(header)
    text = "".join(around) + said
    if complaint:
        return f"{text} (malformed: {complaint})" if text else f"malformed: {complaint}"
    return text or "nothing"


def _outer_ip(found: list[Layer], i: int) -> ipv4.Header | ipv6.Header | None:
    """The IP header that the layer at ``i`` travels in."""
    for j in range(i - 1, -1, -1):
        if found[j][0] in ("ipv4", "ipv6"):
            header: ipv4.Header | ipv6.Header = found[j][1]
            return header
    return None


def _texts(ip: ipv4.Header | ipv6.Header | None) -> tuple[str, str]:
    """Source and destination as text."""
    if isinstance(ip, ipv4.Header):
        return format_ipv4(ip.src), format_ipv4(ip.dst)
    return (format_ipv6(ip.src), format_ipv6(ip.dst)) if ip else ("?", "?")


def _ends(found: list[Layer], i: int) -> str:
    src, dst = _texts(_outer_ip(found, i))
    return f"{src} → {dst}"


def _port_ends(found: list[Layer], i: int, src: int, dst: int) -> str:
    ip = _outer_ip(found, i)
    a, b = _texts(ip)
    return f"[{a}]:{src} → [{b}]:{dst}" if isinstance(ip, ipv6.Header) else f"{a}:{src} → {b}:{dst}"


def _ce(ip: ipv4.Header | ipv6.Header) -> str:
    """What a queue on its way left on it."""
    return " CE" if ip.ecn == ipv4.CE else ""


def _ttl(found: list[Layer], i: int) -> str:
    """What IP has to say in the end: its TTL, and whether the rest of the payload is in other fragments."""
    ip = _outer_ip(found, i)
    if isinstance(ip, ipv6.Header):
        return f"{_ce(ip)} hops {ip.hops}" + (" (first fragment)" if found[i - 1][0] == "ipv6.fragment" else "")
    return f"{_ce(ip)} ttl {ip.ttl}" + (" (first fragment)" if ip.more_fragments else "") if ip else ""


def _payload_size(found: list[Layer], i: int) -> int:
    """How many bytes of payload follow the layer at ``i``."""
    return len(found[i + 1][1]) if i + 1 < len(found) and found[i + 1][0] == "payload" else 0


def _bytes(count: int) -> str:
    return "1 byte" if count == 1 else f"{count} bytes"


def _ethernet(frame: Octets, found: list[Layer], i: int) -> str:
    header: ethernet.Header = found[i][1]
    if header.type < ethernet.LENGTH_LIMIT:
        kind = f"802.3 length {header.type}"
    else:
        kind = f"type 0x{header.type:04x} {_bytes(_payload_size(found, i))}"
    return f"Ethernet {format_mac(header.src)} → {format_mac(header.dst)} {kind}"


def _arp(frame: Octets, found: list[Layer], i: int) -> str:
    header: arp.Header = found[i][1]
    if header.op == arp.REQUEST:
        return f"ARP who has {format_ipv4(header.target_ip)}? tell {format_ipv4(header.sender_ip)}"
    if header.op == arp.REPLY:
        return f"ARP {format_ipv4(header.sender_ip)} is at {format_mac(header.sender_mac)}"
    return f"ARP operation {header.op} {format_ipv4(header.sender_ip)} → {format_ipv4(header.target_ip)}"


PROTOCOL_NAMES = {
    ipv4.ICMP: "ICMP",
    ipv4.IGMP: "IGMP",
    ipv4.TCP: "TCP",
    ipv4.UDP: "UDP",
    ipv4.GRE: "GRE",
    ipv4.ICMPV6: "ICMPv6",
}


def _protocol(number: int) -> str:
    return PROTOCOL_NAMES.get(number, f"protocol {number}")


def _ipv4(frame: Octets, found: list[Layer], i: int) -> str:
    header: ipv4.Header = found[i][1]
    ends = f"{format_ipv4(header.src)} → {format_ipv4(header.dst)}"
    proto = _protocol(header.proto)
    if header.offset:
        last = header.offset + header.length - header.size - 1
        return f"IPv4 fragment {ends} {proto} id {header.id} bytes {header.offset}–{last} ttl {header.ttl}"
    return f"IPv4 {ends} {proto} {_bytes(header.length - header.size)} ttl {header.ttl}"


def _ipv6(frame: Octets, found: list[Layer], i: int) -> str:
    header: ipv6.Header = found[i][1]
    src, dst = _texts(header)
    return f"IPv6 {src} → {dst} {_protocol(header.proto)} {_bytes(header.length)} hops {header.hops}"


def _ipv6_fragment(frame: Octets, found: list[Layer], i: int) -> str:
    header: ipv6.Fragment = found[i][1]
    last = header.offset + max(0, _payload_size(found, i) - 1)
    return (
        f"IPv6 fragment {_ends(found, i)} {_protocol(header.proto)} id {header.id} "
        f"bytes {header.offset}–{last}{_ttl(found, i)}"
    )


_UNREACHABLE = {
    icmp.NET_UNREACHABLE: "network unreachable",
    icmp.HOST_UNREACHABLE: "host unreachable",
    icmp.PROTOCOL_UNREACHABLE: "protocol unreachable",
    icmp.PORT_UNREACHABLE: "port unreachable",
    icmp.FRAGMENTATION_NEEDED: "fragmentation needed",
    icmp.ADMIN_PROHIBITED: "administratively prohibited",
}
_ICMP = {
    icmp.ECHO_REQUEST: "echo request",
    icmp.ECHO_REPLY: "echo reply",
    icmp.SOURCE_QUENCH: "source quench",
    icmp.REDIRECT: "redirect",
    icmp.PARAMETER_PROBLEM: "parameter problem",
}


def _icmp_kind(header: icmp.Header) -> str:
    if header.type == icmp.UNREACHABLE:
        return _UNREACHABLE.get(header.code, f"unreachable code {header.code}")
    if header.type == icmp.TIME_EXCEEDED:
        return "time exceeded" if header.code == icmp.TTL_EXCEEDED else "reassembly time exceeded"
    return _ICMP.get(header.type, f"type {header.type} code {header.code}")


def _icmp(frame: Octets, found: list[Layer], i: int) -> str:
    header: icmp.Header = found[i][1]
    text = f"ICMP {_icmp_kind(header)} {_ends(found, i)}"
    if header.type in (icmp.ECHO_REQUEST, icmp.ECHO_REPLY):
        return f"{text} id {header.id} seq {header.seq}{_ttl(found, i)}"
    if header.type == icmp.UNREACHABLE and header.code == icmp.FRAGMENTATION_NEEDED:
        text += f" mtu {header.mtu}"
    return text + _ttl(found, i) + (_about(found, i) if header.is_error else "")


def _about(found: list[Layer], i: int) -> str:
    """What an error quotes. The quote may be cut short, so complaints about it are left out."""
    if i + 1 >= len(found) or found[i + 1][0] != "payload":
        return ""
    packet = found[i + 1][1]
    quote = [layer for layer in layers(packet, "ip") if layer[0] != "malformed"]
    return f" about {_say(packet, quote)}" if quote else ""


def _udp(frame: Octets, found: list[Layer], i: int) -> str:
    header = found[i][1]
    return f"UDP {_port_ends(found, i, header.src, header.dst)} {_bytes(header.length - 8)}{_ttl(found, i)}"


# ---- ICMPv6 --------------------------------------------------------------------------------------

_UNREACHABLE6 = {
    icmpv6.NO_ROUTE: "no route",
    icmpv6.ADMIN_PROHIBITED: "administratively prohibited",
    icmpv6.BEYOND_SCOPE: "beyond scope",
    icmpv6.ADDRESS_UNREACHABLE: "address unreachable",
    icmpv6.PORT_UNREACHABLE: "port unreachable",
}
_ICMPV6 = {
    icmpv6.PACKET_TOO_BIG: "packet too big",
    icmpv6.PARAMETER_PROBLEM: "parameter problem",
    icmpv6.ECHO_REQUEST: "echo request",
    icmpv6.ECHO_REPLY: "echo reply",
    icmpv6.MLD_QUERY: "multicast listener query",
    icmpv6.MLD_REPORT: "multicast listener report",
    icmpv6.MLD_DONE: "multicast listener done",
    icmpv6.MLD2_REPORT: "multicast listener report v2",
    icmpv6.ROUTER_SOLICITATION: "router solicitation",
    icmpv6.ROUTER_ADVERTISEMENT: "router advertisement",
    icmpv6.NEIGHBOR_SOLICITATION: "neighbour solicitation",
    icmpv6.NEIGHBOR_ADVERTISEMENT: "neighbour advertisement",
    icmpv6.REDIRECT: "redirect",
}


def _icmpv6_kind(header: icmp.Header) -> str:
    if header.type == icmpv6.UNREACHABLE:
        return _UNREACHABLE6.get(header.code, f"unreachable code {header.code}")
    if header.type == icmpv6.TIME_EXCEEDED:
        return "reassembly time exceeded" if header.code else "time exceeded"
    return _ICMPV6.get(header.type, f"type {header.type} code {header.code}")


def _icmpv6(frame: Octets, found: list[Layer], i: int) -> str:
    _, header, at = found[i]
    if header.type in (icmpv6.NEIGHBOR_SOLICITATION, icmpv6.NEIGHBOR_ADVERTISEMENT):
        neighbor = icmpv6.parse_neighbor(frame, at, at + 8 + _payload_size(found, i))
        if neighbor is not None:
            return _neighbor(header, neighbor, found, i)
    text = f"ICMPv6 {_icmpv6_kind(header)} {_ends(found, i)}"
    if header.type in (icmpv6.ECHO_REQUEST, icmpv6.ECHO_REPLY):
        return f"{text} id {header.id} seq {header.seq}{_ttl(found, i)}"
    if header.type == icmpv6.PACKET_TOO_BIG:
        text += f" mtu {header.rest}"
    return text + _ttl(found, i) + (_about(found, i) if icmpv6.is_error(header.type) else "")


def _neighbor(header: icmp.Header, said: icmpv6.Neighbor, found: list[Layer], i: int) -> str:
    target = format_ipv6(said.target)
    if header.type == icmpv6.NEIGHBOR_SOLICITATION:
        return f"ICMPv6 who has {target}? tell {_texts(_outer_ip(found, i))[0]}"
    return f"ICMPv6 {target} is at {format_mac(said.link) if said.link else 'the sender'}"


# ---- TCP -----------------------------------------------------------------------------------------


def _tcp(frame: Octets, found: list[Layer], i: int) -> str:
    _, header, at = found[i]
    size = _payload_size(found, i)
    text = f"TCP {_port_ends(found, i, header.src, header.dst)} {tcp.flag_names(header.flags)} seq {header.seq}"
    if header.flags & tcp.ACK:
        text += f" ack {header.ack}"
    text += f" win {header.window}" + (f" {_bytes(size)}" if size else "")
    return text + _tcp_options(tcp.options(frame, at, header)) + _ttl(found, i)


def _tcp_options(said: tcp.Options) -> str:
    text = "" if said.mss is None else f" mss {said.mss}"
    text += "" if said.window_scale is None else f" wscale {said.window_scale}"
    text += " sackOK" if said.sack_ok else ""
    text += "".join(f" sack {left}–{right}" for left, right in said.sack)
    text += "" if said.timestamps is None else f" ts {said.timestamps[0]} ecr {said.timestamps[1]}"
    text += "" if said.fast_open is None else f" fast open {said.fast_open.hex() or 'request'}"
    return text + "".join(f" mptcp {_mptcp(value)}" for value in said.mptcp)


def _mptcp(value: bytes) -> str:
    said = mptcp.parse(value)
    if said is None:
        return "malformed"
    match said:
        case mptcp.Dss():
            ack = "" if said.data_ack is None else f" ack {said.data_ack}"
            mapping = "" if said.dsn is None else f" dsn {said.dsn} ssn {said.ssn} length {said.length}"
            return "dss" + ack + mapping + (" fin" if said.fin else "")
        case mptcp.AddAddr():
            address = format_ipv4(said.address) if said.version == 4 else format_ipv6(said.address)
            return f"add address {said.address_id} {address}" + ("" if said.hmac else " echo")
        case _:
            return _MPTCP[type(said)]


_MPTCP: dict[type, str] = {
    mptcp.Capable: "capable",
    mptcp.JoinSyn: "join",
    mptcp.JoinSynAck: "join",
    mptcp.JoinAck: "join",
    mptcp.RemoveAddr: "remove address",
    mptcp.Prio: "priority",
    mptcp.Fail: "fail",
    mptcp.FastClose: "fast close",
    mptcp.Reset: "reset",
}


# ---- around --------------------------------------------------------------------------------------


def _vlan(frame: Octets, found: list[Layer], i: int) -> str:
    header: vlan.Header = found[i][1]
    return f"VLAN {header.vid}{f' pcp {header.pcp}' if header.pcp else ''}: "


def _vxlan(frame: Octets, found: list[Layer], i: int) -> str:
    return f"VXLAN {found[i][1].vni} {_ends(found, i)}: "


AROUND: dict[str, Words] = {"vlan": _vlan, "vxlan": _vxlan}
"""Tags and tunnels: they stand in front of what they carry."""

SAID: dict[str, Words] = {
    "ethernet": _ethernet,
    "arp": _arp,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "ipv6.fragment": _ipv6_fragment,
    "icmp": _icmp,
    "icmpv6": _icmpv6,
    "udp": _udp,
    "tcp": _tcp,
}
