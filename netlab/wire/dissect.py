"""A whole frame, layer by layer, by explicit tables.

Nothing here raises, whatever the bytes. What cannot be read becomes a layer called "malformed" whose header is the
reason in words; what no table knows becomes a layer called "payload" whose header is the bytes.

To add a protocol: write its module and a step here, and add one line to a table at the end of this file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netlab.wire import Octets, arp, ethernet, icmp, icmpv6, ipv4, ipv6, tcp, vlan, vxlan
from netlab.wire.ethernet import Header as Ethernet
from netlab.wire.ethernet import fields as ethernet_fields
from netlab.wire.ipv4 import Header as Ipv4
from netlab.wire.ipv4 import fields as ipv4_fields
from netlab.wire.udp import Header as Udp
from netlab.wire.udp import fields as udp_fields
from netlab.wire.vlan import Header as Vlan
from netlab.wire.vlan import fields as vlan_fields
from netlab.wire.vxlan import Header as Vxlan
from netlab.wire.vxlan import fields as vxlan_fields

Layer = tuple[str, Any, int]
"""(name, header, offset in the frame): a bare tuple, because frames are many."""

Step = Callable[[Octets, int, int, list[Layer]], None]
"""Append the layer at ``at`` and go on to the next, reading no byte from ``end`` on."""

DEPTH = 32
"""More layers than this are an attack, not a frame."""


def layers(frame: Octets, link: str = "ethernet") -> list[Layer]:
    """The frame's headers from the outside in; ``link`` says what it starts with ("ethernet", "ip")."""
    found: list[Layer] = []
    LINKS[link](frame, 0, len(frame), found)
    return found


def malformed(found: list[Layer]) -> str:
    """The first complaint among the layers, "" when there is none."""
    return next((str(header) for name, header, _ in found if name == "malformed"), "")


# ---- the steps: each is one layer ----------------------------------------------------------------


# They begin with the bounds, after which the struct of a fixed header cannot fail: so the commonest ones unpack it here
# and save the call of ``parse`` (a third of the whole time).

_new = tuple.__new__


