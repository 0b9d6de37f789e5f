"""A frame in one line, as people say it: "ICMP echo request 10.0.1.10 → 10.0.2.10 id 1 seq 3 ttl 64".

Each protocol has a function that is given all layers and the index of its own; the last layer that has one speaks,
and the tunnels and tags around it are put in front.
"""

from __future__ import annotations

from collections.abc import Callable

from netlab.wire import Octets, arp, ethernet, icmp, ipv4
from netlab.wire.address import format_ipv4, format_mac
from netlab.wire.dissect import Layer, layers

Words = Callable[[list[Layer], int], str]


def describe(frame: Octets, link: str = "ethernet") -> str:
    """The frame in one line. What is wrong with it is said at the end."""
    found = layers(frame, link)
    return _say(found)


def _say(found: list[Layer]) -> str:
    around: list[str] = []
    said = ""
    complaint = ""
    for i, (name, header, _) in enumerate(found):
        if name in AROUND:
            around.append(AROUND[name](found, i))
        elif name in SAID:
            said = SAID[name](found, i)
        elif name == "malformed":
            complaint = complaint or str(header)
    text = "".join(around) + said
    if complaint:
        return f"{text} (malformed: {complaint})" if text else f"malformed: {complaint}"
    return text or "nothing"


def _outer_ip(found: list[Layer], i: int) -> ipv4.Header | None:
    """The IP header that the layer at ``i`` travels in."""
    for name, header, _ in reversed(found[:i]):
        if name == "ipv4":
            result: ipv4.Header = header
            return result
    return None


def _ends(found: list[Layer], i: int) -> str:
    ip = _outer_ip(found, i)
    return f"{format_ipv4(ip.src)} → {format_ipv4(ip.dst)}" if ip else "? → ?"


def _port_ends(found: list[Layer], i: int, src: int, dst: int) -> str:
    ip = _outer_ip(found, i)
    a, b = (format_ipv4(ip.src), format_ipv4(ip.dst)) if ip else ("?", "?")
    return f"{a}:{src} → {b}:{dst}"


def _ttl(found: list[Layer], i: int) -> str:
    ip = _outer_ip(found, i)
    return f" ttl {ip.ttl}" if ip else ""


def _payload_size(found: list[Layer], i: int) -> int:
    """How many bytes of payload follow the layer at ``i``."""
    return len(found[i + 1][1]) if i + 1 < len(found) and found[i + 1][0] == "payload" else 0


def _ethernet(found: list[Layer], i: int) -> str:
    header: ethernet.Header = found[i][1]
    if header.type < ethernet.LENGTH_LIMIT:
        kind = f"802.3 length {header.type}"
    else:
        kind = f"type 0x{header.type:04x} {_payload_size(found, i)} bytes"
    return f"Ethernet {format_mac(header.src)} → {format_mac(header.dst)} {kind}"


def _arp(found: list[Layer], i: int) -> str:
    header: arp.Header = found[i][1]
    if header.op == arp.REQUEST:
        return f"ARP who has {format_ipv4(header.target_ip)}? tell {format_ipv4(header.sender_ip)}"
    if header.op == arp.REPLY:
        return f"ARP {format_ipv4(header.sender_ip)} is at {format_mac(header.sender_mac)}"
    return f"ARP operation {header.op} {format_ipv4(header.sender_ip)} → {format_ipv4(header.target_ip)}"


PROTOCOL_NAMES = {ipv4.ICMP: "ICMP", ipv4.IGMP: "IGMP", ipv4.TCP: "TCP", ipv4.UDP: "UDP", ipv4.GRE: "GRE"}


def _ipv4(found: list[Layer], i: int) -> str:
    header: ipv4.Header = found[i][1]
    ends = f"{format_ipv4(header.src)} → {format_ipv4(header.dst)}"
    proto = PROTOCOL_NAMES.get(header.proto, f"protocol {header.proto}")
    if header.offset:
        last = header.offset + header.length - header.size - 1
        return f"IPv4 fragment {ends} {proto} id {header.id} bytes {header.offset}–{last} ttl {header.ttl}"
    return f"IPv4 {ends} {proto} {header.length - header.size} bytes ttl {header.ttl}"


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


def _icmp(found: list[Layer], i: int) -> str:
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
    quote = [layer for layer in layers(found[i + 1][1], "ip") if layer[0] != "malformed"]
    return f" about {_say(quote)}" if quote else ""


def _udp(found: list[Layer], i: int) -> str:
    header = found[i][1]
    return f"UDP {_port_ends(found, i, header.src, header.dst)} {header.length - 8} bytes{_ttl(found, i)}"


AROUND: dict[str, Words] = {}
"""Tags and tunnels: they stand in front of what they carry."""

SAID: dict[str, Words] = {"ethernet": _ethernet, "arp": _arp, "ipv4": _ipv4, "icmp": _icmp, "udp": _udp}
