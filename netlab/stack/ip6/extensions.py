"""Extension headers as the destination walks them (RFC 8200 §4)."""

from __future__ import annotations

from typing import NamedTuple

from netlab.wire import icmpv6, ipv6

SILENT = -1
UNKNOWN_HEADER, UNKNOWN_OPTION = 1, 2
"""Codes of "parameter problem"; 0 is a bad field."""
_KNOWN = (1, 5)
"""PadN and router alert."""
_WALKED = frozenset((ipv6.HOP_BY_HOP, ipv6.ROUTING, ipv6.DESTINATION))


class Found(NamedTuple):
    """Where the walk ends: at a transport protocol or a fragment header. ``pointer``: the byte that named it."""

    proto: int
    at: int
    pointer: int


class Refused(NamedTuple):
    """Why the packet goes no further; what its sender is told (code `SILENT`: nothing), and about which byte."""

    reason: str
    code: int = SILENT
    pointer: int = 0


def walk(packet: bytes, *, multicast: bool = False) -> Found | Refused:
    """Pass the hop-by-hop, routing and destination headers of a packet; each must be whole and ask nothing unknown."""
    kind, at, pointer = packet[6], ipv6.SIZE, 6
    while kind in _WALKED:
        if kind == ipv6.HOP_BY_HOP and pointer != 6:
            return Refused("hop-by-hop header is not the first", UNKNOWN_HEADER, pointer)
        header = ipv6.parse_extension(kind, packet, at)
        if header is None:
            return Refused("extension header is cut short")
        refused = _routing(header, at) if kind == ipv6.ROUTING else _options(header, at, multicast)
        if refused is not None:
            return refused
        kind, at, pointer = header.proto, at + header.size, at
    return Found(kind, at, pointer)


def _routing(header: ipv6.Extension, at: int) -> Refused | None:
    """No type is known here (type 0 is forbidden, RFC 5095), so only one with no segments left is passed (§4.4)."""
    if header.body[1] == 0:
        return None
    return Refused(f"routing header of type {header.body[0]} is not known", 0, at + 2)


def _options(header: ipv6.Extension, at: int, multicast: bool) -> Refused | None:
    """What is asked that is not known: an option's two highest bits say what then becomes of the packet (§4.2)."""
    body, n = header.body, 0
    while n < len(body):
        kind = body[n]
        if kind == 0:
            n += 1
            continue
        if n + 1 >= len(body) or n + 2 + body[n + 1] > len(body):
            return Refused("option is cut short", 0, at + 2 + n)
        if kind not in _KNOWN and kind >> 6:
            told = kind >> 6 == 2 or (kind >> 6 == 3 and not multicast)
            return Refused(f"option {kind} is not known", UNKNOWN_OPTION if told else SILENT, at + 2 + n)
        n += 2 + body[n + 1]
    return None


def is_error(packet: bytes) -> bool:
    """Whether a packet carries an ICMPv6 error or redirect, or may do so: no error answers it (RFC 4443 §2.4 e)."""
    found = ipv6.upper(packet)
    if found is None or found.at > len(packet):
        return True
    if found.proto != icmpv6.PROTO or (found.fragment is not None and found.fragment.offset):
        return False
    return found.at == len(packet) or packet[found.at] < 128 or packet[found.at] == icmpv6.REDIRECT
