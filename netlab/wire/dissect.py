"""A whole frame, layer by layer, by explicit tables.

Nothing here raises, whatever the bytes. What cannot be read becomes a layer called "malformed" whose header is the
reason in words; what no table knows becomes a layer called "payload" whose header is the bytes.

To add a protocol: write its module and a step here, and add one line to a table at the end of this file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netlab.wire import Octets, arp, ethernet, icmp, ipv4, udp

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


def _payload(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    if at < end:
        found.append(("payload", data[at:end], at))


def _bad(found: list[Layer], reason: str, at: int) -> None:
    found.append(("malformed", reason, at))


def _short(found: list[Layer], what: str, at: int, end: int) -> None:
    _bad(found, f"{what} header is cut short or impossible in {max(0, end - at)} bytes", at)


def _ethernet(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    header = ethernet.parse(data, at)
    if header is None or at + 14 > end:
        return _short(found, "Ethernet", at, end)
    found.append(("ethernet", header, at))
    kind = header[2]
    if kind < ethernet.LENGTH_LIMIT:
        return _payload(data, at + 14, min(end, at + 14 + kind), found)
    ETHERTYPES.get(kind, _payload)(data, at + 14, end, found)


def _arp(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    header = arp.parse(data, at)
    if header is None or at + 28 > end:
        return _short(found, "ARP", at, end)
    found.append(("arp", header, at))


def _ipv4(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    header = ipv4.parse(data, at)
    if header is None or len(found) > DEPTH:
        return _short(found, "IPv4", at, end)
    size = (header[0] & 15) << 2
    stop = at + header[2]
    if at + size > end:
        return _short(found, "IPv4", at, end)
    found.append(("ipv4", header, at))
    if header[4] & 0x1FFF:  # a later fragment holds no transport header
        _payload(data, at + size, min(stop, end), found)
    else:
        PROTOCOLS.get(header[6], _payload)(data, at + size, stop if stop <= end else end, found)
    if stop > end:
        _bad(found, f"IPv4 total length {header[2]}, of which {end - at} bytes came", at)


def _ip(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    _ipv4(data, at, end, found)


def _icmp(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    header = icmp.parse(data, at)
    if header is None or at + 8 > end:
        return _short(found, "ICMP", at, end)
    found.append(("icmp", header, at))
    _payload(data, at + 8, end, found)


def _udp(data: Octets, at: int, end: int, found: list[Layer]) -> None:
    header = udp.parse(data, at)
    if header is None or at + 8 > end:
        return _short(found, "UDP", at, end)
    found.append(("udp", header, at))
    stop = at + header[2]
    PORTS.get(header[1], _payload)(data, at + 8, stop if stop <= end else end, found)


# ---- the tables ----------------------------------------------------------------------------------

LINKS: dict[str, Step] = {"ethernet": _ethernet, "ip": _ip}
ETHERTYPES: dict[int, Step] = {ethernet.IPV4: _ipv4, ethernet.ARP: _arp}
PROTOCOLS: dict[int, Step] = {ipv4.ICMP: _icmp, ipv4.UDP: _udp, ipv4.IPIP: _ipv4}
PORTS: dict[int, Step] = {}
"""UDP destination ports."""