def _payload(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    if at < end:
        found.append(("payload", data[at:end], at))


def _bad(found: list[Layer], reason: str, at: int) -> None:
    found.append(("malformed", reason, at))


def _short(found: list[Layer], what: str, at: int, end: int) -> None:
    _bad(found, f"{what} header is cut short or impossible in {max(0, end - at)} bytes", at)


def _ethernet(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    inside = at + 14
    if inside > end:
        return _short(found, "Ethernet", at, end)
    header = _new(Ethernet, ethernet_fields(data, at))
    found.append(("ethernet", header, at))
    kind = header[2]
    ETHERTYPES.get(kind, _payload)(data, inside, end if kind >= 1536 else min(end, inside + kind), found)


def _vlan(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    inside = at + 4
    if inside > end or len(found) > DEPTH:
        return _short(found, "VLAN", at, end)
    header = _new(Vlan, vlan_fields(data, at))
    found.append(("vlan", header, at))
    kind = header[1]
    # A type below 1536 is a length (IEEE 802.3 §3.2.6), so what is behind it is padding.
    ETHERTYPES.get(kind, _payload)(data, inside, end if kind >= 1536 else min(end, inside + kind), found)


def _arp(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    header = arp.parse(data, at)
    if header is None or at + 28 > end:
        return _short(found, "ARP", at, end)
    found.append(("arp", header, at))


def _ipv4(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    if at + 20 > end or len(found) > DEPTH:
        return _short(found, "IPv4", at, end)
    header = _new(Ipv4, ipv4_fields(data, at))
    inside = at + 20
    if header[0] != 0x45 or header[2] < 20:  # options, or something that is wrong
        inside = at + header.size
        if ipv4.parse(data, at) is None or inside > end:
            return _short(found, "IPv4", at, end)
    found.append(("ipv4", header, at))
    stop = at + header[2]
    if header[4] & 0x1FFF:  # a later fragment holds no transport header
        _payload(data, inside, min(stop, end), found)
    else:
        PROTOCOLS.get(header[6], _payload)(data, inside, stop if stop <= end else end, found)
    if stop > end:
        _bad(found, f"IPv4 total length {header[2]}, of which {end - at} bytes came", at)


def _ipv6(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    header = ipv6.parse(data, at)
    if header is None or at + 40 > end or len(found) > DEPTH:
        return _short(found, "IPv6", at, end)
    found.append(("ipv6", header, at))
    stop = at + 40 + header[1]
    kind = header[2]
    if kind in ipv6.EXTENSIONS:
        _extensions(kind, data, at + 40, min(stop, end), found)
    else:
        PROTOCOLS.get(kind, _payload)(data, at + 40, stop if stop <= end else end, found)
    if stop > end:
        _bad(found, f"IPv6 payload length {header[1]}, of which {end - at - 40} bytes came", at)


def _extensions(kind: int, data: Octets, at: int, end: int, found: list[Layer]) -> None:
    """The extension headers that begin with one of ``kind``, and what follows them."""
    while kind in ipv6.EXTENSIONS:
        if kind == ipv6.FRAGMENT:
            fragment = ipv6.parse_fragment(data, at)
            if fragment is None or at + 8 > end or len(found) > DEPTH:
                return _short(found, "IPv6 fragment", at, end)
            found.append(("ipv6.fragment", fragment, at))
            kind, at = fragment.proto, at + 8
            if fragment.offset:
                return _payload(data, at, end, found)
            continue
        extension = ipv6.parse_extension(kind, data, at)
        if extension is None or at + extension.size > end or len(found) > DEPTH:
            return _short(found, "IPv6 extension", at, end)
        found.append(("ipv6.extension", extension, at))
        kind, at = extension.proto, at + extension.size
    PROTOCOLS.get(kind, _payload)(data, at, end, found)


def _ip(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    step = _ipv6 if at < end and data[at] >> 4 == 6 else _ipv4
    step(data, at, end, found)


def _icmp(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    header = icmp.parse(data, at)
    if header is None or at + 8 > end:
        return _short(found, "ICMP", at, end)
    found.append(("icmp", header, at))
    _payload(data, at + 8, end, found)


def _icmpv6(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    header = icmpv6.parse(data, at)
    if header is None or at + 8 > end:
        return _short(found, "ICMPv6", at, end)
    found.append(("icmpv6", header, at))
    _payload(data, at + 8, end, found)


def _tcp(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    header = tcp.parse(data, at)
    size = header[4] >> 12 << 2 if header is not None else 0
    if header is None or at + size > end:
        return _short(found, "TCP", at, end)
    found.append(("tcp", header, at))
    _payload(data, at + size, end, found)


def _udp(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    inside = at + 8
    if inside > end:
        return _short(found, "UDP", at, end)
    header = _new(Udp, udp_fields(data, at))
    if header[2] < 8:
        return _short(found, "UDP", at, end)
    found.append(("udp", header, at))
    stop = at + header[2]
    step = PORTS.get(header[1])
    if step:
        step(data, inside, stop if stop <= end else end, found)
    elif inside < stop and inside < end:
        found.append(("payload", data[inside : stop if stop <= end else end], inside))


def _vxlan(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    if at + 8 > end:  # (no tunnel without IP around it, so IP's limit of layers holds here too)
        return _short(found, "VXLAN", at, end)
    header = _new(Vxlan, vxlan_fields(data, at))
    if not header[0] & vxlan.VNI_VALID:  # without the I flag it is something else on this port
        return _payload(data, at, end, found)
    found.append(("vxlan", header, at))
    _ethernet(data, at + 8, end, found)


# ---- the tables ----------------------------------------------------------------------------------

LINKS: dict[str, Step] = {"ethernet": _ethernet, "ip": _ip}
ETHERTYPES: dict[int, Step] = {
    ethernet.IPV4: _ipv4,
    ethernet.ARP: _arp,
    ethernet.IPV6: _ipv6,
    vlan.CTAG: _vlan,
    vlan.STAG: _vlan,
    vlan.OLD_STAG: _vlan,
}
PROTOCOLS: dict[int, Step] = {
    ipv4.ICMP: _icmp,
    ipv4.TCP: _tcp,
    ipv4.UDP: _udp,
    ipv4.IPIP: _ipv4,
    ipv4.IPV6: _ipv6,
    ipv4.ICMPV6: _icmpv6,
}
PORTS: dict[int, Step] = {vxlan.PORT: _vxlan, vxlan.LEGACY_PORT: _vxlan}
"""UDP destination ports."""
