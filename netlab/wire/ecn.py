"""Explicit congestion notification (RFC 3168) on whole frames: what a queue sees and sets."""

from __future__ import annotations

from netlab.wire import Octets, ipv4, ipv6
from netlab.wire.vlan import TAGS

_IPV4, _IPV6 = 0x0800, 0x86DD


def _network(frame: Octets) -> int:
    """Where an IP header begins, behind any VLAN tags; 0 for a frame without one."""
    at, end = 12, len(frame) - 2
    while at <= end and (kind := frame[at] << 8 | frame[at + 1]) in TAGS:
        at += 4
    if at > end:
        return 0
    size = 20 if kind == _IPV4 else 40 if kind == _IPV6 else end
    return at + 2 if end - at >= size else 0


def codepoint(frame: Octets) -> int:
    """The ECN field of a frame's IP packet: `ipv4.NOT_ECT` (also without an IP packet), ECT1, ECT0 or CE."""
    at = _network(frame)
    if not at:
        return ipv4.NOT_ECT
    return frame[at + 1] & 3 if frame[at] >> 4 == 4 else frame[at + 1] >> 4 & 3


def with_ce(frame: bytes) -> bytes | None:
    """The frame marked "congestion experienced" (§5), IPv4's checksum updated; None unless it was ECT(0) or ECT(1)."""
    if codepoint(frame) not in (ipv4.ECT0, ipv4.ECT1):
        return None
    at = _network(frame)
    return ipv4.with_ce(frame, at) if frame[at] >> 4 == 4 else ipv6.with_ce(frame, at)
